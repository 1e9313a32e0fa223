"""Executions that began and were never told to have ended."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, counted, evidence, number
from watchglass.doctor.screening import Candidates
from watchglass.queries.agents.stuck import OLD_NS, QUIET_NS


class StuckTasks:
    """Executions that say starting or running, though their parent has ended or their trace went quiet."""

    name = "stuck_tasks"
    candidates = Candidates("tasks", "countIf(status IN ('starting', 'running')) > 0")

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        old, silent = (
            f"fromUnixTimestamp64Nano({window.until_ns - ns:d}, 'UTC')" for ns in (OLD_NS, QUIET_NS)
        )
        shown = evidence(
            ask(
                f"""
                WITH open AS
                (
                    SELECT task_id, parent_task_id, kind, name, status, service, agent, time, trace_id
                    FROM tasks
                    WHERE status IN ('starting', 'running') AND {window.holds()}
                ),
                alive AS
                (
                    SELECT trace_id FROM calls
                    WHERE time >= {silent} AND {window.holds()}
                        AND trace_id IN (SELECT trace_id FROM open)
                    UNION ALL
                    SELECT trace_id FROM tasks
                    WHERE time >= {silent} AND {window.holds()}
                        AND trace_id IN (SELECT trace_id FROM open)
                ),
                ended AS
                (
                    SELECT task_id FROM tasks
                    WHERE status IN ('completed', 'failed')
                        AND task_id IN (SELECT parent_task_id FROM open WHERE parent_task_id IS NOT NULL)
                )
                SELECT
                    kind,
                    name,
                    status,
                    service,
                    if(parent_task_id IN (SELECT task_id FROM ended), 'parent has ended', 'silent') AS why,
                    count() AS executions,
                    min(time) AS began,
                    argMin(trace_id, time) AS example_trace,
                    sum(executions) OVER () AS in_all
                FROM open
                WHERE parent_task_id IN (SELECT task_id FROM ended)
                    OR (time < {old} AND trace_id NOT IN (SELECT trace_id FROM alive))
                GROUP BY ALL
                ORDER BY executions DESC, kind, name
                LIMIT {EVIDENCE_ROWS}
                """
            )
        )
        if not shown.rows:
            return []
        total = number(shown.rows[0][-1])
        return [
            Diagnosis(
                finding=self.name,
                severity="error",
                symptom=f"{counted(total, 'execution')} began and never ended, by what is on record.",
                evidence=shown,
                remedy="The process was killed, or the path on which it fails tells nobody. Look at where "
                "the "
                "trace stops; run the work inside `with watchglass.task(…):`, which tells of its end "
                "also when an exception goes through it. What waits in a spool comes still "
                "(`watchglass spool` on the application's machine).",
                command=f"watchglass trace {shown.rows[0][-2]}",
            )
        ]
