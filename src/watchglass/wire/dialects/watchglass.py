"""What watchglass's own SDK records: calls of LiteLLM, CrewAI and others, and the steps they are made in.

It speaks the OpenTelemetry GenAI conventions, and by `watchglass.names` what those have no name for. Input
includes cached tokens and output reasoning, as everywhere here. What an application's own cache or a mock
answered is no request.
"""

from __future__ import annotations

import msgspec

from watchglass import names
from watchglass.model import Attributes, Context, Described, Span, Step, Usage, Value
from watchglass.wire.dialects import totals
from watchglass.wire.dialects.genai import describe_judged
from watchglass.wire.dialects.operations import judge
from watchglass.wire.dialects.steps import step_by_operation
from watchglass.wire.values import count, flag, money, text

_NO_CONTEXT = Context()

_USAGE: dict[str, str] = {
    names.CACHE_WRITE_1H: "cache_write_1h_tokens",
    names.INPUT_AUDIO: "input_audio_tokens",
    names.OUTPUT_AUDIO: "output_audio_tokens",
    names.TOTAL_TOKENS: "total_tokens",
}

_KEPT = frozenset(
    {
        *(names.CALL_ID, names.ATTEMPT, names.RETRY_OF, names.FALLBACK_OF, names.REQUEST_SENT),
        *(names.STREAM_END, names.ESTIMATED_INPUT, names.ESTIMATED_OUTPUT),
    }
)
"""Facts of a call that have no column of their own: its metadata, under their full names."""


class Watchglass:
    """Reads the spans of the SDK."""

    name = "watchglass"

    def reads_scope(self, scope: str) -> bool:
        """Scopes of the SDK are called by it."""
        return scope.startswith(names.SCOPE)

    def matches(self, span: Span) -> bool:
        """By scope alone."""
        return span.scope.name.startswith(names.SCOPE)

    def describe(self, span: Span) -> Described | None:
        """A request that was made or tried."""
        attributes = span.attributes
        if flag(attributes.get(names.CACHE_HIT)) or flag(attributes.get(names.MOCK)):
            return None
        said = _usage(attributes)
        judged = judge(span, said.known)
        if judged is None or judged[0] != "call":
            return None
        found = describe_judged(span, self.name, judged, said)
        if found.success and flag(attributes.get(names.REQUEST_SENT)) is False:
            return None
        first = _duration_ns(attributes.get(names.TTFT))
        streaming = flag(attributes.get(names.STREAMING))
        return msgspec.structs.replace(
            found,
            reported_cost_usd=money(attributes.get(names.REPORTED_COST)) or found.reported_cost_usd,
            service_tier=text(attributes.get(names.SERVICE_TIER)) or found.service_tier,
            ttft_ns=found.ttft_ns if first is None else first,
            streaming=found.streaming if streaming is None else streaming,
            metadata=_metadata(attributes),
        )

    def step(self, span: Span) -> Step | None:
        """By its operation, with what its caller attached."""
        found = step_by_operation(span, self.name)
        if found is None or not (attached := _metadata(span.attributes)):
            return found
        return msgspec.structs.replace(found, metadata={**found.metadata, **attached})

    def context(self, span: Span) -> Context:
        """The SDK writes the common names."""
        return _NO_CONTEXT


def _duration_ns(value: Value) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < 2**63 else None


def _usage(attributes: Attributes) -> Usage:
    said = totals.usage(attributes)
    more = {
        field: found for key, field in _USAGE.items() if (found := count(attributes.get(key))) is not None
    }
    return msgspec.structs.replace(said, **more) if more and said.known else said


def _metadata(attributes: Attributes) -> dict[str, str]:
    prefix = names.METADATA
    found: dict[str, str] = {}
    for key, value in attributes.items():
        if key.startswith("watchglass."):
            own = key if key in _KEPT else key[len(prefix) :] if key.startswith(prefix) else ""
            if own and (said := text(value)) is not None:
                found[own] = said
    return found


WATCHGLASS = Watchglass()
