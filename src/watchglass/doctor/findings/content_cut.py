"""Texts that were cut before they were sent."""

from __future__ import annotations

from watchglass import names
from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, counted, evidence, number
from watchglass.doctor.screening import Candidates


class ContentCut:
    """Spans of which the SDK says that a text was longer than the bound and is there in part."""

    name = "content_cut"
    candidates = Candidates("spans", f"countIf(mapContains(attributes, '{names.CONTENT_CUT}')) > 0")

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        shown = evidence(
            ask(
                f"""
                SELECT
                    service,
                    scope,
                    count() AS spans,
                    max(start_time) AS last,
                    argMax(trace_id, start_time) AS example_trace,
                    sum(spans) OVER () AS in_all
                FROM spans
                WHERE mapContains(attributes, '{names.CONTENT_CUT}') AND {window.holds("start_time")}
                GROUP BY service, scope
                ORDER BY spans DESC, service, scope
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
                symptom=f"{counted(number(shown.rows[0][-1]), 'span')} with a text that was cut to the "
                f"bound.",
                evidence=shown,
                remedy="Tokens and costs are whole; the texts are not. Raise the application's bound "
                "(setting "
                "content_bytes) if they are wanted whole.",
                command="export WATCHGLASS_CONTENT_BYTES=1MiB",
            )
        ]
