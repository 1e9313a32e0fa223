"""A price book under a supposition: what calls would cost at other prices, exactly as a book says it.

Whoever prices calls by a book (here or in the engine) can be handed one of these instead.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from watchglass.pricing.book import Layers, PriceBook, Priced, PriceRequest, priced_by
from watchglass.pricing.source import Period, PriceSource, Schedule

_NEVER = 2**63 - 1


class Supposition(msgspec.Struct, frozen=True, kw_only=True):
    """Prices of one moment for all calls (`at_ns`), or another model for all of them, or both.

    Hours of the day still are those of the call; so are its tier and its tenant.
    """

    at_ns: int | None = None
    provider: str | None = None
    model: str | None = None


class SupposedBook(PriceBook):
    """Answers as a book would if that were so. What it does not know who served stays unknown."""

    def __init__(self, layers: Layers, supposed: Supposition) -> None:
        super().__init__(layers)
        self._supposed = supposed

    def copied(self) -> PriceBook:
        """See `PriceBook.copied`."""
        return SupposedBook(self.layers, self._supposed)

    def schedules(self, request: PriceRequest) -> list[tuple[PriceSource, Schedule]]:
        """See `PriceBook.schedules`."""
        supposed = self._supposed
        if supposed.model is not None and request.provider is not None:
            request = msgspec.structs.replace(
                request, provider=supposed.provider, request_model=supposed.model, response_model=None
            )
        found = super().schedules(request)
        if supposed.at_ns is None:
            return found
        return [(layer, _of_moment(schedule, supposed.at_ns)) for layer, schedule in found]

    def price(self, requests: Sequence[PriceRequest]) -> list[Priced]:
        """See `PriceBook.price`; slower, for nothing is remembered."""
        return [priced_by([each for _, each in self.schedules(one)], one) for one in requests]


def _of_moment(schedule: Schedule, at_ns: int) -> Schedule:
    """What holds at some hour of that moment's day, for ever."""
    bare = (Period(each.rates, each.since_ns, each.until_ns) for each in schedule.periods)
    holding = [each for each, plain in zip(schedule.periods, bare, strict=True) if plain.holds(at_ns)]
    if not holding:  # known, but not then: one that never holds says so
        return Schedule(tuple(Period(each.rates, _NEVER, _NEVER) for each in schedule.periods[:1]))
    return Schedule(tuple(Period(each.rates, None, None, each.daily) for each in holding))
