"""What a user has agreed on with a provider: percent off the list, from one day to another.

A discount is taken off the layers of list prices. A price that the user states (an override) is what is
paid, and no discount touches it. Of several discounts that are in force one holds: the tenant's own before
everybody's, then as with prices the whole name, the longest pattern, the latest start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

import msgspec

from watchglass.pricing.naming import entry_id, fits, precedence, seller
from watchglass.pricing.rates import Rates, scaled
from watchglass.pricing.source import Period, Schedule, named_tier

NAME = "discount"
"""`price_source` of a list price less a discount."""

_DECIMALS = 4
_WHOLE = 100 * 10**_DECIMALS


class Discount(msgspec.Struct, frozen=True, kw_only=True):
    """Percent off, with at most 4 decimals. `model` may hold `*`, `tier` None is every tier.

    Holds for calls that start in `[since_ns, until_ns)`, and for those of `tenant` alone if it names one.
    Raises `ValueError` for a percentage that is none.
    """

    provider: str
    percent: Decimal
    model: str = "*"
    tier: str | None = None
    tenant: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    citation: str | None = None
    """Where it stands, for people."""

    def __post_init__(self) -> None:
        if not self.percent.is_finite() or not 0 < self.percent <= 100:
            raise ValueError(f"a discount is more than 0 and at most 100 percent, not {self.percent}")
        if self.percent != round(self.percent, _DECIMALS):
            raise ValueError(f"a discount has at most {_DECIMALS} decimals, not {self.percent}")

    @property
    def name(self) -> str:
        """`discount:15%:openai/gpt-4o*@2026-01-01T00:00:00Z#tenant`."""
        return entry_id(f"{NAME}:{self.percent.normalize():f}%", self)

    @property
    def paid(self) -> int:
        """Millionths of the list price that are left to pay."""
        return _WHOLE - int(self.percent.scaleb(_DECIMALS))


class Discounts:
    """All discounts of a book."""

    def __init__(self, discounts: Sequence[Discount]) -> None:
        ordered = sorted(discounts, key=precedence, reverse=True)
        self._all = [(seller(each.provider), each.model.lower(), each) for each in ordered]

    def find(
        self, provider: str, models: Iterable[str], tier: str | None, tenant: str | None
    ) -> tuple[Discount, ...]:
        """Those for a model, by the first of its names that one is for; the first in force holds."""
        if not self._all:
            return ()
        names = [model.lower() for model in models]
        for whose in dict.fromkeys((tenant, None)):
            for name in names:
                found = tuple(self._fitting(provider, name, tier, whose))
                if found:
                    rest = () if whose is None else self.find(provider, names, tier, None)
                    return (*found, *rest)
        return ()

    def _fitting(self, provider: str, model: str, tier: str | None, tenant: str | None) -> Iterator[Discount]:
        for named, pattern, each in self._all:
            tiered = each.tier is None or named_tier(each.tier) == tier
            if each.tenant == tenant and tiered and fits(named, pattern, provider, model):
                yield each


def discounted(schedule: Schedule, discounts: Sequence[Discount]) -> Schedule:
    """The list's prices with those of them that a discount is taken off in front, each for its time."""
    if not discounts:
        return schedule
    return Schedule(tuple(each for period in schedule.periods for each in _less(period, discounts)))


def _less(period: Period, discounts: Sequence[Discount]) -> Iterator[Period]:
    for each in discounts:
        since_ns = _last(period.since_ns, each.since_ns)
        until_ns = _first(period.until_ns, each.until_ns)
        if since_ns is None or until_ns is None or since_ns < until_ns:
            yield Period(_taken_off(period.rates, each), since_ns, until_ns, period.daily)
    yield period


def _taken_off(rates: Rates, discount: Discount) -> Rates:
    return scaled(rates, discount.paid, _WHOLE, price_id=f"{rates.price_id}|{discount.name}", source=NAME)


def _last(one: int | None, other: int | None) -> int | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _first(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)
