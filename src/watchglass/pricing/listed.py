"""Layers of stated prices: the user's own (`override`) and our dated facts (`watchglass`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase

import msgspec

from watchglass.pricing.labels import canonical
from watchglass.pricing.rates import CLASSES, Rate, rate, rates
from watchglass.pricing.source import Entry, Period, Schedule, named_tier

_SPECIAL = frozenset("*?[")


class AboveInput(msgspec.Struct, frozen=True, kw_only=True):
    """What all tokens of a request cost that has more input than this, where it differs."""

    input_tokens: int
    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None


class ListedPrice(msgspec.Struct, frozen=True, kw_only=True):
    """One stated price. Prices are US dollars a million tokens; `model` may hold `*`.

    `provider` is any name of a provider, or `*`; it, `model` and `tier` are read in any case. Holds
    for calls that start in `[since_ns, until_ns)`, a bound that is None being open, and within that
    only in the `daily` window (nanoseconds of the UTC day; may cross midnight) if there is one.
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
            stated = _Stated(price, _provider(price.provider), price.model.lower(), _period(name, price))
            if stated.provider == "*" or _SPECIAL.intersection(stated.model):
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
        return self.provider in (provider, "*") and fnmatchcase(model, self.model)


def _precedence(price: ListedPrice) -> tuple[bool, int, bool, int, bool]:
    """For sorting, the least first; an open start is before every other."""
    whole = price.provider != "*" and not _SPECIAL.intersection(price.model)
    return (
        whole,
        0 if whole else len(price.model),
        price.since_ns is not None,
        price.since_ns or 0,
        price.daily is not None,
    )


def _provider(name: str) -> str:
    return canonical(name) or name.strip().lower()


def _period(layer: str, price: ListedPrice) -> Period:
    stated = {name: getattr(price, name) for name in CLASSES}
    classes = {
        name: _rate(name, dollars, price.above) for name, dollars in stated.items() if dollars is not None
    }
    return Period(rates(_price_id(layer, price), layer, classes), price.since_ns, price.until_ns, price.daily)


def _rate(name: str, dollars: Decimal, above: Sequence[AboveInput]) -> Rate:
    steps = sorted(above, key=lambda step: step.input_tokens)
    dearer = [(step.input_tokens, getattr(step, name, None)) for step in steps]
    return rate(dollars, tuple((start, price) for start, price in dearer if price is not None))


def _price_id(layer: str, price: ListedPrice) -> str:
    """Names one entry: `override:acme/m@2026-01-01T00:00:00Z/2026-07-01T00:00:00Z+batch`.

    An open bound is left out, with its mark: no end, no `/`; neither, no `@`. A daily window is
    written after `~`: `~16:30-00:30`.
    """
    price_id = f"{layer}:{_provider(price.provider)}/{price.model}"
    if price.since_ns is not None or price.until_ns is not None:
        price_id += f"@{_moment(price.since_ns)}"
    if price.until_ns is not None:
        price_id += f"/{_moment(price.until_ns)}"
    if price.daily is not None:
        price_id += "~" + "-".join(time_of_day(each) for each in price.daily)
    tier = named_tier(price.tier)
    return f"{price_id}+{tier}" if tier else price_id


def _moment(at_ns: int | None) -> str:
    """RFC 3339 in UTC, with as much of a fraction as there is."""
    if at_ns is None:
        return ""
    seconds, rest = divmod(at_ns, 10**9)
    moment = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)
    return moment.isoformat() + (f".{rest:09}".rstrip("0") if rest else "") + "Z"


def time_of_day(ns: int) -> str:
    """Nanoseconds of a day as hours and minutes."""
    minutes = ns // (60 * 10**9)
    return f"{minutes // 60:02}:{minutes % 60:02}"
