"""The work of agents: how many of their tasks succeeded, how long those took, which failed last.

An agent's work is its tasks, and its runs that no task is directly around: where a library tells of both, as
CrewAI does, one piece of work is two rows of `tasks`, and the task's says how it ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from watchglass.queries.agents.question import AgentsQuestion, between
from watchglass.queries.plain import moment
from watchglass.store import Engine, Limits

LATEST = 20
"""Failures that are listed; the rest are a click away."""

_DAY_NS = 86_400 * 10**9

UNFINISHED = "status NOT IN ('completed', 'failed')"
WORK = """
    kind = 'task' OR (kind = 'agent' AND ifNull(parent_task_id, '') NOT IN (
        SELECT task_id FROM store.tasks FINAL
        WHERE kind = 'task' AND time >= fromUnixTimestamp64Nano({parents_since:Int64}, 'UTC')
            AND time < fromUnixTimestamp64Nano({until:Int64}, 'UTC')
    ))
"""
"""The condition that a row of `tasks` is a piece of an agent's work; needs `parents_since` and `until`."""


class AgentWork(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces of work that began in a window. Durations are of those that ended, None where none did."""

    tasks: int
    completed: int
    failed: int
    unfinished: int
    p50_duration_ns: int | None
    p95_duration_ns: int | None


NO_WORK = AgentWork(tasks=0, completed=0, failed=0, unfinished=0, p50_duration_ns=None, p95_duration_ns=None)


class Side(NamedTuple):
    """Work of one window by agent (None: what names none), and all of it together."""

    by_agent: dict[str | None, AgentWork]
    total: AgentWork


class FailedTask(msgspec.Struct, frozen=True, kw_only=True):
    """An execution that failed, and what was said of why."""

    task_id: str
    trace_id: str
    time: str
    kind: str
    name: str
    agent: str | None
    tenant: str | None
    flow: str | None
    flow_type: str | None
    duration_ns: int | None
    error_type: str | None
    error_message: str | None


FIGURES = f"""
    count() AS tasks,
    countIf(status = 'completed') AS completed,
    countIf(status = 'failed') AS failed,
    countIf({UNFINISHED}) AS unfinished,
    count(duration_ns) AS timed,
    if(timed = 0, NULL, quantileExact(0.5)(duration_ns)) AS p50_duration_ns,
    if(timed = 0, NULL, quantileExact(0.95)(duration_ns)) AS p95_duration_ns
"""
"""The fields of `AgentWork`, as SQL over rows of `tasks`."""


def work_by_agent(engine: Engine, question: AgentsQuestion, limits: Limits) -> tuple[Side, Side]:
    """Work of the window, and of the one before it."""
    params: dict[str, object] = {"from": question.since_ns}
    condition = question.conditions(params, before=True)
    found = engine.execute(
        f"""
        SELECT
            agent,
            grouping(agent) AS is_total,
            time >= fromUnixTimestamp64Nano({{from:Int64}}, 'UTC') AS is_now,
            {FIGURES}
        FROM store.tasks FINAL
        WHERE {condition} AND ({WORK})
        GROUP BY GROUPING SETS ((agent, is_now), (is_now))
        """,
        with_parents(params, question.before_ns),
        limits=limits,
    ).to_pylist()
    now, before = (
        Side(
            {row["agent"]: work_of(row) for row in found if row["is_now"] == side and not row["is_total"]},
            next((work_of(row) for row in found if row["is_now"] == side and row["is_total"]), NO_WORK),
        )
        for side in (True, False)
    )
    return now, before


def work_of(row: Mapping[str, Any]) -> AgentWork:
    """The record of a row with the columns of `FIGURES`."""
    return AgentWork(**{name: row[name] for name in AgentWork.__struct_fields__})


def with_parents(params: dict[str, object], since_ns: int) -> dict[str, object]:
    """The parameters that `WORK` needs beside them: tasks may have begun a day before what they hold."""
    return {**params, "parents_since": since_ns - _DAY_NS}


def latest_failures(
    engine: Engine, question: AgentsQuestion, limits: Limits, *, kinds: tuple[str, ...] = ("task", "agent")
) -> list[FailedTask]:
    """The latest executions of these kinds that failed, the newest first."""
    params: dict[str, object] = {"since": question.since_ns, "until": question.until_ns, "kinds": list(kinds)}
    found = engine.execute(
        f"""
        SELECT task_id, trace_id, toUnixTimestamp64Nano(time) AS time_ns, kind, name, agent, tenant, flow,
            flow_type, duration_ns, error_type, leftUTF8(error_message, 2000) AS error_message
        FROM store.tasks FINAL
        WHERE status = 'failed' AND kind IN {{kinds:Array(String)}}
            AND {between("time")} {question.matching(params)}
        ORDER BY time_ns DESC, task_id
        LIMIT {LATEST:d}
        """,
        params,
        limits=limits,
    ).to_pylist()
    return [FailedTask(**_told(row)) for row in found]


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in row.items() if name != "time_ns"}
    return {**values, "time": moment(row["time_ns"])}
