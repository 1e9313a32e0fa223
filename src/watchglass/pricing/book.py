"""The price book: layers of dated prices, and a batch of calls priced in one go.

`cost = Σ class tokens × price(class, tier, at)`. The first layer that knows the model in its tier
at that time wins. A call that cannot be priced has no cost and one reason of a closed list.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from watchglass.model import Usage
from watchglass.pricing.genai import GenaiPrices
from watchglass.pricing.overrides import Override, Overrides
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


class PriceBook:
    """Prices calls. Can be pickled: another process builds the same book from the overrides."""

    def __init__(self, overrides: Sequence[Override] = ()) -> None:
        self._overrides = tuple(overrides)
        self._layers: tuple[PriceSource, ...] = (Overrides(self._overrides), GenaiPrices())
        self._found: dict[tuple[str, str | None, str | None, str | None], list[Schedule]] = {}

    def __reduce__(self) -> tuple[type[PriceBook], tuple[tuple[Override, ...]]]:
        return PriceBook, (self._overrides,)

    def price(self, requests: Sequence[PriceRequest]) -> list[Priced]:
        """The cost of each request, in order.

        The model that answered is looked up before the one that was asked for: a deployment or
        an alias is a name of the user's, the answer names what was billed.
        """
        return [self._price(each) for each in requests]

    def _price(self, request: PriceRequest) -> Priced:
        usage, answered, asked = request.usage, request.response_model, request.request_model
        if usage.input_tokens is None and usage.output_tokens is None:
            return TOKENS_MISSING if request.success else FAILED_WITHOUT_USAGE
        provider = request.provider
        if provider is None:
            return MODEL_MISSING if asked is None and answered is None else UNKNOWN_PROVIDER
        key = (provider, answered, asked, request.service_tier)
        schedules = self._found.get(key)
        if schedules is None:
            schedules = self._remember(key)
        if not schedules:
            return MODEL_MISSING if asked is None and answered is None else UNKNOWN_MODEL
        for schedule in schedules:
            rates = schedule.at(request.at_ns)
            if rates is not None:
                cost = rates.cost(usage)
                if cost is not None:
                    return Priced(cost, rates.source, rates.price_id, None)
                return TIER_UNKNOWN if rates.counted(usage) else TOKENS_MISSING
        return NO_PRICE_AT_DATE if any(each.periods for each in schedules) else TIER_UNKNOWN

    def _remember(self, key: tuple[str, str | None, str | None, str | None]) -> list[Schedule]:
        if len(self._found) >= _CACHED_MODELS:  # hostile model names must not eat the memory
            self._found.clear()
        found = self._found[key] = self._look_up(*key)
        return found

    def _look_up(
        self, provider: str, answered: str | None, asked: str | None, tier: str | None
    ) -> list[Schedule]:
        named = named_tier(tier)
        found: list[Schedule] = []
        for layer in self._layers:
            for model in (answered, asked):
                schedule = layer.find(provider, model, named) if model else None
                if schedule is not None:
                    found.append(schedule)
                    break
        return found
