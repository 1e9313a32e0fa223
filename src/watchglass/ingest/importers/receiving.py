"""Imported calls that come over the network: a body at a time, acknowledged when it is on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.compute

from watchglass.clock import Clock
from watchglass.errors import TooLarge
from watchglass.ingest.attention import Attention, Sighting
from watchglass.ingest.committer import Committer
from watchglass.ingest.decoders import Decoders
from watchglass.ingest.importers.identity import Seen
from watchglass.ingest.importers.keeping import by_months, columns_in_order, numbered, reject_batch
from watchglass.ingest.importers.known import unknown
from watchglass.ingest.importers.lines import opened
from watchglass.ingest.importers.parts import Format, format_of, parts
from watchglass.ingest.importers.prepared import PreparedPart, prepare_part
from watchglass.ingest.importers.records import Rejected
from watchglass.ingest.importers.tally import Tally
from watchglass.ingest.settler import Settler
from watchglass.pricing.book import PriceBook
from watchglass.store.engine import Engine
from watchglass.store.tables import CALLS

T = TypeVar("T")

pc: Any = pyarrow.compute  # its functions are made when it is imported, so no type names them

AT_ONCE = 2
"""Bodies that are read at a time: what a body becomes in memory is several times its size."""

NAMED_REJECTS = 1000

MOST_ROWS = 1_000_000
"""Rows of a body, or a few kilobytes of packed line ends would become gigabytes."""


class Asked(msgspec.Struct, frozen=True):
    """How a body is to be read. `name` is what `rejects` calls it."""

    name: str = "import"
    form: Format | None = None
    maps: Mapping[str, str] = {}


class Imported(msgspec.Struct, frozen=True):
    """What became of a body; of many rejects the first."""

    tally: Tally
    rejects: list[Rejected]
    notices: list[str]


class _Prepared(msgspec.Struct, frozen=True):
    batches: list[pa.RecordBatch]
    tally: Tally
    rejects: list[Rejected]
    notices: list[str]


class Imports:
    """Reads, prices and keeps imported calls beside what else the server receives. For one event loop."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        decoders: Decoders,
        committer: Committer,
        settler: Settler,
        attention: Attention,
        check_space: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._decoders = decoders
        self._committer = committer
        self._settler = settler
        self._attention = attention
        self._check_space = check_space
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="watchglass-import")

    async def receive(self, body: bytes, asked: Asked, tenant: str | None = None) -> Imported:
        """Returns once every row that was not there is durable.

        With a `tenant` all rows are that tenant's, and those that name another are rejected. Raises
        `BadRequest` and `ConfigError` for what cannot be read at all, `Overloaded` and `StoreError`
        (send it again: rows that were kept are then already there).
        """
        self._check_space()
        owner = tenant or ""
        async with self._turns:
            prepared = await self._decoders.run(_prepare, len(body), body, asked, tenant)
            new = await self._thread(
                lambda: [unknown(self._engine, each, owner) for each in prepared.batches]
            )
            rejected = await self._thread(
                lambda: reject_batch(self._engine, prepared.rejects, asked.name, self._clock.now_ns(), owner)
            )
            # Shielded: who hangs up meanwhile takes nothing back, and what is written is settled.
            await asyncio.shield(asyncio.ensure_future(self._keep(new, rejected)))
        count = sum(each.num_rows for each in new)
        read = sum(each.num_rows for each in prepared.batches)
        tally = prepared.tally + Tally(new=count, known=read - count)
        return Imported(tally, prepared.rejects[:NAMED_REJECTS], prepared.notices)

    def stop(self) -> None:
        """End the threads."""
        self._threads.shutdown()

    async def _keep(self, new: Iterable[pa.RecordBatch], rejected: pa.RecordBatch | None) -> None:
        if rejected is not None:
            await self._committer.write({"rejects": rejected})
        for batch in new:
            for some in by_months(batch):
                await self._committer.write({"calls": columns_in_order(some)})
            self._settler.touch(self._attention.needed(_sighting(batch)))

    async def _thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _sighting(batch: pa.RecordBatch) -> Sighting:
    """Traces that calls were imported of: remembered, since their spans may come later."""
    traced = batch.filter(pc.not_equal(batch.column("trace_id"), ""))
    if not traced.num_rows:
        return Sighting()
    latest_ns: int = pc.max(traced.column("time").cast(pa.int64())).as_py()
    return Sighting(sorted(traced.column("trace_id").unique().to_pylist()), latest_ns=latest_ns)


def _prepare(book: PriceBook, body: bytes, asked: Asked, tenant: str | None) -> _Prepared:
    source = opened(BytesIO(body), asked.name)
    form = asked.form or format_of(asked.name, source.peek(4096))
    seen, batches, tally = Seen(), list[pa.RecordBatch](), Tally()
    rejects, notices = list[Rejected](), dict[str, None]()
    for part in parts(source, form, asked.maps):
        done: PreparedPart = prepare_part(part, asked.maps, book, tenant)
        batch = numbered(done.batch, done.keys, done.own, seen)
        batches.append(batch)
        tally += done.tally + Tally(known=done.batch.num_rows - batch.num_rows)
        if tally.rows > MOST_ROWS:
            raise TooLarge(f"the body has more than {MOST_ROWS:,} rows; send fewer in a body")
        rejects += done.rejects
        notices.update(dict.fromkeys(done.notices))
    whole = pa.Table.from_batches(batches, CALLS).combine_chunks().to_batches()
    return _Prepared(whole, tally, rejects, list(notices))
