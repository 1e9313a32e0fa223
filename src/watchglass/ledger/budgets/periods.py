"""When a budget's period begins and ends: days and months by the calendar of its zone.

A day that has a change of the clocks is 23 or 25 hours long, and so is its month. Hours are those of UTC
in every zone: the clocks change by whole hours nearly everywhere, and an hour cut in two has no sense.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from watchglass.store.budgets import Period

_HOUR_NS = 3_600_000_000_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Span(NamedTuple):
    """`[since_ns, until_ns)`."""

    since_ns: int
    until_ns: int


def period_at(period: Period, zone: str, at_ns: int) -> Span:
    """The period that a moment lies in.

    >>> span = period_at("day", "Europe/Berlin", 1_774_742_400_000_000_000)  # 2026-03-29, clocks go forward
    >>> (span.until_ns - span.since_ns) // 3_600_000_000_000
    23
    """
    if period == "hour":
        since_ns = at_ns - at_ns % _HOUR_NS
        return Span(since_ns, since_ns + _HOUR_NS)
    local = (_EPOCH + dt.timedelta(seconds=at_ns // 1_000_000_000)).astimezone(ZoneInfo(zone)).date()
    return _calendar(period, zone, local)


@lru_cache(maxsize=4096)
def _calendar(period: Period, zone: str, day: dt.date) -> Span:
    if period == "day":
        return Span(_midnight(day, zone), _midnight(day + dt.timedelta(days=1), zone))
    first = day.replace(day=1)
    return Span(_midnight(first, zone), _midnight((first + dt.timedelta(days=32)).replace(day=1), zone))


def _midnight(day: dt.date, zone: str) -> int:
    """The first moment of a day. One that is skipped is read with the offset before: when the clocks jump."""
    local = dt.datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    since = local.astimezone(dt.UTC) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000_000
