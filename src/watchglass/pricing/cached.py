"""Cached and reasoning tokens that a record leaves out, worked out from what the client charged."""

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

_MOST_WRITES = 20
"""Likewise of writes beside reads on top of the input."""

_WINDOW = 10**6
"""No more tokens are supposed beyond those on record than the longest context holds."""

_TELLING = 50
"""A token's price must be so many times the slack: then one cost in 25 at most fits by accident."""


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


def cached_beside(rates: Rates, usage: Usage, reported: Decimal) -> Cached | None:
    """Cached reads that the recorded input does not hold, with or without writes that it does.

    So counts who takes the input as Anthropic reports it, without what was read from the cache.
    """
    full, whole = rates.cost(usage), usage.input_tokens
    if full is None or not whole or reported <= full:
        return None
    prices = rates.of_request(whole)
    plain, read = rates.dollars(prices.input), rates.dollars(prices.cache_read)
    surcharge = max(rates.dollars(prices.cache_write) - plain, Decimal(0))
    for written in range(min(whole, _MOST_WRITES) + 1 if surcharge else 1):
        for price in _on_top(read, plain, plain - read):
            count = _telling(reported - full - written * surcharge, price, reported, _WINDOW)
            if count is not None:
                return Cached(count, written, on_top=True)
    return None


def reasoning_share(rates: Rates, usage: Usage, reported: Decimal) -> str | None:
    """Reasoning that the record leaves out: a part of the output at its own price, or on top of it."""
    full, whole = rates.cost(usage), usage.output_tokens
    if full is None or whole is None or usage.reasoning_tokens or reported <= full:
        return None
    prices = rates.of_request(usage.input_tokens or 0)
    plain, thought = rates.dollars(prices.output), rates.dollars(prices.reasoning)
    for price, most, how in (
        (thought - plain, whole, ""),
        (thought, _WINDOW, " charged on top of the output"),
    ):
        if (count := _telling(reported - full, price, reported, most)) is not None:
            return f"{count:,} tokens of reasoning{how}"
    return None


def _telling(amount: Decimal, price: Decimal, reported: Decimal, most: int) -> int | None:
    """As `_count`, but only where a whole number is no likely accident."""
    slack = abs(reported) * TOLERANCE
    return _count(amount, price, slack, most) if price > _TELLING * slack else None
