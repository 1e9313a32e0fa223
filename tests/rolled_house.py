"""A store with a rollup beside its rows, whose keeper and clock a test holds in its hands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from tests.stored_rows import insert
from watchglass.clock import ManualClock
from watchglass.queries.lists.question import ListQuestion, Page
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import EVERYTHING as EVERYBODY
from watchglass.queries.scope import Scope
from watchglass.queries.sites import RecordedSites, SitesQuestion
from watchglass.queries.usage import UsageQuestion, UsageReport, answering
from watchglass.store import Engine, Limits, RollupKeeper, Store
from watchglass.store.rollup import Rollup
from watchglass.store.rollup_engine import RolledEngine
from watchglass.store.rollup_hours import QUIET_NS


class Rows:
    """The same store without its rollup; `before` and `after` are told of each statement that sums up."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def execute(
        self, sql: str, params: Mapping[str, object] = {}, *, limits: Limits | None = None
    ) -> pa.Table:
        sums = sql.lstrip().startswith(("INSERT INTO store.usage_hourly", "INSERT INTO store.sites_daily"))
        if sums:
            self.before()
        found = self._engine.execute(sql, params, limits=limits)
        if sums:
            self.after()
        return found

    def insert(self, table: str, batches: Sequence[pa.RecordBatch]) -> int:
        return self._engine.insert(table, batches)

    def close(self) -> None:
        self._engine.close()


class House:
    """A store whose rollup can be killed and opened again without opening the engine again."""

    def __init__(self, store: Store, clock: ManualClock, engine: Engine | None = None) -> None:
        """`engine` is the store's own, as a test wants it to behave."""
        self.store, self.clock = store, clock
        self.rows = Rows(engine or store.engine)
        self.number = 0
        self.reopen()
        for table in ("calls", "usage_expired", "expired_calls", "expired_passes"):
            self.engine.execute(f"TRUNCATE TABLE store.{table}")
        self.reopen()

    def reopen(self) -> None:
        """What a kill leaves is what is on disk."""
        rollup = Rollup(self.store.control, self.clock, self.store.versions)
        self.rows.before = self.rows.after = lambda: None
        self.engine = RolledEngine(self.rows, rollup)
        self.engine.archive.recover()
        self.keeper = RollupKeeper(self.rows, rollup)

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        insert(self.engine, "calls", rows)

    def keep(self) -> None:
        """Let all be quiet, and sum up what can be."""
        self.clock.advance_ns(QUIET_NS)
        while self.keeper.step():
            pass

    def same(self, question: UsageQuestion, scope: Scope = EVERYBODY) -> UsageReport:
        """The answer, after it was found equal to the one from rows."""
        answer = StoreReader(self.engine, scope=scope).usage(question)
        assert answer == StoreReader(self.rows, scope=scope).usage(question)
        return answer

    def same_sites(self, question: SitesQuestion, scope: Scope = EVERYBODY) -> RecordedSites:
        """The lines of code, after they were found equal to those from rows."""
        answer = StoreReader(self.engine, scope=scope).sites(question)
        assert answer == StoreReader(self.rows, scope=scope).sites(question)
        return answer

    def same_page(self, question: ListQuestion) -> Page:
        """The page, after it was found equal to the one that is looked for in all rows."""
        now_ns = self.clock.now_ns()
        answer = StoreReader(self.engine).page(question, now_ns)
        assert answer == StoreReader(self.rows).page(question, now_ns)
        return answer

    def from_rollup(self, question: UsageQuestion) -> tuple[int, int]:
        """Hours that the rollup answers, and ranges of time that calls do."""
        found = answering(self.engine, question)
        return len(found.buckets), len(found.ranges)
