"""The errors that calls fail with most, each with a trace to look at."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from watchglass.queries.plain import moment
from watchglass.queries.usage import DIMENSIONS
from watchglass.queries.windows_compared import Compared, Sum
from watchglass.store import Engine, Limits
from watchglass.store.rollup_figures import within

ENOUGH = 2000
"""Failed calls to look at: the class of an error is in no sum, so the calls themselves are read."""

MOST = 8
_MESSAGE = 300


class TopError(msgspec.Struct, frozen=True, kw_only=True):
    """Failed calls of one class of error (null: nobody said), and the latest of them."""

    error_type: str | None
    calls: int
    models: list[str]
    message: str | None
    trace_id: str
    call_id: str
    last: str


class TopErrors(msgspec.Struct, frozen=True, kw_only=True):
    """The commonest first, of `looked_at` failed calls that began at or after `since`: all of the window, or
    the latest few thousand of it. `types` is how many classes there are."""

    looked_at: int
    since: str
    whole_window: bool
    types: int
    errors: list[TopError]


def top_errors(engine: Engine, asked: Compared, series: Sequence[Sum], *, limits: Limits) -> TopErrors:
    """`series` are the window's buckets of time: they say where failed calls are."""
    since_ns = _since_ns(asked, series)
    params: dict[str, object] = {"longest": _MESSAGE, "most": MOST}
    conditions: list[str] = []
    for name, values in asked.filters.items():
        conditions.append(f"AND has({{only_{name}:Array(String)}}, ifNull({DIMENSIONS[name]}, ''))")
        params[f"only_{name}"] = list(values)
    found = engine.execute(
        f"""
        SELECT
            error_type,
            count() AS calls,
            arraySort(groupUniqArray(3)(ifNull(coalesce(response_model, request_model), ''))) AS models,
            argMax(
                (substringUTF8(ifNull(error_message, ''), 1, {{longest:UInt32}}), trace_id, call_id,
                    toUnixTimestamp64Nano(time)),
                (time, call_id)
            ) AS latest,
            sum(calls) OVER () AS looked_at,
            count() OVER () AS types
        FROM store.calls FINAL
        WHERE counted AND NOT success
            AND {within([(since_ns, asked.until_ns)], params)} {" ".join(conditions)}
        GROUP BY error_type
        ORDER BY calls DESC, error_type
        LIMIT {{most:UInt32}}
        """,
        params,
        limits=limits,
    ).to_pylist()
    errors: list[TopError] = []
    for row in found:
        message, trace_id, call_id, time_ns = row["latest"].values()
        errors.append(
            TopError(
                error_type=row["error_type"],
                calls=row["calls"],
                models=[model for model in row["models"] if model],
                message=message or None,
                trace_id=trace_id,
                call_id=call_id,
                last=moment(time_ns),
            )
        )
    return TopErrors(
        looked_at=found[0]["looked_at"] if found else 0,
        since=moment(since_ns),
        whole_window=since_ns == asked.since_ns,
        types=found[0]["types"] if found else 0,
        errors=errors,
    )


def _since_ns(asked: Compared, series: Sequence[Sum]) -> int:
    failed = 0
    for each in sorted(series, key=lambda each: each.at_s or 0, reverse=True):
        failed += each.failed_calls
        if failed >= ENOUGH and each.at_s is not None:
            return max(asked.since_ns, each.at_s * 10**9)
    return asked.since_ns
