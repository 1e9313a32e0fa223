"""A whole trace in columns: what the waterfall draws of thousands of spans, in one small answer.

Texts that repeat (names, models) are in one list and named by their place in it, -1 for none; times are
nanoseconds from the trace's start, which a browser's numbers hold exactly; sums of a subtree are there only
where they differ from nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from watchglass.errors import NotFound
from watchglass.queries.figures import Figures
from watchglass.queries.plain import moment, money
from watchglass.queries.trace import BESIDE_NS, Trace, TraceSpan, trace
from watchglass.queries.traced.critical import CriticalPart, critical_path
from watchglass.queries.traced.neighbours import Neighbour, neighbours
from watchglass.store import Engine, Limits
from watchglass.store.rollup_figures import within

_STATUS = {"unset": 0, "ok": 1, "error": 2}


class SpanColumns(msgspec.Struct, frozen=True, kw_only=True):
    """One value a span in each list, parents before children. `status`: 0 unset, 1 ok, 2 error.

    `parent` is a place in these lists, -1 for none; `name`, `service` and `status_message` are places in
    `texts`. `odd` is '' or why a span is where it is: `orphan`, `cycle`, `missing`. Sums are of the counted
    calls of a span and all below it, null where there are none (money as text).
    """

    span_id: list[str]
    parent: list[int]
    depth: list[int]
    name: list[int]
    service: list[int]
    start_ns: list[int]
    duration_ns: list[int]
    status: list[int]
    status_message: list[int]
    events: list[int]
    exceptions: list[int]
    odd: list[Literal["", "orphan", "cycle", "missing"]]
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


class TracedExecution(msgspec.Struct, frozen=True, kw_only=True):
    """A task, an agent's run, a flow or a tool, as a span tells of it. `span` is its place, -1 if gone."""

    span: int
    task_id: str
    kind: str
    name: str
    status: str
    agent: str | None
    error_type: str | None
    error_message: str | None


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
    executions: list[TracedExecution]
    critical: list[CriticalPart]
    critical_ns: dict[int, int]
    previous: Neighbour | None
    next: Neighbour | None


class _Texts:
    def __init__(self) -> None:
        self.all: list[str] = []
        self._places: dict[str, int] = {}

    def place(self, text: str | None) -> int:
        """Where a text is; it is put there if it is not yet."""
        if not text:
            return -1
        found = self._places.get(text)
        if found is None:
            found = self._places[text] = len(self.all)
            self.all.append(text)
        return found


_CONTEXT = ("tenant", "engagement", "feature", "session", "user", "flow", "environment")


def trace_view(engine: Engine, trace_id: str, *, limits: Limits) -> TraceView:
    """The trace with this id, or with the only one that begins so. Raises `NotFound` and `QueryError`."""
    found = trace(engine, trace_id, limits=limits)
    if not found.spans:
        raise NotFound(f"there is no trace {trace_id[:100]!r}")
    start_ns = min(span.start_ns for span in found.spans)
    params: dict[str, object] = {"trace_id": found.trace_id}
    when = within([(start_ns - BESIDE_NS, start_ns + found.duration_ns + BESIDE_NS)], params)
    events = engine.execute(
        """
        SELECT span_id, JSONLength(s.events) AS events,
            countSubstrings(s.events, '"name":"exception"') AS exceptions
        FROM store.spans AS s FINAL
        PREWHERE trace_id = {trace_id:String}
        WHERE s.events NOT IN ('', '[]')
        """,
        {"trace_id": found.trace_id},
        limits=limits,
    ).to_pylist()
    said = engine.execute(
        f"""
        SELECT call_id, agent, {", ".join(_CONTEXT)}
        FROM store.calls FINAL
        PREWHERE trace_id = {{trace_id:String}}
        WHERE {when}
        ORDER BY time, call_id
        """,
        params,
        limits=limits,
    ).to_pylist()
    done = engine.execute(
        f"""
        SELECT span_id, task_id, kind, name, status, agent, error_type, error_message, {", ".join(_CONTEXT)}
        FROM store.tasks FINAL
        PREWHERE trace_id = {{trace_id:String}}
        WHERE {when}
        ORDER BY time, task_id
        """,
        params,
        limits=limits,
    ).to_pylist()
    context = _context([*said, *done], engine, found.trace_id, limits)
    around = neighbours(
        engine, found.trace_id, start_ns, context["tenant"], context["session"], limits=limits
    )
    return assembled(found, {row["span_id"]: row for row in events}, said, done, context, around)


def _context(
    rows: Iterable[Mapping[str, Any]], engine: Engine, trace_id: str, limits: Limits
) -> dict[str, str | None]:
    found: dict[str, str | None] = dict.fromkeys(_CONTEXT)
    for row in rows:
        for name in _CONTEXT:
            found[name] = found[name] or row[name] or None
    if found["tenant"] is None:
        rows = engine.execute(
            "SELECT any(tenant) AS tenant FROM store.spans PREWHERE trace_id = {trace_id:String}",
            {"trace_id": trace_id},
            limits=limits,
        ).to_pylist()
        found["tenant"] = next((row["tenant"] for row in rows), None)
    return found


def assembled(
    found: Trace,
    events: Mapping[str, Mapping[str, Any]],
    said: Sequence[Mapping[str, Any]],
    done: Sequence[Mapping[str, Any]],
    context: Mapping[str, str | None],
    around: tuple[Neighbour | None, Neighbour | None],
) -> TraceView:
    """The view of a trace with what else is known of it; pure."""
    texts, spans = _Texts(), found.spans
    start_ns = min(span.start_ns for span in spans)
    columns = _spans(spans, start_ns, events, texts)
    path = critical_path(columns.parent, columns.start_ns, columns.duration_ns)
    times: dict[int, int] = {}
    for part in path:
        times[part.span] = times.get(part.span, 0) + part.end_ns - part.start_ns
    places = {span.span_id: place for place, span in enumerate(spans)}
    agents = {row["call_id"]: row["agent"] for row in said}
    reasons: dict[str, int] = {}
    for span in spans:
        for call in span.calls:
            if not call.counted:
                reason = call.not_counted_reason or "unknown"
                reasons[reason] = reasons.get(reason, 0) + 1
    return TraceView(
        trace_id=found.trace_id,
        name=spans[0].name,
        start=moment(start_ns),
        duration_ns=found.duration_ns,
        **context,
        agents=list(dict.fromkeys(row["agent"] for row in [*said, *done] if row["agent"]))[:20],
        totals=found.totals,
        errors=sum(span.status == "error" or any(not call.success for call in span.calls) for span in spans),
        not_counted=reasons,
        spans=columns,
        calls=_calls(found, places, agents, texts),
        executions=[
            TracedExecution(
                span=places.get(row["span_id"], -1),
                **{name: row[name] for name in TracedExecution.__struct_fields__ if name != "span"},
            )
            for row in done
        ],
        critical=path,
        critical_ns=times,
        previous=around[0],
        next=around[1],
        texts=texts.all,
    )


def _spans(
    spans: Sequence[TraceSpan], start_ns: int, events: Mapping[str, Mapping[str, Any]], texts: _Texts
) -> SpanColumns:
    places: dict[str, int] = {}
    parents: list[int] = []
    for place, span in enumerate(spans):
        # A root that hangs on a cycle names a parent that stands below it.
        parents.append(places.get(span.parent_span_id, -1) if span.depth else -1)
        places[span.span_id] = place
    none: Mapping[str, int] = {"events": 0, "exceptions": 0}
    told = [events.get(span.span_id, none) for span in spans]
    return SpanColumns(
        span_id=[span.span_id for span in spans],
        parent=parents,
        depth=[span.depth for span in spans],
        name=[texts.place(span.name) for span in spans],
        service=[texts.place(span.service) for span in spans],
        start_ns=[span.start_ns - start_ns for span in spans],
        duration_ns=[span.duration_ns for span in spans],
        status=[_STATUS[span.status] for span in spans],
        status_message=[texts.place(span.status_message[:2000]) for span in spans],
        events=[each["events"] for each in told],
        exceptions=[each["exceptions"] for each in told],
        odd=[
            "missing" if span.missing else "cycle" if span.cycle else "orphan" if span.orphan else ""
            for span in spans
        ],
        calls=[span.subtree.calls for span in spans],
        failed_calls=[span.subtree.failed_calls for span in spans],
        unpriced_calls=[span.subtree.calls - span.subtree.priced_calls for span in spans],
        input_tokens=[span.subtree.input_tokens for span in spans],
        output_tokens=[span.subtree.output_tokens for span in spans],
        cost_usd=[None if span.subtree.cost_usd is None else money(span.subtree.cost_usd) for span in spans],
    )


def _calls(
    found: Trace, places: Mapping[str, int], agents: Mapping[str, str | None], texts: _Texts
) -> CallColumns:
    calls = [(places[span.span_id], call) for span in found.spans for call in span.calls]

    def texted(name: str) -> list[int]:
        return [texts.place(getattr(call, name)) for _, call in calls]

    def plain(name: str) -> list[Any]:
        return [getattr(call, name) for _, call in calls]

    span_ids = [span.span_id for span in found.spans]
    return CallColumns(
        span=[place for place, _ in calls],
        call_id=[
            "" if call.call_id == f"{found.trace_id}:{span_ids[place]}" else call.call_id
            for place, call in calls
        ],
        agent=[texts.place(agents.get(call.call_id)) for _, call in calls],
        cost_usd=[None if call.cost_usd is None else money(call.cost_usd) for _, call in calls],
        **{name: texted(name) for name in ("kind", "operation", "provider", "model")},
        **{name: texted(name) for name in ("unpriced_reason", "error_type", "not_counted_reason")},
        **{name: plain(name) for name in ("input_tokens", "output_tokens", "cache_read_tokens")},
        **{name: plain(name) for name in ("success", "ttft_ns", "counted")},
    )
