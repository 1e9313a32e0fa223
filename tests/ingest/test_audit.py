"""The audit: nothing is forgotten that is counted, and no flood fills a disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from tests.our_log import ours
from watchglass.clock import ManualClock
from watchglass.errors import StoreFull
from watchglass.ingest.audit import LOGGED, MOST_APART, Audit


class Kept:
    """An engine that keeps what is inserted, or is full."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.full = False

    def insert(self, table: str, batches: Sequence[pa.RecordBatch]) -> int:
        """Keep rows of the audit."""
        assert table == "store.audit"
        if self.full:
            raise StoreFull("the disk is full")
        self.rows += [row for batch in batches for row in batch.to_pylist()]
        return len(self.rows)

    def execute(self, sql: str, params: Any = None, *, limits: Any = None) -> pa.Table:
        """Nothing is asked."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""


def test_what_is_alike_is_one_row() -> None:
    """A row has the first moment and the count; the next flush begins anew; the sums go on."""
    engine, clock = Kept(), ManualClock(5)

    async def run() -> Audit:
        audit = Audit(engine, clock)
        for _ in range(1000):
            audit.note("no_key", where=("/health", "10.0.0.1"), reason="none")
            clock.advance_ns(1)
        await audit.flush()
        await audit.flush()
        audit.note("no_key", key="k", tenant="acme", count=3)
        await audit.flush()
        return audit

    audit = asyncio.run(run())
    assert [(row["time"].value, row["count"], row["tenant"]) for row in engine.rows] == [
        (5, 1000, None),
        (1005, 3, "acme"),
    ]
    assert audit.counts == {"no_key": 1003}


def test_a_flood_of_different_refusals_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """Of a hundred thousand addresses only so many are kept apart and logged; the sum is exact."""
    engine = Kept()

    async def run() -> None:
        audit = Audit(engine, ManualClock())
        for number in range(100_000):
            audit.note("wrong_key", where=("/v1/*", f"2001:db8::{number:x}"), reason="r" * 10_000)
        await audit.flush()

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    assert len(engine.rows) <= MOST_APART + 1 and sum(row["count"] for row in engine.rows) == 100_000
    assert len(ours(caplog)) == LOGGED + 1
    assert max(len(row["reason"]) for row in engine.rows) <= 200


def test_a_full_disk_costs_rows_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be written is in the log and in the counts, and the audit goes on."""
    engine = Kept()
    engine.full = True

    async def run() -> Audit:
        audit = Audit(engine, ManualClock())
        audit.start()
        audit.note("limited")
        await audit.stop()
        return audit

    with caplog.at_level(logging.WARNING):
        audit = asyncio.run(run())
    assert engine.rows == [] and audit.counts["limited"] == 1
    assert "only here" in caplog.text
