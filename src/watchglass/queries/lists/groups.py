"""Lists of what calls add up to: traces, flows and sessions, those that were active last first.

A page takes three steps. The first finds who was active in the newest windows of time, the second in
which hours those few were active, the third sums up everything of them in these hours. Only the third
looks at rows without duplicates, which is dear: an earlier version of a row, or one that no longer
counts, can send the first two where nothing is, but never past what is there. So a group is shown at
its true last moment, unless that is younger than what the first step saw of it: then it belongs to a
newer window or an earlier page, where it was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from watchglass.errors import QueryError
from watchglass.queries.figures import tidy
from watchglass.queries.lists.question import MAX_LIMIT, Askable, ListQuestion, Page
from watchglass.queries.lists.windows import hours, windows
from watchglass.queries.plain import moment
from watchglass.store import Engine, Limits
from watchglass.store.rollup_figures import within

ITS_CALLS = "{its_calls}"
"""Stands in a condition on a trace's calls for where they are: first of all versions, then exactly."""


class Groups(msgspec.Struct, frozen=True, kw_only=True):
    """Groups of rows, told apart by `id` and `owner` (the tenant, where two tenants may use one id).

    `activity` makes the SQL of a subquery with columns `id`, `owner`, `time_ns`, and is given the
    conditions that rows must meet, each after ` AND `. `moments` is a subquery with a column `hour`
    (seconds since 1970) of when the groups `{ids:Array(String)}` were active. `details` makes a statement
    with `id`, `owner`, `last_ns` and the fields of `row`, and is given the conditions and the hours.
    `late` are filters that are of the group as a whole: what each must find in a row of `details`.
    """

    row: type[msgspec.Struct]
    askable: Askable
    activity: Callable[[str], str]
    moments: str
    details: Callable[[str, str], str]
    late: Mapping[str, Callable[[Mapping[str, Any]], str]] = {}


_MOST_AT_ONCE = 4 * MAX_LIMIT


class _Active(msgspec.Struct, frozen=True, order=True):
    last_ns: int
    id: str
    owner: str


def page(engine: Engine, listed: Groups, question: ListQuestion, now_ns: int, *, limits: Limits) -> Page:
    """One page."""
    after = _after(question)
    end = question.until_ns
    if after is not None:  # the group itself may have neighbours of the same nanosecond
        end = after.last_ns + 1 if end is None else min(end, after.last_ns + 1)
    shown: list[tuple[_Active, Any]] = []
    below: dict[tuple[str, str], tuple[_Active, Any]] = {}
    for begin, stop in windows(question.since_ns, end, now_ns):
        batch = question.limit + 1
        while len(shown) <= question.limit:
            candidates = _active(engine, listed, question, (begin, stop), after, batch, limits)
            more = len(candidates) == batch
            found = _summed(engine, listed, question, candidates, limits)
            below |= {(each.id, each.owner): (each, record) for each, record in found}
            floor = candidates[-1] if more else _Active(begin, "", "")
            reached = [each for each in below.values() if each[0] >= floor]
            shown += sorted(reached, key=lambda each: each[0], reverse=True)
            below = {key: each for key, each in below.items() if each[0] < floor}
            if not more:
                break
            # When few of them match, more are looked at together.
            after, stop, batch = floor, floor.last_ns + 1, min(batch * 4, _MOST_AT_ONCE)
    last = shown[question.limit - 1][0] if len(shown) > question.limit else None
    return Page(
        rows=[record for _, record in shown[: question.limit]],
        next=None if last is None else question.cursor_at(0, last.last_ns, _joined(last)),
    )


def _after(question: ListQuestion) -> _Active | None:
    position = question.position()
    if position is None:
        return None
    try:
        id, owner = msgspec.json.decode(position.id, type=tuple[str, str])
    except (msgspec.MsgspecError, RecursionError):
        raise QueryError("the cursor is not one that a page ended with; ask without one") from None
    return _Active(position.time_ns, id, owner)


def _joined(group: _Active) -> str:
    return msgspec.json.encode((group.id, group.owner)).decode()


def _active(
    engine: Engine,
    listed: Groups,
    question: ListQuestion,
    window: tuple[int, int],
    after: _Active | None,
    most: int,
    limits: Limits,
) -> list[_Active]:
    where, params = _where(listed, question, *window)
    where = where.replace(ITS_CALLS, "store.calls WHERE counted")
    having = ""
    if after is not None:
        having = "HAVING (last_ns, id, owner) < ({at:Int64}, {at_id:String}, {at_owner:String})"
        params |= {"at": after.last_ns, "at_id": after.id, "at_owner": after.owner}
    rows = engine.execute(
        f"""
        SELECT id, owner, max(time_ns) AS last_ns
        FROM ({listed.activity(where)})
        GROUP BY id, owner
        {having}
        ORDER BY last_ns DESC, id DESC, owner DESC
        LIMIT {most:d}
        """,
        params,
        limits=limits,
    ).to_pylist()
    return [msgspec.convert(row, _Active) for row in rows]


def _summed(
    engine: Engine, listed: Groups, question: ListQuestion, candidates: Sequence[_Active], limits: Limits
) -> list[tuple[_Active, Any]]:
    """The candidates with what they add up to, by their true last moments; younger ones are left out."""
    if not candidates:
        return []
    where, params = _where(listed, question, question.since_ns or 0, question.until_ns)
    params["ids"] = [each.id for each in candidates]
    active = engine.execute(
        f"SELECT DISTINCT hour FROM ({listed.moments})", {"ids": params["ids"]}, limits=limits
    )
    seconds: list[int] = active["hour"].to_pylist()
    near = f" AND {within(hours(each * 10**9 for each in seconds), params)}"
    where = where.replace(ITS_CALLS, f"usage WHERE trace_id IN {{ids:Array(String)}}{near}")
    rows = engine.execute(listed.details(where, near), params, limits=limits).to_pylist()
    seen = {(each.id, each.owner): each.last_ns for each in candidates}
    found: list[tuple[_Active, Any]] = []
    for row in rows:
        seen_ns = seen.get((row["id"], row["owner"]))
        if seen_ns is not None and row["last_ns"] <= seen_ns and _matches(listed, question, row):
            found.append((_Active(row["last_ns"], row["id"], row["owner"]), _record(listed.row, row)))
    return found


def _matches(listed: Groups, question: ListQuestion, row: Mapping[str, Any]) -> bool:
    return all(
        of(row) in question.filters[name] for name, of in listed.late.items() if name in question.filters
    )


def _where(
    listed: Groups, question: ListQuestion, begin: int, end: int | None
) -> tuple[str, dict[str, object]]:
    flags = listed.askable.flags
    early = {
        name: values for name, values in question.filters.items() if name not in listed.late or name in flags
    }
    conditions, params = listed.askable.conditions(msgspec.structs.replace(question, filters=early))
    conditions.append("time >= fromUnixTimestamp64Nano({begin:Int64}, 'UTC')")
    params["begin"] = begin
    if end is not None:
        conditions.append("time < fromUnixTimestamp64Nano({end:Int64}, 'UTC')")
        params["end"] = end
    return "".join(f" AND {each}" for each in conditions), params


def _record(kind: type[msgspec.Struct], row: Mapping[str, Any]) -> Any:
    values = {**row, "time": moment(row["first_ns"]), "last": moment(row["last_ns"])}
    values = {name: values[name] for name in kind.__struct_fields__}
    return msgspec.convert(
        {name: tidy(value) if isinstance(value, Decimal) else value for name, value in values.items()},
        kind,
        strict=False,
    )
