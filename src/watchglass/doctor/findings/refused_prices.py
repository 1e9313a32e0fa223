"""A price file that was edited badly."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, counted, evidence


class RefusedPrices:
    """Edits of the price file that could not be used: prices from before hold."""

    name = "refused_prices"

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        shown = evidence(
            ask(
                f"""
                SELECT time, reason
                FROM audit
                WHERE event = 'price_file_refused' AND {window.holds()} AND time > (
                    SELECT max(time) FROM audit WHERE event = 'price_file'
                )
                ORDER BY time DESC
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
                symptom=f"{counted(len(shown.rows), 'edit')} of the price file refused, none taken since: "
                "calls are priced by what it said before.",
                evidence=shown,
                remedy="The reason names the file, the entry and the value. Mend it: a server takes it "
                "within seconds. Then price the calls that came meanwhile anew.",
                command="watchglass prices check",
            )
        ]
