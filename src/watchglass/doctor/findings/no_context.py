"""Calls that do not say for which customer, or for which feature, they were made."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, counted, evidence, number
from watchglass.doctor.screening import Candidates


class NoContext:
    """Counted calls without a tenant and those without a feature, the dearest line of code first."""

    name = "no_context"
    candidates = Candidates("calls", "countIf(counted AND (tenant IS NULL OR feature IS NULL)) > 0")

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        said = ask(f"SELECT count(), count(tenant), count(feature) FROM usage WHERE {window.holds()}")
        calls, *known = (number(value) for value in next(said.rows()))
        return [
            self._diagnosis(ask, window, dimension, calls - those, used=those > 0)
            for dimension, those in zip(("tenant", "feature"), known, strict=True)
            if those < calls
        ]

    def _diagnosis(self, ask: Ask, window: Window, dimension: str, calls: int, *, used: bool) -> Diagnosis:
        shown = evidence(
            ask(
                f"""
                SELECT
                    service,
                    code_file,
                    code_line,
                    agent,
                    count() AS calls,
                    sum(cost_usd) AS cost_usd,
                    any(trace_id) AS example_trace
                FROM usage
                WHERE {dimension} IS NULL AND {window.holds()}
                GROUP BY service, code_file, code_line, agent
                ORDER BY cost_usd DESC NULLS LAST, calls DESC, service, code_file, code_line
                LIMIT {EVIDENCE_ROWS}
                """
            )
        )
        name = "customer" if dimension == "tenant" else "feature"
        return Diagnosis(
            finding=self.name,
            # Where nothing ever names one, nobody divides costs by it, and nothing is missing.
            severity="warning" if used else "info",
            symptom=f"{counted(calls, 'call')} that {'say' if calls != 1 else 'says'} nothing of the {name}: "
            f"{'they are' if calls != 1 else 'it is'} in nobody's sum by {dimension}.",
            evidence=shown,
            remedy=f"Say it once, where it is known, around what is done: `with watchglass.context("
            f"{dimension}=…):`. Where it is said and does not arrive, a thread or queue loses it "
            "(`watchglass.carry`).",
            command=f"watchglass calls --filter {dimension}= --sort cost",
        )
