"""A file into a store that this process holds."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import msgspec
import pyarrow as pa

from watchglass.ingest.importers.calls import call_batch
from watchglass.ingest.importers.elsewhere import in_order
from watchglass.ingest.importers.identity import Seen
from watchglass.ingest.importers.keeping import by_months, columns_in_order, numbered, reject_batch
from watchglass.ingest.importers.known import hours_with_calls, unknown
from watchglass.ingest.importers.parts import Part, read_part
from watchglass.ingest.importers.records import Rejected
from watchglass.ingest.importers.tally import Tally, costs
from watchglass.pricing.book import PriceBook
from watchglass.store.engine import Engine

ROWS_AN_INSERT = 64_000
"""Each insert makes a part that is merged later: few and large ones."""


class Priced(msgspec.Struct, frozen=True):
    """A part made into rows of `store.calls`, its digests, and which rows brought an id along."""

    batch: pa.RecordBatch
    keys: list[bytes]
    own: list[bool]
    rejects: list[Rejected]
    notices: list[str]
    tally: Tally


class Progress(msgspec.Struct, frozen=True):
    """What became of one more part, once it is on disk or needs not to be."""

    tally: Tally
    rejects: list[Rejected]
    notices: list[str]


def import_parts(
    parts: Iterable[Part],
    name: str,
    maps: Mapping[str, str],
    engine: Engine,
    book: PriceBook,
    now_ns: Callable[[], int],
    *,
    processes: int | None = None,
) -> Generator[Progress]:
    """Import one file, in order; what is told is durable. Running it again does no harm.

    Nobody else may write to the store meanwhile. Raises `StoreError`.
    """
    seen, hours = Seen(), hours_with_calls(engine, "")
    with ThreadPoolExecutor(1, thread_name_prefix="watchglass-import") as writer:
        waiting: list[pa.RecordBatch] = []
        told: list[Progress] = []
        written: Future[list[Progress]] | None = None
        work = partial(_priced, maps=dict(maps), book=book)
        for part in in_order(work, parts, processes):
            batch = numbered(part.batch, part.keys, part.own, seen)
            new = unknown(engine, batch, "", hours)
            rejected = reject_batch(engine, part.rejects, name, now_ns())
            if rejected is not None:
                engine.insert("store.rejects", [rejected])
            read = part.batch.num_rows
            counted = Tally(
                rows=read + len(part.rejects),
                new=new.num_rows,
                known=read - new.num_rows,
                rejected=len(part.rejects),
            )
            told.append(Progress(part.tally + counted, part.rejects, part.notices))
            waiting.append(new)
            if sum(each.num_rows for each in waiting) >= ROWS_AN_INSERT:
                if written is not None:
                    yield from written.result()
                written = writer.submit(_write, engine, waiting, told)
                waiting, told = [], []
        if written is not None:
            yield from written.result()
        yield from _write(engine, waiting, told)


def _priced(part: Part, maps: Mapping[str, str], book: PriceBook) -> Priced:
    read = read_part(part, maps)
    ids = [own or key.hex() for own, key in zip(read.own, read.keys, strict=True)]
    batch = call_batch(read.rows, ids, book)
    own = [each is not None for each in read.own]
    return Priced(batch, read.keys, own, read.rejects, read.notices, costs(batch))


def _write(engine: Engine, batches: list[pa.RecordBatch], told: list[Progress]) -> list[Progress]:
    rows = pa.Table.from_batches(batches).combine_chunks() if batches else None
    for whole in rows.to_batches() if rows is not None else ():
        for some in by_months(whole):
            engine.insert("store.calls", [columns_in_order(some)])
    return told
