"""For tests of applications that use watchglass: what would have been sent, a clock, ids that repeat.

    from watchglass.testing import recorder  # a pytest fixture

    def test_each_answer_is_billed_to_its_tenant(recorder):
        answer("hello", tenant="acme")
        assert [call.tenant for call in recorder.calls] == ["acme"]

Without pytest, `with Recorder() as recorder: …`. No server, no spool and no `watchglass.init` are needed.
"""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from watchglass import names
from watchglass.capture import ids, tracing
from watchglass.capture import recorder as recording
from watchglass.capture.execution import NAMES, OPERATIONS, Kind
from watchglass.capture.records import EventRecord, Record, SpanRecord, about_process, decode
from watchglass.clock import Clock, ManualClock

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from watchglass.capture.encoder import Request

    recorder: Any

__all__ = ["Call", "DeterministicIds", "Event", "ManualClock", "Recorder", "Span", "Step", "recorder"]


_KINDS: dict[str, Kind] = {operation: kind for kind, operation in OPERATIONS.items()}


class DeterministicIds:
    """Trace ids 1, 2, 3 … and span ids 1, 2, 3 …, so that what a test records is the same each time."""

    random = False

    def __init__(self) -> None:
        # `next` of a C iterator is one step for the interpreter: no lock is needed.
        self._traces, self._spans = itertools.count(1), itertools.count(1)

    def trace_id(self) -> bytes:
        """The next trace id, 16 bytes."""
        return next(self._traces).to_bytes(16, "big")

    def span_id(self) -> bytes:
        """The next span id, 8 bytes."""
        return next(self._spans).to_bytes(8, "big")


@dataclass(frozen=True)
class _Said:
    """What spans and events have in common. `attributes` holds those of the context too."""

    record: SpanRecord | EventRecord

    @property
    def attributes(self) -> dict[str, Any]:
        """All attributes, by the names that are sent."""
        return {**self.record.context, **self.record.attributes}

    @property
    def name(self) -> str:
        """Name of the span or event."""
        return self.record.name

    @property
    def trace_id(self) -> str:
        """32 hex digits; empty where there is none."""
        return self.record.trace_id.hex()

    @property
    def span_id(self) -> str:
        """16 hex digits; empty where there is none."""
        return self.record.span_id.hex()

    @property
    def tenant(self) -> str | None:
        """For whom it was."""
        return self.attributes.get("watchglass.tenant")

    @property
    def engagement(self) -> str | None:
        """For which project of the tenant."""
        return self.attributes.get("watchglass.engagement")

    @property
    def feature(self) -> str | None:
        """For which part of the application."""
        return self.attributes.get("watchglass.feature")

    @property
    def flow(self) -> str | None:
        """In which run of a workflow."""
        return self.attributes.get("watchglass.flow.id")

    @property
    def agent(self) -> str | None:
        """By which agent."""
        return self.attributes.get("gen_ai.agent.name")


@dataclass(frozen=True)
class Event(_Said):
    """Something that happened at one moment."""

    record: EventRecord


@dataclass(frozen=True)
class Span(_Said):
    """A finished span."""

    record: SpanRecord

    @property
    def parent_id(self) -> str:
        """The span id of what is around it; empty for a root."""
        return self.record.parent_span_id.hex()

    @property
    def duration_ns(self) -> int:
        """From start to end."""
        return self.record.end_ns - self.record.start_ns

    @property
    def failed(self) -> bool:
        """Whether its status is error."""
        return self.record.status == 2

    @property
    def error_type(self) -> str | None:
        """What kind of error ended it."""
        return self.attributes.get("error.type")


@dataclass(frozen=True)
class Call(Span):
    """One request to a model. What nobody said is None."""

    @property
    def provider(self) -> str | None:
        """Who was asked."""
        return self.attributes.get("gen_ai.provider.name")

    @property
    def model(self) -> str | None:
        """The model that was asked for."""
        return self.attributes.get("gen_ai.request.model")

    @property
    def input_tokens(self) -> int | None:
        """All input, cached included."""
        return self.attributes.get("gen_ai.usage.input_tokens")

    @property
    def output_tokens(self) -> int | None:
        """All output, reasoning included."""
        return self.attributes.get("gen_ai.usage.output_tokens")

    @property
    def cost_usd(self) -> Decimal | None:
        """What the client library says it cost; the bill is the server's, by the price in force."""
        said = self.attributes.get(names.REPORTED_COST)
        return None if said is None else Decimal(said)

    @property
    def input_messages(self) -> Any:
        """The messages that were sent, as far as content is kept."""
        return self._messages("gen_ai.input.messages")

    @property
    def output_messages(self) -> Any:
        """The messages that came back, as far as content is kept."""
        return self._messages("gen_ai.output.messages")

    def _messages(self, key: str) -> Any:
        text = self.attributes.get(key)
        return None if text is None else msgspec.json.decode(text)


@dataclass(frozen=True)
class Step(Span):
    """One execution of a flow, a task, an agent or a tool."""

    @property
    def kind(self) -> str:
        """flow, task, agent or tool."""
        return _KINDS[self.attributes["gen_ai.operation.name"]]

    @property
    def step(self) -> str | None:
        """The name of what was executed."""
        return self.attributes.get(NAMES[_KINDS[self.attributes["gen_ai.operation.name"]]])


class Recorder:
    """Records in memory what would have been sent, while it is entered; then puts back what was there.

    `clock` gives calls and steps their times, `ids` their ids; without them they are real. Its `provider`
    makes OpenTelemetry spans that are recorded. Usable from any thread.
    """

    def __init__(self, clock: Clock | None = None, ids: ids.IdSource | None = None) -> None:
        self._clock, self._ids = clock, ids
        self._payloads: list[bytes] = []
        self._undo = ExitStack()
        self.provider: TracerProvider | None = None

    def __enter__(self) -> Recorder:
        # Imported here: OpenTelemetry's SDK is none of what `import watchglass.testing` should wait for.
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON

        from watchglass.capture.spans import RecordSpans

        self.provider = TracerProvider(
            sampler=ALWAYS_ON, id_generator=ids.otel_generator(), shutdown_on_exit=False
        )
        self.provider.add_span_processor(RecordSpans())
        sink, observers = recording.installed()
        self._undo.callback(recording.install, sink, *observers)
        self._undo.callback(tracing.use, tracing.use(self.provider))
        self._undo.callback(ids.use, *ids.use(self._ids, self._clock))
        recording.install(self)
        return self

    def __exit__(self, *error: object) -> None:
        self._undo.close()

    def append(self, payload: bytes) -> bool:
        """Take a record; this is what the SDK calls."""
        self._payloads.append(payload)
        return True

    def clear(self) -> None:
        """Forget what was recorded."""
        self._payloads.clear()

    @property
    def records(self) -> list[Record]:
        """Everything, in the order in which it ended."""
        return [decode(payload) for payload in list(self._payloads)]

    @property
    def spans(self) -> list[Span]:
        """Every span; calls and steps as such."""
        return [_span(each) for each in self.records if isinstance(each, SpanRecord)]

    @property
    def calls(self) -> list[Call]:
        """Requests to models."""
        return [each for each in self.spans if isinstance(each, Call)]

    @property
    def steps(self) -> list[Step]:
        """Executions of flows, tasks, agents and tools that have ended."""
        return [each for each in self.spans if isinstance(each, Step)]

    @property
    def events(self) -> list[Event]:
        """Starts of steps, interrupts, scores …"""
        return [Event(each) for each in self.records if isinstance(each, EventRecord)]

    def otlp(self) -> list[Request]:
        """What would have been posted: for each path of OTLP over HTTP the body as protobuf."""
        from watchglass.capture import encoder

        return encoder.requests(about_process({"service.name": "test"}), list(self._payloads))


def _span(record: SpanRecord) -> Span:
    if record.scope == names.STEPS_SCOPE and record.attributes.get("gen_ai.operation.name") in _KINDS:
        return Step(record)
    return Call(record) if "gen_ai.request.model" in record.attributes else Span(record)


def __getattr__(name: str) -> object:
    """The fixture `recorder`, made when it is asked for: an application need not have pytest."""
    if name != "recorder":
        raise AttributeError(f"module 'watchglass.testing' has no attribute {name!r}")

    def recorder() -> Iterator[Recorder]:
        """What the test's code would have sent, with ids that repeat."""
        with Recorder(ids=DeterministicIds()) as made:
            yield made

    fixture = importlib.import_module("pytest").fixture(recorder)
    globals()[name] = fixture
    return fixture
