"""Whether calls of some tenants are there at all, asked as cheaply as it can be."""

from __future__ import annotations

from collections.abc import Sequence

from watchglass.store import Engine, Limits
from watchglass.store.rollup_engine import coverage
from watchglass.store.rollup_figures import within
from watchglass.store.rollup_keeper import KEPT


def any_calls(engine: Engine, tenants: Sequence[str], *, limits: Limits) -> bool:
    """Whether a counted call of these tenants is among those that may be seen. Hours that are summed up tell
    at once; only where they know of none are the others' calls looked at, and none that has expired."""
    where = coverage(engine).answering(None, None)
    params: dict[str, object] = {"tenants": list(tenants)}
    theirs = "counted AND has({tenants:Array(String)}, ifNull(tenant, ''))"
    if where.buckets:
        kept = {"buckets": list(where.buckets), "generations": list(where.buckets.values())}
        found = engine.execute(
            f"""
            SELECT 1 FROM {KEPT}
            WHERE grain = 'coarse' AND {theirs} AND (bucket, generation) IN
                arrayZip({{buckets:Array(Int64)}}, {{generations:Array(UInt64)}})
            LIMIT 1
            """,
            {**params, **kept},
            limits=limits,
        )
        if found.num_rows:
            return True
    if not where.ranges:
        return False
    sql = f"SELECT 1 FROM store.calls FINAL WHERE {theirs} AND {within(where.ranges, params)} LIMIT 1"
    return engine.execute(sql, params, limits=limits).num_rows > 0
