"""Requests that more than one library told of."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, counted, evidence, number
from watchglass.doctor.screening import Candidates

DAY_NS = 86_400 * 10**9
"""Two reports of one request begin within a day of each other."""


class Duplicates:
    """Calls that are not counted since another row tells of the same request."""

    name = "duplicates"
    candidates = Candidates("calls", "countIf(duplicate_of IS NOT NULL) > 0")

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        around = Window(window.since_ns - DAY_NS, window.until_ns + DAY_NS)
        shown = evidence(
            ask(
                f"""
                SELECT
                    twice.not_counted_reason AS reason,
                    twice.scope AS reported_by,
                    once.scope AS counted_from,
                    count() AS calls,
                    sum(twice.cost_usd) AS cost_usd_left_out,
                    any(twice.trace_id) AS example_trace,
                    sum(calls) OVER () AS in_all
                FROM calls AS twice
                LEFT ANY JOIN
                (
                    SELECT call_id, scope
                    FROM calls
                    WHERE counted AND {around.holds()}
                ) AS once ON once.call_id = twice.duplicate_of
                WHERE twice.duplicate_of IS NOT NULL AND {window.holds("twice.time")}
                GROUP BY reason, reported_by, counted_from
                ORDER BY calls DESC, reported_by
                LIMIT {EVIDENCE_ROWS}
                """
            )
        )
        if not shown.rows:
            return []
        return [
            Diagnosis(
                finding=self.name,
                severity="info",
                symptom=f"{counted(number(shown.rows[0][-1]), 'call')} reported twice; each is counted once.",
                evidence=shown,
                remedy="The figures are right as they are. If the second report is of no use, switch off one "
                "of the two instrumentations, which saves the application's time and the store's room.",
                command="export OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=NAME",
            )
        ]
