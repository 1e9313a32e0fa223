"""Parts of a file into a store: numbered where equal, looked up, written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute

from watchglass.ingest.call_rows import CALL_COLUMNS
from watchglass.ingest.columns import TableBuilder
from watchglass.ingest.importers.identity import Seen
from watchglass.ingest.importers.records import Rejected
from watchglass.ingest.other_rows import REJECT_COLUMNS, reject_row
from watchglass.store.engine import Engine
from watchglass.store.tables import SCHEMAS
from watchglass.wire.rejects import Reject

pc: Any = pyarrow.compute  # its functions are made when it is imported, so no type names them


MONTHS_AT_ONCE = 90
"""A part of the store is one month's; the engine makes at most 100 in an insert."""

_NAMED = """
SELECT DISTINCT concat(where, ' ', reason) AS named
FROM store.rejects
WHERE signal = 'import' AND where IN {places:Array(String)}
"""


def numbered(batch: pa.RecordBatch, keys: Sequence[bytes], own: Sequence[bool], seen: Seen) -> pa.RecordBatch:
    """The batch with an id for each of equal rows, without rows that repeat an id brought along (`own`)."""
    ordinals = seen.ordinals(keys)
    if not any(ordinals):
        return batch
    ids = [
        call_id if not ordinal or owned else f"{call_id}-{ordinal}"
        for call_id, ordinal, owned in zip(batch.column("call_id").to_pylist(), ordinals, own, strict=True)
    ]
    at = batch.schema.get_field_index("call_id")
    batch = batch.set_column(at, batch.schema.field(at), pa.array(ids, pa.string()))
    first = [not (ordinal and owned) for ordinal, owned in zip(ordinals, own, strict=True)]
    return batch if all(first) else batch.filter(pa.array(first, pa.bool_()))


def by_months(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The batch in as many as the engine needs to take it."""
    time = batch.column("time")
    months = pc.add(pc.multiply(pc.year(time), 12), pc.month(time))
    distinct = sorted(months.unique().to_pylist())
    if len(distinct) <= MONTHS_AT_ONCE:
        yield batch
        return
    for start in range(0, len(distinct), MONTHS_AT_ONCE):
        some = pa.array(distinct[start : start + MONTHS_AT_ONCE], months.type)
        yield batch.filter(pc.is_in(months, value_set=some))


def columns_in_order(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Columns in the order in which all batches of calls have them, so that they go in together."""
    return batch.select(list(CALL_COLUMNS))


def reject_batch(
    engine: Engine, rejects: Sequence[Rejected], name: str, now_ns: int, owner: str = ""
) -> pa.RecordBatch | None:
    """Those rejects of a file that are not on record yet, as rows of `store.rejects`."""
    if not rejects:
        return None
    places = {f"{name}:{each.line}" for each in rejects}
    named = set(engine.execute(_NAMED, {"places": sorted(places)})["named"].to_pylist())
    builder = TableBuilder(SCHEMAS["rejects"], REJECT_COLUMNS)
    for each in rejects:
        where = f"{name}:{each.line}"
        if f"{where} {each.reason}" not in named:
            builder.rows.append(reject_row(Reject(where, each.reason), "import", now_ns, owner))
    return builder.batch() if builder.rows else None
