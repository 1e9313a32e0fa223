"""What the price book says of a model: an entry's rates, those in force, and those that could be meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from watchglass.ledger.reconcile.figures import EXACT, ZERO, Kind, Names
from watchglass.ledger.reconcile.told import REQUEST
from watchglass.model import NO_USAGE
from watchglass.pricing.book import PriceBook, PriceRequest
from watchglass.pricing.rates import CLASSES, ClassPrices, Rates
from watchglass.pricing.source import DAY_NS, Schedule, named_tier

TIERS = (None, "batch", "flex", "priority")
"""Tiers in which a provider may have billed instead of the one that the call says."""


class Quote(msgspec.Struct, frozen=True):
    """Rates that could have been billed, and what that would mean."""

    kind: Kind
    rates: Rates
    said: str


class Quotes:
    """Asks one provider's prices of a book; each answer is remembered."""

    def __init__(self, book: PriceBook, provider: str) -> None:
        self._book = book
        self._provider = provider
        self._found: dict[tuple[Names, str | None], list[tuple[str, Schedule]]] = {}

    def schedules(self, names: Names, tier: str | None) -> list[tuple[str, Schedule]]:
        """Each layer that knows the model in this tier, the first to hold first."""
        key = (names, named_tier(tier))
        found = self._found.get(key)
        if found is None:
            request = PriceRequest(
                provider=self._provider,
                request_model=names.asked,
                response_model=names.answered,
                at_ns=0,
                usage=NO_USAGE,
                service_tier=tier,
                tenant=names.tenant,
            )
            listed = self._book.schedules(request)
            found = self._found[key] = [(source.name, schedule) for source, schedule in listed]
        return found

    def entry(self, names: Names, tier: str | None, price_id: str) -> list[Rates]:
        """The rates that go by this id; an id without a date may name several."""
        periods = (period for _, schedule in self.schedules(names, tier) for period in schedule.periods)
        return _distinct(period.rates for period in periods if period.rates.price_id == price_id)

    def in_force(self, names: Iterable[Names], tier: str | None, since_ns: int, until_ns: int) -> list[Rates]:
        """The rates that win at any moment of a time, for the first of the names that the book knows."""
        for each in names:
            schedules = self.schedules(each, tier)
            moments = sorted({since_ns, *_changes(schedules, since_ns, until_ns)})
            found = _distinct(rates for at_ns in moments if (rates := _winner(schedules, at_ns)) is not None)
            if found:
                return found
        return []

    def others(self, names: Iterable[Names], tier: str | None, source: str | None) -> Iterator[Quote]:
        """Every other rate that the book has for the model, the likeliest mistake first."""
        tier, names = named_tier(tier), list(names)
        for each in names:
            for layer, schedule in self.schedules(each, tier):
                if source is None or layer == source:
                    yield from _quotes("price_interval", schedule, "")
            for other in TIERS:
                if other != tier:
                    for _, schedule in self.schedules(each, other):
                        yield from _quotes("price_tier", schedule, other or "standard")
            for layer, schedule in self.schedules(each, tier):
                if layer != source:
                    yield from _quotes("price_source", schedule, layer)

    def same_entry(self, name: str) -> str | None:
        """What the book takes a model's name for: two names with the same answer are one model to it."""
        for _, schedule in self.schedules(Names(name, name), None):
            for period in schedule.periods:
                return period.rates.price_id.partition("@")[0]
        return None


def price_of(rates: Rates, token_class: str, *, long: bool) -> Decimal | None:
    """US dollars a token of a class; None where the rates have none for it."""
    if rates.other_units:
        return None
    if token_class == REQUEST:
        return EXACT.normalize(rates.dollars(rates.request))
    if token_class not in CLASSES:
        return None
    prices = at_length(rates, long=long)
    return (
        None
        if token_class in prices.unpriced
        else EXACT.normalize(rates.dollars(getattr(prices, token_class)))
    )


def at_length(rates: Rates, *, long: bool) -> ClassPrices:
    """The prices of a request within the usual length, or beyond every threshold."""
    return rates.above[-1][1] if long and rates.above else rates.prices


def _quotes(kind: Kind, schedule: Schedule, said: str) -> Iterator[Quote]:
    for period in schedule.periods:
        yield Quote(kind, period.rates, said)


def _winner(schedules: list[tuple[str, Schedule]], at_ns: int) -> Rates | None:
    return next((rates for _, each in schedules if (rates := each.at(at_ns)) is not None), None)


def _changes(schedules: list[tuple[str, Schedule]], since_ns: int, until_ns: int) -> Iterator[int]:
    """The moments within a time at which other rates may begin to hold."""
    for _, schedule in schedules:
        for period in schedule.periods:
            moments = [period.since_ns, period.until_ns]
            if period.daily is not None:
                first = since_ns - since_ns % DAY_NS
                days = range(first, min(until_ns, first + 40 * DAY_NS), DAY_NS)
                moments += [day + offset for day in days for offset in period.daily]
            yield from (each for each in moments if each is not None and since_ns <= each < until_ns)


def _distinct(found: Iterable[Rates]) -> list[Rates]:
    rates: list[Rates] = []
    for each in found:
        if each not in rates:
            rates.append(each)
    return rates


def cost(tokens: int, price: Decimal | None) -> Decimal:
    """Exact dollars of some tokens; none where there is no price."""
    return ZERO if price is None else EXACT.multiply(Decimal(tokens), price)
