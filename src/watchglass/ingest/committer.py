"""Group commit: requests wait for the one durable insert that holds them, then all are told.

While one group is being written the next one gathers. A group also waits, briefly, while more
requests are being decoded than it holds: each insert makes a part that is merged later, so twice
the group is little more than half the engine's work. A lone request waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pyarrow as pa

from watchglass.clock import Clock, SystemClock
from watchglass.errors import StoreError, StoreFull
from watchglass.store.engine import Engine

Batches = Mapping[str, pa.RecordBatch]

WRITE_ORDER = ("messages", "logs", "metrics", "rejects", "tasks", "spans", "calls")
"""The tables before the last are written at once, `calls` after them: a call that is there has its span and
its messages. What a crash leaves half written was never acknowledged, so its sender sends it again."""

GROUP_BYTES = 64 * 2**20

FORGIVEN_NS = 30 * 10**9
"""As long as a sender is asked to wait after a full disk."""

GATHER_S = 0.25
"""How long at most a group waits for others: a body of 1,000 spans takes a core half as long."""

GATHER_BYTES = 16 * 2**20
"""What is worth a part of its own waits for nobody."""


class Committer:
    """Writes batches in groups; `write` returns once its batch is on disk."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self._engine = engine
        self._waiting: list[tuple[Batches, asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()
        self._coming = 0
        self._waiting_bytes = 0
        self._enough = asyncio.Event()
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="watchglass-write")
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._clock: Clock = clock or SystemClock()
        self._failed_ns = 0
        self.last_error: str | None = None

    def start(self) -> None:
        """Begin; needs a running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="watchglass-committer")

    @property
    def can_write(self) -> bool:
        """Whether the store took the last group, or refused one so long ago that it is worth another try.

        A balancer that sends nothing to a server which says no would otherwise never learn that it can again.
        """
        return self.last_error is None or self._clock.now_ns() - self._failed_ns > FORGIVEN_NS

    @property
    def waiting(self) -> int:
        """Requests that wait for their group to be written."""
        return len(self._waiting)

    @contextmanager
    def coming(self) -> Generator[None]:
        """While a request is made ready that will `write`: a group may wait for it."""
        self._coming += 1
        try:
            yield
        finally:
            self._coming -= 1
            self._look()

    async def write(self, batches: Batches) -> None:
        """Wait until these batches are durable. Raises `StoreError` where they are not."""
        if not batches:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((batches, future))
        self._waiting_bytes += _size(batches)
        self._arrived.set()
        self._look()
        await future

    async def stop(self) -> None:
        """Write what waits, then end."""
        self._stopping = True
        self._arrived.set()
        self._look()
        if self._task is not None:
            await self._task
        self._threads.shutdown()

    async def _run(self) -> None:
        while self._waiting or not self._stopping:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                await self._gather()
                await self._write_group(self._take())
            if self._stopping:
                self._arrived.set()

    def _look(self) -> None:
        """Note whether the group should be written now rather than wait."""
        if self._stopping or len(self._waiting) >= self._coming or self._waiting_bytes >= GATHER_BYTES:
            self._enough.set()
        else:
            self._enough.clear()

    async def _gather(self) -> None:
        self._look()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._enough.wait(), GATHER_S)

    def _take(self) -> list[tuple[Batches, asyncio.Future[None]]]:
        size = count = 0
        for batches, _ in self._waiting:
            size += _size(batches)
            count += 1
            if size >= GROUP_BYTES:
                break
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        self._waiting_bytes -= size
        return taken

    async def _write_group(self, group: list[tuple[Batches, asyncio.Future[None]]]) -> None:
        tables: dict[str, list[pa.RecordBatch]] = defaultdict(list)
        for batches, _ in group:
            for name, batch in batches.items():
                tables[name].append(batch)
        try:
            await self._insert(tables)
        except StoreFull as error:
            self._tell(group, error)
        except Exception as error:  # noqa: BLE001 one batch the engine chokes on must not cost its neighbours
            if len(group) == 1:
                self._tell(group, error)
                return
            for each in group:
                await self._write_group([each])
        else:
            self._tell(group, None)

    def _tell(self, group: list[tuple[Batches, asyncio.Future[None]]], error: Exception | None) -> None:
        if error is None:
            self.last_error = None
        elif isinstance(
            error, StoreError
        ):  # another error is this batch's own, and says nothing of the store
            self.last_error = str(error)
            self._failed_ns = self._clock.now_ns()
        for _, future in group:
            if future.done():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

    async def _insert(self, tables: Mapping[str, list[pa.RecordBatch]]) -> None:
        loop = asyncio.get_running_loop()

        async def one(name: str) -> None:
            await loop.run_in_executor(self._threads, self._engine.insert, f"store.{name}", tables[name])

        pointed_at = [name for name in WRITE_ORDER if name in tables and name != "calls"]
        results = await asyncio.gather(*map(one, pointed_at), return_exceptions=True)
        for failed in results:
            if isinstance(failed, BaseException):
                raise failed
        if "calls" in tables:
            await one("calls")


def _size(batches: Batches) -> int:
    return sum(batch.nbytes for batch in batches.values())
