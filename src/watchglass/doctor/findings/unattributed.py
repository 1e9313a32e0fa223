"""Usage that was reported as a sum, with no call under it."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, counted, evidence, number
from watchglass.doctor.screening import Candidates


class Unattributed:
    """Agents and crews that tell their sums while the calls below them go unwatched."""

    name = "unattributed"
    candidates = Candidates(
        "calls", "countIf(kind = 'aggregate' AND not_counted_reason = 'unattributed') > 0"
    )

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        shown = evidence(
            ask(
                f"""
                SELECT
                    scope,
                    service,
                    agent,
                    count() AS reports,
                    sum(input_tokens) AS input_tokens,
                    sum(output_tokens) AS output_tokens,
                    any(trace_id) AS example_trace,
                    sum(reports) OVER () AS in_all
                FROM unattributed_usage
                WHERE {window.holds()}
                GROUP BY scope, service, agent
                ORDER BY reports DESC, scope, agent
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
                symptom=f"{counted(number(shown.rows[0][-1]), 'sum')} of usage with no call under it: calls "
                "were made that are not on record, and are in no total.",
                evidence=shown,
                remedy="The agent framework is instrumented, the client that it calls models with is not. "
                "Instrument that client too (for CrewAI: LiteLLM, or the provider's own package).",
                command="pip install openinference-instrumentation-litellm",
            )
        ]
