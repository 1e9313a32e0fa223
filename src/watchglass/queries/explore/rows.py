"""The traces of a search, those that were active last first, a page at a time.

As in `lists.groups`: who was active in the newest windows of time is asked of rows as they are, which is
narrow work but may count what is no longer so; what the few of a page add up to is asked without duplicates,
and there every condition is looked at once more. A trace is shown at its true last moment, unless that is
younger than what was seen of it: then it belongs to an earlier page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from watchglass.errors import QueryError, QueryLimit
from watchglass.queries.explore.conditions import of_calls, seen_in
from watchglass.queries.explore.patience import Patience
from watchglass.queries.explore.question import ExploreQuestion, Status
from watchglass.queries.explore.text import Hits
from watchglass.queries.figures import tidy
from watchglass.queries.lists.question import MAX_LIMIT
from watchglass.queries.lists.sessions import SUMS
from watchglass.queries.lists.windows import HOUR_NS, LAST_NS, hours, windows
from watchglass.queries.plain import moment
from watchglass.store import Engine, Limits
from watchglass.store.rollup_figures import within

LISTED = 6
"""Of agents, models, features and providers of a trace so many are named."""


class FoundTrace(msgspec.Struct, frozen=True, kw_only=True):
    """One trace. `name` and `service` are those of its root, or of its first span while that has not come.

    Sums are of its counted calls, all of them, whichever met the filters. `errors` counts spans and calls
    that ended badly, and `error` is what the first of them said. `input` is how the first call's question
    begins, `match` what stands around the text that was looked for, if that is in a message.
    """

    trace_id: str
    name: str
    service: str | None
    tenant: str | None
    environment: str | None
    session: str | None
    user: str | None
    flow: str | None
    features: list[str]
    agents: list[str]
    providers: list[str]
    models: list[str]
    status: Status
    time: str
    last: str
    duration_ns: int
    spans: int
    errors: int
    calls: int
    failed_calls: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None
    unpriced_calls: int
    error_type: str | None
    error: str | None
    input: str | None = None
    match: str | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A page of them. `next` is where the page after begins; `reached_ns`, how far the time sufficed.

    `asked` are the hashes of each row's first question.
    """

    rows: list[FoundTrace]
    asked: list[list[str]]
    next: str | None = None
    reached_ns: int | None = None


class _Seen(msgspec.Struct, frozen=True, order=True):
    last_ns: int
    id: str


_Shown: TypeAlias = "tuple[_Seen, FoundTrace, list[str]]"


def found(
    engine: Engine,
    question: ExploreQuestion,
    hits: Hits | None,
    now_ns: int,
    patience: Patience,
    *,
    limits: Limits,
) -> Found:
    """One page, or as much of it as there was time for."""
    limit, end = question.listed.limit, question.until_ns
    after = _after(question)
    if after is not None:
        end = after.last_ns + 1 if end is None else min(end, after.last_ns + 1)
    shown: list[_Shown] = []
    below: dict[str, _Shown] = {}
    pending: dict[str, _Seen] = {}
    floor, batch = after, limit + 1
    spans_of_time = list(windows(question.since_ns, end, now_ns))
    try:
        while spans_of_time and len(shown) <= limit:
            begin, stop = spans_of_time[0]
            want = max(1, batch - len(pending))
            seen = _seen(engine, question, hits, (begin, stop), after, want, patience.limits(limits))
            more = len(seen) == want
            pending = {each.id: each for each in seen} | pending
            if more:  # more are looked at together when few of them match
                after, spans_of_time[0] = seen[-1], (begin, seen[-1].last_ns + 1)
                batch = min(batch * 4, 4 * MAX_LIMIT)
            else:
                spans_of_time.pop(0)
            if not more and spans_of_time:
                continue
            below |= _whole(engine, question, hits, pending, patience.limits(limits))
            pending = {}
            floor = seen[-1] if more else _Seen(begin, "")
            reached = [each for each in below.values() if each[0] >= floor]
            shown += sorted(reached, key=lambda each: each[0], reverse=True)
            below = {key: each for key, each in below.items() if each[0] < floor}
    except QueryLimit:
        return _cut(question, shown[:limit], floor, now_ns)
    last = shown[limit - 1][0] if len(shown) > limit else None
    return Found(
        rows=[row for _, row, _ in shown[:limit]],
        asked=[asked for _, _, asked in shown[:limit]],
        next=None if last is None else question.listed.cursor_at(0, last.last_ns, last.id),
    )


def _cut(
    question: ExploreQuestion,
    shown: Sequence[_Shown],
    floor: _Seen | None,
    now_ns: int,
) -> Found:
    """What there was time for. The page after goes on where this one stopped, even without a row."""
    if floor is None:
        floor = _Seen(min(now_ns, question.until_ns or now_ns), "g")
    return Found(
        rows=[row for _, row, _ in shown],
        asked=[asked for _, _, asked in shown],
        next=question.listed.cursor_at(0, floor.last_ns, floor.id),
        reached_ns=floor.last_ns,
    )


def _after(question: ExploreQuestion) -> _Seen | None:
    position = question.listed.position()
    if position is None:
        return None
    if len(position.id) > 64:
        raise QueryError("the cursor is not one that a page ended with; ask without one")
    return _Seen(position.time_ns, position.id)


def _seen(
    engine: Engine,
    question: ExploreQuestion,
    hits: Hits | None,
    window: tuple[int, int],
    after: _Seen | None,
    most: int,
    limits: Limits,
) -> list[_Seen]:
    conditions, params = seen_in(question, hits, window)
    having = ""
    if after is not None:
        having = "HAVING (last_ns, trace_id) < ({at:Int64}, {at_id:String})"
        params |= {"at": after.last_ns, "at_id": after.id}
    rows = engine.execute(
        f"""
        SELECT trace_id AS id, toUnixTimestamp64Nano(max(start_time)) AS last_ns
        FROM store.spans
        WHERE start_time >= fromUnixTimestamp64Nano({{begin:Int64}}, 'UTC')
            AND start_time < fromUnixTimestamp64Nano({{end:Int64}}, 'UTC')
            {"".join(f" AND {each}" for each in conditions)}
        GROUP BY trace_id
        {having}
        ORDER BY last_ns DESC, trace_id DESC
        LIMIT {most:d}
        """,
        params,
        limits=limits,
    ).to_pylist()
    return [msgspec.convert(row, _Seen) for row in rows]


def _whole(
    engine: Engine, question: ExploreQuestion, hits: Hits | None, seen: Mapping[str, _Seen], limits: Limits
) -> dict[str, _Shown]:
    """Those of them that meet every condition, by their true last moments; younger ones are left out."""
    if not seen:
        return {}
    trees = _trees(engine, question, list(seen), limits)
    spent = _spent(engine, question, hits, trees, limits)
    kept: dict[str, _Shown] = {}
    for trace_id, tree in trees.items():
        row = {**_NO_CALLS, **tree, **spent.get(trace_id, {})}
        if row["last_ns"] <= seen[trace_id].last_ns and _meets(question, row):
            kept[trace_id] = (_Seen(row["last_ns"], trace_id), _trace(row, hits), list(row["asked"]))
    return kept


def _trees(
    engine: Engine, question: ExploreQuestion, ids: Sequence[str], limits: Limits
) -> dict[str, dict[str, Any]]:
    """What spans tell of the traces with these ids."""
    params: dict[str, object] = {
        "ids": list(ids),
        "since": question.since_ns,
        "until": question.until_ns if question.until_ns is not None else LAST_NS,
    }
    first = "(notEmpty(s.parent_span_id), s.start_ns)"
    rows = engine.execute(
        f"""
        SELECT
            s.trace_id AS trace_id,
            argMin(s.name, {first}) AS name,
            argMin(s.service, {first}) AS service,
            argMin(s.tenant, {first}) AS tenant,
            min(s.start_ns) AS first_ns,
            max(s.start_ns) AS newest_ns,
            maxIf(s.start_ns, s.start_ns >= {{since:Int64}} AND s.start_ns < {{until:Int64}}) AS last_ns,
            max(s.start_ns + ifNull(s.duration_ns, 0)) - first_ns AS duration_ns,
            count() AS spans,
            countIf({of_calls(question, params, "s", spans=True)}) AS span_matches,
            countIf(s.status = 2) AS span_errors,
            argMinIf(s.name, s.start_ns, s.status = 2) AS span_failed,
            argMinIf(s.status_message, s.start_ns, s.status = 2) AS span_error
        FROM
        (
            SELECT trace_id, parent_span_id, name, service, tenant, duration_ns, status, status_message,
                toUnixTimestamp64Nano(start_time) AS start_ns
            FROM store.spans FINAL
            PREWHERE trace_id IN {{ids:Array(String)}}
        ) AS s
        GROUP BY trace_id
        """,
        params,
        limits=limits,
    ).to_pylist()
    return {row["trace_id"]: row for row in rows}


_LISTS = {
    "features": "c.feature",
    "agents": "c.agent",
    "providers": "c.provider",
    "models": "coalesce(c.response_model, c.request_model)",
}
_PLAIN = ("environment", "session", "user", "flow", "tenant", "service")
_COUNTS = (
    *("duration_ns", "spans", "calls", "failed_calls", "unpriced_calls"),
    *("input_tokens", "output_tokens"),
)
_NO_CALLS: Mapping[str, Any] = {
    **dict.fromkeys(_LISTS, ()),
    **dict.fromkeys(("calls", "failed_calls", "unpriced_calls", "call_matches"), 0),
    **dict.fromkeys(("input_tokens", "output_tokens", "cost_usd", "environment", "session", "user", "flow")),
    "asked": (),
    "hit": "",
}


def _spent(
    engine: Engine,
    question: ExploreQuestion,
    hits: Hits | None,
    trees: Mapping[str, Mapping[str, Any]],
    limits: Limits,
) -> dict[str, dict[str, Any]]:
    """What counted calls tell of these traces: of the hours they were active in, and the hours beside."""
    params: dict[str, object] = {"ids": list(trees), "hits": list(hits.messages) if hits else []}
    near = within(
        hours(
            at
            for tree in trees.values()
            for at in range(tree["first_ns"] - HOUR_NS, tree["newest_ns"] + 2 * HOUR_NS, HOUR_NS)
        ),
        params,
    )
    said = "arrayConcat(c.input_messages, c.output_messages)"
    hit = f"arrayFirst(h -> h IN {{hits:Array(String)}}, {said})" if hits and hits.messages else "''"
    rows = engine.execute(
        f"""
        SELECT
            c.trace_id AS trace_id, {SUMS},
            countIf({of_calls(question, params, "c")}) AS call_matches,
            {
            ", ".join(
                f"arraySort(groupUniqArrayIf({LISTED})(assumeNotNull({of}), isNotNull({of}))) AS {name}"
                for name, of in _LISTS.items()
            )
        },
            argMin(c.environment, c.time_ns) AS environment,
            argMin(c.session, c.time_ns) AS session,
            argMin(c.user, c.time_ns) AS user,
            argMin(c.flow, c.time_ns) AS flow,
            argMinIf(c.error_type, c.time_ns, NOT c.success) AS call_failed,
            argMinIf(c.error_message, c.time_ns, NOT c.success) AS call_error,
            argMinIf(c.input_messages, c.time_ns, notEmpty(c.input_messages)) AS asked,
            max({hit}) AS hit
        FROM (
            SELECT *, toUnixTimestamp64Nano(time) AS time_ns
            FROM store.calls FINAL
            WHERE counted AND trace_id IN {{ids:Array(String)}} AND {near}
        ) AS c
        GROUP BY trace_id
        """,
        params,
        limits=limits,
    ).to_pylist()
    return {row["trace_id"]: row for row in rows}


def _meets(question: ExploreQuestion, row: Mapping[str, Any]) -> bool:
    """Whether a trace, all of it known, meets what is asked of traces as a whole."""
    if question.calls and not (row["call_matches"] or row["span_matches"]):
        return False
    if question.status is not None and question.status != _status(row):
        return False
    amounts, cost = question.amounts, row["cost_usd"]
    for name, given in amounts.items():
        if name.endswith("cost_usd"):
            met = cost is not None and (cost >= given if name.startswith("min") else cost <= given)
        else:
            took = Decimal(row["duration_ns"]) / 10**6
            met = took >= given if name.startswith("min") else took <= given
        if not met:
            return False
    return True


def _status(row: Mapping[str, Any]) -> Status:
    return "failed" if row["span_errors"] or row["failed_calls"] else "ok"


def _trace(row: Mapping[str, Any], hits: Hits | None) -> FoundTrace:
    kind, said = (row["call_failed"], row["call_error"]) if row["failed_calls"] else (None, None)
    if not said and row["span_errors"]:
        said = row["span_error"] or f"{row['span_failed']} ended in an error"
    same: dict[str, Any] = {name: list(row[name] or ()) for name in _LISTS}
    same |= {name: row[name] or None for name in _PLAIN}
    same |= {name: row[name] for name in _COUNTS}
    return FoundTrace(
        trace_id=row["trace_id"],
        name=row["name"],
        **same,
        status=_status(row),
        time=moment(row["first_ns"]),
        last=moment(row["last_ns"]),
        errors=max(row["span_errors"], row["failed_calls"]),
        cost_usd=tidy(row["cost_usd"]),
        error_type=kind or None,
        error=said or None,
        match=hits.messages.get(row["hit"]) if hits else None,
    )
