"""Agents side by side: what each did and cost, whether its work succeeded, what hangs and what failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext

import msgspec

from watchglass.queries.agents.question import AgentsQuestion
from watchglass.queries.agents.series import AgentSeries, Steps, grouped, series, steps
from watchglass.queries.agents.stuck import RULE, StuckTask, stuck
from watchglass.queries.agents.work import (
    NO_WORK,
    AgentWork,
    FailedTask,
    Side,
    latest_failures,
    work_by_agent,
)
from watchglass.queries.at_once import begin
from watchglass.queries.expired import ExpiredHours
from watchglass.queries.figures import MONEY_DIGITS, tidy
from watchglass.queries.plain import moment
from watchglass.queries.usage import usage
from watchglass.queries.usage_rows import UsageRow
from watchglass.store import Engine, Limits

MOST = 500
"""Agents that are listed; with more, names are made up by the run, and no table helps."""

_CENT = Decimal(1).scaleb(-18)


class AgentSpending(msgspec.Struct, frozen=True, kw_only=True):
    """Counted calls: the figures of `/api/v1/usage`, those that the page shows."""

    calls: int
    failed_calls: int
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cost_usd: Decimal | None
    unpriced: dict[str, int]
    avg_call_ns: int | None
    p95_call_ns: int | None


class AgentActivity(msgspec.Struct, frozen=True, kw_only=True):
    """What was spent and what was done in a window.

    `cost_per_success_usd` is all of the cost, that of failures included, by tasks that succeeded; null
    where nothing succeeded or no cost is known.
    """

    spent: AgentSpending
    work: AgentWork
    cost_per_success_usd: Decimal | None


class AgentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One agent; `agent` is null for what names none. `before` is the window before, as long as this one."""

    agent: str | None
    now: AgentActivity
    before: AgentActivity
    series: AgentSeries
    stuck: int


class AgentsReport(msgspec.Struct, frozen=True, kw_only=True):
    """All agents of `[since, until)`, dearest first.

    `steps` are the starts of the series' steps, `step_s` wide. `left_out` agents are in the totals and not
    listed. `active` agents made a call or began a task; null names are none.
    """

    since: str
    until: str
    steps: list[str]
    step_s: int
    active: int
    active_before: int
    agents: list[AgentRow]
    left_out: int
    totals: AgentActivity
    totals_before: AgentActivity
    total_series: AgentSeries
    stuck: list[StuckTask]
    stuck_rule: str
    failures: list[FailedTask]
    expired: ExpiredHours | None


def agents_report(engine: Engine, question: AgentsQuestion, limits: Limits) -> AgentsReport:
    """See `AgentsReport`."""
    over = steps(question)
    asked_before = begin(lambda: usage(engine, question.usage("agent", before=True), limits=limits))
    asked_by_step = begin(
        lambda: usage(engine, question.usage("agent", over.by, durations=False), limits=limits)
    )
    asked_stuck = begin(lambda: stuck(engine, question, limits))
    now = usage(engine, question.usage("agent"), limits=limits)
    work, work_before = work_by_agent(engine, question, limits)
    failures = latest_failures(engine, question, limits) if work.total.failed else []
    hanging, by_step, before = asked_stuck.answer(), asked_by_step.answer(), asked_before.answer()
    sides = _together(now.counted.rows, work), _together(before.counted.rows, work_before)
    rows = _rows(sides, grouped(by_step.counted.rows, "agent"), over, hanging)
    return AgentsReport(
        since=moment(question.since_ns),
        until=moment(question.until_ns),
        steps=over.texts(),
        step_s=over.width_s,
        active=sum(agent is not None for agent in sides[0]),
        active_before=sum(agent is not None for agent in sides[1]),
        agents=rows[:MOST],
        left_out=max(0, len(rows) - MOST),
        totals=activity(now.counted.totals, work.total),
        totals_before=activity(before.counted.totals, work_before.total),
        total_series=series(by_step.counted.rows, over),
        stuck=hanging,
        stuck_rule=RULE,
        failures=failures,
        expired=now.expired,
    )


def activity(row: UsageRow | None, work: AgentWork | None) -> AgentActivity:
    """Both together; what is None did not happen."""
    spent, done = spending(row or UsageRow()), work or NO_WORK
    return AgentActivity(spent=spent, work=done, cost_per_success_usd=each(spent.cost_usd, done.completed))


def spending(row: UsageRow) -> AgentSpending:
    """A row of a usage report as the page shows it."""
    same = ("calls", "failed_calls", "input_tokens", "output_tokens", "cache_read_tokens", "unpriced")
    return AgentSpending(
        **{name: getattr(row, name) for name in same},
        cost_usd=tidy(row.cost_usd),
        avg_call_ns=row.avg_duration_ns,
        p95_call_ns=row.p95_duration_ns,
    )


def each(amount: Decimal | None, count: int) -> Decimal | None:
    """An amount by a count, to 18 decimals; None of nothing.

    >>> each(Decimal(1), 3)
    Decimal('0.333333333333333333')
    """
    if amount is None or not count:
        return None
    with localcontext(prec=MONEY_DIGITS):
        return tidy((amount / count).quantize(_CENT))


def _together(rows: Sequence[UsageRow], work: Side) -> dict[str | None, AgentActivity]:
    spent = {row.group["agent"]: row for row in rows}
    names = dict.fromkeys([*spent, *work.by_agent])
    return {agent: activity(spent.get(agent), work.by_agent.get(agent)) for agent in names}


def _rows(
    sides: tuple[Mapping[str | None, AgentActivity], Mapping[str | None, AgentActivity]],
    by_agent: Mapping[str | None, Sequence[UsageRow]],
    over: Steps,
    hanging: Sequence[StuckTask],
) -> list[AgentRow]:
    """Those of either window, in order of what they cost in this one. What names no agent is none: it has a
    row where there is something in it."""
    now, before = sides
    nothing = activity(None, None)
    return [
        AgentRow(
            agent=agent,
            now=now.get(agent, nothing),
            before=before.get(agent, nothing),
            series=series(by_agent.get(agent, ()), over),
            stuck=sum(one.agent == agent for one in hanging),
        )
        for agent in dict.fromkeys([*now, *before])
        if agent is not None or any(_did(side.get(agent)) for side in sides)
    ]


def _did(side: AgentActivity | None) -> bool:
    return side is not None and bool(side.spent.calls or side.work.tasks)
