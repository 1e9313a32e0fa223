"""Group commit: many requests, one insert a table; one bad batch is alone in being refused."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pytest

from watchglass.clock import ManualClock
from watchglass.errors import StoreError, StoreFull
from watchglass.ingest import committer as committing
from watchglass.ingest.committer import Committer
from watchglass.store import Limits

POISON = "poison"


class FakeEngine:
    """An engine in memory; `gate` holds inserts back, `fault` is raised for batches with poison in them."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.rows: dict[str, list[str]] = {}
        self.inserts: list[tuple[str, int]] = []
        self.fault = fault
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()
        self._lock = threading.Lock()

    def execute(
        self, sql: str, params: Mapping[str, object] = {}, *, limits: Limits | None = None
    ) -> pa.Table:
        raise AssertionError("a committer asks nothing")

    def insert(self, table: str, batches: Sequence[pa.RecordBatch]) -> int:
        self.begun.set()
        assert self.gate.wait(60)
        values = [value for batch in batches for value in batch["value"].to_pylist()]
        if self.fault is not None and POISON in values:
            raise self.fault
        with self._lock:
            self.inserts.append((table, len(batches)))
            self.rows.setdefault(table, []).extend(values)
        return len(values)

    def close(self) -> None:
        pass


def batch(*values: str) -> pa.RecordBatch:
    """One column of text."""
    return pa.record_batch({"value": list(values)})


async def gather_behind_the_first(
    engine: FakeEngine, committer: Committer, writes: Sequence[Mapping[str, pa.RecordBatch]]
) -> list[object]:
    """Write one batch, hand in the others while it is being written, and return what each of them got."""
    engine.gate.clear()
    first = asyncio.create_task(committer.write({"spans": batch("first")}))
    await asyncio.to_thread(engine.begun.wait, 60)
    others = [asyncio.create_task(committer.write(each)) for each in writes]
    while committer.waiting < len(writes):
        await asyncio.sleep(0)
    engine.gate.set()
    await first
    return list(await asyncio.gather(*others, return_exceptions=True))


def run(
    engine: FakeEngine, writes: Sequence[Mapping[str, pa.RecordBatch]]
) -> tuple[list[object], str | None]:
    """(what each write got, the committer's last error)."""

    async def main() -> tuple[list[object], str | None]:
        committer = Committer(engine)
        committer.start()
        got = await gather_behind_the_first(engine, committer, writes)
        error = committer.last_error
        await committer.stop()
        return got, error

    return asyncio.run(main())


def test_what_gathers_during_a_write_is_one_insert_a_table() -> None:
    """Twenty requests that came while one was being written are one insert into each of their tables."""
    engine = FakeEngine()
    got, error = run(engine, [{"spans": batch(f"s{n}"), "calls": batch(f"c{n}")} for n in range(20)])
    assert got == [None] * 20 and error is None
    assert engine.inserts == [("store.spans", 1), ("store.spans", 20), ("store.calls", 20)]
    assert engine.rows["store.calls"] == [f"c{n}" for n in range(20)]


def test_calls_are_written_after_what_they_point_at() -> None:
    """Whatever the order in a request, `calls` comes when its spans and messages are on disk."""
    engine = FakeEngine()
    run(engine, [{"calls": batch("c"), "spans": batch("s"), "messages": batch("m")}])
    assert [table for table, _ in engine.inserts][-1] == "store.calls"
    assert {table for table, _ in engine.inserts[1:-1]} == {"store.spans", "store.messages"}


@pytest.mark.parametrize("fault", [StoreError("no"), ValueError("what the driver says to a strange value")])
def test_a_poisoned_batch_does_not_cost_its_neighbours(fault: Exception) -> None:
    """Of a group, the one batch that the engine chokes on is refused, and every other is written."""
    engine = FakeEngine(fault)
    writes = [{"spans": batch(POISON if n == 3 else f"s{n}")} for n in range(7)]
    got, _ = run(engine, writes)
    assert got == [fault if n == 3 else None for n in range(7)]
    assert sorted(engine.rows["store.spans"]) == ["first", *(f"s{n}" for n in range(7) if n != 3)]


def test_a_full_disk_is_told_to_all() -> None:
    """`StoreFull` reaches every request of the group: none is tried again alone, and all may be resent."""
    engine = FakeEngine(StoreFull("the disk is full"))
    got, error = run(engine, [{"spans": batch(POISON)}, {"spans": batch("innocent")}])
    assert [type(each) for each in got] == [StoreFull, StoreFull]
    assert error == "the disk is full"
    assert engine.rows["store.spans"] == ["first"]


def test_writing_goes_on_after_a_full_disk() -> None:
    """Once there is room the next write is stored, and the error is forgotten."""

    async def main() -> None:
        engine = FakeEngine(StoreFull("the disk is full"))
        committer = Committer(engine)
        committer.start()
        with pytest.raises(StoreFull):
            await committer.write({"spans": batch(POISON)})
        await committer.write({"spans": batch("later")})
        assert committer.last_error is None
        assert engine.rows["store.spans"] == ["later"]
        await committer.stop()

    asyncio.run(main())


def test_stopping_writes_what_waits() -> None:
    """A stop that comes while requests wait lets every one of them be written and told."""

    async def main() -> None:
        engine = FakeEngine()
        committer = Committer(engine)
        committer.start()
        engine.gate.clear()
        writes = [asyncio.create_task(committer.write({"spans": batch(str(n))})) for n in range(5)]
        await asyncio.to_thread(engine.begun.wait, 60)
        stopping = asyncio.create_task(committer.stop())
        engine.gate.set()
        assert await asyncio.gather(*writes) == [None] * 5
        await stopping
        assert sorted(engine.rows["store.spans"]) == [str(n) for n in range(5)]
        assert committer.waiting == 0

    asyncio.run(main())


def test_a_sender_that_gave_up_does_not_stop_the_others() -> None:
    """A request that was cancelled while it waited is written all the same, and its group is told."""

    async def main() -> None:
        engine = FakeEngine()
        committer = Committer(engine)
        committer.start()
        engine.gate.clear()
        gone = asyncio.create_task(committer.write({"spans": batch("gone")}))
        await asyncio.to_thread(engine.begun.wait, 60)
        gone.cancel()
        stays = asyncio.create_task(committer.write({"spans": batch("stays")}))
        while not committer.waiting:
            await asyncio.sleep(0)
        engine.gate.set()
        await stays
        await committer.stop()
        assert gone.cancelled()
        assert engine.rows["store.spans"] == ["gone", "stays"]

    asyncio.run(main())


def test_nothing_to_write_waits_for_nobody() -> None:
    """An empty request is acknowledged without the engine."""

    async def main() -> None:
        engine = FakeEngine()
        await Committer(engine).write({})
        assert engine.inserts == []

    asyncio.run(main())


def test_a_group_waits_for_what_is_being_made_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two requests that are under way together share one insert, though the first is ready before."""
    monkeypatch.setattr(committing, "GATHER_S", 3600)  # however long the second takes here

    async def run() -> None:
        engine = FakeEngine()
        committer = Committer(engine)
        committer.start()
        with committer.coming():
            with committer.coming(), committer.coming():
                first = asyncio.create_task(committer.write({"spans": batch("a")}))
                while not committer.waiting:
                    await asyncio.sleep(0)
            await committer.write({"spans": batch("b")})
        await first
        assert engine.inserts == [("store.spans", 2)]
        await committer.stop()

    asyncio.run(run())


def test_a_group_does_not_wait_for_ever() -> None:
    """What is being made ready and never comes holds nobody up for long."""

    async def run() -> None:
        engine = FakeEngine()
        committer = Committer(engine)
        committer.start()
        with committer.coming(), committer.coming():
            await asyncio.wait_for(committer.write({"spans": batch("a")}), 60)
        assert engine.rows == {"store.spans": ["a"]}
        await committer.stop()

    asyncio.run(run())


def test_a_store_that_refused_is_worth_another_try_after_a_while() -> None:
    """A full disk says "cannot write" for half a minute; a batch that is itself broken says it never."""

    async def main(fault: Exception) -> list[bool]:
        clock = ManualClock(10**18)
        committer = Committer(FakeEngine(fault), clock)
        committer.start()
        with pytest.raises(type(fault)):
            await committer.write({"spans": batch(POISON)})
        said = [committer.can_write]
        clock.advance_ns(31 * 10**9)
        said.append(committer.can_write)
        await committer.stop()
        return said

    assert asyncio.run(main(StoreFull("the disk is full"))) == [False, True]
    assert asyncio.run(main(ValueError("no such column"))) == [True, True]
