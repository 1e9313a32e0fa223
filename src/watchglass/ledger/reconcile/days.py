"""The days of a bill: stretches of time that do not overlap, cut where its provider cuts them."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from watchglass.queries.plain import moment

HOUR_NS = 3_600 * 10**9
LONGEST_DAY_NS = 25 * HOUR_NS
MOST_DAYS = 5_000
_FIRST = (
    "UTC",
    *("America/Los_Angeles", "America/New_York", "Europe/London", "Europe/Berlin"),
    *("Asia/Shanghai", "Asia/Tokyo", "Asia/Kolkata"),
)


class Day(NamedTuple):
    """`[since_ns, until_ns)`, and how people call it."""

    since_ns: int
    until_ns: int
    label: str


def day_of(at_ns: int, zone: str) -> tuple[int, int]:
    """The day of a zone that a moment is in."""
    local = dt.datetime.fromtimestamp(at_ns // 10**9, ZoneInfo(zone)).date()
    return midnight(local, zone), midnight(local + dt.timedelta(days=1), zone)


def midnight(day: dt.date, zone: str) -> int:
    """The first nanosecond of a day; where the clocks skip midnight, the first that there is."""
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()) * 10**9


def apart(spans: Iterable[tuple[int, int, str]], window: tuple[int, int]) -> list[Day]:
    """Days that cover the window: the bill's, overlapping ones as one, and days of its zone between."""
    lines = sorted(spans)
    zone = lines[0][2] if lines else "UTC"
    merged: list[list[int]] = []
    for since, until, _ in lines:
        if merged and since < merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], until)
        else:
            merged.append([since, until])
    days: list[Day] = []
    at = min([window[0], *(each[0] for each in merged)])
    for since, until in merged:
        days += _fill(at, since, zone)
        days.append(named(since, until, zone))
        at = until
    return [*days, *_fill(at, window[1], zone)]


def _fill(since_ns: int, until_ns: int, zone: str) -> list[Day]:
    days: list[Day] = []
    while since_ns < until_ns and len(days) < MOST_DAYS:
        end = min(until_ns, day_of(since_ns, zone)[1])
        days.append(named(since_ns, end, zone))
        since_ns = end
    return days


def named(since_ns: int, until_ns: int, zone: str) -> Day:
    """A stretch of time by its date, or by its ends where it is no day."""
    date = dt.datetime.fromtimestamp(since_ns // 10**9, ZoneInfo(zone)).date()
    if (since_ns, until_ns) == day_of(since_ns, zone):
        return Day(since_ns, until_ns, date.isoformat())
    return Day(since_ns, until_ns, f"{short(since_ns)}/{short(until_ns)}")


def short(at_ns: int) -> str:
    """A moment without idle zeros."""
    return moment(at_ns).replace(".000000000Z", "Z").removesuffix("T00:00:00Z")


def place(days: Sequence[Day], at_ns: int) -> Day | None:
    """The day that a moment is in."""
    index = bisect_right([each.since_ns for each in days], at_ns) - 1
    return days[index] if index >= 0 and at_ns < days[index].until_ns else None


@lru_cache(maxsize=16)
def zones(since_ns: int, until_ns: int) -> list[str]:
    """One zone for each way to cut the days of a time, the usual ones first."""
    first, last = (dt.datetime.fromtimestamp(each // 10**9, dt.UTC).date() for each in (since_ns, until_ns))
    dates = [first + dt.timedelta(days=number) for number in range((last - first).days + 2)][:400]
    seen: dict[tuple[int, ...], str] = {}
    others = sorted(each for each in available_timezones() if "/" in each and not each.startswith("Etc/"))
    for zone in dict.fromkeys((*_FIRST, *others)):
        seen.setdefault(tuple(midnight(each, zone) for each in dates), zone)
    return list(seen.values())
