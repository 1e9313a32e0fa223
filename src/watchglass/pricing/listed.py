"""Layers of stated prices: the user's own (`override`) and our dated facts (`watchglass`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from watchglass.pricing.naming import entry_id, fits, is_pattern, precedence, seller
from watchglass.pricing.rates import CLASSES, PARENTS, Rate, rate, rates
from watchglass.pricing.source import Entry, Period, Schedule, named_tier


class AboveInput(msgspec.Struct, frozen=True, kw_only=True):
    """What all tokens of a request cost that has more input than this, where it differs.

    A class that is left out costs what it does in shorter requests; one that has no price of its own
    anywhere, what its parent does here.
    """

    input_tokens: int
    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None
    input_audio: Decimal | None = None
    output_audio: Decimal | None = None


class ListedPrice(msgspec.Struct, frozen=True, kw_only=True):
    """One stated price. Prices are US dollars a million tokens; `model` may hold `*`.

    `provider` is any name of a provider, or `*`; it, `model` and `tier` are read in any case. Holds
    for calls that start in `[since_ns, until_ns)`, a bound that is None being open, and within that
    only in the `daily` window (nanoseconds of the UTC day; may cross midnight) if there is one. One
    that names a `tenant` is for calls of that tenant alone: the book keeps a list for each.
    """

    provider: str
    model: str
    input: Decimal
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None
    input_audio: Decimal | None = None
    output_audio: Decimal | None = None
    above: tuple[AboveInput, ...] = ()
    tier: str | None = None
    tenant: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    daily: tuple[int, int] | None = None
    citation: str | None = None
    """Where the price stands, for people."""


class PriceList:
    """Stated prices as a layer: of those in force the one for the whole name wins, else the longest
    pattern; then the latest start; then a daily window.
    """

    def __init__(self, name: str, prices: Sequence[ListedPrice]) -> None:
        self.name = name
        self._named: dict[tuple[str, str], list[_Stated]] = {}
        self._patterns: list[_Stated] = []
        for price in sorted(prices, key=_precedence, reverse=True):
            stated = _Stated(price, seller(price.provider), price.model.lower(), _period(name, price))
            if is_pattern(stated.provider, stated.model):
                self._patterns.append(stated)
            else:
                self._named.setdefault((stated.provider, stated.model), []).append(stated)

    def find(self, provider: str, model: str, tier: str | None) -> Schedule | None:
        """See `PriceSource.find`."""
        model = model.lower()
        found = self._named.get((provider, model), [])
        if self._patterns:
            patterns = [each for each in self._patterns if each.fits(provider, model)]
            found = sorted([*found, *patterns], key=lambda each: _precedence(each.price), reverse=True)
        if not found:
            return None
        return Schedule(
            tuple(each.period for each in found if named_tier(each.price.tier) == tier),
        )

    def entries(self) -> Iterator[Entry]:
        """See `PriceSource.entries`."""
        for stated in (*(each for named in self._named.values() for each in named), *self._patterns):
            yield Entry(
                stated.provider,
                stated.price.model,
                named_tier(stated.price.tier),
                Schedule((stated.period,)),
                stated.price.citation,
            )


class _Stated(msgspec.Struct, frozen=True):
    price: ListedPrice
    provider: str
    model: str
    period: Period

    def fits(self, provider: str, model: str) -> bool:
        return fits(self.provider, self.model, provider, model)


def _precedence(price: ListedPrice) -> tuple[bool, int, bool, int, bool]:
    return (*precedence(price), price.daily is not None)


def _period(layer: str, price: ListedPrice) -> Period:
    steps = sorted(price.above, key=lambda step: step.input_tokens)
    classes = {name: found for name in CLASSES if (found := _rate(name, price, steps)) is not None}
    return Period(
        rates(entry_id(layer, price, price.daily), layer, classes),
        price.since_ns,
        price.until_ns,
        price.daily,
    )


def _rate(name: str, price: ListedPrice, steps: Sequence[AboveInput]) -> Rate | None:
    """The price of a class and its steps; None where none is stated and its parent's holds."""
    if all(getattr(stated, name) is None for stated in (price, *steps)):
        return None
    dollars = [_stated(name, price, steps[:count]) for count in range(len(steps) + 1)]
    base, *dearer = [each for each in dollars if each is not None]
    if len(dearer) != len(steps):
        return (
            None  # output that has a price in longer requests only has none; a file that says so is refused
        )
    starts = [step.input_tokens for step in steps]
    tiers = [
        (start, new) for start, old, new in zip(starts, [base, *dearer], dearer, strict=False) if new != old
    ]
    return rate(base, tuple(tiers))


def _stated(name: str, price: ListedPrice, steps: Sequence[AboveInput]) -> Decimal | None:
    """What a class costs after these steps: what was said last, else what its parent does."""
    for stated in (*reversed(steps), price):
        if (dollars := getattr(stated, name)) is not None:
            return dollars
    parent = PARENTS.get(name)
    return None if parent is None else _stated(parent, price, steps)
