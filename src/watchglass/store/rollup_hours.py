"""What a question is told of the rollup: which hours and days it answers for, and which only calls know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

HOUR_S = 3600
HOUR_NS = HOUR_S * 10**9
DAY_HOURS = 24
DAY_S = DAY_HOURS * HOUR_S

QUIET_NS = 10 * 10**9
"""An hour is summed up when nothing has been written to it for so long: settling is done by then."""

KEPT_NS = 600 * 10**9
"""A generation stays for so long after another has replaced it: longer than any question runs."""

Range: TypeAlias = "tuple[int | None, int | None]"


@dataclass(frozen=True, slots=True)
class Answering:
    """Where the calls of a span of time are: `buckets` of the rollup (start in s → generation), `days` of it
    likewise, and the `ranges` of time, half open, ascending and apart, that only calls know.

    None is no bound.
    """

    buckets: Mapping[int, int]
    ranges: Sequence[Range]
    days: Mapping[int, int] = field(default_factory=dict[int, int])

    def without(self, since_s: int, until_s: int) -> Answering:
        """The same, without days, but for these whole hours, in seconds since 1970."""
        assert not self.days
        buckets = {start: each for start, each in self.buckets.items() if not since_s <= start < until_s}
        ranges: list[Range] = []
        for since, until in self.ranges:
            before, after = since_s * 10**9, until_s * 10**9
            if since is None or since < before:
                ranges.append((since, before if until is None else min(until, before)))
            if until is None or until > after:
                ranges.append((after if since is None else max(since, after), until))
        return Answering(buckets, ranges)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The state of all hours at one moment. `known` is False when there may be hours that are not in it."""

    known: bool
    clean: Mapping[int, int]
    touched: frozenset[int]
    days: Mapping[int, int] = field(default_factory=dict[int, int])

    def answering(self, since_ns: int | None, until_ns: int | None, *, by_day: bool = False) -> Answering:
        """How `[since_ns, until_ns)` is answered: whole clean hours from the rollup, all else from calls.

        `by_day` is whether whole days will do for whole days of clean hours.
        """
        if not self.known:
            return Answering({}, [(since_ns, until_ns)])
        buckets: dict[int, int] = {}
        ranges: list[Range] = []
        for hour in sorted(self.touched | self.clean.keys()):
            begin, end = hour * HOUR_NS, (hour + 1) * HOUR_NS
            since = begin if since_ns is None else max(begin, since_ns)
            until = end if until_ns is None else min(end, until_ns)
            if since >= until:
                continue
            if (since, until) == (begin, end) and hour in self.clean:
                buckets[hour * HOUR_S] = self.clean[hour]
            elif ranges and ranges[-1][1] == since:
                ranges[-1] = (ranges[-1][0], until)
            else:
                ranges.append((since, until))
        days: dict[int, int] = {}
        for day, generation in self.days.items() if by_day else ():
            begin, end = day * DAY_S, (day + 1) * DAY_S
            if (since_ns is None or begin * 10**9 >= since_ns) and (
                until_ns is None or end * 10**9 <= until_ns
            ):
                days[begin] = generation
                for start in range(begin, end, HOUR_S):
                    buckets.pop(start, None)
        return Answering(buckets, ranges, days)


@dataclass(frozen=True, slots=True)
class Retired:
    """A generation of a bucket that no question begun after `at_ns` reads."""

    at_ns: int
    bucket: int
    generation: int
