"""One trace as a tree: how long each step took, what it used and cost, and what was counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec

from watchglass.queries.figures import TOKEN_FIELDS, Figures, add, tidy
from watchglass.queries.plain import moment
from watchglass.queries.trace_walk import walked
from watchglass.queries.traced.known import known, last_moment
from watchglass.queries.traced.rows import Columns
from watchglass.store import Engine, Limits


class TraceCall(msgspec.Struct, frozen=True, kw_only=True):
    """One described request of a span; `counted` says whether it is in any sum, and if not, why not."""

    call_id: str
    kind: str
    operation: str
    provider: str | None
    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: Decimal | None
    unpriced_reason: str | None
    success: bool
    error_type: str | None
    ttft_ns: int | None
    counted: bool
    not_counted_reason: str | None
    duplicate_of: str | None


class TraceSpan(msgspec.Struct, frozen=True, kw_only=True):
    """One span, in its place of a walk through the tree, parents first.

    `depth` is 0 for a root. `orphan`: its parent is not among the spans the reader can see.
    `cycle`: its parent is below itself, so it is shown as a root. `missing`: calls or an execution are known
    of it, the span itself is not; `running`: as the execution goes on, which lasts until the last thing that
    is known of the trace, or longer. `subtree` sums the counted calls of the span and all below it.
    """

    span_id: str
    parent_span_id: str
    depth: int
    name: str
    service: str | None
    scope: str
    start: str
    start_ns: int
    duration_ns: int | None
    status: Literal["unset", "ok", "error"]
    status_message: str
    calls: list[TraceCall]
    subtree: Figures
    orphan: bool = False
    cycle: bool = False
    missing: bool = False
    running: bool = False


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """A whole trace; `totals` sums its counted calls."""

    trace_id: str
    start: str
    duration_ns: int
    totals: Figures
    spans: list[TraceSpan]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A span as it is in the store, before it has a place in a tree; times in ns."""

    span_id: str
    parent_span_id: str
    name: str
    service: str | None
    scope: str
    start_ns: int
    duration_ns: int | None
    status: int
    status_message: str
    missing: bool
    running: bool


def trace(engine: Engine, trace_id: str, *, limits: Limits) -> Trace:
    """The trace with this id, or with the only id that begins so.

    Raises `NotFound`, and `QueryError` for what cannot be an id or begins several.
    """
    found = known(engine, trace_id, limits=limits)
    return build(found.trace_id, found.spans, found.calls)


def build(trace_id: str, spans: Columns, calls: Columns) -> Trace:
    """The tree of these; pure. Every call has its span. Spans without a visible parent are roots, and cycles
    are cut."""
    by_id = {row["span_id"]: msgspec.convert(row, Found) for row in _rows(spans)}
    calls_of: dict[str, list[TraceCall]] = {}
    for row in _rows(calls):
        calls_of.setdefault(row["span_id"], []).append(_call(row))
    placed = list(_walk(by_id))
    sums = _subtree_sums(placed, calls_of)
    start = min((span.start_ns for span in by_id.values()), default=0)
    end = last_moment(spans["start_ns"], spans["duration_ns"])
    totals = Figures()
    for span, depth, _ in placed:
        if depth == 0:
            totals = add(totals, sums[span.span_id])
    return Trace(
        trace_id=trace_id,
        start=moment(start),
        duration_ns=end - start,
        totals=totals,
        spans=[
            _placed(span, depth, cycle, by_id, calls_of.get(span.span_id, []), sums[span.span_id])
            for span, depth, cycle in placed
        ],
    )


def _rows(columns: Columns) -> Iterator[dict[str, Any]]:
    return (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _walk(by_id: Mapping[str, Found]) -> Iterator[tuple[Found, int, bool]]:
    """(span, depth, cycle), in the order of `walked`."""
    spans = list(by_id.values())
    parents = [span.parent_span_id for span in spans]
    for place, depth, cycle in walked(list(by_id), parents, [span.start_ns for span in spans]):
        yield spans[place], depth, cycle


_NOTHING = Figures()
"""Of a span without calls, as most are: adding it to the sums of thousands would be most of the work."""


def _subtree_sums(
    placed: Sequence[tuple[Found, int, bool]], calls_of: Mapping[str, Sequence[TraceCall]]
) -> dict[str, Figures]:
    sums: dict[str, Figures] = {}
    path: list[str] = []

    def close(depth: int) -> None:
        while len(path) > depth:
            done = sums[path.pop()]
            if path and done is not _NOTHING:
                before = sums[path[-1]]
                sums[path[-1]] = done if before is _NOTHING else add(before, done)

    for span, depth, _ in placed:
        close(depth)
        own = _NOTHING
        for call in calls_of.get(span.span_id, ()):
            if call.counted:
                own = add(own, _figures(call))
        sums[span.span_id] = own
        path.append(span.span_id)
    close(0)
    return sums


def _figures(call: TraceCall) -> Figures:
    return Figures(
        calls=1,
        failed_calls=int(not call.success),
        calls_without_tokens=int(call.input_tokens is None and call.output_tokens is None),
        **{field: getattr(call, field) for field in TOKEN_FIELDS},
        cost_usd=call.cost_usd,
        priced_calls=int(call.cost_usd is not None),
        unpriced={} if call.cost_usd is not None else {call.unpriced_reason or "unknown": 1},
    )


def _call(row: Mapping[str, Any]) -> TraceCall:
    return msgspec.convert({**row, "cost_usd": tidy(row["cost_usd"])}, TraceCall)


def _placed(
    span: Found, depth: int, cycle: bool, by_id: Mapping[str, Found], calls: list[TraceCall], subtree: Figures
) -> TraceSpan:
    return TraceSpan(
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        depth=depth,
        name=span.name,
        service=span.service,
        scope=span.scope,
        start=moment(span.start_ns),
        start_ns=span.start_ns,
        duration_ns=span.duration_ns,
        status=("unset", "ok", "error")[span.status] if 0 <= span.status <= 2 else "unset",
        status_message=span.status_message,
        calls=calls,
        subtree=subtree,
        orphan=bool(span.parent_span_id) and span.parent_span_id not in by_id,
        cycle=cycle,
        missing=span.missing,
        running=span.running,
    )
