"""The first layer: prices that the user states, such as negotiated rates or a model of their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from fnmatch import fnmatchcase

import msgspec

from watchglass.pricing.provider import canonical
from watchglass.pricing.rates import CLASSES, rate, rates
from watchglass.pricing.source import Period, Schedule, named_tier


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """One price by the user. Prices are US dollars a million tokens; `model` may hold `*`.

    `provider` is any name of a provider, or `*`; it, `model` and `tier` are read in any case. Holds
    for calls that start in `[since_ns, until_ns)`; a bound that is None is open.
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
        latest_first = sorted(overrides, key=_start, reverse=True)
        self._entries = [
            (_provider(each.provider), each.model.lower(), named_tier(each.tier), _period(each))
            for each in latest_first
        ]

    def find(self, provider: str, model: str, tier: str | None) -> Schedule | None:
        """See `PriceSource.find`."""
        named = [
            (price_tier, period)
            for seller, pattern, price_tier, period in self._entries
            if seller in (provider, "*") and fnmatchcase(model.lower(), pattern)
        ]
        if not named:
            return None
        return Schedule(tuple(period for price_tier, period in named if price_tier == tier))


def _start(override: Override) -> tuple[bool, int]:
    """For sorting; an open start is before every other."""
    return override.since_ns is not None, override.since_ns or 0


def _provider(name: str) -> str:
    return canonical(name) or name.strip().lower()


def _period(override: Override) -> Period:
    prices = {name: getattr(override, name) for name in CLASSES}
    return Period(
        rates(
            _price_id(override),
            Overrides.name,
            {name: rate(price) for name, price in prices.items() if price is not None},
        ),
        override.since_ns,
        override.until_ns,
    )


def _price_id(override: Override) -> str:
    """Names one entry: `override:acme/m@2026-01-01T00:00:00Z/2026-07-01T00:00:00Z+batch`.

    An open bound is left out, with its mark: no end, no `/`; neither, no `@`.
    """
    price_id = f"override:{_provider(override.provider)}/{override.model}"
    if override.since_ns is not None or override.until_ns is not None:
        price_id += f"@{_moment(override.since_ns)}"
    if override.until_ns is not None:
        price_id += f"/{_moment(override.until_ns)}"
    tier = named_tier(override.tier)
    return f"{price_id}+{tier}" if tier else price_id


def _moment(at_ns: int | None) -> str:
    """RFC 3339 in UTC, with as much of a fraction as there is."""
    if at_ns is None:
        return ""
    seconds, rest = divmod(at_ns, 10**9)
    moment = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)
    return moment.isoformat() + (f".{rest:09}".rstrip("0") if rest else "") + "Z"
