"""The sums that every spending question answers, and how two of them add up."""

from __future__ import annotations

from decimal import Decimal, localcontext

import msgspec

from watchglass.queries.plain import money

TOKEN_FIELDS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)
MONEY_FIELDS = ("cost_usd", "reported_cost_usd")

MONEY_DIGITS = 60
"""Enough for sums of Decimal(38, 18) to stay exact."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over calls. A sum is of what is known and `None` when nothing is.

    `failed_calls` are among `calls`; `calls_without_tokens` are those of which nobody said how many
    tokens went in or came out, so that the sums may be short by theirs; `unpriced` counts the
    calls without a cost by reason, and with `priced_calls` adds up to `calls`.
    """

    calls: int = 0
    failed_calls: int = 0
    calls_without_tokens: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_usd: Decimal | None = None
    reported_cost_usd: Decimal | None = None
    priced_calls: int = 0
    unpriced: dict[str, int] = {}


def add(one: Figures, other: Figures) -> Figures:
    """The figures of both together; unknown plus known is what is known."""
    reasons = dict(one.unpriced)
    for reason, calls in other.unpriced.items():
        reasons[reason] = reasons.get(reason, 0) + calls
    return Figures(
        calls=one.calls + other.calls,
        failed_calls=one.failed_calls + other.failed_calls,
        calls_without_tokens=one.calls_without_tokens + other.calls_without_tokens,
        **{field: plus(getattr(one, field), getattr(other, field)) for field in TOKEN_FIELDS},
        cost_usd=plus_money(one.cost_usd, other.cost_usd),
        reported_cost_usd=plus_money(one.reported_cost_usd, other.reported_cost_usd),
        priced_calls=one.priced_calls + other.priced_calls,
        unpriced=reasons,
    )


def plus(one: int | None, other: int | None) -> int | None:
    """SQL's sum of two: NULL only when both are."""
    if one is None or other is None:
        return other if one is None else one
    return one + other


def plus_money(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """As `plus`, exact."""
    if one is None or other is None:
        return other if one is None else one
    with localcontext(prec=MONEY_DIGITS):
        return one + other


def tidy(amount: Decimal | None) -> Decimal | None:
    """The same amount without idle zeros, so that it reads `0.0125` wherever it is printed."""
    return None if amount is None else Decimal(money(amount))
