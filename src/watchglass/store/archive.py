"""Keeps the sums of calls that retention deletes, so that totals of the past stay what they were.

Each hour's calls are summed up as the rollup does it, under a new generation, beside the identity of each
(also of those that did not count: what made them duplicates goes as well). Then one row switches readers
over, then the rows go. Whatever is killed when, a call is counted once:

- before the switch nobody reads the new generation, and the rows are there;
- after it nobody reads the rows (`Expiry.deleting`), and the next opening deletes them;
- no row of these hours comes in meanwhile (`Gate`), and none that is in the archive ever again
  (`expired.not_archived`). Others that come late count beside the archive, until the next pass adds them.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import pyarrow as pa

from watchglass.store.engine import Engine
from watchglass.store.expired import (
    IDENTITIES,
    IDENTITY,
    PASSES,
    Expiry,
    Gate,
    not_archived,
    read_expiry,
)
from watchglass.store.rollup import Rollup
from watchglass.store.rollup_figures import BUCKET, FIGURES, Figure
from watchglass.store.rollup_hours import HOUR_S
from watchglass.store.rollup_statements import coarse, fine

ARCHIVE = "store.usage_expired"

Rows: TypeAlias = "Sequence[pa.RecordBatch]"

_FIGURES = (
    *FIGURES,
    Figure("total_tokens", "sum(input_tokens + output_tokens)", "sum(total_tokens)"),
)

_RANGE = """
time >= fromUnixTimestamp64Nano({since:Int64} * 1000000000, 'UTC')
    AND time < fromUnixTimestamp64Nano({until:Int64} * 1000000000, 'UTC')
"""

_SUM_UP = fine(ARCHIVE, _FIGURES, _RANGE)
_COARSEN = coarse(ARCHIVE, _FIGURES, "1")

_IDENTIFY = f"""
INSERT INTO {IDENTITIES} (bucket, tenant, id, generation)
SELECT {BUCKET} AS bucket, tenant, {IDENTITY}, {{generation:UInt64}}
FROM store.calls FINAL
WHERE {_RANGE}
SETTINGS max_threads = 1, max_insert_threads = 1
"""

_SWITCH = f"""
INSERT INTO {PASSES} (generation, since, until, state)
SELECT {{generation:UInt64}}, {{since:Int64}}, {{until:Int64}}, {{state:UInt8}}
"""

_HOURS = f"SELECT DISTINCT {BUCKET} AS bucket FROM store.calls WHERE {_RANGE}"

_DELETE = f"ALTER TABLE store.calls DELETE WHERE {_RANGE} SETTINGS mutations_sync = 1"


class Archive:
    """The archive of one store, and who may write calls of hours that are in it. Thread-safe."""

    def __init__(self, engine: Engine, rollup: Rollup, alone: threading.RLock) -> None:
        """`engine` is the one below: what is done here says itself which hours it changes. `alone` is what
        those hold who write calls back or delete them (`RolledEngine.alone`)."""
        self._engine = engine
        self._rollup = rollup
        self._gate = Gate()
        self._alone = alone
        self._known: Expiry | None = read_expiry(engine)

    @property
    def expiry(self) -> Expiry:
        """What has expired; asks the store only while that changes, or is not sure to have changed."""
        return self._known or read_expiry(self._engine)

    @property
    def unfinished(self) -> bool:
        """Whether a pass has failed that must be recovered from before calls are written back or deleted."""
        return self.expiry.deleting is not None

    def expire(self, since_s: int, until_s: int, delete: str) -> None:
        """Archive the calls of these whole hours, then run `delete`, which MUST delete them and nothing else.

        The bounds are in seconds since 1970. Raises `StoreError`; what is half done then is finished or
        undone by whoever comes next.
        """
        with self._alone, self._gate.closed(until_s // HOUR_S):
            self.recover()
            generation = self.expiry.generation + 1
            bounds = {"since": since_s, "until": until_s, "generation": generation}
            for statement in (_SUM_UP, _COARSEN, _IDENTIFY):
                self._engine.execute(statement, bounds)
            self._switch(bounds, 0)
            self._finish(delete)

    def recover(self) -> None:
        """Finish or undo what a pass that failed or was killed left half done. Raises `StoreError`."""
        with self._alone:
            expiry = self._known = read_expiry(self._engine)
            if expiry.deleting is not None:
                self._finish(_DELETE)
            for table in (ARCHIVE, IDENTITIES):
                self._forget_after(table, expiry.generation)

    @contextmanager
    def admitting(self, hours: Collection[int], batches: Sequence[pa.RecordBatch]) -> Generator[Rows]:
        """While calls of these hours are written: those of `batches` that the archive has not counted."""
        lowest = min(hours)
        while True:
            with self._gate.writing(lowest):
                expiry = self.expiry
                # A pass that failed after its switch: its rows are to be deleted before others come.
                if expiry.deleting is None or lowest * HOUR_S >= expiry.deleting[1]:
                    yield not_archived(self._engine, batches, expiry)
                    return
            self.recover()

    def _finish(self, delete: str) -> None:
        expiry = self.expiry
        assert expiry.deleting is not None
        since_s, until_s = expiry.deleting
        bounds = {"since": since_s, "until": until_s, "generation": expiry.generation}
        found = self._engine.execute(_HOURS, bounds)["bucket"].to_pylist()
        if found:
            with self._rollup.changing(bucket // HOUR_S for bucket in found):
                self._engine.execute(delete, bounds)
        self._rollup.emptied(range(since_s // HOUR_S, until_s // HOUR_S))
        self._switch(bounds, 1)

    def _switch(self, bounds: dict[str, int], state: int) -> None:
        # A statement that fails may have done its work: until it is read again, only the store knows.
        self._known = None
        self._engine.execute(_SWITCH, bounds | {"state": state})
        self._known = read_expiry(self._engine)

    def _forget_after(self, table: str, generation: int) -> None:
        params, condition = {"generation": generation}, "generation > {generation:UInt64}"
        found = self._engine.execute(f"SELECT count() AS n FROM {table} WHERE {condition}", params)
        if found["n"][0].as_py():
            self._engine.execute(
                f"ALTER TABLE {table} DELETE WHERE {condition} SETTINGS mutations_sync = 1", params
            )
