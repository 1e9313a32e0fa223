"""Imported calls that a span reports too, under another hour: the span's own row is the one that counts.

Within one hour the table itself keeps only the span's, whose version is higher (`calls.IMPORT_VERSION`).
An import that comes later adds nothing (`known.py`); this is for the span that comes later.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from watchglass.store.engine import Engine
from watchglass.store.tables import CALLS
from watchglass.store.versions import VersionClock

_SUPERSEDED = f"""
SELECT {", ".join(CALLS.names)}
FROM store.calls FINAL
WHERE trace_id IN {{ids:Array(String)}} AND dialect = 'import' AND counted
    AND (owner, call_id) IN
    (
        SELECT owner, call_id
        FROM store.calls
        WHERE trace_id IN {{ids:Array(String)}} AND dialect != 'import'
    )
"""


def supersede(engine: Engine, trace_ids: Sequence[str], versions: VersionClock) -> None:
    """Stop counting the imported rows of these traces that spans tell of."""
    found = engine.execute(_SUPERSEDED, {"ids": list(trace_ids)})
    if not found.num_rows:
        return
    count = found.num_rows
    values = {
        "counted": pa.repeat(False, count),
        "not_counted_reason": pa.repeat("duplicate", count),
        "duplicate_of": found["call_id"],
        "version": pa.repeat(pa.scalar(versions.next(), pa.uint64()), count),
    }
    columns = {name: values.get(name, found[name]) for name in CALLS.names}
    engine.insert("store.calls", pa.table(columns).cast(CALLS).combine_chunks().to_batches())
