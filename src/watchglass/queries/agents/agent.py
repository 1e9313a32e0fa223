"""One agent: its tasks and tools by name, the models it used, what failed in it and why, and what hangs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from watchglass.errors import NotFound
from watchglass.queries.agents.question import AgentsQuestion
from watchglass.queries.agents.report import AgentActivity, AgentSpending, activity, spending
from watchglass.queries.agents.runs import BOUNDS_NS
from watchglass.queries.agents.series import AgentSeries, series, steps
from watchglass.queries.agents.stuck import RULE, StuckTask, stuck
from watchglass.queries.agents.work import (
    FIGURES,
    WORK,
    AgentWork,
    FailedTask,
    latest_failures,
    with_parents,
    work_by_agent,
    work_of,
)
from watchglass.queries.expired import ExpiredHours
from watchglass.queries.figures import tidy
from watchglass.queries.plain import moment
from watchglass.queries.usage import usage
from watchglass.store import Engine, Limits

LATEST = 25
_MOST = 100


class NamedWork(msgspec.Struct, frozen=True, kw_only=True):
    """Executions of one name: tasks (or runs of the agent), or a tool."""

    name: str
    work: AgentWork


class SpentOn(msgspec.Struct, frozen=True, kw_only=True):
    """What was spent on one model, or for one tenant; null is unknown."""

    name: str | None
    spent: AgentSpending


class CallFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Failed calls of one error, and the latest of them."""

    error_type: str | None
    calls: int
    model: str | None
    error_message: str | None
    trace_id: str
    time: str


class AgentTask(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the agent's work; `cost_usd` is of the calls made in it, null where none has a cost."""

    task_id: str
    trace_id: str
    time: str
    kind: str
    name: str
    status: str
    tenant: str | None
    session: str | None
    flow: str | None
    duration_ns: int | None
    error_type: str | None
    calls: int
    cost_usd: Decimal | None


class AgentReport(msgspec.Struct, frozen=True, kw_only=True):
    """One agent in `[since, until)`. Times, steps and the window before are as in `AgentsReport`.

    `histogram` is of the durations of its finished work, by `bounds_ns` as in `FlowsReport`.
    """

    agent: str
    since: str
    until: str
    steps: list[str]
    step_s: int
    now: AgentActivity
    before: AgentActivity
    series: AgentSeries
    work: list[NamedWork]
    tools: list[NamedWork]
    models: list[SpentOn]
    tenants: list[SpentOn]
    bounds_ns: list[int]
    histogram: list[int]
    latest: list[AgentTask]
    failures: list[FailedTask]
    call_failures: list[CallFailure]
    stuck: list[StuckTask]
    stuck_rule: str
    expired: ExpiredHours | None


def agent_report(engine: Engine, agent: str, question: AgentsQuestion, limits: Limits) -> AgentReport:
    """See `AgentReport`. Raises `NotFound` for an agent that did nothing in the window or the one before."""
    asked = question.of(agent=agent)
    over = steps(asked)
    now = usage(engine, asked.usage("model"), limits=limits)
    before = usage(engine, asked.usage(before=True), limits=limits)
    work, work_before = work_by_agent(engine, asked, limits)
    found = [now.counted.totals.calls, before.counted.totals.calls, work.total.tasks, work_before.total.tasks]
    if not any(found):
        raise NotFound(
            f"no agent {agent!r} made a call or began a task from {moment(question.since_ns)} to "
            f"{moment(question.until_ns)}; ask about a longer time, or about all agents at /api/v1/agents"
        )
    by_step = usage(engine, asked.usage(over.by, durations=False), limits=limits)
    tenants = usage(engine, asked.usage("tenant"), limits=limits)
    names = _by_name(engine, asked, limits)
    return AgentReport(
        agent=agent,
        since=moment(question.since_ns),
        until=moment(question.until_ns),
        steps=over.texts(),
        step_s=over.width_s,
        now=activity(now.counted.totals, work.total),
        before=activity(before.counted.totals, work_before.total),
        series=series(by_step.counted.rows, over),
        work=names["work"],
        tools=names["tool"],
        models=[SpentOn(name=r.group["model"], spent=spending(r)) for r in now.counted.rows[:_MOST]],
        tenants=[SpentOn(name=r.group["tenant"], spent=spending(r)) for r in tenants.counted.rows[:_MOST]],
        bounds_ns=list(BOUNDS_NS),
        histogram=_histogram(engine, asked, limits),
        latest=_latest(engine, asked, limits),
        failures=latest_failures(engine, asked, limits, kinds=("task", "agent", "tool")),
        call_failures=_call_failures(engine, asked, limits) if now.counted.totals.failed_calls else [],
        stuck=stuck(engine, asked, limits),
        stuck_rule=RULE,
        expired=now.expired,
    )


def _by_name(engine: Engine, question: AgentsQuestion, limits: Limits) -> dict[str, list[NamedWork]]:
    params: dict[str, object] = {}
    condition = question.conditions(params)
    found = engine.execute(
        f"""
        SELECT if(kind = 'tool', 'tool', 'work') AS sort, name, {FIGURES}
        FROM tasks
        WHERE {condition} AND (kind = 'tool' OR {WORK})
        GROUP BY sort, name
        ORDER BY tasks DESC, name
        LIMIT {_MOST:d} BY sort
        """,
        with_parents(params, question.since_ns),
        limits=limits,
    ).to_pylist()
    made: dict[str, list[NamedWork]] = {"work": [], "tool": []}
    for row in found:
        made[row["sort"]].append(NamedWork(name=row["name"], work=work_of(row)))
    return made


def _histogram(engine: Engine, question: AgentsQuestion, limits: Limits) -> list[int]:
    params: dict[str, object] = {}
    condition = question.conditions(params)
    bars = ", ".join(f"countIf(duration_ns < {bound})" for bound in BOUNDS_NS)
    (row,) = engine.execute(
        f"SELECT [{bars}, count(duration_ns)] AS up_to FROM tasks WHERE {condition} AND ({WORK})",
        with_parents(params, question.since_ns),
        limits=limits,
    ).to_pylist()
    up_to: list[int] = row["up_to"]
    return [here - below for below, here in zip([0, *up_to], up_to, strict=False)]


def _latest(engine: Engine, question: AgentsQuestion, limits: Limits) -> list[AgentTask]:
    """The newest pieces of work, each with what the calls made in it cost."""
    params: dict[str, object] = {}
    condition = question.conditions(params)
    rows = engine.execute(
        f"""
        SELECT task_id, trace_id, time_ns, kind, name, status, tenant, session, flow, duration_ns, error_type
        FROM tasks
        WHERE {condition} AND ({WORK})
        ORDER BY time_ns DESC, task_id
        LIMIT {LATEST:d}
        """,
        with_parents(params, question.since_ns),
        limits=limits,
    ).to_pylist()
    costs = _costs(engine, rows, question, limits)
    return [
        AgentTask(
            **{name: value for name, value in row.items() if name != "time_ns"},
            time=moment(row["time_ns"]),
            calls=costs.get(row["task_id"], (0, None))[0],
            cost_usd=tidy(costs.get(row["task_id"], (0, None))[1]),
        )
        for row in rows
    ]


def _costs(
    engine: Engine, rows: list[dict[str, Any]], question: AgentsQuestion, limits: Limits
) -> dict[str, tuple[int, Decimal | None]]:
    if not rows:
        return {}
    found = engine.execute(
        """
        SELECT task_id, count() AS calls, sum(cost_usd) AS cost_usd
        FROM usage
        WHERE time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC') AND task_id IN {ids:Array(String)}
            AND trace_id IN {traces:Array(String)}
        GROUP BY task_id
        """,
        {
            "since": min(row["time_ns"] for row in rows),
            "ids": [row["task_id"] for row in rows],
            "traces": sorted({row["trace_id"] for row in rows}),
        },
        limits=limits,
    ).to_pylist()
    return {row["task_id"]: (row["calls"], row["cost_usd"]) for row in found}


def _call_failures(engine: Engine, question: AgentsQuestion, limits: Limits) -> list[CallFailure]:
    params: dict[str, object] = {}
    condition = question.conditions(params)
    found = engine.execute(
        f"""
        SELECT error_type, count() AS calls,
            argMax(
                (coalesce(response_model, request_model), leftUTF8(error_message, 2000), trace_id), time
            ) AS last,
            max(time_ns) AS last_ns
        FROM usage
        WHERE {condition} AND NOT success
        GROUP BY error_type
        ORDER BY calls DESC, error_type
        LIMIT 20
        """,
        params,
        limits=limits,
    ).to_pylist()
    return [
        CallFailure(
            error_type=row["error_type"],
            calls=row["calls"],
            model=row["last"]["1"],
            error_message=row["last"]["2"],
            trace_id=row["last"]["3"],
            time=moment(row["last_ns"]),
        )
        for row in found
    ]
