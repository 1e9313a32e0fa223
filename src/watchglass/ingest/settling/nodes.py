"""What settling is told and what it answers: spans, described calls, verdicts."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from watchglass.model import NO_USAGE, Context, Kind, StepKind, Usage


class StepNode(msgspec.Struct, frozen=True, gc=False):
    """The execution that a span is."""

    task_id: str
    kind: StepKind
    name: str
    feature: str | None = None
    """What calls below it are made for where nobody says."""


class SpanNode(msgspec.Struct, frozen=True, gc=False):
    """A span of a trace, as far as inheritance and nesting need it."""

    trace_id: str
    span_id: str
    parent_span_id: str
    own: Context
    resource: Context
    step: StepNode | None = None

    @property
    def tool(self) -> bool:
        """The span is a tool at work: requests below it are never parts of a request above it."""
        return self.step is not None and self.step.kind == "tool"


class CallNode(msgspec.Struct, frozen=True, kw_only=True):
    """A described span as its dialect described it, never as settling changed it."""

    call_id: str
    trace_id: str
    span_id: str
    parent_span_id: str
    scope: str
    process: str
    start_ns: int
    end_ns: int
    kind: Kind
    operation: str
    provider_label: str | None = None
    server_address: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    usage: Usage = NO_USAGE
    reported_cost_usd: Decimal | None = None
    service_tier: str | None = None
    ttft_ns: int | None = None
    streaming: bool | None = None
    finish_reasons: tuple[str, ...] = ()
    success: bool = True
    error_type: str | None = None
    error_message: str | None = None
    input_messages: tuple[str, ...] = ()
    output_messages: tuple[str, ...] = ()
    may_wrap: bool = False
    supplements_span_id: str | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What settling says of one call.

    `call` holds its facts, for a counted one together with what the other spans of the same request
    knew and it did not; `context` is the effective one. `not_counted_reason` is of the closed list
    cumulative, unattributed, duplicate, wrapper, supplement; `duplicate_of` is the call that counts.
    """

    call: CallNode
    context: Context
    counted: bool
    not_counted_reason: str | None = None
    duplicate_of: str | None = None
