"""Cached tokens that a record leaves out, worked out from what the client charged."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from watchglass.model import Usage
from watchglass.pricing.rates import Rates

TOLERANCE = Decimal("1e-9")
"""Clients add in floats: figures are the same if they differ by no more than this part of them."""

_TENTH = Decimal("0.1")
_MOST_READS = 1000
"""How many cached reads are tried beside cached writes; the solutions repeat after a few."""


class Cached(msgspec.Struct, frozen=True):
    """The cached tokens that would explain a cost."""

    read: int = 0
    written: int = 0
    on_top: bool = False
    """The client charged the reads beside the whole input, not as a part of it."""

    def __str__(self) -> str:
        parts = [
            f"{count:,} cached {what}"
            for count, what in ((self.read, "reads"), (self.written, "writes"))
            if count
        ]
        return " and ".join(parts) + (" charged on top of the whole input" if self.on_top else "")


def cached_share(rates: Rates, usage: Usage, reported: Decimal) -> Cached | None:
    """Cached tokens with which this usage would have cost `reported` at these rates; None if there are none.

    In order: reads alone, writes alone, reads on top of the whole input (at their price, or at a tenth
    of the input's, which is what clients take for want of one), a few reads beside writes.
    """
    full, whole = rates.cost(usage), usage.input_tokens
    if full is None or not whole:
        return None
    prices = rates.of_request(whole)
    plain = rates.dollars(prices.input)
    saved = plain - rates.dollars(prices.cache_read)
    surcharge = rates.dollars(prices.cache_write) - plain
    rest, slack = reported - full, abs(reported) * TOLERANCE
    if rest < 0 and (read := _count(-rest, saved, slack, whole)) is not None:
        return Cached(read)
    if rest > 0 and (written := _count(rest, surcharge, slack, whole)) is not None:
        return Cached(0, written)
    for price in _on_top(rates.dollars(prices.cache_read), plain, saved):
        if rest > 0 and (read := _count(rest, price, slack, whole)) is not None:
            return Cached(read, on_top=True)
    for read in range(1, min(whole, _MOST_READS) if saved and surcharge else 0):
        if (written := _count(rest + read * saved, surcharge, slack, whole - read)) is not None:
            return Cached(read, written)
    return None


def _on_top(read: Decimal, plain: Decimal, saved: Decimal) -> Iterable[Decimal]:
    return dict.fromkeys((read, plain * _TENTH) if saved else ())


def _count(amount: Decimal, price: Decimal, slack: Decimal, most: int) -> int | None:
    """How many tokens at this price make the amount, if a whole number from one to `most` does."""
    if price <= 0 or amount <= 0:
        return None
    count = int((amount / price).to_integral_value())
    return count if 1 <= count <= most and abs(count * price - amount) <= slack else None
