"""A whole trace in columns: what the waterfall draws of thousands of spans, in one small answer.

Texts that repeat (names, models) are in one list and named by their place in it, -1 for none; times are
nanoseconds from the trace's start, which a browser's numbers hold exactly; sums of a subtree are there only
where they differ from nothing.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from watchglass.queries.figures import Figures
from watchglass.queries.traced.critical import CriticalPart
from watchglass.queries.traced.neighbours import Neighbour

Odd: TypeAlias = Literal["", "orphan", "cycle", "missing", "running"]


class SpanColumns(msgspec.Struct, frozen=True, kw_only=True):
    """One value a span in each list, parents before children. `status`: 0 unset, 1 ok, 2 error.

    `parent` is a place in these lists, -1 for none; `name`, `service` and `status_message` are places in
    `texts`. `odd` is '' or why a span is where it is: `orphan`, `cycle`, `missing` (its call or execution is
    known, it is not), `running` (it has not ended, and lasts until the last thing that is known of the trace,
    or longer). A duration is null where no end is known. Sums are of the counted calls of a span and all
    below it, null where there are none (money as text).
    """

    span_id: list[str]
    parent: list[int]
    depth: list[int]
    name: list[int]
    service: list[int]
    start_ns: list[int]
    duration_ns: list[int | None]
    status: list[int]
    status_message: list[int]
    events: list[int]
    exceptions: list[int]
    odd: list[Odd]
    calls: list[int]
    failed_calls: list[int]
    unpriced_calls: list[int]
    input_tokens: list[int | None]
    output_tokens: list[int | None]
    cost_usd: list[str | None]


class CallColumns(msgspec.Struct, frozen=True, kw_only=True):
    """One value a call in each list, in order of time; `span` is the place of its span. Texts as in spans.

    `call_id` is '' where it is that of the trace and span, which it nearly always is.
    """

    span: list[int]
    call_id: list[str]
    kind: list[int]
    operation: list[int]
    provider: list[int]
    model: list[int]
    agent: list[int]
    input_tokens: list[int | None]
    output_tokens: list[int | None]
    cache_read_tokens: list[int | None]
    cost_usd: list[str | None]
    unpriced_reason: list[int]
    success: list[bool]
    error_type: list[int]
    ttft_ns: list[int | None]
    counted: list[bool]
    not_counted_reason: list[int]


class ExecutionColumns(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks, runs of agents, flows and tools, as spans tell of them: one value an execution in each list, in
    order of time. `span` is the place of its span; `task_id` is '' where it is that of the trace
    and span; the others are places in `texts`."""

    span: list[int]
    task_id: list[str]
    kind: list[int]
    name: list[int]
    status: list[int]
    agent: list[int]
    error_type: list[int]
    error_message: list[int]


class TraceView(msgspec.Struct, frozen=True, kw_only=True):
    """A whole trace. Its tenant, session and so on are those of its first call or execution that says."""

    trace_id: str
    name: str
    start: str
    duration_ns: int
    tenant: str | None
    engagement: str | None
    feature: str | None
    session: str | None
    user: str | None
    flow: str | None
    environment: str | None
    agents: list[str]
    totals: Figures
    errors: int
    not_counted: dict[str, int]
    texts: list[str]
    spans: SpanColumns
    calls: CallColumns
    executions: ExecutionColumns
    critical: list[CriticalPart]
    critical_ns: dict[int, int]
    previous: Neighbour | None
    next: Neighbour | None
