"""Calls without a price that are about to be deleted: after that no price reaches them."""

from __future__ import annotations

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Window, counted, evidence, number
from watchglass.queries.plain import moment
from watchglass.store.retention import DAY_NS, limit_ns

AHEAD_NS = 7 * DAY_NS
"""A week to state a price in."""

_CURABLE = "'unknown_model', 'no_price_at_date', 'tier_unknown', 'unknown_provider'"
"""Reasons that a price, or a provider's name, would do away with."""


class ExpiringUnpriced:
    """Deleted calls leave their sums; what had no price then has none for ever."""

    name = "expiring_unpriced"

    def __init__(self, keep_ns: int | None, now_ns: int) -> None:
        """`keep_ns`: how long calls are kept, None for ever."""
        self._keep_ns = keep_ns
        self._now_ns = now_ns

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`; it looks at what is oldest, whatever the window."""
        if self._keep_ns is None:
            return []
        until_ns = limit_ns(self._now_ns + min(AHEAD_NS, self._keep_ns // 2), self._keep_ns)
        shown = evidence(
            ask(
                f"""
                SELECT
                    provider,
                    coalesce(response_model, request_model) AS model,
                    unpriced_reason,
                    count() AS calls,
                    min(time) AS oldest,
                    sum(calls) OVER () AS in_all
                FROM usage
                WHERE cost_usd IS NULL AND unpriced_reason IN ({_CURABLE})
                    AND time < fromUnixTimestamp64Nano({until_ns:d}, 'UTC')
                GROUP BY provider, model, unpriced_reason
                ORDER BY calls DESC, model
                LIMIT {EVIDENCE_ROWS}
                """
            )
        )
        if not shown.rows:
            return []
        oldest = str(min(str(row[4]) for row in shown.rows))[:10]
        return [
            Diagnosis(
                finding=self.name,
                severity="warning",
                symptom=f"{counted(number(shown.rows[0][-1]), 'call')} without a cost from before "
                f"{moment(until_ns)[:10]} will be deleted within days: then no price reaches them.",
                evidence=shown,
                remedy="State their price now and price them anew, or keep calls longer (setting "
                "retention_calls), or "
                "make a backup first (`watchglass backup`).",
                command=f"watchglass reprice --unpriced --since {oldest}",
            )
        ]
