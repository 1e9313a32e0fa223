"""Costs that a client reported and that no call can have had."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, counted, evidence, number
from watchglass.doctor.screening import Candidates
from watchglass.pricing.absurd import A_TOKEN_USD, LEAST_USD, TIMES

# As in `pricing.absurd`; in whole numbers, because a price times a token count has more decimals than money.
_ABSURD = f"""
    reported_cost_usd < 0
    OR reported_cost_usd >= {LEAST_USD} AND (
        ifNull(cost_usd > 0 AND reported_cost_usd >= {TIMES} * cost_usd, false)
        OR ifNull(
            reported_cost_usd * {int(1 / A_TOKEN_USD)}
            > if(input_tokens IS NULL AND output_tokens IS NULL, NULL,
                greatest(ifNull(input_tokens, 0), 0) + greatest(ifNull(output_tokens, 0), 0)),
            false
        )
    )
"""


class AbsurdReportedCost:
    """Counted calls whose reported cost is a placeholder, in a wrong unit or negative."""

    name = "absurd_reported_cost"
    candidates = Candidates(
        "calls", f"countIf(counted AND reported_cost_usd IS NOT NULL AND ({_ABSURD})) > 0"
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
                    sum(reported_cost_usd) AS reported_usd,
                    sum(cost_usd) AS computed_usd,
                    any(trace_id) AS example_trace,
                    sum(calls) OVER () AS in_all
                FROM usage
                WHERE reported_cost_usd IS NOT NULL AND ({_ABSURD}) AND {window.holds()}
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
                symptom=f"{counted(number(shown.rows[0][-1]), 'call')} with a reported cost that no call can "
                f"have had: negative, or from ${LEAST_USD} on {TIMES} times the computed cost or "
                f"${A_TOKEN_USD * 10**6:,.0f} a million tokens.",
                evidence=shown,
                remedy="No computed total holds anything of a reported cost. The client's own price list "
                "has a placeholder, or a price by another unit: correct it there. What the calls cost is the "
                "computed cost; where there is none, state a price.",
                command=f"watchglass trace {shown.rows[0][-2]}",
            )
        ]
