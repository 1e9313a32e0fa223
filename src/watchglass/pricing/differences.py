"""Why the cost that a client recorded differs from the cost by the book: one class of a closed list.

Each class is concluded from the numbers alone: the recorded cost is worked out again under the
assumption, and must come out to 1 part in 10⁹ (clients add in floats, so not to the last digit).
An assumption that fits is evidence, not proof; where several fit, the first of this list is given:

- the cost at another published price of the model: superseded, later, of other hours (`stale_list`);
- the cost at the price in force with some of the input read from or written to a cache, or with
  cached reads charged on top of the whole input, as some clients do (`caching_not_on_record`);
- the cost at a published price of another model of the same provider, or with such a price for the
  output beside one of the model's own for the input (`other_models_price`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Literal

import msgspec

from watchglass.model import Usage
from watchglass.pricing.book import PriceBook, Priced, PriceRequest
from watchglass.pricing.rates import Rates
from watchglass.pricing.source import Period

Kind = Literal[
    "same",
    "price_unknown",
    "client_had_no_price",
    "stale_list",
    "caching_not_on_record",
    "other_models_price",
    "unexplained",
]

KINDS: dict[Kind, str] = {
    "same": "Both are the same to 1 part in 10⁹.",
    "price_unknown": "The book has no price for this call at its date; the evidence is why.",
    "client_had_no_price": "The client recorded 0 for a model that costs something.",
    "stale_list": "The client's list had another published price of the model: an earlier or later one, or "
    "that of other hours of the day.",
    "caching_not_on_record": "A cached share of the input explains it, and the record has no cached tokens.",
    "other_models_price": "The client charged, for all tokens or for the output, a published price of "
    "another model of this provider.",
    "unexplained": "Nothing of the above.",
}

TOLERANCE = Decimal("1e-9")
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

    def explain(
        self, request: PriceRequest, reported_usd: Decimal, priced: Priced | None = None
    ) -> Difference:
        """The class of a recorded cost; `priced` is what the book says, if that is known already."""
        priced = priced or self._book.price([request])[0]
        computed = priced.cost_usd
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
        others = [each for each in self._periods(request) if each.rates.price_id != priced.price_id]
        for period in others:
            if _costs(period.rates, usage, reported):
                return _by_price("stale_list", reported, computed, period.rates)
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
        return Difference("unexplained", reported, computed, f"{reported - computed:+f}")

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

    def _of_provider(self, provider: str) -> tuple[Period, ...]:
        if self._edition != self._book.edition:
            self._edition, self._by_provider = self._book.edition, {}
        if provider not in self._by_provider:
            self._by_provider[provider] = tuple(_listed(self._book, provider))
        return self._by_provider[provider]


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


def _same(computed: Decimal, reported: Decimal) -> bool:
    return abs(computed - reported) <= TOLERANCE * max(abs(computed), abs(reported))


def _costs(rates: Rates, usage: Usage, reported: Decimal) -> bool:
    cost = rates.cost(usage)
    return cost is not None and _same(cost, reported)


def _by_price(
    kind: Kind, reported: Decimal, computed: Decimal, rates: Rates, cached: Cached | None = None
) -> Difference:
    shown = " / ".join(
        _per_million(rates.dollars(units)) for units in (rates.prices.input, rates.prices.output)
    )
    evidence = f"{rates.price_id}: {shown} dollars a million tokens" + (f", {cached}" if cached else "")
    return Difference(kind, reported, computed, evidence, rates.price_id, cached)


def _per_million(dollars: Decimal) -> str:
    return f"{(dollars * 10**6).normalize():f}"


def _listed(book: PriceBook, provider: str) -> Iterator[Period]:
    for layer in book.sources:
        for entry in layer.entries():
            if entry.provider == provider and entry.tier is None:
                yield from entry.schedule.periods
