"""Spans of OpenTelemetry into records: the processor that sits beside the application's own exporters.

Steps (our own tracer) and calls that other instrumentations report are always recorded. The rest is detail,
which may be sampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import get_current_span

from watchglass.capture import boundary, context, recorder
from watchglass.capture.application_code import Line, here, note
from watchglass.capture.attributes import cleaned
from watchglass.capture.credentials import scrub, scrub_value
from watchglass.capture.records import SpanRecord
from watchglass.names import SCOPE

if TYPE_CHECKING:
    from opentelemetry.context import Context as OTelContext
    from opentelemetry.sdk.trace import ReadableSpan, Span, TracerProvider
    from opentelemetry.trace import Link, SpanKind
    from opentelemetry.trace.span import TraceState

CALL_MARKERS = (
    *("gen_ai.operation.name", "gen_ai.system", "gen_ai.provider.name", "gen_ai.request.model"),
    *("openinference.span.kind", "traceloop.span.kind", "llm.request.type", "langfuse.observation.type"),
)
"""A span with one of these attributes tells of a call, an agent or a tool: never sampled away."""

_MOST_OPEN = 100_000
"""Open spans whose context is remembered; of more (spans that never end) the oldest lose theirs."""

_CALLS_SCOPES = ("opentelemetry.instrumentation.openai", "opentelemetry.instrumentation.anthropic")
"""Whose spans may say only at their end what they are."""

_PLACES = frozenset(("code.file.path", "code.filepath"))

_NOBODY = context.EMPTY.attributes
_FEATURE = context.ATTRIBUTES["feature"]


T = TypeVar("T")


class Detail(Protocol):
    """Decides which detail spans are written, now or later."""

    def started(self, trace_id: bytes) -> None:
        """A span began that has nothing of this process above it."""
        ...

    def offer(self, record: SpanRecord, is_root: bool, always: bool) -> list[SpanRecord]:
        """The spans to write now: this one, others that waited for it, or none yet."""
        ...


class RecordSpans(SpanProcessor):
    """Records each ended span, with the context that was in force when it started."""

    def __init__(self, detail: Detail | None = None) -> None:
        self.detail = detail
        # By span id: what a processor is given when a span ends is another object than when it began.
        self._contexts: dict[int, dict[str, str]] = {}
        self._lines: dict[int, Line] = {}

    def on_start(self, span: Span, parent_context: OTelContext | None = None) -> None:
        """Note whom the span is for: when it ends, somebody else's context may be in force."""
        self._note(span)

    @boundary.guarded("spans.start")
    def _note(self, span: Span) -> None:
        identity = span.get_span_context()
        attributes = context.current().attributes
        if self.detail is not None and (span.parent is None or span.parent.is_remote):
            self.detail.started(identity.trace_id.to_bytes(16, "big"))
        if _tells_of_call(span):
            line = here()
            if line is not None:
                _put(self._lines, identity.span_id, line)
        if attributes:
            _put(self._contexts, identity.span_id, attributes)

    def on_end(self, span: ReadableSpan) -> None:
        """Record it."""
        self._record(span)

    @boundary.guarded("spans.end")
    def _record(self, span: ReadableSpan) -> None:
        identity = span.context.span_id if span.context is not None else 0
        said, line = self._contexts.pop(identity, _NOBODY), self._lines.pop(identity, None)
        if not recorder.recording():
            return
        record = record_of(span, said)
        if record is None:
            return
        if line is not None and _PLACES.isdisjoint(record.attributes):
            note(line, record.attributes)
        always = record.scope.startswith(SCOPE) or any(key in record.attributes for key in CALL_MARKERS)
        if self.detail is None:
            recorder.record(record)
            return
        is_root = span.parent is None or span.parent.is_remote
        for each in self.detail.offer(record, is_root, always):
            recorder.record(each)


def _tells_of_call(span: Span) -> bool:
    """Whether another library says of a request that it begins."""
    scope = span.instrumentation_scope
    if scope is None or scope.name.startswith(SCOPE):
        return False
    said = span.attributes
    return scope.name.startswith(_CALLS_SCOPES) or (bool(said) and any(key in said for key in CALL_MARKERS))


def _put(kept: dict[int, T], identity: int, value: T) -> None:
    if len(kept) >= _MOST_OPEN:
        kept.pop(next(iter(kept)), None)
    kept[identity] = value


def record_of(span: ReadableSpan, said: dict[str, str]) -> SpanRecord | None:
    """An ended span as a record, `said` being its context; None while it has no identity or no end.

    What it says is under the policy on content already, and without credentials.
    """
    identity, start, end = span.context, span.start_time, span.end_time
    if identity is None or start is None or end is None:
        return None
    scope = span.instrumentation_scope
    ours = scope is not None and scope.name.startswith(SCOPE)
    feature = said.get(_FEATURE)
    return SpanRecord(
        identity.trace_id.to_bytes(16, "big"),
        identity.span_id.to_bytes(8, "big"),
        span.parent.span_id.to_bytes(8, "big") if span.parent is not None else b"",
        scrub_value(span.name),
        span.kind.value + 1,  # OpenTelemetry's API counts from internal = 0, OTLP from unspecified = 0
        start,
        end,
        span.status.status_code.value,
        scrub(span.status.description) if span.status.description else "",
        cleaned(span.attributes, ours=ours, feature=feature),
        said,
        [
            (
                event.name,
                event.timestamp,
                cleaned(event.attributes, ours=ours, feature=feature, event=event.name),
            )
            for event in span.events
        ],
        [
            (
                link.context.trace_id.to_bytes(16, "big"),
                link.context.span_id.to_bytes(8, "big"),
                cleaned(link.attributes, ours=ours, feature=feature),
            )
            for link in span.links
        ],
        scope.name if scope is not None else "",
        (scope.version or "") if scope is not None else "",
        identity.trace_state.to_header(),
        int(identity.trace_flags),
    )


class AsTheApplication(Sampler):
    """Records every step, and leaves it to the application's own sampler which traces its exporters get.

    A step that is recorded without being sampled is not seen by their exporters, and what it calls
    is sampled as if the step were not there.
    """

    def __init__(self, theirs: Sampler | None) -> None:
        self._theirs = theirs

    def should_sample(
        self,
        parent_context: OTelContext | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Any = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Always recorded; sampled if the parent is, or the application's sampler would."""
        parent = get_current_span(parent_context).get_span_context()
        if self._theirs is None:
            sampled = not parent.is_valid or parent.trace_flags.sampled
        else:
            theirs = self._theirs.should_sample(
                parent_context, trace_id, name, kind, attributes, links, trace_state
            )
            sampled = theirs.decision is Decision.RECORD_AND_SAMPLE
        decision = Decision.RECORD_AND_SAMPLE if sampled else Decision.RECORD_ONLY
        return SamplingResult(decision, attributes, parent.trace_state if parent.is_valid else None)

    def get_description(self) -> str:
        """See `Sampler.get_description`."""
        return "AsTheApplication"


class ToTheApplication(SpanProcessor):
    """Hands our steps to the processors of the application's provider: its traces stay whole."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider

    def on_start(self, span: Span, parent_context: OTelContext | None = None) -> None:
        """See `SpanProcessor.on_start`."""
        self._start(span, parent_context)

    @boundary.guarded("spans.theirs")
    def _start(self, span: Span, parent_context: OTelContext | None) -> None:
        for each in self._others():
            each.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """See `SpanProcessor.on_end`."""
        self._end(span)

    @boundary.guarded("spans.theirs")
    def _end(self, span: ReadableSpan) -> None:
        for each in self._others():
            each.on_end(span)

    def _others(self) -> list[SpanProcessor]:
        """The provider's processors but for our own; it has no public list of them."""
        holder = getattr(self._provider, "_active_span_processor", None)
        found: Sequence[SpanProcessor] = getattr(holder, "_span_processors", ())
        return [each for each in found if not isinstance(each, RecordSpans)]
