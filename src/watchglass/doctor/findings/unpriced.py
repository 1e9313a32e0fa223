"""Calls without a cost, by the reason why."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
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
from watchglass.doctor.screening import Candidates
from watchglass.queries.answers import Row
from watchglass.queries.plain import moment


class _Cure(NamedTuple):
    severity: Severity
    remedy: str
    command: Callable[[Row, str], str]
    """From the commonest row of evidence and the start of the window."""


def _state_price(row: Row, since: str) -> str:
    """States the price of the row's model from the window on, then prices what is there."""
    provider, model, tier, *_ = row
    # A name that looks like an option is for the reader to type.
    named = ["MODEL" if not model or str(model).startswith("-") else str(model)]
    options = [f"--since={since}", *([f"--tier={tier}"] if tier else [])]
    stated = shlex.join(["watchglass", "prices", "set", str(provider or "PROVIDER"), *named, *options])
    return f"{stated} --input USD --output USD && {_reprice(since)}"


def _reprice(since: str) -> str:
    return f"watchglass reprice --unpriced --since {since}"


def _upgrade(row: Row, since: str) -> str:
    return "pip install --upgrade INSTRUMENTATION"


CURES: Mapping[str, _Cure] = {
    "unknown_model": _Cure(
        "error",
        "No price list knows these models under these providers: state their prices (US dollars a million "
        "tokens), or import your list with `watchglass prices import`; then price the calls that are there.",
        _state_price,
    ),
    "no_price_at_date": _Cure(
        "error",
        "The models have prices, but none that was in force when the calls were made "
        "(`watchglass prices history MODEL`): state the price of that time, then price the calls anew.",
        _state_price,
    ),
    "tier_unknown": _Cure(
        "error",
        "The service tier (batch, flex, priority …) or a class of tokens that was used has no price: "
        "state it (also --cache-read, --cache-write, --reasoning, --input-audio, --output-audio).",
        _state_price,
    ),
    "tokens_missing": _Cure(
        "warning",
        "Nobody said how many tokens were used. Streams often leave it out: ask for it with "
        'stream_options={"include_usage": true}; else upgrade the instrumentation.',
        _upgrade,
    ),
    "model_missing": _Cure(
        "warning",
        "The spans name no model: upgrade the instrumentation, or set gen_ai.request.model.",
        _upgrade,
    ),
    "failed_without_usage": _Cure(
        "info",
        "A request that failed before it used any tokens costs nothing; these are in no total of money. "
        "Only where the provider charges for them nevertheless does anything need to be done.",
        lambda row, since: f"watchglass calls --failed --unpriced failed_without_usage --since {since}",
    ),
}
"""What to do for each reason. `unknown_provider` has a finding of its own."""


class Unpriced:
    """Counted calls that have no price, each reason apart."""

    name = "unpriced"
    candidates = Candidates(
        "calls", "countIf(counted AND cost_usd IS NULL AND unpriced_reason != 'unknown_provider') > 0"
    )

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
            WHERE cost_usd IS NULL AND unpriced_reason != 'unknown_provider' AND {window.holds()}
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
        since = moment(window.since_ns)[:10]
        return [self._diagnosis(reason, rows, totals[reason], since) for reason, rows in by_reason.items()]

    def _diagnosis(self, reason: str, rows: list[Row], calls: int, since: str) -> Diagnosis:
        cure = CURES[reason]
        return Diagnosis(
            finding=self.name,
            severity=cure.severity,
            symptom=f"{counted(calls, 'call')} without a price: {reason}.",
            evidence=Evidence(("provider", "model", "service_tier", "calls"), rows),
            remedy=cure.remedy,
            command=cure.command(rows[0], since),
        )
