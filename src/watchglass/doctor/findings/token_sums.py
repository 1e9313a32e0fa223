"""Calls whose reported total is not the sum of their input and output."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, counted, evidence, number
from watchglass.doctor.screening import Candidates


class TokenSums:
    """Counted calls where a library's total contradicts its parts."""

    name = "token_sums"
    candidates = Candidates(
        "calls", "countIf(counted AND total_tokens_reported != input_tokens + output_tokens) > 0"
    )

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        shown = evidence(
            ask(
                f"""
                SELECT
                    dialect,
                    scope,
                    provider,
                    coalesce(response_model, request_model) AS model,
                    count() AS calls,
                    sum(total_tokens_reported) AS reported,
                    sum(input_tokens + output_tokens) AS of_parts,
                    any(trace_id) AS example_trace,
                    sum(calls) OVER () AS in_all
                FROM usage
                WHERE total_tokens_reported != input_tokens + output_tokens AND {window.holds()}
                GROUP BY dialect, scope, provider, model
                ORDER BY calls DESC, model
                LIMIT {EVIDENCE_ROWS}
                """
            )
        )
        if not shown.rows:
            return []
        return [
            Diagnosis(
                finding=self.name,
                severity="warning",
                symptom=f"{counted(number(shown.rows[0][-1]), 'call')} whose reported total of tokens is not "
                "the sum of input and output.",
                evidence=shown,
                remedy="The parts are what is priced. Where the provider counts something apart (tokens of "
                "tool use or of reasoning), the cost may be too low: compare one of these calls with "
                "the provider's own record, and upgrade the instrumentation.",
                command=f"watchglass trace {shown.rows[0][-2]}",
            )
        ]
