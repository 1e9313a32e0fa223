"""Why the cost that a client recorded differs from the cost by the book: one class of a closed list.

Each class is concluded from the numbers alone: the recorded cost is worked out again under the
assumption, and must come out to 1 part in 10⁹ (clients add in floats, so not to the last digit).
An assumption that fits is evidence, not proof; where several fit, the first of this list is given:

- a report that no call can have had (`absurd`), with the price and the factor if that explains it;
- the cost at another published price of the model: superseded, later, of other hours (`stale_list`);
- the cost at the model's price for shorter or longer requests: the client knows nothing of the step,
  or its counts are the sum of several requests (`other_context_price`);
- the cost at a published price of the model, a thousand or a million times too high or low
  (`wrong_unit`);
- the cost at the price in force with some of the input read from or written to a cache, or with
  cached reads charged on top of the whole input, as some clients do (`caching_not_on_record`);
- the cost at a published price of another model of the same provider, or with such a price for the
  output beside one of the model's own for the input (`other_models_price`);
- the cost at what another provider asks for a model of this name (`other_providers_price`);
- the cost at the price in force with cached reads that the input on record does not hold
  (`caching_not_on_record`), or with reasoning that the output does not (`reasoning_not_on_record`).

What several calls show together and none alone is in `unlisted.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from watchglass.model import Usage
from watchglass.pricing.absurd import absurdity
from watchglass.pricing.book import PriceBook, Priced, PriceRequest
from watchglass.pricing.cached import TOLERANCE, Cached, cached_beside, cached_share, reasoning_share
from watchglass.pricing.labels import without_provider
from watchglass.pricing.rates import Rates
from watchglass.pricing.source import Period

Kind = Literal[
    "same",
    "absurd",
    "price_unknown",
    "client_had_no_price",
    "stale_list",
    "other_context_price",
    "wrong_unit",
    "caching_not_on_record",
    "other_models_price",
    "other_providers_price",
    "reasoning_not_on_record",
    "unlisted_price",
    "unexplained",
]

KINDS: dict[Kind, str] = {
    "same": "Both are the same to 1 part in 10⁹.",
    "absurd": "No call can have cost what was reported: a placeholder for a price, or a wrong unit or sign.",
    "price_unknown": "The book has no price for this call at its date; the evidence is why.",
    "client_had_no_price": "The client recorded 0 for a model that costs something.",
    "stale_list": "The client's list had another published price of the model: an earlier or later one, or "
    "that of other hours of the day.",
    "other_context_price": "The client charged the model's price for shorter or longer requests: it does not "
    "know the step, or its counts are of several requests.",
    "wrong_unit": "The client mistook the unit of a published price of the model, by a power of ten.",
    "caching_not_on_record": "A cached share of the input explains it, and the record has no cached tokens.",
    "other_models_price": "The client charged, for all tokens or for the output, a published price of "
    "another model of this provider.",
    "other_providers_price": "The client charged what another provider asks for a model of this name.",
    "reasoning_not_on_record": "Tokens of reasoning explain it, at their own price or beside the output, and "
    "the record has none.",
    "unlisted_price": "Several calls of the model agree on a price that is in no list here.",
    "unexplained": "Nothing of the above.",
}

_POWERS = (3, 5, 6, -3, -5, -6)
"""Powers of ten by which clients mistake the unit of a price: a thousand tokens, cents a thousand (or the
price of 100,000), a million. Seen in litellm (pull request 38167) and aider (issue 4080)."""


class Difference(msgspec.Struct, frozen=True):
    """What was compared, the class, and what it is concluded from."""

    kind: Kind
    reported_usd: Decimal
    computed_usd: Decimal | None
    evidence: str = ""
    """For people."""
    price_id: str | None = None
    """The entry of the book at which the client's figure comes out."""
    cached: Cached | None = None


class Explainer:
    """Explains differences by one book. Keeps lists of it, so use one for many calls."""

    def __init__(self, book: PriceBook) -> None:
        self._book = book
        self._edition = book.edition
        self._by_provider: dict[str, tuple[Period, ...]] = {}
        self._named: int | None = None
        self._providers: tuple[str, ...] = ()

    def explain(
        self, request: PriceRequest, reported_usd: Decimal, priced: Priced | None = None
    ) -> Difference:
        """The class of a recorded cost; `priced` is what the book says, if that is known already."""
        priced = priced or self._book.price([request])[0]
        computed = priced.cost_usd
        if (why := absurdity(request.usage, reported_usd, computed)) is not None:
            return self._absurd(request, reported_usd, computed, why)
        if computed is None:
            return Difference("price_unknown", reported_usd, None, str(priced.unpriced_reason))
        if _same(computed, reported_usd):
            return Difference("same", reported_usd, computed, price_id=priced.price_id)
        if not reported_usd:
            return Difference(
                "client_had_no_price", reported_usd, computed, f"it costs {computed.normalize():f}"
            )
        return self._explain(request, reported_usd, computed, priced)

    def _explain(
        self, request: PriceRequest, reported: Decimal, computed: Decimal, priced: Priced
    ) -> Difference:
        usage = request.usage
        if (found := self._of_model(request, reported, computed, priced)) is not None:
            return found
        if not (usage.cache_read_tokens or usage.cache_write_tokens):
            for period in self._periods(request):
                cached = cached_share(period.rates, usage, reported)
                if cached is None:
                    continue
                if period.rates.price_id == priced.price_id:
                    return Difference(
                        "caching_not_on_record", reported, computed, str(cached), priced.price_id, cached
                    )
                return _by_price("stale_list", reported, computed, period.rates, cached)
        for period in self._of_provider(request.provider or ""):
            if _costs(period.rates, usage, reported):
                return _by_price("other_models_price", reported, computed, period.rates)
        if (mixed := self._mixed(request, reported)) is not None:
            return Difference("other_models_price", reported, computed, mixed)
        for period in self._elsewhere(request):
            if _costs(period.rates, usage, reported):
                return _by_price("other_providers_price", reported, computed, period.rates)
        if (found := self._untold(request, reported, computed, priced)) is not None:
            return found
        return Difference("unexplained", reported, computed, f"{reported - computed:+f}")

    def _untold(
        self, request: PriceRequest, reported: Decimal, computed: Decimal, priced: Priced
    ) -> Difference | None:
        """Tokens beyond those on record, at the price in force."""
        usage, price_id = request.usage, priced.price_id
        rates = next((each.rates for each in self._periods(request) if each.rates.price_id == price_id), None)
        if rates is None:
            return None
        if not (usage.cache_read_tokens or usage.cache_write_tokens):
            cached = cached_beside(rates, usage, reported)
            if cached is not None:
                return Difference("caching_not_on_record", reported, computed, str(cached), price_id, cached)
        thought = reasoning_share(rates, usage, reported)
        if thought is None:
            return None
        return Difference("reasoning_not_on_record", reported, computed, thought, price_id)

    def _of_model(
        self, request: PriceRequest, reported: Decimal, computed: Decimal, priced: Priced
    ) -> Difference | None:
        """Another price of the model, a step of one, or one in another unit."""
        usage, periods = request.usage, self._periods(request)
        for period in periods:
            if period.rates.price_id != priced.price_id and _costs(period.rates, usage, reported):
                return _by_price("stale_list", reported, computed, period.rates)
        for rates in (step for period in periods for step in _steps(period.rates)):
            if _costs(rates, usage, reported):
                return _by_price("other_context_price", reported, computed, rates)
        found = _mistaken(periods, usage, reported)
        return None if found is None else Difference("wrong_unit", reported, computed, *found)

    def _absurd(
        self, request: PriceRequest, reported: Decimal, computed: Decimal | None, why: str
    ) -> Difference:
        """Names the price and the factor, if a power of ten explains it."""
        found = _mistaken(self._periods(request), request.usage, reported)
        evidence, price_id = (why, None) if found is None else (f"{why}: {found[0]}", found[1])
        return Difference("absurd", reported, computed, evidence, price_id)

    def _mixed(self, request: PriceRequest, reported: Decimal) -> str | None:
        """The input at a price of the model's, the output at one of another model: a list half updated."""
        usage = request.usage
        if not usage.input_tokens or not usage.output_tokens:
            return None
        outputs = {
            each.rates.dollars(each.rates.of_request(usage.input_tokens).output): each.rates.price_id
            for each in self._of_provider(request.provider or "")
        }
        for period in self._periods(request):
            dollars = period.rates.dollars(period.rates.of_request(usage.input_tokens).input)
            spent = usage.input_tokens * dollars
            for output, price_id in outputs.items():
                if _same(spent + usage.output_tokens * output, reported):
                    return (
                        f"input at {_per_million(dollars)} ({period.rates.price_id}), "
                        f"output at {_per_million(output)} ({price_id}) dollars a million tokens"
                    )
        return None

    def _periods(self, request: PriceRequest) -> list[Period]:
        """Every price of the model, the one in force first."""
        found = [period for _, schedule in self._book.schedules(request) for period in schedule.periods]
        return sorted(found, key=lambda period: not period.holds(request.at_ns))

    def _elsewhere(self, request: PriceRequest) -> list[Period]:
        """Every price of a model of this name at other providers."""
        if request.provider is None or request.request_model is None:
            return []
        name = without_provider(request.provider, request.request_model)
        names = dict.fromkeys((name, name.rpartition("/")[2]))
        found: list[Period] = []
        for provider in self._sellers():
            for each in names if provider != request.provider else ():
                asked = msgspec.structs.replace(request, provider=provider, request_model=each)
                found += self._periods(asked)
        return found

    def _sellers(self) -> tuple[str, ...]:
        if self._named != self._book.edition:
            listed = (each for layer in self._book.sources for each in layer.entries())
            self._named, self._providers = (
                self._book.edition,
                tuple(sorted({each.provider for each in listed})),
            )
        return self._providers

    def _of_provider(self, provider: str) -> tuple[Period, ...]:
        if self._edition != self._book.edition:
            self._edition, self._by_provider = self._book.edition, {}
        if provider not in self._by_provider:
            self._by_provider[provider] = tuple(_listed(self._book, provider))
        return self._by_provider[provider]


def _same(computed: Decimal, reported: Decimal) -> bool:
    return abs(computed - reported) <= TOLERANCE * max(abs(computed), abs(reported))


def _costs(rates: Rates, usage: Usage, reported: Decimal) -> bool:
    cost = rates.cost(usage)
    return cost is not None and _same(cost, reported)


def _steps(rates: Rates) -> Iterator[Rates]:
    """These rates with each of their prices for all lengths of a request."""
    for prices in (rates.prices, *(dearer for _, dearer in rates.above)) if rates.above else ():
        yield msgspec.structs.replace(rates, prices=prices, above=())


def _mistaken(periods: Sequence[Period], usage: Usage, reported: Decimal) -> tuple[str, str] | None:
    """Evidence and price of a cost that is a power of ten too high or low."""
    for rates in (each for period in periods for each in (period.rates, *_steps(period.rates))):
        cost = rates.cost(usage)
        for power in _POWERS if cost else ():
            if cost is not None and _same(cost.scaleb(power), reported):
                return f"{Decimal(1).scaleb(power):f} times {_shown(rates)}", rates.price_id
    return None


def _by_price(
    kind: Kind, reported: Decimal, computed: Decimal, rates: Rates, cached: Cached | None = None
) -> Difference:
    evidence = _shown(rates) + (f", {cached}" if cached else "")
    return Difference(kind, reported, computed, evidence, rates.price_id, cached)


def _shown(rates: Rates) -> str:
    shown = " / ".join(
        _per_million(rates.dollars(units)) for units in (rates.prices.input, rates.prices.output)
    )
    return f"{rates.price_id}: {shown} dollars a million tokens"


def _per_million(dollars: Decimal) -> str:
    return f"{(dollars * 10**6).normalize():f}"


def _listed(book: PriceBook, provider: str) -> Iterator[Period]:
    for layer in book.sources:
        for entry in layer.entries():
            if entry.provider == provider and entry.tier is None:
                yield from entry.schedule.periods
