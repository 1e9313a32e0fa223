"""How tasks of two windows ended: those that an agent was given, and agents' runs that no task is around.

The same work as that of `queries.agents`, so that all pages say one number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from watchglass.queries.agents.work import WORK, with_parents
from watchglass.queries.windows_compared import Compared, Which
from watchglass.store import Engine, Limits
from watchglass.store.rollup_figures import within

DIMENSIONS = (
    *("tenant", "engagement", "feature", "flow", "flow_type", "phase", "task", "agent"),
    *("session", "user", "environment", "service"),
)
"""What tasks can be filtered by."""


class Outcomes(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks that began in a window, by how they stand now. `success_share` is of those that have ended, and
    durations are theirs; `unknown` says of each figure that is null why."""

    completed: int
    failed: int
    running: int
    success_share: float | None
    p50_ns: int | None
    p95_ns: int | None
    p99_ns: int | None
    unknown: dict[str, str]


class Done(NamedTuple):
    """Tasks of a window: how they ended, and the agents, by name, whose work they are."""

    outcomes: Outcomes
    agents: frozenset[str]


_FIGURES = ("success_share", "p50_ns", "p95_ns", "p99_ns")


def outcomes(engine: Engine, asked: Compared, *, limits: Limits) -> Mapping[Which, Done]:
    """Of both windows."""
    foreign = sorted(asked.filters.keys() - set(DIMENSIONS))
    if foreign:
        why = f"tasks have no {foreign[0].replace('_', ' ')} to filter by"
        return {"now": _none(why), "before": _none(why)}
    params: dict[str, object] = {"since": asked.since_ns, "until": asked.until_ns}
    conditions: list[str] = []
    for name, values in asked.filters.items():
        conditions.append(f"AND has({{only_{name}:Array(String)}}, ifNull({name}, ''))")
        params[f"only_{name}"] = list(values)
    found = engine.execute(
        f"""
        SELECT
            if(time >= fromUnixTimestamp64Nano({{since:Int64}}, 'UTC'), 'now', 'before') AS which,
            countIf(status = 'completed') AS completed,
            countIf(status = 'failed') AS failed,
            countIf(status NOT IN ('completed', 'failed')) AS running,
            quantilesExactIf(0.5, 0.95, 0.99)(ifNull(duration_ns, 0), duration_ns IS NOT NULL) AS durations,
            countIf(duration_ns IS NOT NULL) AS timed,
            groupUniqArray(agent) AS agents
        FROM store.tasks FINAL
        WHERE ({WORK})
            AND {within([(asked.before_ns, asked.until_ns)], params)} {" ".join(conditions)}
        GROUP BY which
        """,
        with_parents(params, asked.before_ns),
        limits=limits,
    ).to_pylist()
    by_window = {row["which"]: Done(_outcomes(row), frozenset(row["agents"])) for row in found}
    nothing = _none("no task began in this window")
    return {which: by_window.get(which, nothing) for which in ("now", "before")}


def _none(why: str) -> Done:
    nothing = Outcomes(
        completed=0,
        failed=0,
        running=0,
        success_share=None,
        p50_ns=None,
        p95_ns=None,
        p99_ns=None,
        unknown=dict.fromkeys(_FIGURES, why),
    )
    return Done(nothing, frozenset())


def _outcomes(row: Mapping[str, object]) -> Outcomes:
    completed, failed, timed = (int(str(row[name])) for name in ("completed", "failed", "timed"))
    ended = completed + failed
    durations = row["durations"] if timed else (None, None, None)
    assert isinstance(durations, (list, tuple))
    unknown = {} if ended else {"success_share": "no task of this window has ended"}
    if not timed:
        unknown |= dict.fromkeys(_FIGURES[1:], "no task of this window says how long it took")
    return Outcomes(
        completed=completed,
        failed=failed,
        running=int(str(row["running"])),
        success_share=completed / ended if ended else None,
        p50_ns=_ns(durations[0]),
        p95_ns=_ns(durations[1]),
        p99_ns=_ns(durations[2]),
        unknown=unknown,
    )


def _ns(value: object) -> int | None:
    return None if value is None else int(str(value))
