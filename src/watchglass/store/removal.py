"""Takes tenants out of the store: every row of theirs from every table, for good.

A span that names no tenant belongs to the tenant of its trace, and a row may have an older version from
before its tenant was known, which would come to light were only the newest deleted: so rows without a
tenant go with the trace that they are in. A text that had been kept for nobody in particular (its call's
tenant was not known yet) goes unless a row that stays without a tenant has the same one.

What the archive keeps of expired calls (`archive.py`) goes as well; calls of theirs that are sent again count
again. Sums of calls without a tenant stay: which trace they were in is not kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from watchglass.store.engine import Engine
from watchglass.store.rollup_engine import RolledEngine

_THEIRS = "tenant IN {tenants:Array(String)}"
_IN_TRACE = f"({_THEIRS} OR (tenant IS NULL AND trace_id IN (SELECT trace_id FROM store.removing)))"

_TABLES = {
    "calls": _IN_TRACE,
    "tasks": _IN_TRACE,
    "logs": _IN_TRACE,
    "usage_expired": _THEIRS,
    "expired_calls": _THEIRS,
    "metrics": _THEIRS,
    "rejects": _IN_TRACE,
    "spans": _IN_TRACE,
    "repricings": _IN_TRACE,
    "messages": f"({_THEIRS} OR (tenant = '' AND hash IN (SELECT hash FROM store.removing_texts)))",
}
"""The condition on each table's rows. Spans go after what hangs on them, texts last."""

_REPLACED = frozenset({"rejects", "usage_expired", "expired_calls"})
"""Tables that have no versions."""

_TRACES = f"""
CREATE OR REPLACE TABLE store.removing ENGINE = Memory AS
SELECT DISTINCT trace_id FROM store.spans WHERE {_THEIRS} AND owner = '' AND trace_id != ''
UNION DISTINCT SELECT DISTINCT trace_id FROM store.calls WHERE {_THEIRS} AND owner = '' AND trace_id != ''
UNION DISTINCT SELECT DISTINCT trace_id FROM store.logs WHERE {_THEIRS} AND owner = '' AND trace_id != ''
"""

# '\\x01ref:' is how a long value is kept in place of its text (ingest/content.py).
_TEXTS = f"""
CREATE OR REPLACE TABLE store.removing_texts ENGINE = Memory AS
SELECT DISTINCT hash FROM store.messages WHERE {_THEIRS} AND hash NOT IN (
    SELECT arrayJoin(arrayConcat(input_messages, output_messages)) FROM store.calls WHERE tenant IS NULL
    UNION ALL
    SELECT arrayJoin(arrayConcat(input_messages, output_messages)) FROM store.logs WHERE tenant IS NULL
    UNION ALL
    SELECT arrayJoin([ifNull(input, ''), ifNull(output, '')]) FROM store.tasks WHERE tenant IS NULL
    UNION ALL
    SELECT substring(arrayJoin(arrayFilter(each -> startsWith(each, '\\x01ref:'),
        arrayConcat(mapValues(attributes), [events, links, resource]))), 6)
    FROM store.spans WHERE tenant IS NULL
    UNION ALL
    SELECT substring(arrayJoin(arrayFilter(each -> startsWith(each, '\\x01ref:'),
        arrayConcat(mapValues(attributes), [body, resource]))), 6)
    FROM store.logs WHERE tenant IS NULL
)
"""


def remove_tenants(engine: RolledEngine, tenants: Sequence[str]) -> dict[str, int]:
    """Delete all rows of these tenants; returns how many rows readers no longer see, by table.

    What a sender sends meanwhile may stay. The rollup stays exact: it is told by the engine. Raises
    `StoreError`; what was deleted before that stays deleted, and doing it again is harmless.
    """
    params = {"tenants": list(tenants)}
    with engine.alone():
        try:
            engine.execute(_TRACES, params)
            removed: dict[str, int] = {}
            for table, condition in _TABLES.items():
                if table == "messages":
                    engine.execute(_TEXTS, params)
                removed[table] = _delete(engine, table, condition, params)
            return removed
        finally:
            engine.execute("DROP TABLE IF EXISTS store.removing")
            engine.execute("DROP TABLE IF EXISTS store.removing_texts")


def _delete(engine: Engine, table: str, condition: str, params: dict[str, list[str]]) -> int:
    final = "" if table in _REPLACED else "FINAL"
    found = engine.execute(f"SELECT count() AS n FROM store.{table} {final} WHERE {condition}", params)
    # Older versions may be there although no newest one is: always delete.
    engine.execute(
        f"ALTER TABLE store.{table} DELETE WHERE {condition} SETTINGS mutations_sync = 1",
        params,
    )
    return int(found["n"][0].as_py())
