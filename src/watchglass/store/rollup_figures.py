"""What the rollup keeps of a group of calls, as SQL: once over rows, once over what was kept.

The same list makes the rollup's rows, reads them, and reads the hours that are answered from calls
instead, so that one question has one answer whichever way it is served.

Percentiles are of durations in steps of 2%: `quantileTiming` counts whole numbers below 1024 exactly
and merges to the same result in any order, so a duration becomes the number of its step, and a
percentile is within 1% of the exact one for durations from 0.1 ms to 17 hours. It never leaves the
range from the shortest to the longest. Exact percentiles would need every duration of every call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from watchglass.store.rollup_hours import HOUR_NS, HOUR_S, Range

DIMENSIONS = (
    *("tenant", "engagement", "feature", "agent", "provider", "request_model", "response_model"),
    *("operation", "service", "environment", "flow_type", "phase", "dialect", "price_source"),
)
"""What the rollup keeps apart. Dimensions with a value for nearly every call are answered from calls."""

COARSE = ("tenant", "provider", "request_model", "response_model")
"""What is kept apart in coarse grain."""

SHORTEST_NS = 100_000
STEP = 1.02
STEPS = 1023

SUMMED = "(counted OR (kind = 'aggregate' AND not_counted_reason = 'unattributed'))"
"""The calls that are summed up at all."""

_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_STEP_NUMBER = (
    f"toUInt16(least(round(log(greatest(assumeNotNull(duration_ns), {SHORTEST_NS}) / {SHORTEST_NS})"
    f" / log({STEP})), {STEPS}))"
)


class Figure(NamedTuple):
    """One kept column: its value over a group of calls, and over a group of kept rows."""

    name: str
    of_calls: str
    of_kept: str


def _sum(name: str, of_calls: str) -> Figure:
    return Figure(name, of_calls, f"sum({name})")


COUNTS = (
    _sum("calls", "count()"),
    _sum("failed_calls", "countIf(NOT success)"),
    _sum("calls_without_tokens", "countIf(input_tokens IS NULL AND output_tokens IS NULL)"),
    *(_sum(name, f"sum({name})") for name in (*_TOKENS, "cost_usd", "reported_cost_usd")),
    Figure("max_cost_usd", "max(cost_usd)", "max(max_cost_usd)"),
    _sum("priced_calls", "countIf(cost_usd IS NOT NULL)"),
    Figure(
        "unpriced",
        "sumMapIf(map(ifNull(unpriced_reason, 'unknown'), toUInt64(1)), cost_usd IS NULL)",
        "sumMap(unpriced)",
    ),
)
DURATIONS = (
    _sum("duration_sum", "sum(toInt128(ifNull(duration_ns, 0)))"),
    _sum("duration_count", "count(duration_ns)"),
    Figure("duration_min", "min(duration_ns)", "min(duration_min)"),
    Figure("duration_max", "max(duration_ns)", "max(duration_max)"),
    Figure(
        "durations",
        f"quantileTimingIfState(0.95)({_STEP_NUMBER}, duration_ns IS NOT NULL)",
        "quantileTimingIfMergeState(0.95)(durations)",
    ),
)
FIGURES = (*COUNTS, *DURATIONS)

SITE = ("code_file", "code_line", "code_function")
"""A line of code, as a call tells of it."""

SITE_DIMENSIONS = ("tenant", "service", "environment", *SITE)
"""What sums by line of code keep apart."""

_NO_CONTEXT = "(tenant IS NULL OR feature IS NULL)"

SITE_FIGURES = (
    _sum("calls", "count()"),
    _sum("failed_calls", "countIf(NOT success)"),
    _sum("unpriced_calls", "countIf(cost_usd IS NULL)"),
    _sum("cost_usd", "sum(cost_usd)"),
    _sum("without_tenant", "countIf(tenant IS NULL)"),
    _sum("without_feature", "countIf(feature IS NULL)"),
    _sum("without_context", f"countIf{_NO_CONTEXT}"),
    _sum("cost_without_context_usd", f"sumIf(cost_usd, {_NO_CONTEXT})"),
    Figure("last", "max(time)", "max(last)"),
    # Any would do; the same one each time is better.
    Figure("scope", "max(scope)", "max(scope)"),
)
"""What is said of a line of code."""


_NS = "toUnixTimestamp64Nano(time)"
BUCKET = f"intDiv({_NS} - positiveModulo({_NS}, {HOUR_NS}), {HOUR_NS // HOUR_S})"
"""Start of a call's hour in seconds since 1970, also before 1970 and after 2106."""

_MOST_RANGES = 50


def within(ranges: Sequence[Range], params: dict[str, object]) -> str:
    """The condition on `time` that holds in these ranges and nowhere else; adds its values to `params`.

    Written as ranges of time, which the engine turns into ranges of its key; when there are too many,
    as one around all of them and the list of hours, of which the first and the last may be in part.
    """
    if len(ranges) <= _MOST_RANGES:
        return f"({' OR '.join(_between(*each, params) for each in ranges) or '0'})"
    first, last = ranges[0], ranges[-1]
    hours = [
        hour * HOUR_S
        for since, until in ranges
        if since is not None and until is not None
        for hour in range(since // HOUR_NS, -(-until // HOUR_NS))
    ]
    params["hours_within"] = hours
    return f"({_between(first[0], last[1], params)} AND {BUCKET} IN {{hours_within:Array(Int64)}})"


def _between(since_ns: int | None, until_ns: int | None, params: dict[str, object]) -> str:
    conditions: list[str] = []
    for sign, ns in ((">=", since_ns), ("<", until_ns)):
        if ns is not None:
            name = f"moment_{len(params)}"
            params[name] = ns
            conditions.append(f"time {sign} fromUnixTimestamp64Nano({{{name}:Int64}}, 'UTC')")
    return f"({' AND '.join(conditions) or '1'})"


def average(total: str, count: str) -> str:
    """The mean duration in whole ns, NULL of none."""
    return f"if({count} = 0, NULL, toInt64(round({total} / {count})))"


def percentile(state: str, count: str, shortest: str, longest: str, *, level: float = 0.95) -> str:
    """A percentile (the 95th unless told) in ns, NULL of none, from a merged state of step numbers.

    The state is the same whatever level its column was declared with.
    """
    step = f"quantileTimingIfMerge({level})({state})"
    value = f"toInt64(round({SHORTEST_NS} * pow({STEP}, {step})))"
    return f"if({count} = 0, NULL, least(greatest({value}, {shortest}), {longest}))"
