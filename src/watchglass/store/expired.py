"""Which calls have expired: their sums are in the archive, their rows are deleted or are being deleted.

All that a reader must know is one small value, `Expiry`. Readers take the archive's rows up to `generation`,
and calls outside of `deleting`; both change in one moment, with one row of `store.expired_passes`.

`Gate` keeps writers out of hours that are being archived: a row that came between the sums and the deletion
would be deleted without having been counted.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
import numpy as np
import pyarrow as pa

from watchglass.store.engine import Engine
from watchglass.store.rollup_hours import HOUR_NS, HOUR_S

PASSES = "store.expired_passes"
IDENTITIES = "store.expired_calls"

IDENTITY = "sipHash128(concat(toString(length(owner)), ':', owner, call_id))"
"""A call's identity: the length keeps owner and id apart."""

APART_S = 24 * HOUR_S
"""Two records of one call may differ by so much in when it began (`importers/known.py`)."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """What had expired at one moment. `generation` 0 is nothing.

    Calls of before `until_s` may be in the archive. Those of `deleting`, in seconds since 1970, half open,
    are, though their rows may still be there.
    """

    generation: int = 0
    until_s: int | None = None
    deleting: tuple[int, int] | None = None


def read_expiry(engine: Engine) -> Expiry:
    """As it is on disk."""
    found = engine.execute(f"SELECT generation, since, until, state FROM {PASSES} FINAL").to_pylist()
    if not found:
        return Expiry()
    deleting = next(((each["since"], each["until"]) for each in found if not each["state"]), None)
    return Expiry(max(each["generation"] for each in found), max(each["until"] for each in found), deleting)


class Gate:
    """Lets writers of calls through, except those of hours that are being archived. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._below: int | None = None
        self._writing: list[int] = []

    @contextmanager
    def writing(self, lowest: int) -> Generator[None]:
        """While calls are written of which none began before the hour `lowest`."""
        with self._changed:
            self._changed.wait_for(lambda: self._below is None or lowest >= self._below)
            self._writing.append(lowest)
        try:
            yield
        finally:
            with self._changed:
                self._writing.remove(lowest)
                self._changed.notify_all()

    @contextmanager
    def closed(self, below: int) -> Generator[None]:
        """While nobody writes calls of hours before `below`; waits for those who do. One at a time."""
        with self._changed:
            self._below = below
            self._changed.wait_for(lambda: all(lowest >= below for lowest in self._writing))
        try:
            yield
        finally:
            with self._changed:
                self._below = None
                self._changed.notify_all()


_SENT_AGAIN = f"""
WITH
    JSONExtract({{owners:String}}, 'Array(String)') AS owners,
    JSONExtract({{call_ids:String}}, 'Array(String)') AS call_ids
SELECT row.1 AS number
FROM
(
    SELECT
        arrayJoin(arrayZip(arrayEnumerate(owners), owners, call_ids)) AS row,
        row.2 AS owner,
        row.3 AS call_id
)
WHERE {IDENTITY} IN
(
    SELECT id
    FROM {IDENTITIES}
    WHERE generation <= {{generation:UInt64}} AND bucket BETWEEN {{first:Int64}} AND {{last:Int64}}
)
"""


def not_archived(engine: Engine, batches: Sequence[pa.RecordBatch], expiry: Expiry) -> list[pa.RecordBatch]:
    """The rows of these calls without those that the archive has counted: they were sent again.

    Their spans are gone, so nothing could tell any more which of them are duplicates of each other.
    """
    kept: list[pa.RecordBatch] = []
    for batch in batches:
        starts = batch.column("time").cast(pa.int64()).to_numpy(zero_copy_only=False) // HOUR_NS * HOUR_S
        old = np.flatnonzero(starts < (expiry.until_s or 0))
        if old.size:
            rows = batch.take(pa.array(old))
            found = engine.execute(
                _SENT_AGAIN,
                {
                    "owners": msgspec.json.encode(rows.column("owner").to_pylist()).decode(),
                    "call_ids": msgspec.json.encode(rows.column("call_id").to_pylist()).decode(),
                    "generation": expiry.generation,
                    "first": int(starts[old].min()) - APART_S,
                    "last": int(starts[old].max()) + APART_S,
                },
            )
            stays = np.ones(batch.num_rows, dtype=bool)
            stays[old[found["number"].to_numpy() - 1]] = False
            batch = batch.filter(pa.array(stays))
        kept.append(batch)
    return kept
