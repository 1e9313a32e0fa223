"""Runs of flows: one row of each flow that calls or executions name, how it ended and how long it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from watchglass.queries.agents.question import AgentsQuestion
from watchglass.queries.agents.series import Steps
from watchglass.queries.plain import moment
from watchglass.store import Engine, Limits

BOUNDS_NS = tuple(
    int(seconds * 10**9)
    for seconds in (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400)
)
"""Upper bounds of the histogram's bars, not included; the last bar has none."""

LATEST = 20

OUTCOME_RULE = (
    "A run ended as its own span says. Where only calls and tasks tell of a run, it failed if any of its "
    "tasks or agents' runs failed; where only calls do, nobody knows how it ended."
)


class FlowRuns(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of flows, by how they ended. Durations are from a run's first sign to its last, of those that
    are not running."""

    runs: int
    completed: int
    failed: int
    running: int
    unknown: int
    avg_duration_ns: int | None
    p50_duration_ns: int | None
    p95_duration_ns: int | None


NO_RUNS = FlowRuns(
    runs=0,
    completed=0,
    failed=0,
    running=0,
    unknown=0,
    avg_duration_ns=None,
    p50_duration_ns=None,
    p95_duration_ns=None,
)


class FailedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that failed, where in it (name of the flow, task or agent), and what was said of why."""

    flow: str
    flow_type: str | None
    tenant: str | None
    trace_id: str
    time: str
    duration_ns: int | None
    failed_in: str | None
    error_type: str | None
    error_message: str | None


class TypeRuns(NamedTuple):
    """Runs of one type, or of all types: together, by step, failed ones by step, and by duration."""

    together: FlowRuns = NO_RUNS
    by_step: Sequence[int] = ()
    failed_by_step: Sequence[int] = ()
    histogram: Sequence[int] = ()


class Side(NamedTuple):
    """Runs of one window by flow type, and of all types together."""

    by_type: dict[str | None, TypeRuns]
    total: TypeRuns


def _told(question: AgentsQuestion, params: dict[str, object], *, before: bool) -> str:
    """The CTE `flow_runs`. Calls are read without removing older versions of a row, which takes several times
    as long and could only change a run whose calls another run's name was taken from."""
    condition = question.conditions(params, before=before)
    params["from"] = question.since_ns
    said = "time >= fromUnixTimestamp64Nano({from:Int64}, 'UTC') AS is_now, flow, tenant, flow_type, trace_id"
    return f"""
        WITH flow_runs AS
        (
            SELECT
                is_now, flow, tenant,
                argMin(flow_type, at_ns) AS flow_type,
                argMin(trace_id, at_ns) AS trace_id,
                min(at_ns) AS first_ns,
                countIf(own) AS owns,
                countIf(piece) AS pieces,
                multiIf(
                    countIf(own AND status = 'failed') > 0, 'failed',
                    countIf(own AND status != 'completed') > 0, 'running',
                    owns > 0, 'completed',
                    countIf(piece AND status = 'failed') > 0, 'failed',
                    countIf(piece AND status != 'completed') > 0, 'running',
                    pieces > 0, 'completed',
                    'unknown'
                ) AS outcome,
                if(outcome = 'running', NULL, max(until_ns) - first_ns) AS duration_ns,
                argMinIf(
                    (name, error_type, error_message), at_ns, (own OR piece) AND status = 'failed'
                ) AS failure
            FROM
            (
                SELECT {said},
                    toUnixTimestamp64Nano(time) AS at_ns, at_ns + ifNull(duration_ns, 0) AS until_ns,
                    false AS own, false AS piece, '' AS name, '' AS status,
                    CAST(NULL, 'Nullable(String)') AS error_type,
                    CAST(NULL, 'Nullable(String)') AS error_message
                FROM store.calls
                WHERE counted AND isNotNull(flow) AND {condition}
                UNION ALL
                SELECT {said}, time_ns AS at_ns, at_ns + ifNull(duration_ns, 0) AS until_ns,
                    kind = 'flow' AND outermost AS own, kind IN ('task', 'agent') AS piece, name, status,
                    error_type, leftUTF8(error_message, 2000) AS error_message
                FROM tasks
                WHERE isNotNull(flow) AND {condition}
            )
            GROUP BY is_now, flow, tenant
        )
    """


def runs_by_type(engine: Engine, question: AgentsQuestion, over: Steps, limits: Limits) -> tuple[Side, Side]:
    """Runs of the window, and of the one before it. A run that lies in both is a run of each."""
    params: dict[str, object] = {"first": over.first_s * 10**9, "width": over.width_s * 10**9}
    bars = ", ".join(f"countIf(duration_ns < {bound})" for bound in BOUNDS_NS)
    step = "toUInt32(greatest(0, intDiv(first_ns - {first:Int64}, {width:Int64})))"
    found = engine.execute(
        f"""
        {_told(question, params, before=True)}
        SELECT
            is_now, flow_type, grouping(flow_type) AS is_total,
            count() AS runs,
            countIf(outcome = 'completed') AS completed,
            countIf(outcome = 'failed') AS failed,
            countIf(outcome = 'running') AS running,
            countIf(outcome = 'unknown') AS unknown,
            count(duration_ns) AS timed,
            if(timed = 0, NULL, toInt64(round(avg(duration_ns)))) AS avg_duration_ns,
            if(timed = 0, NULL, quantileExact(0.5)(duration_ns)) AS p50_duration_ns,
            if(timed = 0, NULL, quantileExact(0.95)(duration_ns)) AS p95_duration_ns,
            sumMap(map({step}, toUInt64(1))) AS by_step,
            sumMapIf(map({step}, toUInt64(1)), outcome = 'failed') AS failed_by_step,
            [{bars}, timed] AS up_to
        FROM flow_runs
        GROUP BY GROUPING SETS ((is_now, flow_type), (is_now))
        """,
        params,
        limits=limits,
    ).to_pylist()
    now, before = (
        Side(
            {
                row["flow_type"]: _runs(row, over)
                for row in found
                if row["is_now"] == side and not row["is_total"]
            },
            next(
                (_runs(row, over) for row in found if row["is_now"] == side and row["is_total"]), TypeRuns()
            ),
        )
        for side in (True, False)
    )
    return now, before


def failed_runs(engine: Engine, question: AgentsQuestion, limits: Limits) -> list[FailedRun]:
    """The latest runs that failed, the newest first."""
    params: dict[str, object] = {}
    found = engine.execute(
        f"""
        {_told(question, params, before=False)}
        SELECT flow, flow_type, tenant, trace_id, first_ns, duration_ns,
            failure.1 AS failed_in, failure.2 AS error_type, failure.3 AS error_message
        FROM flow_runs
        WHERE outcome = 'failed'
        ORDER BY first_ns DESC, flow
        LIMIT {LATEST:d}
        """,
        params,
        limits=limits,
    ).to_pylist()
    return [
        FailedRun(
            **{name: value for name, value in row.items() if name not in ("first_ns", "failed_in")},
            time=moment(row["first_ns"]),
            failed_in=row["failed_in"] or None,
        )
        for row in found
    ]


def _runs(row: Mapping[str, Any], over: Steps) -> TypeRuns:
    up_to: list[int] = row["up_to"]
    return TypeRuns(
        FlowRuns(**{name: row[name] for name in FlowRuns.__struct_fields__}),
        _by_step(row["by_step"], over),
        _by_step(row["failed_by_step"], over),
        [here - before for before, here in zip([0, *up_to], up_to, strict=False)],
    )


def _by_step(pairs: list[tuple[int, int]], over: Steps) -> list[int]:
    counts = [0] * over.count
    for step, runs in pairs:
        counts[min(step, over.count - 1)] += runs
    return counts
