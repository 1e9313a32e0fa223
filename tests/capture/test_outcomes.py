"""Scores, interrupts and invocations: one event each, at once, with the span and for whom it is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import watchglass
from tests.capture.recorded import Recorded
from watchglass.capture import boundary, content, recorder
from watchglass.capture.context import context


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    """What is recorded."""
    sink = Recorded()
    recorder.install(sink)
    boundary.forget()
    yield sink
    recorder.install(None)
    boundary.forget()


def test_a_score_is_of_the_current_span(recorded: Recorded) -> None:
    """OpenTelemetry's evaluation event, with the ids of the step that it judges and its context."""
    with context(tenant="acme"), watchglass.agent("assessor"):
        watchglass.score("relevance", 0.75, label="good", explanation="on topic", response_id="r-1")
    (score,) = [each for each in recorded.events if each.name == "gen_ai.evaluation.result"]
    assert score.attributes == {
        "gen_ai.evaluation.name": "relevance",
        "gen_ai.evaluation.score.value": 0.75,
        "gen_ai.evaluation.score.label": "good",
        "gen_ai.evaluation.explanation": "on topic",
        "gen_ai.response.id": "r-1",
    }
    assert (score.trace_id, score.span_id) == (recorded.span().trace_id, recorded.span().span_id)
    assert score.context["watchglass.tenant"] == "acme"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, {"gen_ai.evaluation.score.value": 1.0, "gen_ai.evaluation.score.label": "true"}),
        (False, {"gen_ai.evaluation.score.value": 0.0, "gen_ai.evaluation.score.label": "false"}),
        (3, {"gen_ai.evaluation.score.value": 3.0}),
        (None, {}),
    ],
)
def test_what_a_score_may_be(recorded: Recorded, value: Any, said: dict[str, Any]) -> None:
    """Numbers, yes and no, or no value at all; without a span it belongs to none."""
    watchglass.score("n", value)
    (event,) = recorded.events
    assert event.attributes == {"gen_ai.evaluation.name": "n", **said}
    assert (event.trace_id, event.span_id) == (b"", b"")


def test_an_explanation_is_content(recorded: Recorded) -> None:
    """Where nothing is kept of texts, nothing is kept of it."""
    before = content.use(content.policy("off"))
    watchglass.score("n", 1, explanation="because of you")
    content.use(before)
    assert "because" not in repr(recorded.all)


def test_an_interrupt(recorded: Recorded) -> None:
    """Kind and status, requested unless another is said."""
    watchglass.interrupt("clarification")
    watchglass.interrupt("confirmation", status="answered")
    assert [list(each.attributes.values()) for each in recorded.events] == [
        ["clarification", "requested"],
        ["confirmation", "answered"],
    ]


def test_an_invocation(recorded: Recorded) -> None:
    """Milliseconds become nanoseconds; what is not known is not there."""
    collector = watchglass.MetricsCollector()
    collector.record_agent_invocation("pricer", True, 12.5, confidence=0.9, hallucination=False)
    collector.record_agent_invocation("pricer", success=False)
    full, bare = recorded.events
    assert full.attributes == {
        "gen_ai.agent.name": "pricer",
        "watchglass.invocation.success": True,
        "watchglass.invocation.duration_ns": 12_500_000,
        "watchglass.invocation.confidence": 0.9,
        "watchglass.invocation.hallucination": False,
    }
    assert bare.attributes == {"gen_ai.agent.name": "pricer", "watchglass.invocation.success": False}


def test_nonsense_raises_nothing(recorded: Recorded) -> None:
    """A value that is no number is counted as a fault of ours and not recorded."""
    watchglass.score("n", "much")  # pyright: ignore[reportArgumentType] - what is tested
    watchglass.MetricsCollector().record_agent_invocation("a", True, "soon")  # pyright: ignore[reportArgumentType] - likewise
    assert not recorded.all
    assert (boundary.failures["score"], boundary.failures["invocation"]) == (1, 1)


def test_the_document_s_examples_run(recorded: Recorded) -> None:
    """What `docs/sdk.md` shows of steps records the executions and the score that it speaks of."""
    text = (Path(__file__).parents[2] / "docs" / "sdk.md").read_text("utf-8")
    section = text[text.index("## Steps") :]
    section = section[: section.index("\n## ", 1)]
    names: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", section, re.S):
        exec(code, names)
    assert asyncio.run(names["onboard"]()) == "ready"
    assert [each.name for each in recorded.spans] == [
        *("execute_tool scan", "execute_task index"),
        *(
            "execute_tool look_up",
            "execute_task readiness",
            "invoke_agent assessor",
            "invoke_workflow onboard",
        ),
    ]
    assert "gen_ai.evaluation.result" in {each.name for each in recorded.events}
