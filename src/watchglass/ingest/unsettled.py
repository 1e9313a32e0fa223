"""What a settler must know when a server starts: what a killed one left, and what there is to watch for."""

from __future__ import annotations

from watchglass.ingest.attention import Attention
from watchglass.store.engine import Engine

_UNSETTLED = """
SELECT DISTINCT trace_id
FROM store.spans
WHERE _part IN
(
    SELECT name FROM system.parts
    WHERE database = 'store' AND table = 'spans' AND active
        AND modification_time >= fromUnixTimestamp({since:Int64})
)
UNION DISTINCT
SELECT DISTINCT trace_id
FROM store.logs
WHERE trace_id != '' AND _part IN
(
    SELECT name FROM system.parts
    WHERE database = 'store' AND table = 'logs' AND active
        AND modification_time >= fromUnixTimestamp({since:Int64})
)
"""


def unsettled_traces(engine: Engine, settled_until_ns: int) -> list[str]:
    """Traces with rows written after a checkpoint: what a killed server had no time to settle."""
    found = engine.execute(_UNSETTLED, {"since": settled_until_ns // 10**9})
    return found["trace_id"].to_pylist() if found.num_rows else []


# A log record may have come before the span that it is about.
_LATEST = """
SELECT toUnixTimestamp64Nano(greatest(
    (SELECT max(start_time) FROM store.spans),
    (SELECT max(time) FROM store.calls
        WHERE dialect = 'import' AND trace_id != '' AND time < now() + INTERVAL 1 DAY),
    (SELECT max(time) FROM store.logs WHERE trace_id != '')
)) AS latest
"""


def attention(engine: Engine, now_ns: int) -> Attention:
    """What the store remembers for `Attention`: its latest moment, and a day's processes and scopes."""
    latest = engine.execute(_LATEST)
    sources = engine.execute(
        "SELECT DISTINCT process, scope FROM store.calls"
        " WHERE time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC') AND kind != 'aggregate'",
        {"since": now_ns - 86_400 * 10**9},
    )
    return Attention(
        latest["latest"][0].as_py() or 0,
        [(row["process"], row["scope"]) for row in sources.to_pylist()],
    )
