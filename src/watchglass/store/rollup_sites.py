"""Which days' calls have been summed up by line of code, and whether that still is what those calls say.

A day's sums are good for exactly the generations of the hours that they were made of: an hour that is written
to, deleted from or summed up anew has another generation for ever after, and so has a day of it. Nobody who
writes needs to say anything here, and nothing is undone: a question compares. Kept on disk, so that a
command that opens the store for one question has them too; the sums are on disk before they are noted.
"""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from watchglass.clock import Clock
from watchglass.store.control import Control
from watchglass.store.rollup_hours import (
    DAY_HOURS,
    DAY_S,
    HOUR_S,
    KEPT_NS,
    Answering,
    Coverage,
    Range,
)
from watchglass.store.versions import VersionClock

AGAIN_NS = KEPT_NS
"""A day is not summed up again sooner: calls that trickle in late would have it read over and over."""


@dataclass(frozen=True, slots=True)
class SiteDay:
    """A day to be summed up under `generation`, made of hours whose generations are `made_of`."""

    day: int
    generation: int
    made_of: str

    @property
    def bucket(self) -> int:
        """Its start in seconds since 1970."""
        return self.day * DAY_S

    @property
    def range(self) -> tuple[int, int]:
        """Its bounds in nanoseconds, half open."""
        return self.bucket * 10**9, (self.bucket + DAY_S) * 10**9


class SiteDays:
    """The days that have sums, on disk in the control database. Thread-safe."""

    def __init__(self, control: Control, clock: Clock, versions: VersionClock) -> None:
        self._control = control
        self._clock = clock
        self._versions = versions
        self._lock = threading.Lock()
        found = control.run("SELECT day, generation, made_of FROM rollup_sites")
        # Replaced as a whole, never changed: a question may be reading it.
        self._days = {day: SiteDay(day, generation, made_of) for day, generation, made_of in found}
        self._made_ns: dict[int, int] = {}

    def answering(self, coverage: Coverage, since_ns: int, until_ns: int) -> Answering:
        """How `[since_ns, until_ns)` is answered: whole days that are what they were made of, else calls.

        Take `coverage` before, and ask calls after. See `Coverage.answering`.
        """
        found = coverage.answering(since_ns, until_ns)
        if not coverage.known:
            return found
        days = {
            each.bucket: each.generation
            for day, hours in _clean_days(coverage).items()
            if (each := self._days.get(day)) is not None
            and each.made_of == made_of(hours)
            and since_ns <= each.range[0]
            and each.range[1] <= until_ns
        }
        buckets = [start for start in found.buckets if start - start % DAY_S not in days]
        hours = [(start * 10**9, (start + HOUR_S) * 10**9) for start in buckets]
        return Answering({}, _joined([*hours, *found.ranges]), days)

    def begin(self, coverage: Coverage) -> SiteDay | None:
        """The latest day that is over, is all clean hours, and has no sums that are made of them."""
        if not coverage.known:
            return None
        now_ns = self._clock.now_ns()
        with self._lock:
            for day, hours in sorted(_clean_days(coverage).items(), reverse=True):
                made = self._days.get(day)
                if (day + 1) * DAY_S * 10**9 > now_ns or (made and made.made_of == made_of(hours)):
                    continue
                if day not in self._made_ns or now_ns - self._made_ns[day] >= AGAIN_NS:
                    self._made_ns[day] = now_ns
                    return SiteDay(day, self._versions.next(), made_of(hours))
        return None

    def commit(self, done: SiteDay) -> list[tuple[int, int]]:
        """Its sums are on disk; returns what they replace: day and generation.

        Were its hours written to since, they are another generation's, and nobody reads these.
        """
        with self._lock:
            self._control.change(
                (
                    "INSERT OR REPLACE INTO rollup_sites VALUES (?, ?, ?)",
                    (done.day, done.generation, done.made_of),
                )
            )
            before = self._days.get(done.day)
            self._days = {**self._days, done.day: done}
            return [] if before is None else [(before.day, before.generation)]

    def forget(self, coverage: Coverage) -> list[tuple[int, int]]:
        """Days that have no calls any more go, and are returned: day and generation."""
        if not coverage.known:
            return []
        with_calls = {hour // DAY_HOURS for hour in (*coverage.clean, *coverage.touched)}
        with self._lock:
            gone = [(each.day, each.generation) for each in self._days.values() if each.day not in with_calls]
            if gone:
                days = [day for day, _ in gone]
                self._control.change(
                    ("DELETE FROM rollup_sites WHERE day IN (SELECT value FROM json_each(?))", (str(days),))
                )
                self._days = {day: each for day, each in self._days.items() if day in with_calls}
            return gone

    def kept(self) -> list[tuple[int, int]]:
        """Start in s and generation of all that is noted, whether good or not."""
        return [(each.bucket, each.generation) for each in self._days.values()]


def made_of(hours: Mapping[int, int]) -> str:
    """What tells one state of a day's hours from another: a digest of hours and generations."""
    text = ",".join(f"{hour}:{generation}" for hour, generation in sorted(hours.items()))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _clean_days(coverage: Coverage) -> Mapping[int, Mapping[int, int]]:
    """By day its hours' generations; a day with a touched hour is not in it."""
    touched = {hour // DAY_HOURS for hour in coverage.touched}
    found: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for hour, generation in coverage.clean.items():
        if hour // DAY_HOURS not in touched:
            found[hour // DAY_HOURS][hour] = generation
    return found


def _joined(ranges: Iterable[Range]) -> list[Range]:
    """Ascending, and those that meet made one; none overlap."""
    made: list[Range] = []
    for since, until in sorted(ranges, key=lambda each: each[0] or 0):
        if made and made[-1][1] == since:
            made[-1] = (made[-1][0], until)
        else:
            made.append((since, until))
    return made
