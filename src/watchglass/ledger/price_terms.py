"""What the price book says of some calls' models, as small numbered tables that an engine can look up.

A price depends on the names of a call (its *key*), on its time, on the time of the day and on how much
input it has. Each of the last three changes a price only at certain values, the *breaks*; between two
breaks lies a *slot*. So the book is asked once for every key and slot, and no more for any call.

    key → timeline;  timeline, slot of time → segment;  segment, slot of the day → rates;  rates, slot of
    input → prices a token
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

import msgspec

from watchglass.ledger.window import Window
from watchglass.model import Usage
from watchglass.pricing.book import (
    MODEL_MISSING,
    NO_PRICE_AT_DATE,
    TIER_UNKNOWN,
    UNKNOWN_MODEL,
    UNKNOWN_PROVIDER,
    PriceBook,
    Priced,
    PriceRequest,
)
from watchglass.pricing.rates import Rates
from watchglass.pricing.source import DAY_NS, Period

FIRST, LAST = -(2**63), 2**63 - 1
"""What a moment or a count can be in a row."""

Answer = Rates | Priced
"""Rates, or why there are none."""

KEPT = Priced(None, None, None, "kept")
"""What is said of names that the book was not asked about."""


class Key(msgspec.Struct, frozen=True):
    """The names of a call that its price depends on."""

    provider: str | None
    response_model: str | None
    request_model: str | None
    service_tier: str | None
    tenant: str | None = None


class Terms(msgspec.Struct, frozen=True):
    """The tables. A slot's number is how many of the breaks are at or below a value."""

    time_breaks: list[int]
    day_breaks: list[int]
    input_breaks: list[int]
    timelines: list[int]
    """Of each key; 0 is that of all other keys (`KEPT`)."""
    segments: list[int]
    """Of each timeline and slot of time: `timeline * (len(time_breaks) + 1) + slot`."""
    days: list[int]
    """Number of the answer, of each segment and slot of the day."""
    answers: list[Answer]


def terms(book: PriceBook, keys: Sequence[Key], window: Window) -> Terms:
    """Ask the book for these keys, for calls of this window."""
    numbers = {_Timeline((), KEPT): 0}
    timelines = [numbers.setdefault(_timeline(book, key), len(numbers)) for key in keys]
    first = FIRST if window.since_ns is None else max(window.since_ns, FIRST)
    last = LAST if window.until_ns is None else min(window.until_ns - 1, LAST)
    periods = [period for timeline in numbers for period in timeline.periods]
    time_breaks = _between(first, last, (at for each in periods for at in (each.since_ns, each.until_ns)))
    day_breaks = _between(0, DAY_NS - 1, (at for each in periods for at in each.daily or ()))
    answers: dict[Answer, int] = {}
    days: dict[tuple[int, ...], int] = {}
    segments: list[int] = []
    for timeline in numbers:
        segments += _segments(timeline, [first, *time_breaks], [0, *day_breaks], answers, days)
    thresholds = (above + 1 for each in answers if isinstance(each, Rates) for above, _ in each.above)
    return Terms(
        time_breaks,
        day_breaks,
        _between(FIRST, LAST, thresholds),
        timelines,
        segments,
        [number for slots in days for number in slots],
        list(answers),
    )


class _Timeline(msgspec.Struct, frozen=True):
    """All periods, the first that holds wins; and what is said of a time at which none does."""

    periods: tuple[Period, ...]
    otherwise: Priced


def _timeline(book: PriceBook, key: Key) -> _Timeline:
    unnamed = key.request_model is None and key.response_model is None
    if key.provider is None:
        return _Timeline((), MODEL_MISSING if unnamed else UNKNOWN_PROVIDER)
    found = book.schedules(_request(key))
    if not found:
        return _Timeline((), MODEL_MISSING if unnamed else UNKNOWN_MODEL)
    periods = tuple(period for _, schedule in found for period in schedule.periods)
    return _Timeline(periods, NO_PRICE_AT_DATE if periods else TIER_UNKNOWN)


def _request(key: Key) -> PriceRequest:
    return PriceRequest(
        provider=key.provider,
        request_model=key.request_model,
        response_model=key.response_model,
        at_ns=0,
        usage=Usage(),
        service_tier=key.service_tier,
        tenant=key.tenant,
    )


def _between(first: int, last: int, values: Iterable[int | None]) -> list[int]:
    """Where a slot begins, other than at the first value of all."""
    return sorted({value for value in values if value is not None and first < value <= last})


def _segments(
    timeline: _Timeline,
    starts: Sequence[int],
    day_starts: Sequence[int],
    answers: dict[Answer, int],
    days: dict[tuple[int, ...], int],
) -> list[int]:
    """The segment of each slot of time; asks only where one of this timeline's own begins or ends."""
    own = _between(
        starts[0], starts[-1], (at for each in timeline.periods for at in (each.since_ns, each.until_ns))
    )
    found: list[int] = []
    for at_ns in (starts[0], *own):
        holding = [each for each in timeline.periods if _covers(each, at_ns)]
        slots = tuple(
            answers.setdefault(_first(holding, moment) or timeline.otherwise, len(answers))
            for moment in day_starts
        )
        found.append(days.setdefault(slots, len(days)))
    return [found[bisect_right(own, at_ns)] for at_ns in starts]


def _covers(period: Period, at_ns: int) -> bool:
    """Whether it holds at some time of that day, if not at this."""
    return Period(period.rates, period.since_ns, period.until_ns).holds(at_ns)


def _first(holding: Sequence[Period], moment: int) -> Rates | None:
    """Which of those that cover a day holds at this moment of it."""
    for each in holding:
        if Period(each.rates, None, None, each.daily).holds(moment):
            return each.rates
    return None
