"""What the tests with the real CrewAI share: a place of its own on disk, a provider on this machine, no
network.

They run in an environment of their own (`make test-crewai`), since CrewAI pins much that the rest does not.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from typing import Any

# Before CrewAI is imported: where it keeps its files, and that it reports to nobody. OTEL_SDK_DISABLED stays
# unset, since it would turn off the application's own tracing, ours included.
os.environ.update(
    CREWAI_DISABLE_TELEMETRY="true",
    CREWAI_TRACING_ENABLED="false",
    CREWAI_DISABLE_VERSION_CHECK="true",
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    OPENAI_API_KEY="sk-none",
)

import pytest

from tests.capture.provider import Answer, Fault, Provider, Request
from watchglass.capture import boundary, recorder
from watchglass.capture.records import EventRecord, Record, SpanRecord, decode

STEPS, CALLS = "watchglass.steps", ("watchglass.litellm", "watchglass.crewai")


class Recorded:
    """A sink that keeps what is recorded, as it would be read back from the spool."""

    def __init__(self) -> None:
        self.all: list[Record] = []

    def append(self, payload: bytes) -> bool:
        self.all.append(decode(payload))
        return True

    @property
    def spans(self) -> list[SpanRecord]:
        return [each for each in self.all if isinstance(each, SpanRecord)]

    @property
    def calls(self) -> list[SpanRecord]:
        """Calls, in the order in which they were sent."""
        return sorted((each for each in self.spans if each.scope in CALLS), key=lambda each: each.start_ns)

    def of(self, operation: str) -> list[SpanRecord]:
        """Ended executions of one operation, in order of their start."""
        found = (each for each in self.spans if each.attributes["gen_ai.operation.name"] == operation)
        return sorted(found, key=lambda each: each.start_ns)

    def states(self, kind: str) -> list[tuple[object, object]]:
        """Name and state of each step of a kind that was told of while it lasted."""
        events = (each.attributes for each in self.all if isinstance(each, EventRecord))
        return [
            (told["watchglass.step.name"], told["watchglass.step.state"])
            for told in events
            if told["watchglass.step.kind"] == kind
        ]

    def above(self, span: SpanRecord) -> SpanRecord | None:
        """The step that a span is directly part of."""
        return next((each for each in self.spans if each.span_id == span.parent_span_id), None)


class ToolProvider(Provider):
    """Asks for a tool once in each conversation that offers one, and answers when it has the tool's
    result."""

    def arrived(
        self, path: str, body: dict[str, Any], headers: dict[str, str]
    ) -> tuple[Request, Fault | None]:
        """Counting tokens asks no model and is not billed: it is answered 404, and not in the ledger."""
        if path.endswith("/count_tokens"):
            return Request(0, path, str(body.get("model")), False), None
        return super().arrived(path, body, headers)

    def answer(self, request: Request) -> Answer:
        said = super().answer(request)
        offered: list[dict[str, Any]] = request.body.get("tools") or []
        asked = request.body.get("messages") or request.body.get("input") or []
        if not offered or _has_result(asked):
            return said
        first = offered[0]
        name = first.get("name") or first["function"]["name"]
        return dataclasses.replace(said, tool=(name, {"city": "Rome"}))


def _has_result(messages: list[dict[str, Any]]) -> bool:
    for message in messages:
        content = message.get("content")
        blocks = content if isinstance(content, list) else []
        results = [each for each in blocks if isinstance(each, dict) and each.get("type") == "tool_result"]
        if message.get("role") == "tool" or results:
            return True
    return False


@pytest.fixture(autouse=True)
def at_home(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """CrewAI keeps its files in a directory of this test."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CREWAI_STORAGE_DIR", str(tmp_path / "crewai"))


@pytest.fixture
def provider() -> Iterator[ToolProvider]:
    with ToolProvider() as made:
        yield made


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    """What is recorded with LiteLLM and CrewAI instrumented, as `init` does it."""
    from watchglass.capture import crewai, litellm

    sink = Recorded()
    boundary.forget()
    litellm.install()
    crewai.install()
    recorder.install(sink)
    yield sink
    recorder.install(None)
    assert not boundary.failures
