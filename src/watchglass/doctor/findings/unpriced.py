"""Calls without a cost, by the reason why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from watchglass.doctor.contract import (
    EVIDENCE_ROWS,
    Ask,
    Diagnosis,
    Evidence,
    Severity,
    Window,
    counted,
    number,
)
from watchglass.queries.answers import Row


class _Cure(NamedTuple):
    severity: Severity
    remedy: str
    command: str


_OWN_PRICES = "watchglass prices import PRICES.csv"

CURES: Mapping[str, _Cure] = {
    "unknown_model": _Cure(
        "error",
        "No price list knows these models under these providers: state their prices (provider, model, "
        "cost_per_1k_input_tokens, cost_per_1k_output_tokens, effective_date).",
        _OWN_PRICES,
    ),
    "no_price_at_date": _Cure(
        "error",
        "The models have prices, but none that was in force when the calls were made: state the price "
        "of that time.",
        _OWN_PRICES,
    ),
    "tier_unknown": _Cure(
        "error",
        "The service tier (batch, flex, priority …) or a class of tokens that was used has no price: "
        "state it in your price file.",
        "watchglass serve --prices PRICES.toml",
    ),
    "tokens_missing": _Cure(
        "warning",
        "Nobody said how many tokens were used. Streams often leave it out: ask for it with "
        'stream_options={"include_usage": true}; else upgrade the instrumentation.',
        "pip install --upgrade INSTRUMENTATION",
    ),
    "model_missing": _Cure(
        "warning",
        "The spans name no model: upgrade the instrumentation, or set gen_ai.request.model.",
        "pip install --upgrade INSTRUMENTATION",
    ),
}
"""What to do for each reason. `unknown_provider` has a finding of its own, and `failed_without_usage` is no
trouble: a request that failed and used nothing has no cost."""


class Unpriced:
    """Counted calls that ought to have a price and have none."""

    name = "unpriced"

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        answer = ask(
            f"""
            SELECT
                unpriced_reason,
                provider,
                coalesce(response_model, request_model) AS model,
                service_tier,
                count() AS calls,
                sum(calls) OVER (PARTITION BY unpriced_reason) AS of_reason,
                row_number() OVER (PARTITION BY unpriced_reason ORDER BY calls DESC, model) AS place
            FROM usage
            WHERE cost_usd IS NULL
                AND unpriced_reason NOT IN ('failed_without_usage', 'unknown_provider')
                AND {window.holds()}
            GROUP BY unpriced_reason, provider, model, service_tier
            ORDER BY of_reason DESC, unpriced_reason, place
            LIMIT {EVIDENCE_ROWS} BY unpriced_reason
            """
        )
        by_reason: dict[str, list[Row]] = {}
        totals: dict[str, int] = {}
        for reason, *what, of_reason, _ in answer.rows():
            by_reason.setdefault(str(reason), []).append(list(what))
            totals[str(reason)] = number(of_reason)
        return [self._diagnosis(reason, rows, totals[reason]) for reason, rows in by_reason.items()]

    def _diagnosis(self, reason: str, rows: list[Row], calls: int) -> Diagnosis:
        cure = CURES[reason]
        return Diagnosis(
            finding=self.name,
            severity=cure.severity,
            symptom=f"{counted(calls, 'call')} without a price: {reason}.",
            evidence=Evidence(("provider", "model", "service_tier", "calls"), rows),
            remedy=cure.remedy,
            command=cure.command,
        )
