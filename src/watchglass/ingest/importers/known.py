"""Which calls the store has already: importing them again must change nothing and cost little."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute

from watchglass.store.engine import Engine

pc: Any = pyarrow.compute  # its functions are made when it is imported, so no type names them


HOUR_NS = 3_600 * 10**9
APART_NS = 24 * HOUR_NS
"""How far apart two records of one call may put its start: a zone that one forgot, its end for its start."""

_HOURS = """
SELECT DISTINCT intDiv(toUnixTimestamp64Nano(time), 3600000000000) AS hour
FROM store.calls
WHERE owner = {owner:String}
"""

# Ids as one text and in a subquery: as an array, tens of thousands of them take the engine 100 times longer.
_KNOWN = """
SELECT DISTINCT call_id
FROM store.calls
WHERE owner = {owner:String}
    AND time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC')
    AND time <= fromUnixTimestamp64Nano({until:Int64}, 'UTC')
    AND call_id IN (SELECT arrayJoin(JSONExtract({ids:String}, 'Array(String)')))
"""


def hours_with_calls(engine: Engine, owner: str) -> frozenset[int]:
    """Hours since 1970 in which the store has calls of this owner."""
    return frozenset(engine.execute(_HOURS, {"owner": owner})["hour"].to_pylist())


def unknown(
    engine: Engine, batch: pa.RecordBatch, owner: str, hours: Collection[int] | None = None
) -> pa.RecordBatch:
    """The rows of a batch of calls that the store does not have, whoever reported them to it.

    `hours` are those that had calls before; where no others write, the rest need no looking up.
    """
    if not batch.num_rows:
        return batch
    times = batch.column("time").cast(pa.int64())
    low, high = pc.min(times).as_py() - APART_NS, pc.max(times).as_py() + APART_NS
    if hours is not None and not any(low // HOUR_NS <= hour <= high // HOUR_NS for hour in hours):
        return batch
    found = engine.execute(
        _KNOWN,
        {
            "owner": owner,
            "since": max(low, 0),
            "until": min(high, 2**63 - 1),
            "ids": msgspec.json.encode(batch.column("call_id").to_pylist()).decode(),
        },
    )
    if not found.num_rows:
        return batch
    there = pc.is_in(batch.column("call_id"), value_set=found["call_id"].combine_chunks().cast(pa.string()))
    return batch.filter(pc.invert(there))
