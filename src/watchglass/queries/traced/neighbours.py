"""The trace before and the trace after one of the same session."""

from __future__ import annotations

import msgspec

from watchglass.queries.plain import moment
from watchglass.store import Engine, Limits
from watchglass.store.rollup_figures import within

LOOKED_NS = 86_400 * 10**9
"""A neighbour is looked for so far to either side: calls are sorted by time, not by session."""


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """Another trace of the session, and when its first call was."""

    trace_id: str
    time: str


def neighbours(
    engine: Engine, trace_id: str, at_ns: int, tenant: str | None, session: str | None, *, limits: Limits
) -> tuple[Neighbour | None, Neighbour | None]:
    """The trace before and the one after, within a day each."""
    if not session:
        return None, None
    params: dict[str, object] = {"session": session, "tenant": tenant or ""}
    when = within([(at_ns - LOOKED_NS, at_ns + LOOKED_NS)], params)
    rows = engine.execute(
        f"""
        SELECT trace_id, toUnixTimestamp64Nano(min(time)) AS first_ns
        FROM store.calls
        WHERE {when} AND session = {{session:String}} AND ifNull(tenant, '') = {{tenant:String}}
        GROUP BY trace_id
        ORDER BY first_ns, trace_id
        """,
        params,
        limits=limits,
    ).to_pylist()
    ids = [row["trace_id"] for row in rows]
    found = [Neighbour(trace_id=row["trace_id"], time=moment(row["first_ns"])) for row in rows]
    if trace_id not in ids:
        return None, None
    place = ids.index(trace_id)
    return (found[place - 1] if place else None, found[place + 1] if place + 1 < len(found) else None)
