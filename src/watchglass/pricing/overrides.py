"""The first layer: prices that the user states, such as negotiated rates or a model of their own."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fnmatch import fnmatchcase

import msgspec

from watchglass.pricing.rates import CLASSES, rate, rates
from watchglass.pricing.source import Period, Schedule


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """One price by the user. Prices are US dollars a million tokens; `model` may hold `*`.

    Holds for calls that start in `[since_ns, until_ns)`; a bound that is None is open.
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
    tier: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None


class Overrides:
    """The user's prices as a layer; within it the latest start that has begun wins."""

    name = "override"

    def __init__(self, overrides: Sequence[Override]) -> None:
        self._overrides = sorted(overrides, key=lambda each: each.since_ns or 0, reverse=True)

    def find(self, provider: str, model: str, tier: str | None) -> Schedule | None:
        """See `PriceSource.find`."""
        named = [
            each
            for each in self._overrides
            if each.provider in (provider, "*") and fnmatchcase(model.lower(), each.model.lower())
        ]
        if not named:
            return None
        return Schedule(tuple(_period(each) for each in named if each.tier == tier))


def _period(override: Override) -> Period:
    prices = {name: getattr(override, name) for name in CLASSES}
    return Period(
        rates(
            f"override:{override.provider}/{override.model}" + (f"+{override.tier}" if override.tier else ""),
            Overrides.name,
            {name: rate(price) for name, price in prices.items() if price is not None},
        ),
        override.since_ns,
        override.until_ns,
    )
