"""The price book: layers of dated prices, and a batch of calls priced in one go.

`cost = Σ class tokens × price(class, tier, at)`. The first layer that knows the model in its tier
at that time wins. A call that cannot be priced has no cost and one reason of a closed list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

import msgspec

from watchglass.model import Usage
from watchglass.pricing.discounts import Discount, Discounts, discounted
from watchglass.pricing.genai import GenaiPrices
from watchglass.pricing.labels import without_provider
from watchglass.pricing.listed import ListedPrice, PriceList
from watchglass.pricing.litellm import LitellmMap
from watchglass.pricing.source import PriceSource, Schedule, named_tier


class PriceRequest(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the book must know of a call. `at_ns` is its start."""

    provider: str | None
    request_model: str | None
    response_model: str | None
    at_ns: int
    usage: Usage
    service_tier: str | None = None
    success: bool = True
    tenant: str | None = None
    """Whose call it is: a tenant may have prices of its own."""
    counts: Mapping[str, int] | None = None
    """Finer counts than `usage` holds, where someone has them: see `units.py`."""


class Priced(msgspec.Struct, frozen=True, gc=False):
    """A cost with the price it came from, or none with the reason why."""

    cost_usd: Decimal | None
    price_source: str | None
    price_id: str | None
    unpriced_reason: str | None


def _unpriced(reason: str) -> Priced:
    return Priced(None, None, None, reason)


FAILED_WITHOUT_USAGE = _unpriced("failed_without_usage")
TOKENS_MISSING = _unpriced("tokens_missing")
MODEL_MISSING = _unpriced("model_missing")
UNKNOWN_PROVIDER = _unpriced("unknown_provider")
UNKNOWN_MODEL = _unpriced("unknown_model")
NO_PRICE_AT_DATE = _unpriced("no_price_at_date")
TIER_UNKNOWN = _unpriced("tier_unknown")

_CACHED_MODELS = 100_000


_Key = tuple[str, str | None, str | None, str | None, str | None]
"""Provider, model that answered, model that was asked for, tier, and the tenant if it has prices of its
own: where nobody has, what was looked up is every tenant's."""


class Layers(msgspec.Struct, frozen=True):
    """What a book is made of; the first layer that knows the model at that time wins."""

    overrides: tuple[ListedPrice, ...] = ()
    """The user's own prices."""
    facts: tuple[ListedPrice, ...] = ()
    """Our dated facts (`prices/`)."""
    litellm: bytes | None = None
    """LiteLLM's map, as its file has it."""
    discounts: tuple[Discount, ...] = ()
    """What the user pays less than the list says, where no override states a price."""
    genai: bytes | None = None
    """The list of genai-prices, as the project's `data.json` has it; without it that of the package."""


class _Edition(msgspec.Struct, frozen=True):
    """One state of the book, replaced as a whole: what was looked up belongs to its layers."""

    overrides: Mapping[str | None, PriceSource]
    """The user's own prices by whose they are; None is everybody's."""
    lists: tuple[PriceSource, ...]
    discounts: Discounts
    tenants: frozenset[str]
    found: dict[_Key, list[Schedule]]

    def sources(self, tenant: str | None) -> tuple[PriceSource, ...]:
        own = (self.overrides[tenant],) if tenant is not None and tenant in self.overrides else ()
        return (*own, self.overrides[None], *self.lists)


class PriceBook:
    """Prices calls, from any number of threads. Can be pickled: another process builds the same book.

    `edition` counts how often it was replaced.
    """

    def __init__(self, layers: Layers | Sequence[ListedPrice] = ()) -> None:
        self.edition = 0
        self.layers = layers if isinstance(layers, Layers) else Layers(tuple(layers))
        self._now = _edition(self.layers)

    def __reduce__(self) -> tuple[Callable[[Layers], PriceBook], tuple[Layers]]:
        return _same, (self.layers,)

    @property
    def sources(self) -> tuple[PriceSource, ...]:
        """The layers, the first to be asked first, without those that are one tenant's."""
        return self.sources_of(None)

    def sources_of(self, tenant: str | None) -> tuple[PriceSource, ...]:
        """The layers for calls of one tenant, its own first; None is everybody else."""
        return self._now.sources(tenant)

    @property
    def tenants(self) -> frozenset[str]:
        """The tenants that an override or a discount names; to all others the book says the same."""
        return self._now.tenants

    @property
    def by_tenant(self) -> bool:
        """Whether a price depends on whose call it is at all."""
        return bool(self._now.tenants)

    def replace(self, layers: Layers) -> None:
        """Price by other layers from now on. What is being priced meanwhile is priced by the old ones."""
        self._now = _edition(layers)
        self.layers = layers
        self.edition += 1

    def copied(self) -> PriceBook:
        """A book of its own that says the same, whatever this one is replaced by."""
        return PriceBook(self.layers)

    def price(self, requests: Sequence[PriceRequest]) -> list[Priced]:
        """The cost of each request, in order.

        The model that answered is looked up before the one that was asked for: a deployment or
        an alias is a name of the user's, the answer names what was billed.
        """
        now = self._now
        return [_price(now, each) for each in requests]

    def schedules(self, request: PriceRequest) -> list[tuple[PriceSource, Schedule]]:
        """Each layer that knows the model in its tier, with all its prices of it: the first to hold wins."""
        now = self._now
        provider = request.provider
        return [] if provider is None else list(_by_layer(now, *_key(now, request, provider)))


@lru_cache(maxsize=2)
def _same(layers: Layers) -> PriceBook:
    """The book of these layers; a process that is sent it again keeps what it has looked up."""
    return PriceBook(layers)


def _edition(layers: Layers) -> _Edition:
    lists: list[PriceSource] = [PriceList("watchglass", layers.facts)] if layers.facts else []
    lists.append(GenaiPrices(layers.genai))
    if layers.litellm is not None:
        lists.append(LitellmMap(layers.litellm))
    stated: dict[str | None, list[ListedPrice]] = {None: []}
    for each in layers.overrides:
        stated.setdefault(each.tenant, []).append(each)
    overrides = {tenant: PriceList("override", prices) for tenant, prices in stated.items()}
    tenants = {each for each in (*stated, *(each.tenant for each in layers.discounts)) if each is not None}
    return _Edition(overrides, tuple(lists), Discounts(layers.discounts), frozenset(tenants), {})


def _key(now: _Edition, request: PriceRequest, provider: str) -> _Key:
    tenant = request.tenant if request.tenant in now.tenants else None
    return (provider, request.response_model, request.request_model, request.service_tier, tenant)


def _price(now: _Edition, request: PriceRequest) -> Priced:
    provider = request.provider
    if provider is None:
        return priced_by([], request)
    key = _key(now, request, provider)
    schedules = now.found.get(key)
    return priced_by(_remember(now, key) if schedules is None else schedules, request)


def priced_by(schedules: Sequence[Schedule], request: PriceRequest) -> Priced:
    """The cost of a request by the first of the model's schedules that holds at its time."""
    usage, unnamed = request.usage, request.request_model is None and request.response_model is None
    if usage.input_tokens is None and usage.output_tokens is None:
        return TOKENS_MISSING if request.success else FAILED_WITHOUT_USAGE
    if not schedules:
        if unnamed:
            return MODEL_MISSING
        return UNKNOWN_PROVIDER if request.provider is None else UNKNOWN_MODEL
    for schedule in schedules:
        rates = schedule.at(request.at_ns)
        if rates is not None:
            cost = rates.cost(usage) if request.counts is None else rates.cost_of(usage, request.counts)
            if cost is not None:
                return Priced(cost, rates.source, rates.price_id, None)
            return TIER_UNKNOWN if rates.counted(usage) else TOKENS_MISSING
    return NO_PRICE_AT_DATE if any(each.periods for each in schedules) else TIER_UNKNOWN


def _remember(now: _Edition, key: _Key) -> list[Schedule]:
    if len(now.found) >= _CACHED_MODELS:  # hostile model names must not eat the memory
        now.found.clear()
    found = now.found[key] = [schedule for _, schedule in _by_layer(now, *key)]
    return found


def _by_layer(
    now: _Edition,
    provider: str,
    answered: str | None,
    asked: str | None,
    tier: str | None,
    tenant: str | None,
) -> Iterator[tuple[PriceSource, Schedule]]:
    named = named_tier(tier)
    names = dict.fromkeys(
        name for model in (answered, asked) if model for name in (model, without_provider(provider, model))
    )
    less = now.discounts.find(provider, names, named, tenant)
    for layer in now.sources(tenant):
        for name in names:
            schedule = layer.find(provider, name, named)
            if schedule is not None:
                yield layer, discounted(schedule, less) if layer in now.lists else schedule
                break
