"""Dollars as integers of 1e-18: what budgets add up and compare, exactly and quickly."""

from __future__ import annotations

from decimal import ROUND_CEILING, Context, Decimal

from watchglass.store.budgets import DIGITS

_WIDE = Context(prec=60, rounding=ROUND_CEILING)
"""Room for every amount below a trillion dollars, and for sums of very many of them."""


def units(amount: Decimal) -> int:
    """Dollars in units of 1e-18; what is smaller than one counts as one, so that nothing is ever too little.

    >>> units(Decimal("0.25")), units(Decimal("1e-19"))
    (250000000000000000, 1)
    """
    return int(_WIDE.to_integral_value(_WIDE.scaleb(amount, DIGITS)))


def dollars(count: int) -> Decimal:
    """Units as dollars.

    >>> dollars(250000000000000000)
    Decimal('0.25')
    """
    return Decimal(usd(count))


def usd(count: int) -> str:
    """Units as text: every digit, no idle zeros.

    >>> usd(units(Decimal("12.50"))), usd(-1), usd(0)
    ('12.5', '-0.000000000000000001', '0')
    """
    whole, part = divmod(abs(count), 10**DIGITS)
    text = f"{whole}.{part:0{DIGITS}d}".rstrip("0").rstrip(".") if part else str(whole)
    return f"-{text}" if count < 0 else text
