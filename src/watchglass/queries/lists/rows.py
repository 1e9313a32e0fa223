"""Lists of rows as they are: calls and tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from watchglass.queries.figures import tidy
from watchglass.queries.lists.question import Askable, ListQuestion, Page, Position
from watchglass.queries.lists.windows import hours, windows
from watchglass.queries.plain import moment
from watchglass.queries.top import ranges_of_most_expensive
from watchglass.store import Engine, Limits
from watchglass.store.rollup_figures import within
from watchglass.store.rollup_hours import Range


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """A table that is listed row by row. `row`'s fields are columns of the table."""

    table: str
    id: str
    row: type[msgspec.Struct]
    askable: Askable


_Keys = Sequence[Mapping[str, Any]]


def page(engine: Engine, listed: Rows, question: ListQuestion, now_ns: int, *, limits: Limits) -> Page:
    """One page: its keys first, which is narrow work, then the whole rows of those only."""
    keys = _keys(engine, listed, question, now_ns, limits)
    shown, more = keys[: question.limit], len(keys) > question.limit
    found = _whole(engine, listed, shown, limits)
    last = shown[-1] if shown else None
    return Page(
        rows=[found[_identity(key)] for key in shown if _identity(key) in found],
        next=question.cursor_at(last["rank"], last["time_ns"], last["id"]) if more and last else None,
    )


def _keys(engine: Engine, listed: Rows, question: ListQuestion, now_ns: int, limits: Limits) -> _Keys:
    """The keys of the page and, if there is one, of the row after it."""
    position = question.position()
    if question.sort != "time":
        ranges = _ranges(engine, listed, question, limits)
        return _read(engine, listed, question, ranges, position, limits)
    until = question.until_ns
    if position is not None:  # the row itself may have neighbours of the same nanosecond
        until = position.time_ns + 1 if until is None else min(until, position.time_ns + 1)
    keys: list[Mapping[str, Any]] = []
    for window in windows(question.since_ns, until, now_ns):
        keys += _read(engine, listed, question, [window], position, limits, beside=len(keys))
        if len(keys) > question.limit:
            break
    return keys


def _ranges(engine: Engine, listed: Rows, question: ListQuestion, limits: Limits) -> Sequence[Range]:
    """Where the rows of a page that is not in order of time can be: in a few hours, if that is known."""
    if listed.table != "calls" or question.sort != "cost" or question.cursor or question.least:
        return [(question.since_ns, question.until_ns)]
    return ranges_of_most_expensive(
        engine,
        question.limit + 1,
        since_ns=question.since_ns,
        until_ns=question.until_ns,
        filters=question.filters,
        limits=limits,
    )


def _read(
    engine: Engine,
    listed: Rows,
    question: ListQuestion,
    ranges: Sequence[Range],
    position: Position | None,
    limits: Limits,
    *,
    beside: int = 0,
) -> _Keys:
    conditions, params = listed.askable.conditions(question)
    conditions.append(within(ranges, params))
    rank = "time_ns" if question.sort == "time" else listed.askable.sorts[question.sort]
    rank = f"toDecimal128({rank}, 18)" if question.sort != "time" else rank
    if position is not None:
        kind = "Int64" if question.sort == "time" else "Decimal(38, 18)"
        conditions.append(f"(rank, time_ns, id) < ({{at_rank:{kind}}}, {{at_time:Int64}}, {{at_id:String}})")
        at = int(position.rank) if question.sort == "time" else Decimal(position.rank)
        params |= {"at_rank": at, "at_time": position.time_ns, "at_id": position.id}
    return engine.execute(
        f"""
        SELECT concat({listed.id}, '\n', ifNull(tenant, '')) AS id, {listed.id} AS bare, trace_id, time_ns,
            {rank} AS rank
        FROM {listed.table}
        WHERE {" AND ".join(conditions)}
        ORDER BY rank DESC, time_ns DESC, id DESC
        LIMIT {question.limit + 1 - beside:d}
        """,
        params,
        limits=limits,
    ).to_pylist()


def _identity(row: Mapping[str, Any]) -> tuple[str, int]:
    """Two tenants may have one id, and so may an imported call and its span, at other times."""
    return row["id"], row["time_ns"]


def _whole(engine: Engine, listed: Rows, keys: _Keys, limits: Limits) -> dict[tuple[str, int], Any]:
    if not keys:
        return {}
    params: dict[str, object] = {
        "traces": sorted({key["trace_id"] for key in keys}),
        "ids": [key["bare"] for key in keys],
    }
    near = hours(key["time_ns"] for key in keys)
    names = [name for name in listed.row.__struct_fields__ if name != "time"]
    found = engine.execute(
        f"""
        SELECT {", ".join(dict.fromkeys([listed.id, "time_ns", *names]))}
        FROM {listed.table}
        WHERE {within(near, params)}
            AND trace_id IN {{traces:Array(String)}}
            AND {listed.id} IN {{ids:Array(String)}}
        """,
        params,
        limits=limits,
    ).to_pylist(maps_as_pydicts="lossy")
    return {
        (f"{row[listed.id]}\n{row['tenant'] or ''}", row["time_ns"]): _record(listed.row, row)
        for row in found
    }


def _record(kind: type[msgspec.Struct], row: Mapping[str, Any]) -> Any:
    values = {name: row[name] for name in kind.__struct_fields__ if name in row}
    for name, value in values.items():
        if isinstance(value, Decimal):
            values[name] = tidy(value)
    return msgspec.convert({**values, "time": moment(row["time_ns"])}, kind, strict=False)
