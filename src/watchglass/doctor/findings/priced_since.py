"""Calls without a cost whose price the book has come to know since."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, counted, evidence, number
from watchglass.doctor.screening import Candidates
from watchglass.queries.plain import moment

_MOST_MODELS = 1000
"""The commonest ones: each is compared with every price."""

# A pattern of the book as one of LIKE: `*` stands for anything, what LIKE takes as special for itself.
_LIKE = r"replaceAll(replaceRegexpAll(lower(price.model), '([\\\\%_])', '\\\\\\1'), '*', '%')"


class PricedSince:
    """Unpriced calls of a model that has a price at their date by now: a reprice would cost them."""

    name = "priced_since"
    candidates = Candidates(
        "calls",
        "countIf(counted AND unpriced_reason IN ('unknown_model', 'no_price_at_date', 'tier_unknown')"
        " AND input_tokens IS NOT NULL AND output_tokens IS NOT NULL) > 0",
    )

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        shown = evidence(
            ask(
                f"""
                SELECT
                    provider,
                    model,
                    tier,
                    any(calls) AS calls,
                    any(price.price_id) AS price_id,
                    sum(calls) OVER () AS in_all
                FROM
                (
                    SELECT
                        provider,
                        lower(coalesce(response_model, request_model)) AS model,
                        service_tier AS tier,
                        min(time) AS first,
                        max(time) AS last,
                        count() AS calls
                    FROM usage
                    WHERE unpriced_reason IN ('unknown_model', 'no_price_at_date', 'tier_unknown')
                        AND input_tokens IS NOT NULL AND output_tokens IS NOT NULL AND {window.holds()}
                    GROUP BY provider, model, tier
                    ORDER BY calls DESC
                    LIMIT {_MOST_MODELS}
                ) AS call
                CROSS JOIN prices AS price
                WHERE price.provider IN (call.provider, '*')
                    AND call.model LIKE {_LIKE}
                    AND ifNull(price.tier, '') = ifNull(call.tier, '')
                    AND (price.since IS NULL OR price.since <= call.first)
                    AND (price.until IS NULL OR price.until > call.last)
                    AND price.input IS NOT NULL AND price.output IS NOT NULL
                GROUP BY provider, model, tier
                ORDER BY calls DESC, model
                LIMIT {EVIDENCE_ROWS}
                """
            )
        )
        if not shown.rows:
            return []
        since = moment(window.since_ns)[:10]
        return [
            Diagnosis(
                finding=self.name,
                severity="error",
                symptom=f"{counted(number(shown.rows[0][-1]), 'call')} without a cost though the book has "
                "their price by now.",
                evidence=shown,
                remedy="The price came after the calls. Price them anew; --dry-run shows first what would "
                "change.",
                command=f"watchglass reprice --unpriced --since {since}",
            )
        ]
