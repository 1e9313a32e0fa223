"""Sums up hours of calls in the background once they are quiet."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from watchglass.errors import StoreError, WatchglassError
from watchglass.store.engine import Engine
from watchglass.store.rollup import Days, Rollup, Summing
from watchglass.store.rollup_engine import CALLS
from watchglass.store.rollup_figures import BUCKET, COARSE, FIGURES, within
from watchglass.store.rollup_hours import DAY_S, HOUR_NS, HOUR_S, Retired
from watchglass.store.rollup_sites import SiteDay
from watchglass.store.rollup_statements import KEPT_SITES, ONE_THREAD, by_site, coarse, fine, into

log = logging.getLogger(__name__)

KEPT = "store.usage_hourly"
KEPT_DAYS = "store.usage_daily"

MOST_HOURS = 24
"""Hours in one statement; fewer as soon as one takes longer than `LONG_S`."""

MOST_DAYS = 7
LONG_S = 1.0
PAUSE_S = 1.0
RETRY_S = 10.0

_FIND = f"SELECT DISTINCT {BUCKET} AS bucket FROM {CALLS}"

_SUM_UP = fine(KEPT, FIGURES, "{within}")
_COARSEN = coarse(KEPT, FIGURES, "bucket IN {buckets:Array(Int64)}")
_MAKE_DAYS = f"""
{into(KEPT_DAYS, COARSE, FIGURES)}
SELECT
    'day',
    bucket - positiveModulo(bucket, {DAY_S}) AS start_of_day,
    {{generation:UInt64}},
    any(toStartOfDay(hour, 'UTC')),
    counted,
    {", ".join(COARSE)},
    {", ".join(f"{figure.of_kept} AS kept_{figure.name}" for figure in FIGURES)}
FROM {KEPT}
WHERE grain = 'coarse' AND (bucket, generation) IN
    arrayZip({{buckets:Array(Int64)}}, {{generations:Array(UInt64)}})
GROUP BY start_of_day, counted, {", ".join(COARSE)}
{ONE_THREAD}
"""

_REMOVE = """
DELETE FROM {table}
WHERE (bucket, generation) IN
    arrayZip({buckets:Array(Int64)}, {generations:Array(UInt64)})
"""

_REMOVE_OTHERS = """
DELETE FROM {table}
WHERE (bucket, generation) NOT IN
    arrayZip({buckets:Array(Int64)}, {generations:Array(UInt64)})
"""


class RollupKeeper:
    """Keeps `store.usage_hourly`, and sums of days. `step` does one piece of work; `start` runs steps on a
    thread."""

    def __init__(
        self, engine: Engine, rollup: Rollup, *, stopwatch: Callable[[], float] = time.perf_counter
    ) -> None:
        self._engine = engine
        self._rollup = rollup
        self._stopwatch = stopwatch
        self._hours = MOST_HOURS
        self._tidied = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchglass-rollup", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step that is under way; what is not summed up stays answered from calls."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def step(self) -> bool:
        """Do one piece of work; False when there was none. Raises `StoreError`."""
        epoch = self._rollup.discovering()
        if epoch is not None:
            found = self._engine.execute(_FIND)["bucket"].to_pylist()
            self._rollup.discovered((bucket * 10**9 // HOUR_NS for bucket in found), epoch)
            return True
        summing = self._rollup.begin(self._hours)
        if summing is not None:
            self._sum_up(summing)
            return True
        days = self._rollup.begin_days(MOST_DAYS)
        if days is not None:
            self._make(days)
            return True
        sites = self._rollup.sites.begin(self._rollup.coverage())
        if sites is not None:
            self._sum_up_sites(sites)
            return True
        return self._tidy()

    def _sum_up(self, summing: Summing) -> None:
        params: dict[str, object] = {"generation": summing.generation}
        ranges = [(hour * HOUR_NS, (hour + 1) * HOUR_NS) for hour in summing.hours]
        condition = within(ranges, params)
        began = self._stopwatch()
        try:
            self._engine.execute(_SUM_UP.replace("{within}", condition), params)
            params = {"generation": summing.generation, "buckets": [hour * HOUR_S for hour in summing.hours]}
            self._engine.execute(_COARSEN, params)
            self._rollup.commit(summing)
        except StoreError:
            self._rollup.abandon(summing)
            raise
        took = self._stopwatch() - began
        self._hours = max(1, self._hours // 2) if took > LONG_S else min(MOST_HOURS, self._hours + 1)

    def _make(self, days: Days) -> None:
        params: dict[str, object] = {
            "generation": days.generation,
            "buckets": list(days.hours),
            "generations": list(days.hours.values()),
        }
        try:
            self._engine.execute(_MAKE_DAYS, params)
            self._rollup.commit_days(days)
        except StoreError:
            self._rollup.abandon_days(days)
            raise

    def _sum_up_sites(self, day: SiteDay) -> None:
        params: dict[str, object] = {"bucket": day.bucket, "generation": day.generation}
        try:
            self._engine.execute(by_site(within([day.range], params)), params)
            self._rollup.retire(self._rollup.sites.commit(day))
        except StoreError:
            self._rollup.retire([(day.day, day.generation)])
            raise

    def _tidy(self) -> bool:
        """Remove what no question reads: retired generations, and once what a killed keeper left."""
        self._rollup.retire(self._rollup.sites.forget(self._rollup.coverage()))
        retired = self._rollup.retired()
        if not self._tidied:
            covered = self._rollup.coverage()
            kept = [
                *self._rollup.unremoved(),
                *(Retired(0, hour * HOUR_S, each) for hour, each in covered.clean.items()),
                *(Retired(0, day * DAY_S, each) for day, each in covered.days.items()),
                *(Retired(0, bucket, each) for bucket, each in self._rollup.sites.kept()),
            ]
            self._delete(_REMOVE_OTHERS, kept)
            self._tidied = True
        if retired:
            self._delete(_REMOVE, retired)
            self._rollup.removed(retired)
        return bool(retired)

    def _delete(self, statement: str, generations: list[Retired]) -> None:
        for table in (KEPT, KEPT_DAYS, KEPT_SITES):
            self._engine.execute(statement.replace("{table}", table), _pairs(generations))

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                pause = 0.0 if self.step() else PAUSE_S
            except WatchglassError as error:
                # Answers stay right without it, only slower.
                log.warning("calls could not be summed up, it will be tried again: %s", error)
                pause = RETRY_S
            self._stopping.wait(pause)


def _pairs(kept: list[Retired]) -> dict[str, object]:
    return {
        "buckets": [each.bucket for each in kept],
        "generations": [each.generation for each in kept],
    }
