"""What was sent and could not be kept."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, counted, evidence, number


class Rejected:
    """Items that were refused as malformed; their senders may not have noticed."""

    name = "rejected"

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        shown = evidence(
            ask(
                f"""
                SELECT
                    signal,
                    reason,
                    count() AS items,
                    max(time) AS last,
                    any(where) AS for_example_at,
                    sum(items) OVER () AS in_all
                FROM rejects
                WHERE {window.holds()}
                GROUP BY signal, reason
                ORDER BY items DESC, reason
                LIMIT {EVIDENCE_ROWS}
                """
            )
        )
        if not shown.rows:
            return []
        return [
            Diagnosis(
                finding=self.name,
                severity="error",
                symptom=f"{counted(number(shown.rows[0][-1]), 'item')} rejected: sent, and not on record.",
                evidence=shown,
                remedy="The reason says what is wrong and where. It has to be mended in the sender.",
                command='watchglass query "SELECT * FROM rejects ORDER BY time DESC LIMIT 20"',
            )
        ]
