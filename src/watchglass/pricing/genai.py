"""The layer of `genai-prices`: its shipped, partly dated data, read once into our own rates.

The package's arithmetic is not used, only its facts and its way of matching model names. Nothing
is downloaded: its updater is never started. Importing its data takes a quarter of a second, so
that is put off until the first price is asked for.

Another edition of its list can take the place of the installed one: the project's `data.json`, as
`genai_file.py` reads it. Everything else is the same for both.

Not every unit it prices is in a usage. A class of tokens that a usage does not tell apart (images,
video, cached audio, citations) and that costs other than its parent leaves the parent unpriced; so
does a charge by the hour, page or character. Charges by the search (`web_searches_kcount`,
`storage_searches_kcount`) leave no trace in a usage at all: they are ignored there. Who has the
counts of an answer themselves gets all these priced (`units.py`).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from watchglass.pricing.genai_file import read_list
from watchglass.pricing.rates import Rate, Rates, per_request, rate, rates
from watchglass.pricing.source import Entry, Period, Schedule
from watchglass.pricing.units import Units

if TYPE_CHECKING:
    from genai_prices.types import MatchLogic, ModelInfo, Provider

PROVIDERS: dict[str, str] = {
    "aws_bedrock": "aws",
    "azure_openai": "azure",
    "azure_ai": "azure",
    "google_ai_studio": "google",
    "google_vertex_ai": "google",
    "moonshot": "moonshotai",
    "voyage": "voyageai",
    "xai": "x-ai",
    "zai": "zai",
    "github_copilot": "github-copilot",
}
"""Ours to the package's, where they differ."""

_CLASSES = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_reasoning_mtok": "reasoning",
    "input_audio_mtok": "input_audio",
    "output_audio_mtok": "output_audio",
}
_BY_SEARCH = frozenset({"web_searches_kcount", "storage_searches_kcount"})
_BY_REQUEST = "requests_kcount"
_CONTEXT = {
    "batch": ({"processing": "batch"},),
    "flex": ({"service_tier": "flex"},),
    "priority": ({"service_tier": "priority"},),
    # OpenAI's and Fireworks' tier of that name; Anthropic's parameter `speed` (fast mode, Opus 4.6 on:
    # https://platform.claude.com/docs/en/build-with-claude/fast-mode).
    "fast": ({"service_tier": "fast"}, {"speed": "fast"}),
}
_PER_THOUSAND = Decimal("0.001")
_COMPACT_DAY = re.compile(r"\d{8}")


class GenaiPrices:
    """The package's book as a layer, or another edition of it: the bytes of the project's `data.json`."""

    name = "genai-prices"

    def __init__(self, content: bytes | None = None) -> None:
        """Raises `ValueError` if `content` is no such list."""
        self._read = None if content is None else _indexed(read_list(content).values())

    @property
    def _book(self) -> Mapping[str, _Seller]:
        return _installed() if self._read is None else self._read

    def find(self, provider: str, model: str, tier: str | None) -> Schedule | None:
        """See `PriceSource.find`."""
        book = self._book
        named = book.get(PROVIDERS.get(provider, provider))
        if named is None:
            return None
        seller, found = named.provider, _find(book, named, model)
        if found is None:
            return None
        # Another provider's tiers say nothing about this one's.
        own = tier is None or any(each is found for each in seller.models)
        return _schedule(seller.id, found, tier) if own else Schedule(())

    def entries(self) -> Iterator[Entry]:
        """See `PriceSource.entries`."""
        ours = {theirs: named for named, theirs in reversed(PROVIDERS.items())}
        for named in self._book.values():
            seller = named.provider
            for model in seller.models:
                for tier in (None, *_CONTEXT):
                    schedule = _schedule(seller.id, model, tier)
                    if schedule.periods:
                        yield Entry(ours.get(seller.id, seller.id), model.id, tier, schedule)


class _Seller:
    """A provider of the list, whose models are found at once where they match by their whole name.

    The package asks model after model, and one seller has a thousand.
    """

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._whole: dict[str, int] = {}
        self._loose: list[tuple[int, MatchLogic]] = []
        for place, model in enumerate(provider.models):
            for clause in getattr(model.match, "or_", [model.match]):
                if hasattr(clause, "equals"):
                    self._whole.setdefault(clause.equals.lower(), place)
                else:
                    self._loose.append((place, clause))

    def first(self, name: str) -> ModelInfo | None:
        """The first model that matches a name in lower case."""
        place = self._whole.get(name)
        for each, clause in self._loose:
            if place is not None and place <= each:
                break
            if clause.is_match(name):
                return self.provider.models[each]
        return None if place is None else self.provider.models[place]


def _find(book: Mapping[str, _Seller], seller: _Seller, model: str) -> ModelInfo | None:
    """As the package's `Provider.find_model` does (a test holds them equal)."""
    name = model.lower()
    for each in (seller.provider.id, *(seller.provider.fallback_model_providers or ())):
        if each in book and (found := book[each].first(name)) is not None:
            return found
    if _COMPACT_DAY.search(name) is None:
        return None
    # How it writes days otherwise is for the package to say.
    return seller.provider.find_model(model, all_providers=[each.provider for each in book.values()])


def _indexed(providers: Iterable[Provider]) -> dict[str, _Seller]:
    return {each.id: _Seller(each) for each in providers}


@cache
def _installed() -> dict[str, _Seller]:
    from genai_prices.data import providers

    return _indexed(providers)


def _schedule(seller: str, model: ModelInfo, tier: str | None) -> Schedule:
    prices = model.prices if isinstance(model.prices, list) else [None]
    periods: list[Period] = []
    # The package tries its conditional prices last to first, and falls back on the first.
    for each in reversed(prices):
        constraint = each.constraint if each is not None else None
        standard = each.prices if each is not None else model.prices
        periods += _periods(seller, model, vars(standard), constraint, tier)
    return Schedule(tuple(periods))


def _periods(
    seller: str, model: ModelInfo, standard: dict[str, Any], constraint: Any, tier: str | None
) -> list[Period]:
    if tier is None:
        return [_period(seller, model, standard, constraint, None)]
    if tier not in _CONTEXT:
        return []
    variants = [each for each in model.price_variants or () if each.when in _CONTEXT[tier]]
    # Both the standard price's and the variant's condition must hold; the later start bounds it.
    return [
        _period(seller, model, standard | _set(vars(each.prices)), _later(constraint, each.constraint), tier)
        for each in variants
    ]


def _set(prices: dict[str, Any]) -> dict[str, Any]:
    return {key: price for key, price in prices.items() if price is not None}


def _later(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return one or other
    starts = getattr(one, "start_date", None), getattr(other, "start_date", None)
    if starts[0] is None or starts[1] is None:
        return one if starts[0] is None else other
    return one if starts[0] >= starts[1] else other


def _period(
    seller: str, model: ModelInfo, prices: dict[str, Any], constraint: Any, tier: str | None
) -> Period:
    start: dt.date | None = getattr(constraint, "start_date", None)
    daily = (
        (_of_day(constraint.start_time), _of_day(constraint.end_time))
        if hasattr(constraint, "start_time")
        else None
    )
    price_id = f"genai-prices:{seller}/{model.id}"
    if start is not None:
        price_id += f"@{start.isoformat()}"
    if daily is not None:
        price_id += f"@{constraint.start_time.isoformat()}"
    if tier is not None:
        price_id += f"+{tier}"
    return Period(_rates(price_id, prices), _midnight(start) if start is not None else None, None, daily)


def _rates(price_id: str, prices: dict[str, Any]) -> Rates:
    known = _set(prices)
    kilo = known.pop(_BY_REQUEST, None)
    classes = {ours: _rate(known.pop(theirs)) for theirs, ours in _CLASSES.items() if theirs in known}
    others = {name: price for name, price in known.items() if name not in _BY_SEARCH}
    unseen = {name: _rate(price) for name, price in others.items() if name.endswith("_mtok")}
    return rates(
        price_id,
        GenaiPrices.name,
        classes,
        hidden=frozenset(_parent(name) for name, price in unseen.items() if price != _parents(classes, name)),
        request=per_request(kilo * _PER_THOUSAND) if isinstance(kilo, Decimal) else 0,
        other_units=len(others) > len(unseen),
        units=_units(prices) if unseen or len(others) < len(known) else None,
    )


def _units(prices: dict[str, Any]) -> Units:
    """Every price that is by the token, the request or the search; the unit is the price's name."""
    listed: dict[str, Rate] = {}
    for name, price in _set(prices).items():
        unit, _, per = name.rpartition("_")
        if per == "mtok":
            listed[unit] = _rate(price)
        elif name in _BY_SEARCH or name == _BY_REQUEST:
            listed[unit] = Rate(per_request(price * _PER_THOUSAND))
    return Units(tuple(listed.items()))


def _parent(unseen: str) -> str:
    """The class of ours that counts these tokens; `cached_audio` where two of ours do."""
    if unseen == "cache_audio_read_mtok":
        return "cached_audio"
    if unseen.startswith("cache_"):
        return "cache_write" if "write" in unseen else "cache_read"
    return "output" if unseen.startswith("output_") else "input"


def _parents(classes: dict[str, Rate], unseen: str) -> Rate | None:
    parent = _parent(unseen).replace("cached_audio", "cache_read")
    if parent in classes or not parent.startswith("cache_"):
        return classes.get(parent)
    return classes.get("input")


def _rate(price: Any) -> Rate:
    if isinstance(price, Decimal):
        return rate(price)
    return rate(price.base, tuple((tier.start, tier.price) for tier in price.tiers))


def _midnight(day: dt.date) -> int:
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp()) * 10**9


def _of_day(moment: dt.time) -> int:
    offset = moment.utcoffset() or dt.timedelta()
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second - int(offset.total_seconds())
    return seconds % 86_400 * 10**9 + moment.microsecond * 1000
