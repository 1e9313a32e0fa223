"""Lists of what calls add up to: traces, flows and sessions, those that were active last first.

A page takes two steps. The first finds who was active in the newest windows of time, which is narrow
work; the second sums up everything of those few. A group whose last moment is younger than what the
first step saw of it belongs to a newer window or an earlier page, where it was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from watchglass.errors import QueryError
from watchglass.queries.figures import tidy
from watchglass.queries.lists.question import Askable, ListQuestion, Page
from watchglass.queries.lists.windows import windows
from watchglass.queries.plain import moment
from watchglass.store import Engine, Limits


class Groups(msgspec.Struct, frozen=True, kw_only=True):
    """Groups of rows, told apart by `id` and `owner` (the tenant, where two tenants may use one id).

    `activity` makes the SQL of a subquery with columns `id`, `owner`, `time_ns`; `details` that of a
    statement with those and the fields of `row`, `last_ns` among them, of the groups in
    `{ids:Array(String)}`. Both are given the conditions that calls must meet, each after ` AND `.
    `late` names filters that are of the group as a whole and hold for the fields of `row`.
    """

    row: type[msgspec.Struct]
    askable: Askable
    activity: Callable[[str], str]
    details: Callable[[str], str]
    late: tuple[str, ...] = ()


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
    for window in windows(question.since_ns, end, now_ns):
        while len(shown) <= question.limit:
            candidates = _active(engine, listed, question, window, after, limits)
            shown += _summed(engine, listed, question, candidates, limits)
            after = candidates[-1] if candidates else after
            if len(candidates) <= question.limit:
                break
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
    except msgspec.MsgspecError:
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
    limits: Limits,
) -> list[_Active]:
    where, params = _where(listed, question, *window)
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
        LIMIT {question.limit + 1:d}
        """,
        params,
        limits=limits,
    ).to_pylist()
    return [msgspec.convert(row, _Active) for row in rows]


def _summed(
    engine: Engine, listed: Groups, question: ListQuestion, candidates: Sequence[_Active], limits: Limits
) -> list[tuple[_Active, Any]]:
    """The candidates that were last active when the window says so, with what they add up to."""
    if not candidates:
        return []
    where, params = _where(listed, question, question.since_ns or 0, question.until_ns)
    params["ids"] = [each.id for each in candidates]
    rows = engine.execute(listed.details(where), params, limits=limits).to_pylist()
    found = {(row["id"], row["owner"]): row for row in rows}
    kept: list[tuple[_Active, Any]] = []
    for each in candidates:
        row = found.get((each.id, each.owner))
        if row is not None and row["last_ns"] == each.last_ns and _matches(listed, question, row):
            kept.append((each, _record(listed.row, row)))
    return kept


def _matches(listed: Groups, question: ListQuestion, row: Mapping[str, Any]) -> bool:
    return all((row[name] or "") in question.filters.get(name, (row[name] or "",)) for name in listed.late)


def _where(
    listed: Groups, question: ListQuestion, begin: int, end: int | None
) -> tuple[str, dict[str, object]]:
    early = {name: values for name, values in question.filters.items() if name not in listed.late}
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
