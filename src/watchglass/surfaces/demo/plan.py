"""Which runs a day has, and when: a pure function of the seed and the date.

A run is the k-th of its workload on its day, whatever the window: another window has more or fewer of them,
never others. So what is sent twice is the same twice.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate
from random import Random

import msgspec

from watchglass.surfaces.demo import story
from watchglass.surfaces.demo.play import Planned, play
from watchglass.surfaces.demo.records import Run, Workload
from watchglass.surfaces.demo.workloads import WORKLOADS

_FIRST_LOOP_HOUR = 15
_BETWEEN_TURNS_NS = (35 * 10**9, 110 * 10**9)


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked at: the `days` before the midnight (UTC) that `now_ns` follows, and today until then.

    `rate` multiplies how much is done.
    """

    seed: int
    now_ns: int
    days: int = 30
    rate: float = 1.0

    @property
    def today(self) -> int:
        """The day of `now_ns`, counted from 1970-01-01."""
        return self.now_ns // story.DAY_NS

    def all_days(self) -> range:
        """From the first to today."""
        return range(self.today - self.days, self.today + 1)


def history(window: Window, newest_first: bool = False) -> Iterator[list[Run]]:
    """The runs of each day that have ended by now, in order of their begin."""
    days = window.all_days()
    for day in reversed(days) if newest_first else days:
        yield [run for run in runs_of(window, day) if run.end_ns <= window.now_ns]


def runs_of(window: Window, day: int) -> list[Run]:
    """All runs that begin on a day, in order of their begin."""
    found = [play(planned) for workload in WORKLOADS for planned in _planned(window, day, workload)]
    return sorted(found, key=lambda run: (run.start_ns, run.id))


def _planned(window: Window, day: int, workload: Workload) -> Iterator[Planned]:
    """The runs of a workload on a day; those of a conversation follow each other."""
    weights = list(accumulate(story.hours(workload)))
    wanted = story.runs_on(day, window.today, window.days, workload, window.rate)
    looping = story.loops_on(day, workload)
    for number in range(looping + round(wanted)):
        turn = number % workload.turns
        seed = f"{window.seed}/{day}/{workload.key}"
        rng = Random(f"{seed}/{number - turn}/start")
        hour = bisect(weights, rng.random() * weights[-1])
        if number < looping:
            hour = _FIRST_LOOP_HOUR + number
        into_day = int((hour + rng.random()) * story.HOUR_NS) + turn * rng.randrange(*_BETWEEN_TURNS_NS)
        yield Planned(
            workload=workload,
            seed=f"{seed}/{number}",
            session=f"{workload.flow_type}-{day}-{number - turn:04}",
            day=day,
            start_ns=day * story.DAY_NS + into_day,
            looping=number < looping,
        )
