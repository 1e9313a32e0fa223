"""A file into a store that this process holds."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import msgspec
import pyarrow as pa

from watchglass.ingest.importers.elsewhere import in_order
from watchglass.ingest.importers.identity import Seen
from watchglass.ingest.importers.keeping import by_months, columns_in_order, numbered, reject_batch
from watchglass.ingest.importers.known import hours_with_calls, unknown
from watchglass.ingest.importers.parts import Part
from watchglass.ingest.importers.prepared import PreparedPart, prepare_part
from watchglass.ingest.importers.records import Rejected
from watchglass.ingest.importers.tally import Tally
from watchglass.pricing.book import PriceBook
from watchglass.store.engine import Engine

ROWS_AN_INSERT = 64_000
"""Each insert makes a part that is merged later: few and large ones."""


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
    work = partial(_work, maps=dict(maps), book=book)
    with ThreadPoolExecutor(1, thread_name_prefix="watchglass-import") as writer:
        batches, told, rows = list[pa.RecordBatch](), list[Progress](), 0
        written: Future[list[Progress]] | None = None
        for part in in_order(work, parts, processes):
            batch = unknown(engine, numbered(part.batch, part.keys, part.own, seen), "", hours)
            rejected = reject_batch(engine, part.rejects, name, now_ns())
            if rejected is not None:
                engine.insert("store.rejects", [rejected])
            count = batch.num_rows
            tally = part.tally + Tally(new=count, known=part.batch.num_rows - count)
            told.append(Progress(tally, part.rejects, part.notices))
            batches.append(batch)
            rows += count
            if rows >= ROWS_AN_INSERT:
                if written is not None:
                    yield from written.result()
                written = writer.submit(_write, engine, batches, told)
                batches, told, rows = [], [], 0
        if written is not None:
            yield from written.result()
        yield from _write(engine, batches, told)


def _work(part: Part, maps: Mapping[str, str], book: PriceBook) -> PreparedPart:
    return prepare_part(part, maps, book)


def _write(engine: Engine, batches: list[pa.RecordBatch], told: list[Progress]) -> list[Progress]:
    if batches:
        for whole in pa.Table.from_batches(batches).combine_chunks().to_batches():
            for some in by_months(whole):
                engine.insert("store.calls", [columns_in_order(some)])
    return told
