"""langfuse: generations and embeddings, whatever keys their usage has."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.wire.dialects.made import START, described, span, tokens
from watchglass.model import Context
from watchglass.wire.dialects import context, describe

P = "langfuse.observation."


def test_a_generation() -> None:
    """Usage, cost, model and messages are JSON; the first token is an ISO time."""
    found = described(
        {
            P + "type": "generation",
            P + "model.name": "gpt-4o-2024-08-06",
            P + "model.parameters": '{"temperature": 1, "service_tier": "default"}',
            P + "input": '{"tools": [], "messages": [{"role": "user", "content": "Which colour?"}]}',
            P + "output": '{"role": "assistant", "content": "Blue."}',
            P + "usage_details": json.dumps(
                {
                    "prompt_tokens": 1523,
                    "completion_tokens": 145,
                    "total_tokens": 1668,
                    "prompt_tokens_details": {"cached_tokens": 1024},
                    "completion_tokens_details": {"reasoning_tokens": 128},
                }
            ),
            P + "cost_details": '{"input": 0.001, "output": 0.002}',
            P + "completion_start_time": '"2023-11-14T22:13:20.500000Z"',
            P + "metadata.finish_reason": '"stop"',
        },
        scope="langfuse-sdk",
        name="OpenAI-generation",
    )
    assert START == 1_700_000_000_000_000_000  # 2023-11-14T22:13:20Z
    assert tokens(found) == (1523, 145, 1024, None, 128)
    assert (found.response_model, found.service_tier) == ("gpt-4o-2024-08-06", "default")
    assert (found.ttft_ns, found.streaming, found.finish_reasons) == (500_000_000, True, ("stop",))
    assert found.reported_cost_usd == Decimal("0.003")
    assert [each.role for each in (*found.input_messages, *found.output_messages)] == ["user", "assistant"]
    assert found.content_keys == (P + "input", P + "output")


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        # langfuse's own keys stand for themselves each …
        (
            {"input": 100, "output": 20, "input_cache_read": 900, "output_reasoning": 30, "total": 1050},
            (1000, 50, 900, None, 30),
        ),
        ({"input": 21, "output": 17, "cache_read_input_tokens": 1024}, (1045, 17, 1024, None, None)),
        # … unless the total says that the parts are inside
        (
            {"input": 1000, "output": 50, "input_cached_tokens": 900, "total": 1050},
            (1000, 50, 900, None, None),
        ),
        # Anthropic's own keys leave the cache out
        (
            {"input_tokens": 21, "output_tokens": 17, "cache_creation_input_tokens": 2048},
            (2069, 17, None, 2048, None),
        ),
        ({"input": 4}, (4, None, None, None, None)),
        ({"input": 0, "output": 0, "total": 0}, (None, None, None, None, None)),
        ({"input": "many"}, (None, None, None, None, None)),
    ],
)
def test_usage_of_any_keys(details: dict[str, object], expected: tuple[int | None, ...]) -> None:
    """Whether the parts are inside the totals is told by the family of the keys, and by the total."""
    assert tokens(described({P + "type": "generation", P + "usage_details": json.dumps(details)})) == expected


def test_a_failure_is_a_level() -> None:
    """`level` ERROR is a failed call; its zero cost and zero tokens are nobody's."""
    found = described(
        {
            P + "type": "generation",
            P + "model.name": "gpt-4o",
            P + "level": "ERROR",
            P + "status_message": "Error code: 429 - too many",
            P + "cost_details": '{"input": 0, "output": 0, "total": 0}',
        }
    )
    assert (found.success, found.error_type, found.error_message) == (
        False,
        "429",
        "Error code: 429 - too many",
    )
    assert (found.request_model, found.response_model) == ("gpt-4o", None)
    assert found.reported_cost_usd is None


@pytest.mark.parametrize("kind", ["span", "agent", "tool", "chain", "event", "retriever", "guardrail", ""])
def test_other_observations_are_nothing(kind: str) -> None:
    """Only generations and embeddings are requests."""
    assert describe(span({P + "type": kind, P + "output": "done"})) is None


def test_an_agent_observation_names_the_agent() -> None:
    """The name of an agent observation is the agent's; session and user have older names too."""
    made = span(
        {P + "type": "agent", "langfuse.session.id": "s1", "langfuse.user.id": "u1"}, name="order-agent"
    )
    assert context(made) == Context(agent="order-agent", session="s1", user="u1")
