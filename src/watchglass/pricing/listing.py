"""The book as a list for people: which price a model has, from when on, and where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import lru_cache

import msgspec

from watchglass.model import Usage
from watchglass.pricing.book import Layers, PriceBook, PriceRequest
from watchglass.pricing.labels import canonical, without_provider
from watchglass.pricing.naming import is_dated, time_of_day
from watchglass.pricing.provider import detect
from watchglass.pricing.rates import CLASSES, ClassPrices, Rates
from watchglass.pricing.source import Entry, Period, Schedule, named_tier

_ONE = Usage(input_tokens=1, output_tokens=1)


class PriceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One price of one model for a time. Prices are US dollars a million tokens, None where there is none."""

    provider: str
    model: str
    tier: str | None
    since_ns: int | None
    until_ns: int | None
    daily: str | None
    """Hours of the day (UTC) at which it holds, if not at all of them."""
    prices: dict[str, Decimal | None]
    above: dict[int, dict[str, Decimal | None]]
    """(more input tokens than this) → prices of such a request."""
    per_request: Decimal
    source: str
    price_id: str
    citation: str | None
    dated: bool
    """False for a list that does not say since when its prices hold."""
    wins: bool = True
    """Whether it is the price at the moment that was asked about."""


class Shown(msgspec.Struct, frozen=True):
    """All that the book knows of a model, layer by layer, and what it makes of it at one moment."""

    provider: str | None
    model: str
    tier: str | None
    at_ns: int
    price_id: str | None
    unpriced_reason: str | None
    prices: list[PriceRow]
    elsewhere: list[str]
    """`provider/model` of other providers that have a model of this name."""


def show(
    book: PriceBook,
    model: str,
    at_ns: int,
    *,
    provider: str | None = None,
    tier: str | None = None,
    tenant: str | None = None,
) -> Shown:
    """Every price of a model, the first layer first; the one that wins at `at_ns` is marked.

    `tenant` is for whose calls; only that one's own prices are shown beside everybody's.
    """
    seller = seller_of(model, provider)
    request = PriceRequest(
        provider=seller,
        request_model=model,
        response_model=None,
        at_ns=at_ns,
        usage=_ONE,
        service_tier=tier,
        tenant=tenant,
    )
    schedules = book.schedules(request)
    winner = next((found for _, each in schedules if (found := each.at(at_ns)) is not None), None)
    priced = book.price([request])[0]
    cited = _citations(book, tenant)
    bare = without_provider(seller or "", model)
    rows = [
        _row(seller or "", bare, named_tier(tier), period, cited, wins=period.rates is winner)
        for _, schedule in schedules
        for period in schedule.periods
    ]
    elsewhere = [] if rows else [*_sellers(book.layers).get(_tail(bare), ())]
    reason = None if winner is not None and priced.cost_usd is not None else priced.unpriced_reason
    return Shown(
        seller, model, named_tier(tier), at_ns, winner.price_id if winner else None, reason, rows, elsewhere
    )


def seller_of(model: str, provider: str | None = None) -> str | None:
    """Our id of who sells a model: who is named, else who the name tells of."""
    if provider is not None:
        return canonical(provider) or provider.strip().lower()
    return detect(label=None, server_address=None, request_model=model, response_model=None)[0]


def at_moment(
    rows: Iterable[PriceRow], at_ns: int, *, provider: str | None = None, model: str | None = None
) -> list[PriceRow]:
    """Of `timelines`, the standard price of each model at a moment.

    `provider` is any of its names; `model` a part of the model's name, or a pattern with `*`.
    """
    seller = (canonical(provider) or provider.strip().lower()) if provider else None
    return [
        row
        for row in rows
        if row.tier is None
        and seller in (None, row.provider)
        and (model is None or _fits(row.model.lower(), model))
        and _covers(row, at_ns)
    ]


def timelines(book: PriceBook, tenant: str | None = None) -> Iterator[PriceRow]:
    """What the book says of each model that a layer names, tier by tier: what wins, time after time.

    By provider, model and tier; for calls of one tenant, or of all that have no prices of their own.
    """
    cited = _citations(book, tenant)
    for (seller, name, tier), entry in sorted(named(book, tenant).items(), key=lambda item: _order(item[0])):
        found = [schedule for _, schedule in book.schedules(request_of(seller, name, tier, tenant))]
        for since_ns, until_ns, period in winning(found or [entry.schedule]):
            bounded = msgspec.structs.replace(period, since_ns=since_ns, until_ns=until_ns)
            yield _row(seller, entry.model, tier, bounded, cited)


def _order(name: tuple[str, str, str | None]) -> tuple[str, str, str]:
    seller, model, tier = name
    return seller, model, tier or ""


def timeline(
    book: PriceBook,
    model: str,
    *,
    provider: str | None = None,
    tier: str | None = None,
    tenant: str | None = None,
) -> list[PriceRow]:
    """What wins for one model in one tier, time after time; nothing for one that nobody knows."""
    seller, cited = seller_of(model, provider), _citations(book, tenant)
    if seller is None:
        return []
    found = [schedule for _, schedule in book.schedules(request_of(seller, model, tier, tenant))]
    bare = without_provider(seller, model)
    return [
        _row(
            seller,
            bare,
            named_tier(tier),
            msgspec.structs.replace(period, since_ns=since_ns, until_ns=until_ns),
            cited,
        )
        for since_ns, until_ns, period in winning(found)
    ]


def request_of(provider: str, model: str, tier: str | None, tenant: str | None = None) -> PriceRequest:
    """A question about a model, by its name alone."""
    return PriceRequest(
        provider=provider,
        request_model=model,
        response_model=None,
        at_ns=0,
        usage=_ONE,
        service_tier=tier,
        tenant=tenant,
    )


def named(book: PriceBook, tenant: str | None = None) -> dict[tuple[str, str, str | None], Entry]:
    """What the layers name, in lower case: provider, model, tier."""
    names: dict[tuple[str, str, str | None], Entry] = {}
    for layer in book.sources_of(tenant):
        for entry in layer.entries():
            names.setdefault((entry.provider, entry.model.lower(), entry.tier), entry)
    return names


def _citations(book: PriceBook, tenant: str | None = None) -> dict[str, str]:
    cited = {
        period.rates.price_id: entry.citation
        for layer in book.sources_of(tenant)
        if layer.name in ("override", "watchglass")  # those that are stated one by one
        for entry in layer.entries()
        if entry.citation
        for period in entry.schedule.periods
    }
    return cited | {each.name: each.citation for each in book.layers.discounts if each.citation}


def _cited(price_id: str, cited: dict[str, str]) -> str | None:
    """Where a price stands: the list's, and where the discount on it does."""
    return "; ".join(cited[part] for part in price_id.split("|") if part in cited) or None


def winning(schedules: Sequence[Schedule]) -> Iterator[tuple[int | None, int | None, Period]]:
    """(since, until, price) without gaps or overlaps, but for hours of the day, which go before the rest."""
    periods = [period for schedule in schedules for period in schedule.periods]
    if not periods:
        return
    bounds = {bound for each in periods for bound in (each.since_ns, each.until_ns) if bound is not None}
    open_start = any(each.since_ns is None for each in periods)
    starts: list[int | None] = [*([None] if open_start else []), *sorted(bounds)]
    last: dict[str, tuple[int | None, int | None, Period]] = {}
    for since_ns, until_ns in zip(starts, [*starts[1:], None], strict=True):
        holding = list(_holding(periods, since_ns))
        kept = {each.rates.price_id for each in holding}
        yield from (last.pop(price_id) for price_id in [*last] if price_id not in kept)
        for each in holding:
            begun = last[each.rates.price_id][0] if each.rates.price_id in last else since_ns
            last[each.rates.price_id] = begun, until_ns, each
    yield from last.values()


def _holding(periods: Iterable[Period], at_ns: int | None) -> Iterator[Period]:
    """The prices of that day: those of some hours, then the first that holds at all."""
    for each in periods:
        begun = each.since_ns is None or (at_ns is not None and each.since_ns <= at_ns)
        if begun and (each.until_ns is None or at_ns is None or at_ns < each.until_ns):
            yield each
            if each.daily is None:
                return


def _row(
    provider: str, model: str, tier: str | None, period: Period, cited: dict[str, str], *, wins: bool = True
) -> PriceRow:
    rates = period.rates
    return PriceRow(
        provider=provider,
        model=model,
        tier=tier,
        since_ns=period.since_ns,
        until_ns=period.until_ns,
        daily=None if period.daily is None else "-".join(map(time_of_day, period.daily)),
        prices=per_million(rates, rates.prices),
        above={threshold: per_million(rates, prices) for threshold, prices in rates.above},
        per_request=rates.dollars(rates.request),
        source=rates.source,
        price_id=rates.price_id,
        citation=_cited(rates.price_id, cited),
        dated=is_dated(rates.price_id),
        wins=wins,
    )


def _covers(row: PriceRow, at_ns: int) -> bool:
    begun = row.since_ns is None or row.since_ns <= at_ns
    return begun and (row.until_ns is None or at_ns < row.until_ns)


def _fits(name: str, wanted: str) -> bool:
    wanted = wanted.lower()
    return fnmatchcase(name, wanted) if "*" in wanted else wanted in name


@lru_cache(maxsize=2)
def _sellers(layers: Layers) -> dict[str, list[str]]:
    """`provider/model` of all that the layers name, by the end of the model's name: reading them takes half a
    second, and a page asks for each of its unknown models."""
    found: dict[str, set[str]] = {}
    for provider, name, _ in named(PriceBook(layers)):
        found.setdefault(_tail(name), set()).add(f"{provider}/{name}")
    return {tail: sorted(names) for tail, names in found.items() if tail}


def _tail(model: str) -> str:
    return model.lower().rpartition("/")[2]


def per_million(rates: Rates, prices: ClassPrices) -> dict[str, Decimal | None]:
    """Dollars a million tokens of each class, None where it has no price."""
    unpriced = CLASSES if rates.other_units else prices.unpriced
    return {
        name: None if name in unpriced else (rates.dollars(getattr(prices, name)) * 10**6).normalize()
        for name in CLASSES
    }
