"""One trace as a tree: how long each step took, what it used and cost, and what was counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec

from watchglass.errors import NotFound, QueryError
from watchglass.queries.figures import TOKEN_FIELDS, Figures, add, tidy
from watchglass.queries.plain import moment
from watchglass.queries.trace_walk import walked
from watchglass.store import Engine, Limits
from watchglass.store.rollup_figures import within
from watchglass.store.rollup_hours import Range

ID_DIGITS = 32
MIN_PREFIX = 4
BESIDE_NS = 86_400 * 10**9


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
    `cycle`: its parent is below itself, so it is shown as a root. `missing`: calls are known of it,
    the span itself is not. `subtree` sums the counted calls of the span and all below it.
    """

    span_id: str
    parent_span_id: str
    depth: int
    name: str
    service: str | None
    scope: str
    start: str
    start_ns: int
    duration_ns: int
    status: Literal["unset", "ok", "error"]
    status_message: str
    calls: list[TraceCall]
    subtree: Figures
    orphan: bool = False
    cycle: bool = False
    missing: bool = False


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
    duration_ns: int
    status: int
    status_message: str
    missing: bool = False


def trace(engine: Engine, trace_id: str, *, limits: Limits) -> Trace:
    """The trace with this id, or with the only id that begins so.

    Raises `NotFound`, and `QueryError` for what cannot be an id or begins several.
    """
    # Not through the views: an id is part of a row's identity, so that it may be looked for before rows
    # are de-duplicated (PREWHERE), which spares reading the other columns of its neighbours.
    found = whole_id(engine, trace_id, limits=limits)
    spans = engine.execute(
        """
        SELECT span_id, parent_span_id, name, service, scope,
            toUnixTimestamp64Nano(start_time) AS start_ns, duration_ns, status, status_message
        FROM store.spans FINAL
        PREWHERE trace_id = {trace_id:String}
        """,
        {"trace_id": found},
        limits=limits,
    ).to_pylist()
    calls = _calls(engine, found, around([span["start_ns"] for span in spans]), limits)
    if not spans and not calls:
        raise unknown(found)
    return build(found, spans, calls)


def whole_id(engine: Engine, trace_id: str, *, limits: Limits) -> str:
    """The id as it is stored, or the only one that begins so. Raises `NotFound` and `QueryError`."""
    digits = normal_id(trace_id)
    return digits if len(digits) == ID_DIGITS else _resolve(engine, digits, limits)


def around(starts: Sequence[int]) -> Range:
    """When the calls of a trace whose spans begin then were made.

    A call begins when its span does; the day around is for calls whose spans were deleted before them.
    Spans are sorted by trace, calls by time: without the time the index of all calls is read.
    """
    return (min(starts) - BESIDE_NS, max(starts) + BESIDE_NS) if starts else (None, None)


def _calls(engine: Engine, trace_id: str, when: Range, limits: Limits) -> list[dict[str, Any]]:
    params: dict[str, object] = {"trace_id": trace_id}
    return engine.execute(
        f"""
        SELECT span_id, parent_span_id, toUnixTimestamp64Nano(time) AS time_ns, duration_ns, service, scope,
            call_id, kind, operation, provider, coalesce(response_model, request_model) AS model,
            input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens,
            cost_usd, unpriced_reason, success, error_type, ttft_ns, counted, not_counted_reason, duplicate_of
        FROM store.calls FINAL
        PREWHERE trace_id = {{trace_id:String}}
        WHERE {within([when], params)}
        ORDER BY time, call_id
        """,
        params,
        limits=limits,
    ).to_pylist()


def normal_id(text: str) -> str:
    """An id as it is stored, from the ways people write it: any case, with 0x, with dashes.

    >>> normal_id("0x4BF92F35-77B34DA6")
    '4bf92f3577b34da6'
    """
    digits = text.strip().lower().removeprefix("0x").replace("-", "")
    if not digits or len(digits) > ID_DIGITS or set(digits) - set("0123456789abcdef"):
        raise QueryError(
            f"{text!r} is no trace id; it has {ID_DIGITS} digits of 0-9 and a-f, or the first few of them"
        )
    if len(digits) < MIN_PREFIX:
        raise QueryError(
            f"{text!r} is too short; give at least the first {MIN_PREFIX} digits of the trace id"
        )
    return digits


def build(trace_id: str, spans: Sequence[Mapping[str, Any]], calls: Sequence[Mapping[str, Any]]) -> Trace:
    """The tree of these rows; pure. Spans without a visible parent are roots, and cycles are cut."""
    by_id = {row["span_id"]: msgspec.convert(row, Found) for row in spans}
    calls_of: dict[str, list[TraceCall]] = {}
    for row in calls:
        calls_of.setdefault(row["span_id"], []).append(_call(row))
        if row["span_id"] not in by_id:
            by_id[row["span_id"]] = _stand_in(row)
    placed = list(_walk(by_id))
    sums = _subtree_sums(placed, calls_of)
    start = min((span.start_ns for span in by_id.values()), default=0)
    end = max((span.start_ns + span.duration_ns for span in by_id.values()), default=0)
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


def _resolve(engine: Engine, digits: str, limits: Limits) -> str:
    """The only id that begins so: of a trace with spans or, if there is none, of one with calls alone."""
    found: list[str] = []
    for table in ("spans", "calls"):
        # A range rather than a pattern: spans are sorted by trace_id.
        found = (
            found
            or engine.execute(
                f"""
            SELECT DISTINCT trace_id
            FROM {table}
            WHERE trace_id >= {{digits:String}} AND trace_id < concat({{digits:String}}, 'g')
            ORDER BY trace_id
            LIMIT 6
            """,
                {"digits": digits},
                limits=limits,
            )["trace_id"].to_pylist()
        )
    if not found:
        raise unknown(digits)
    if len(found) > 1:
        shown = ", ".join(found[:5]) + (", …" if len(found) > 5 else "")
        raise QueryError(f"several traces begin with {digits}: {shown}; give more digits")
    return found[0]


def unknown(digits: str) -> NotFound:
    """What to say of an id that no span and no call has."""
    return NotFound(
        f"there is no trace {digits}; the latest are listed by "
        '`watchglass query "SELECT trace_id, time FROM calls ORDER BY time DESC LIMIT 10"`'
    )


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


def _stand_in(row: Mapping[str, Any]) -> Found:
    return Found(
        span_id=row["span_id"],
        parent_span_id=row["parent_span_id"],
        name=row["operation"],
        service=row["service"],
        scope=row["scope"],
        start_ns=row["time_ns"],
        duration_ns=row["duration_ns"],
        status=0 if row["success"] else 2,
        status_message="",
        missing=True,
    )


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
    )
