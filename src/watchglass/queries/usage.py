"""What was spent, by whom, on what: counted calls summed by any of a closed list of dimensions.

Usage that nobody could attribute to a call (a crew's bare sum with no calls under it) is summed
apart, so that the money is seen and never mixed into the calls' totals.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa

from watchglass.errors import QueryError
from watchglass.queries.figures import MONEY_FIELDS, TOKEN_FIELDS, Figures, tidy
from watchglass.queries.plain import moment, second
from watchglass.store import Engine, Limits

_PLAIN = (
    *("tenant", "engagement", "feature", "agent", "provider", "service", "environment", "flow", "flow_type"),
    *(
        "phase",
        "task",
        "session",
        "user",
        "operation",
        "request_model",
        "response_model",
        "dialect",
        "price_source",
    ),
)
DIMENSIONS: Mapping[str, str] = {
    **{name: name for name in _PLAIN},
    "model": "coalesce(response_model, request_model)",
    "hour": "toStartOfHour(time, 'UTC')",
    "day": "toDate(time, 'UTC')",
}
"""What usage can be grouped by, as the SQL that says it."""

BUCKETS = frozenset({"hour", "day"})
FILTERS = frozenset(DIMENSIONS) - BUCKETS
"""What usage can be filtered by."""


class UsageQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Usage by `by`, in `[since_ns, until_ns)`, of calls that match every filter.

    A filter names the values that match; '' stands for NULL.
    """

    by: tuple[str, ...] = ("tenant", "model")
    since_ns: int | None = None
    until_ns: int | None = None
    filters: dict[str, tuple[str, ...]] = {}


class UsageRow(Figures, frozen=True, kw_only=True):
    """One group: `group` has a value (or None, unknown) for each dimension asked for.

    `avg_duration_ns` is the mean, `p95_duration_ns` the exact 95th percentile of the calls' durations.
    """

    group: dict[str, str | None] = msgspec.field(default_factory=dict[str, str | None])
    avg_duration_ns: int | None = None
    p95_duration_ns: int | None = None


class UsagePart(msgspec.Struct, frozen=True):
    """Rows and what they add up to."""

    rows: list[UsageRow]
    totals: UsageRow


class UsageReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: counted calls, and apart from them what is reported but belongs to no call."""

    by: tuple[str, ...]
    since: str | None
    until: str | None
    counted: UsagePart
    unattributed: UsagePart


def check(question: UsageQuestion) -> None:
    """Raise `QueryError` for a dimension, filter or span of time that does not exist."""
    for name in question.by:
        if name not in DIMENSIONS:
            raise QueryError(f"usage cannot be grouped by {name!r}; it can by {', '.join(DIMENSIONS)}")
    if len(set(question.by)) < len(question.by):
        raise QueryError(
            f"usage is grouped twice by the same thing in {','.join(question.by)}; name each once"
        )
    for name in question.filters:
        if name not in FILTERS:
            raise QueryError(f"usage cannot be filtered by {name!r}; it can by {', '.join(sorted(FILTERS))}")
    if (
        question.since_ns is not None
        and question.until_ns is not None
        and question.since_ns > question.until_ns
    ):
        raise QueryError(f"since ({moment(question.since_ns)}) is after until ({moment(question.until_ns)})")


def usage(engine: Engine, question: UsageQuestion, *, limits: Limits) -> UsageReport:
    """Answer in one statement, so that rows and totals are of the same moment."""
    check(question)
    found = engine.execute(*statement(question), limits=limits)
    return UsageReport(
        by=question.by,
        since=None if question.since_ns is None else moment(question.since_ns),
        until=None if question.until_ns is None else moment(question.until_ns),
        counted=_part(found, question.by, counted=True),
        unattributed=_part(found, question.by, counted=False),
    )


def statement(question: UsageQuestion) -> tuple[str, dict[str, object]]:
    """The SQL and its parameters; names come from `DIMENSIONS`, values are bound."""
    conditions, params = _conditions(question)
    keys = [f"{DIMENSIONS[name]} AS by_{name}" for name in question.by]
    names = [f"by_{name}" for name in question.by]
    sets = [f"({', '.join(['of_calls', *names])})", *(["(of_calls)"] if names else [])]
    is_total = f"grouping({names[0]})" if names else "1"
    sums = ",\n            ".join(f"sum({field}) AS sum_{field}" for field in (*TOKEN_FIELDS, *MONEY_FIELDS))
    return (
        f"""
        SELECT
            {"".join(f"{key}, " for key in keys)}
            counted AS of_calls,
            {is_total} AS is_total,
            count() AS n_calls,
            countIf(NOT success) AS n_failed,
            countIf(input_tokens IS NULL AND output_tokens IS NULL) AS n_without_tokens,
            {sums},
            countIf(cost_usd IS NOT NULL) AS n_priced,
            sumMapIf(map(ifNull(unpriced_reason, 'unknown'), 1), cost_usd IS NULL) AS n_unpriced,
            round(avg(duration_ns)) AS avg_duration,
            quantileExact(0.95)(duration_ns) AS p95_duration
        FROM calls
        WHERE (counted OR (kind = 'aggregate' AND not_counted_reason = 'unattributed'))
            {"".join(f"AND {condition} " for condition in conditions)}
        GROUP BY GROUPING SETS ({", ".join(sets)})
        """,
        params,
    )


def _conditions(question: UsageQuestion) -> tuple[list[str], dict[str, object]]:
    conditions: list[str] = []
    params: dict[str, object] = {}
    for name, ns, sign in (("since", question.since_ns, ">="), ("until", question.until_ns, "<")):
        if ns is not None:
            conditions.append(f"time {sign} fromUnixTimestamp64Nano({{{name}:Int64}}, 'UTC')")
            params[name] = ns
    for name, values in question.filters.items():
        conditions.append(f"has({{only_{name}:Array(String)}}, ifNull({DIMENSIONS[name]}, ''))")
        params[f"only_{name}"] = list(values)
    return conditions, params


def _part(found: pa.Table, by: Sequence[str], *, counted: bool) -> UsagePart:
    rows: list[UsageRow] = []
    totals = UsageRow()
    for record in found.to_pylist():
        if record["of_calls"] != counted:
            continue
        if record["is_total"]:
            totals = _row(record, ())
        if not record["is_total"] or not by:
            rows.append(_row(record, by))
    return UsagePart(sorted(rows, key=_order(by)), totals)


def _row(record: Mapping[str, Any], by: Sequence[str]) -> UsageRow:
    return UsageRow(
        group={name: _key(record[f"by_{name}"]) for name in by},
        calls=record["n_calls"],
        failed_calls=record["n_failed"],
        calls_without_tokens=record["n_without_tokens"],
        **{field: record[f"sum_{field}"] for field in TOKEN_FIELDS},
        cost_usd=tidy(record["sum_cost_usd"]),
        reported_cost_usd=tidy(record["sum_reported_cost_usd"]),
        priced_calls=record["n_priced"],
        unpriced=dict(sorted(record["n_unpriced"])),
        avg_duration_ns=int(record["avg_duration"]),
        p95_duration_ns=int(record["p95_duration"]),
    )


def _key(value: object) -> str | None:
    match value:
        case None | str():
            return value
        case int():  # the engine's DateTime, in seconds
            return second(value)
        case dt.date():
            return value.isoformat()
        case _:
            return str(value)


def _order(by: Sequence[str]) -> Callable[[UsageRow], tuple[object, ...]]:
    """Time first, oldest first; then what cost most, unknown costs last; then names."""

    def order(row: UsageRow) -> tuple[object, ...]:
        times = tuple(row.group[name] or "" for name in by if name in BUCKETS)
        cost = -row.cost_usd if row.cost_usd is not None else Decimal(1)
        return (*times, row.cost_usd is None, cost, -row.calls, *(row.group[name] or "" for name in by))

    return order
