"""Where the most expensive calls can be: the few hours of a long time that are worth reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from watchglass.queries.usage import DIMENSIONS, ROLLED, grain
from watchglass.store import Engine, Limits
from watchglass.store.rollup_engine import coverage
from watchglass.store.rollup_hours import HOUR_S, Range


def ranges_of_most_expensive(
    engine: Engine,
    count: int,
    *,
    since_ns: int | None,
    until_ns: int | None,
    filters: Mapping[str, Sequence[str]],
    limits: Limits,
) -> list[Range]:
    """Ranges of time that hold the `count` most expensive counted calls, of equal ones the latest.

    The rollup knows the dearest call of each of its groups. Take the `count` groups whose dearest calls
    come first, of equal ones the later group. A call outside of them costs no more than the last of
    these calls, or as much and is of an earlier hour: so `count` calls come before it. `filters` as in
    `UsageQuestion`; where the rollup cannot apply one, and where fewer calls have a cost than are asked
    for, it is all of the time.
    """
    everything: list[Range] = [(since_ns, until_ns)]
    where = coverage(engine).answering(since_ns, until_ns)
    if not where.buckets or not filters.keys() <= ROLLED:
        return everything
    params: dict[str, object] = {
        "buckets": list(where.buckets),
        "generations": list(where.buckets.values()),
        "count": count,
        **{f"only_{name}": list(values) for name, values in filters.items()},
    }
    conditions = [
        f"AND has({{only_{name}:Array(String)}}, ifNull({DIMENSIONS[name]}, ''))" for name in filters
    ]
    found = engine.execute(
        f"""
        SELECT bucket, max_cost_usd
        FROM store.usage_hourly
        WHERE grain = '{grain(filters.keys())}'
            AND (bucket, generation) IN arrayZip({{buckets:Array(Int64)}}, {{generations:Array(UInt64)}})
            AND counted AND max_cost_usd IS NOT NULL {" ".join(conditions)}
        ORDER BY max_cost_usd DESC, bucket DESC
        LIMIT {{count:UInt64}}
        """,
        params,
        limits=limits,
    )["bucket"].to_pylist()
    if len(found) < count:
        return everything
    hours: list[Range] = [(start * 10**9, (start + HOUR_S) * 10**9) for start in set(found)]
    return sorted([*hours, *where.ranges], key=lambda each: each[0] or 0)
