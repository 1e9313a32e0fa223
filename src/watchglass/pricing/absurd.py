"""Reported costs that no call can have had: a client's placeholder for a price, a wrong unit, a sign.

They are pointed out and explained as what they are, and no computed figure holds anything of them.
"""

from __future__ import annotations

from decimal import Decimal

from watchglass.model import Usage

TIMES = 100
"""A report so many times the computed cost is of no other price list: published prices of one model, over all
years, tiers and sellers, are not so far apart."""

LEAST_USD = 1
"""Below this a report may hold fees of a call that its tokens do not show (a search: 1 to 5 cents)."""

A_TOKEN_USD = Decimal("0.01")
"""$10,000 a million tokens, where no price is known: sixteen times the dearest list price of any model, the
$600 for o1-pro's output (https://developers.openai.com/api/docs/models/o1-pro)."""


def absurdity(usage: Usage, reported_usd: Decimal, computed_usd: Decimal | None) -> str | None:
    """Why a reported cost cannot be, for people; None where it can.

    >>> absurdity(Usage(1000, 100), Decimal(4200), Decimal("0.0042"))
    '1000000 times what it costs'
    """
    if reported_usd < 0:
        return "it is negative"
    if reported_usd < LEAST_USD:
        return None
    if computed_usd and reported_usd >= TIMES * computed_usd:
        return f"{_digits(reported_usd / computed_usd)} times what it costs"
    tokens = sum(max(count or 0, 0) for count in (usage.input_tokens, usage.output_tokens))
    if usage.known and reported_usd > tokens * A_TOKEN_USD:
        return (
            f"${_digits(reported_usd / tokens * 10**6)} a million tokens" if tokens else "no tokens were used"
        )
    return None


def _digits(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal(1)):f}"
