"""Agents and tasks that ran and in which no call was ever recorded; two findings look at these."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Evidence, Window, evidence

OWN_STEPS = "watchglass.steps"
"""The scope of steps that an application marks itself. A task of these may well be plain code; an agent, and
what an agent framework calls a task, is there to ask a model."""

_AN_AGENTS = f"(kind = 'agent' OR (kind = 'task' AND scope != '{OWN_STEPS}'))"
RAN = f"countIf({_AN_AGENTS} AND status IN ('completed', 'failed')) > 0"
"""Of stored rows: whether any such execution has ended."""


def steps_without_calls(ask: Ask, window: Window, *, of_services_with_calls: bool) -> Evidence:
    """Those of services that have other calls on record, or else of those that have none.

    Only executions with no other below them, or the agent that hands out work would be named for the one
    that does it. By name, not by trace: a set of names stays small however much there is.
    """
    within = "IN" if of_services_with_calls else "NOT IN"
    return evidence(
        ask(
            f"""
            WITH ran AS
            (
                SELECT service, kind, name, scope, task_id, trace_id, time
                FROM tasks
                WHERE {_AN_AGENTS}
                    AND status IN ('completed', 'failed') AND {window.holds()}
            )
            SELECT
                ifNull(service, '') AS service,
                kind,
                name,
                any(scope) AS scope,
                count() AS executions,
                max(time) AS last,
                argMax(trace_id, time) AS example_trace,
                sum(executions) OVER () AS in_all
            FROM ran
            WHERE ifNull(service, '') {within}
                (SELECT DISTINCT ifNull(service, '') FROM calls WHERE {window.holds()})
            GROUP BY service, kind, name
            HAVING (kind, name) NOT IN
                (
                    SELECT DISTINCT 'agent', ifNull(agent, '') FROM calls WHERE {window.holds()}
                    UNION ALL
                    SELECT DISTINCT 'task', ifNull(task, '') FROM calls WHERE {window.holds()}
                )
                AND (service, kind, name) NOT IN
                (
                    SELECT DISTINCT ifNull(service, ''), kind, name
                    FROM ran
                    WHERE task_id IN
                    (
                        SELECT assumeNotNull(parent_task_id) FROM tasks
                        WHERE kind IN ('agent', 'task', 'flow') AND parent_task_id IS NOT NULL
                            AND {window.holds()}
                    )
                )
            ORDER BY executions DESC, service, kind, name
            LIMIT {EVIDENCE_ROWS}
            """
        )
    )
