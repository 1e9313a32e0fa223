"""Which hours of calls the rollup answers for, exactly, whatever writes and whenever it is killed.

An hour is *clean* when the rollup's rows of its current generation say what its calls say, else
*touched*. A question takes clean hours from the rollup and all else from calls. What holds it together:

- Whoever writes calls goes through `changing` (the engine that `open_store` hands out sees to it), which
  notes the hours as touched, on disk, *before* the first row is written: a kill leaves an hour touched
  that need not be, never one clean that is not. Noting costs a write only when an hour was clean.
- The keeper sums up an hour only while nobody writes to it, under a generation of its own, and `commit`
  makes it clean only if nobody began to write to it since: a row that the sum lacks has a note, and
  the note is what makes the commit pass it over. The sum is on disk before the note is taken back.
- A question takes its `Coverage` first. Whatever happens afterwards to an hour that is clean in it, the
  generation it names stays whole in the rollup for `KEPT_NS`; a row that was acknowledged before had
  made its hour touched before.
- A day that is over and whose hours are all clean has sums of its own, made of theirs, until one of its hours
  is touched or added. That is known in memory only: days are made anew at a start.
- Statements that change calls by themselves (a deletion, a test's TRUNCATE) make all hours unknown,
  unless they say which they change. Unknown hours are answered from calls until they are found again.

Nothing here reads or writes rows: that is `rollup_keeper`.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from watchglass.clock import Clock
from watchglass.store.control import Control
from watchglass.store.rollup_hours import (
    DAY_HOURS,
    DAY_S,
    HOUR_NS,
    HOUR_S,
    KEPT_NS,
    QUIET_NS,
    Coverage,
    Retired,
)
from watchglass.store.rollup_sites import SiteDays
from watchglass.store.versions import VersionClock

_KNOWN = "rollup_hours_known"


@dataclass(slots=True)
class _Hour:
    generation: int = 0
    writers: int = 0
    touches: int = 0
    touched_ns: int = 0


@dataclass(frozen=True, slots=True)
class Summing:
    """Hours to be summed up under `generation`, with how often each had been touched when it began."""

    generation: int
    touches: Mapping[int, int]
    epoch: int

    @property
    def hours(self) -> list[int]:
        """Ascending."""
        return sorted(self.touches)


@dataclass(frozen=True, slots=True)
class Days:
    """Days to be made of their hours under `generation`; `hours` are those they have, start → generation."""

    generation: int
    days: Sequence[int]
    hours: Mapping[int, int]
    epoch: int


def hours_of(batches: Iterable[pa.RecordBatch]) -> set[int]:
    """The hours since 1970 in which these calls began."""
    hours: set[int] = set()
    for batch in batches:
        moments = batch.column("time").cast(pa.int64()).to_numpy(zero_copy_only=False)
        hours.update(np.unique(moments // HOUR_NS).tolist())
    return hours


@dataclass(slots=True)
class _State:
    known: bool = False
    epoch: int = 0
    rewriting: int = 0
    hours: dict[int, _Hour] = field(default_factory=dict[int, _Hour])
    retired: list[Retired] = field(default_factory=list[Retired])
    days: dict[int, int] = field(default_factory=dict[int, int])


class Rollup:
    """The hours' states, on disk in the control database. Thread-safe."""

    def __init__(self, control: Control, clock: Clock, versions: VersionClock) -> None:
        self._control = control
        self._clock = clock
        self._versions = versions
        # Held while a note is written too: a writer must not pass another one's that is under way.
        self._lock = threading.Lock()
        self._state = _State(known=control.get(_KNOWN) is not None)
        if self._state.known:
            found = control.run("SELECT hour, generation FROM rollup_hours")
            self._state.hours = {hour: _Hour(generation) for hour, generation in found}
        self._coverage = self._covered()
        self.sites = SiteDays(control, clock, versions)
        """Which days have sums by line of code."""

    def coverage(self) -> Coverage:
        """The states now; never waits."""
        return self._coverage

    @contextmanager
    def changing(self, hours: Iterable[int]) -> Generator[None]:
        """While calls of these hours (since 1970) are written or deleted.

        Raises `StoreFull` or `StoreError` when they cannot be noted; then nothing may be written.
        """
        hours = set(hours)
        with self._lock:
            self._note(hours)
            for hour in hours:
                self._state.hours[hour].writers += 1
        try:
            yield
        finally:
            with self._lock:
                now_ns = self._clock.now_ns()
                for hour in hours:
                    state = self._state.hours[hour]
                    state.writers -= 1
                    state.touches += 1
                    state.touched_ns = now_ns

    @contextmanager
    def rewriting(self) -> Generator[None]:
        """While calls of hours that nobody names are changed."""
        with self._lock:
            self._distrust()
            self._state.rewriting += 1
        try:
            yield
        finally:
            with self._lock:
                self._state.rewriting -= 1
                self._distrust()

    def emptied(self, hours: Iterable[int]) -> None:
        """These hours have no calls any more, and nobody writes to them: they need not be known."""
        with self._lock:
            gone = [
                hour for hour in hours if hour in self._state.hours and not self._state.hours[hour].writers
            ]
            if not gone:
                return
            self._control.change(
                ("DELETE FROM rollup_hours WHERE hour IN (SELECT value FROM json_each(?))", (str(gone),))
            )
            # What is being summed up or looked for at this moment may be of these hours.
            self._state.epoch += 1
            now_ns = self._clock.now_ns()
            self._undo_days(gone)
            for hour in gone:
                each = self._state.hours.pop(hour)
                if each.generation:
                    self._state.retired.append(Retired(now_ns, hour * HOUR_S, each.generation))
            self._coverage = self._covered()

    def discovering(self) -> int | None:
        """The epoch under which all hours with calls should be looked up; None when they are known."""
        with self._lock:
            return None if self._state.known or self._state.rewriting else self._state.epoch

    def discovered(self, hours: Iterable[int], epoch: int) -> None:
        """All hours that had calls when asked under `epoch`; those written to since are known anyway."""
        with self._lock:
            if epoch != self._state.epoch or self._state.known:
                return
            for hour in hours:
                self._state.hours.setdefault(hour, _Hour())
            self._control.change(
                ("DELETE FROM rollup_hours", ()),
                (
                    "INSERT INTO rollup_hours SELECT value, 0 FROM json_each(?)",
                    (str(list(self._state.hours)),),
                ),
                ("INSERT OR REPLACE INTO meta VALUES (?, '1')", (_KNOWN,)),
            )
            self._state.known = True
            self._coverage = self._covered()

    def begin(self, limit: int) -> Summing | None:
        """Up to `limit` touched hours that are quiet, the latest first, to be summed up now."""
        with self._lock:
            quiet_ns = self._clock.now_ns() - QUIET_NS
            due = [
                hour
                for hour, state in self._state.hours.items()
                if not state.generation and not state.writers and state.touched_ns <= quiet_ns
            ]
            if not due or not self._state.known:
                return None
            chosen = sorted(due, reverse=True)[:limit]
            touches = {hour: self._state.hours[hour].touches for hour in chosen}
            return Summing(self._versions.next(), touches, self._state.epoch)

    def commit(self, done: Summing) -> None:
        """The sums of `done` are on disk: its hours are clean, except those written to since."""
        with self._lock:
            if done.epoch != self._state.epoch:
                self._retire(done, done.touches)
                return
            clean = [
                hour
                for hour, touches in done.touches.items()
                if (state := self._state.hours[hour]).touches == touches and not state.writers
            ]
            self._write(clean, done.generation)
            for hour in clean:
                self._state.hours[hour].generation = done.generation
            self._retire(done, done.touches.keys() - set(clean))
            self._coverage = self._covered()

    def begin_days(self, limit: int) -> Days | None:
        """Up to `limit` days that are over, have no sums of their own and no hour that is not clean."""
        with self._lock:
            today = self._clock.now_ns() // (DAY_S * 10**9)
            hours: dict[int, dict[int, int]] = {}
            for hour, state in self._state.hours.items():
                hours.setdefault(hour // DAY_HOURS, {})[hour * HOUR_S] = state.generation
            due = [
                day
                for day, found in hours.items()
                if day < today and day not in self._state.days and all(found.values())
            ]
            if not due or not self._state.known:
                return None
            chosen = sorted(due, reverse=True)[:limit]
            found = {start: each for day in chosen for start, each in hours[day].items()}
            return Days(self._versions.next(), chosen, found, self._state.epoch)

    def commit_days(self, done: Days) -> None:
        """The sums of these days are on disk: those whose hours are what they were have them."""
        with self._lock:
            now = {
                hour * HOUR_S: state.generation
                for hour, state in self._state.hours.items()
                if hour // DAY_HOURS in set(done.days)
            }
            changed = {start // DAY_S for start, _ in now.items() ^ done.hours.items()}
            for day in done.days:
                if day in changed or done.epoch != self._state.epoch:
                    self._retire_day(day, done.generation)
                else:
                    self._state.days[day] = done.generation
            self._coverage = self._covered()

    def abandon_days(self, done: Days) -> None:
        """The sums of these days could not be written: what is there of them is nobody's."""
        with self._lock:
            for day in done.days:
                self._retire_day(day, done.generation)

    def retire(self, days: Iterable[tuple[int, int]]) -> None:
        """No question that begins now reads these generations (day, generation) any more."""
        with self._lock:
            for day, generation in days:
                self._retire_day(day, generation)

    def _retire_day(self, day: int, generation: int) -> None:
        self._state.retired.append(Retired(self._clock.now_ns(), day * DAY_S, generation))

    def _undo_days(self, hours: Iterable[int]) -> None:
        """The days of these hours are no longer what they were made of."""
        for day in {hour // DAY_HOURS for hour in hours} & self._state.days.keys():
            self._retire_day(day, self._state.days.pop(day))

    def abandon(self, done: Summing) -> None:
        """The sums of `done` could not be written or committed: what is there of them is nobody's."""
        with self._lock:
            self._retire(done, done.touches)

    def retired(self) -> list[Retired]:
        """Generations that no question can be reading any more; none until it is worth removing them.

        Removing rewrites parts: with a call now and then it would be done all the time, each for one hour.
        """
        with self._lock:
            now_ns = self._clock.now_ns()
            if all(each.at_ns > now_ns - 2 * KEPT_NS for each in self._state.retired):
                return []
            return [each for each in self._state.retired if each.at_ns <= now_ns - KEPT_NS]

    def unremoved(self) -> list[Retired]:
        """All generations that have been replaced and are still in the rollup."""
        with self._lock:
            return list(self._state.retired)

    def removed(self, gone: Iterable[Retired]) -> None:
        """The rows of these generations are no more."""
        with self._lock:
            known = set(gone)
            self._state.retired = [each for each in self._state.retired if each not in known]

    def _retire(self, done: Summing, hours: Iterable[int]) -> None:
        now_ns = self._clock.now_ns()
        self._state.retired += [Retired(now_ns, hour * HOUR_S, done.generation) for hour in hours]

    def _note(self, hours: set[int]) -> None:
        """Touched, on disk first: should that fail, nothing has changed and nothing is written."""
        state = self._state
        fresh = [hour for hour in hours if hour not in state.hours or state.hours[hour].generation]
        if fresh:
            if state.known:
                self._write(fresh, 0)
            now_ns = self._clock.now_ns()
            self._undo_days(fresh)
            for hour in fresh:
                each = state.hours.setdefault(hour, _Hour())
                if each.generation:
                    state.retired.append(Retired(now_ns, hour * HOUR_S, each.generation))
                each.generation = 0
            self._coverage = self._covered()

    def _write(self, hours: Sequence[int], generation: int) -> None:
        if hours:
            self._control.change(
                (
                    "INSERT OR REPLACE INTO rollup_hours SELECT value, ? FROM json_each(?)",
                    (generation, str(list(hours))),
                )
            )

    def _distrust(self) -> None:
        state = self._state
        if state.known:
            self._control.change(("DELETE FROM meta WHERE key = ?", (_KNOWN,)))
        state.known = False
        state.epoch += 1
        self._undo_days(list(state.hours))
        now_ns = self._clock.now_ns()
        for hour, each in state.hours.items():
            if each.generation:
                state.retired.append(Retired(now_ns, hour * HOUR_S, each.generation))
            each.generation, each.touches, each.touched_ns = 0, each.touches + 1, now_ns
        # Those that nobody is writing to are found again, if there is anything in them.
        state.hours = {hour: each for hour, each in state.hours.items() if each.writers}
        self._coverage = self._covered()

    def _covered(self) -> Coverage:
        hours = self._state.hours
        clean = {hour: each.generation for hour, each in hours.items() if each.generation}
        touched = frozenset(hours.keys() - clean.keys())
        return Coverage(self._state.known, clean, touched, dict(self._state.days))
