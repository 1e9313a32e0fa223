"""Flow types side by side: how many runs, how they ended and how long they took, what one costs, by phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from watchglass.queries.agents.question import AgentsQuestion
from watchglass.queries.agents.report import AgentSpending, each, spending
from watchglass.queries.agents.runs import (
    BOUNDS_NS,
    OUTCOME_RULE,
    FailedRun,
    FlowRuns,
    TypeRuns,
    failed_runs,
    runs_by_type,
)
from watchglass.queries.agents.series import AgentSeries, Steps, grouped, series, steps
from watchglass.queries.at_once import begin
from watchglass.queries.expired import ExpiredHours
from watchglass.queries.plain import moment
from watchglass.queries.usage import usage
from watchglass.queries.usage_rows import UsageRow
from watchglass.store import Engine, Limits

MOST = 200


class FlowActivity(msgspec.Struct, frozen=True, kw_only=True):
    """Runs and what was spent in them. Averages are by run; null where there is none."""

    runs: FlowRuns
    spent: AgentSpending
    tokens_per_run: int | None
    cost_per_run_usd: Decimal | None


class FlowPhase(msgspec.Struct, frozen=True, kw_only=True):
    """One phase of a flow type; null is what names none."""

    phase: str | None
    spent: AgentSpending


class FlowTypeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One type of flow; null is what names none, also calls outside of any flow.

    `runs` and `failed_runs` are by step, `histogram` counts those runs whose duration is below each bound
    and not below the one before; its last bar has no bound.
    """

    flow_type: str | None
    now: FlowActivity
    before: FlowActivity
    series: AgentSeries
    runs: list[int]
    failed_runs: list[int]
    histogram: list[int]
    phases: list[FlowPhase]


class FlowsReport(msgspec.Struct, frozen=True, kw_only=True):
    """All flow types of `[since, until)`, dearest first. Times and steps are as in `AgentsReport`.

    `totals` are of all calls, and of all runs. `left_out` types are in the totals and not listed.
    """

    since: str
    until: str
    steps: list[str]
    step_s: int
    bounds_ns: list[int]
    flow_types: list[FlowTypeRow]
    left_out: int
    totals: FlowActivity
    totals_before: FlowActivity
    histogram: list[int]
    failures: list[FailedRun]
    outcome_rule: str
    expired: ExpiredHours | None


def flows_report(engine: Engine, question: AgentsQuestion, limits: Limits) -> FlowsReport:
    """See `FlowsReport`."""
    over = steps(question)
    asked_runs = begin(lambda: runs_by_type(engine, question, over, limits))
    asked_before = begin(lambda: usage(engine, question.usage("flow_type", before=True), limits=limits))
    asked_by_step = begin(
        lambda: usage(engine, question.usage("flow_type", over.by, durations=False), limits=limits)
    )
    now = usage(engine, question.usage("flow_type"), limits=limits)
    by_phase = usage(engine, question.usage("flow_type", "phase"), limits=limits)
    by_step, before = asked_by_step.answer(), asked_before.answer()
    runs, runs_before = asked_runs.answer()
    rows = _rows(
        (now.counted.rows, runs.by_type),
        (before.counted.rows, runs_before.by_type),
        grouped(by_step.counted.rows, "flow_type"),
        grouped(by_phase.counted.rows, "flow_type"),
        over,
    )
    return FlowsReport(
        since=moment(question.since_ns),
        until=moment(question.until_ns),
        steps=over.texts(),
        step_s=over.width_s,
        bounds_ns=list(BOUNDS_NS),
        flow_types=rows[:MOST],
        left_out=max(0, len(rows) - MOST),
        totals=_activity(now.counted.totals, runs.total),
        totals_before=_activity(before.counted.totals, runs_before.total),
        histogram=list(runs.total.histogram) or [0] * (len(BOUNDS_NS) + 1),
        failures=failed_runs(engine, question, limits) if runs.total.together.failed else [],
        outcome_rule=OUTCOME_RULE,
        expired=now.expired,
    )


_Sides = tuple[Sequence[UsageRow], Mapping[str | None, TypeRuns]]


def _rows(
    now: _Sides,
    before: _Sides,
    by_step: Mapping[str | None, Sequence[UsageRow]],
    by_phase: Mapping[str | None, Sequence[UsageRow]],
    over: Steps,
) -> list[FlowTypeRow]:
    spent, spent_before = ({row.group["flow_type"]: row for row in rows} for rows, _ in (now, before))
    runs, runs_before = now[1], before[1]
    none = [0] * over.count
    return [
        FlowTypeRow(
            flow_type=name,
            now=_activity(spent.get(name), runs.get(name)),
            before=_activity(spent_before.get(name), runs_before.get(name)),
            series=series(by_step.get(name, ()), over),
            runs=list(runs[name].by_step) if name in runs else none,
            failed_runs=list(runs[name].failed_by_step) if name in runs else none,
            histogram=list(runs[name].histogram) if name in runs else [0] * (len(BOUNDS_NS) + 1),
            phases=[
                FlowPhase(phase=row.group["phase"], spent=spending(row)) for row in by_phase.get(name, ())
            ],
        )
        for name in dict.fromkeys([*spent, *runs, *spent_before, *runs_before])
    ]


def _activity(row: UsageRow | None, runs: TypeRuns | None) -> FlowActivity:
    spent, done = spending(row or UsageRow()), (runs or TypeRuns()).together
    tokens = (spent.input_tokens or 0) + (spent.output_tokens or 0)
    known = spent.input_tokens is not None or spent.output_tokens is not None
    return FlowActivity(
        runs=done,
        spent=spent,
        tokens_per_run=round(tokens / done.runs) if done.runs and known else None,
        cost_per_run_usd=each(spent.cost_usd, done.runs),
    )
