"""What was spent, by whom, on what: counted calls summed by any of a closed list of dimensions.

Usage that nobody could attribute to a call (a crew's bare sum with no calls under it) is summed
apart, so that the money is seen and never mixed into the calls' totals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import msgspec
import pyarrow as pa

from watchglass.errors import QueryError
from watchglass.queries.expired import ExpiredHours, expired_hours
from watchglass.queries.figures import MONEY_FIELDS, TOKEN_FIELDS
from watchglass.queries.plain import moment
from watchglass.queries.usage_rows import UsageRow, UsageRows
from watchglass.queries.usage_sources import Archived, Key, sources
from watchglass.store import Engine, Limits
from watchglass.store.expired import Expiry
from watchglass.store.rollup_engine import coverage, expiry, undisturbed
from watchglass.store.rollup_figures import COARSE, COUNTS, DURATIONS, average, percentile
from watchglass.store.rollup_figures import DIMENSIONS as KEPT_DIMENSIONS
from watchglass.store.rollup_hours import Answering

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
    "key": "nullIf(metadata['key'], '')",
    "hour": "toStartOfHour(time, 'UTC')",
    "day": "toDate(time, 'UTC')",
}
"""What usage can be grouped by, as the SQL that says it."""

OF_KEPT: Mapping[str, str] = {**DIMENSIONS, "hour": "hour", "day": "toDate(hour, 'UTC')"}
"""The same over rows of the rollup."""

ROLLED = frozenset((*KEPT_DIMENSIONS, "model", "hour", "day"))
"""What the rollup keeps apart, and so can be grouped and filtered by without reading calls."""

_COARSE = frozenset((*COARSE, "model", "hour", "day"))

BUCKETS = frozenset({"hour", "day"})
FILTERS = frozenset(DIMENSIONS) - BUCKETS
"""What usage can be filtered by."""


class UsageQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Usage by `by`, in `[since_ns, until_ns)`, of calls that match every filter.

    A filter names the values that match; '' stands for NULL. Without `durations` the rows say nothing
    of how long the calls took, which saves most of the work of an answer with thousands of rows.
    """

    by: tuple[str, ...] = ("tenant", "model")
    since_ns: int | None = None
    until_ns: int | None = None
    filters: dict[str, tuple[str, ...]] = {}
    durations: bool = True


class UsagePart(msgspec.Struct, frozen=True):
    """Rows and what they add up to."""

    rows: Sequence[UsageRow]
    totals: UsageRow


class UsageReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: counted calls, and apart from them what is reported but belongs to no call."""

    by: tuple[str, ...]
    since: str | None
    until: str | None
    counted: UsagePart
    unattributed: UsagePart
    expired: ExpiredHours | None = None


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
    return undisturbed(engine, lambda had: _usage(engine, question, had, limits))


def _usage(engine: Engine, question: UsageQuestion, had: Expiry, limits: Limits) -> UsageReport:
    where = answering(engine, question, had)
    expired = expired_hours(
        engine,
        question.since_ns,
        question.until_ns,
        kept_apart=_kept_apart(question),
        had=had,
        limits=limits,
    )
    archived = had.generation if expired is not None and expired.included else 0
    found = engine.execute(*statement(question, where, archived), limits=limits)
    return UsageReport(
        by=question.by,
        since=None if question.since_ns is None else moment(question.since_ns),
        until=None if question.until_ns is None else moment(question.until_ns),
        counted=_part(found, question.by, counted=True),
        unattributed=_part(found, question.by, counted=False),
        expired=expired,
    )


def answering(engine: Engine, question: UsageQuestion, had: Expiry | None = None) -> Answering:
    """Which hours the rollup answers: none where it does not keep apart what the question does.

    `had` is what had expired before; calls that are in the archive and not deleted yet are left out.
    """
    had = had or expiry(engine)
    if _kept_apart(question):
        names = {*question.by, *question.filters}
        by_day = "hour" not in names and grain(names) == "coarse" and had.deleting is None
        where = coverage(engine).answering(question.since_ns, question.until_ns, by_day=by_day)
    else:
        where = Answering({}, [(question.since_ns, question.until_ns)])
    return where if had.deleting is None else where.without(*had.deleting)


def _kept_apart(question: UsageQuestion) -> bool:
    return {*question.by, *question.filters} <= ROLLED


def statement(question: UsageQuestion, where: Answering, archived: int = 0) -> tuple[str, dict[str, object]]:
    """The SQL and its parameters; names come from `DIMENSIONS`, values are bound.

    Calls and kept rows are each summed up by the question's keys, then together: the same figures
    come from both, so that it does not matter which hour was answered by which. The archive's rows are of
    generations up to `archived`, 0 for none.
    """
    params: dict[str, object] = {}
    made = sources(
        [Key(name, DIMENSIONS[name], OF_KEPT[name]) for name in question.by],
        {name: (DIMENSIONS[name], values) for name, values in question.filters.items()},
        (*COUNTS, *DURATIONS) if question.durations else COUNTS,
        where,
        params,
        grain=grain({*question.by, *question.filters}),
        archived=Archived(archived, [(question.since_ns, question.until_ns)]) if archived else None,
    )
    return _together(made, [f"by_{name}" for name in question.by], question), params


def grain(names: Set[str]) -> str:
    """The coarsest grain of the rollup that keeps these dimensions apart."""
    return "coarse" if names <= _COARSE else "fine"


def _together(sources: Sequence[str], keys: Sequence[str], question: UsageQuestion) -> str:
    sets = [f"({', '.join(['of_calls', *keys])})", *(["(of_calls)"] if keys else [])]
    counts = ("calls", "failed_calls", "calls_without_tokens", *TOKEN_FIELDS, "priced_calls")
    durations = (
        (
            average("sum(f_duration_sum)", "sum(f_duration_count)"),
            percentile("f_durations", "sum(f_duration_count)", "min(f_duration_min)", "max(f_duration_max)"),
        )
        if question.durations
        else ("NULL", "NULL")
    )
    columns = [
        *(f"{_shown(name)} AS {name}_shown" for name in question.by),
        "of_calls",
        f"{f'grouping({keys[0]})' if keys else '1'} AS is_total",
        *(f"sum(f_{name}) AS {name}" for name in counts),
        *(f"toString(sum(f_{name})) AS {name}" for name in MONEY_FIELDS),
        "sumMap(f_unpriced) AS unpriced",
        f"{durations[0]} AS avg_duration_ns",
        f"{durations[1]} AS p95_duration_ns",
    ]
    # Time first, oldest first; then what cost most, unknown costs last; then names, unknown ones first.
    times = [f"by_{name}" for name in question.by if name in BUCKETS]
    names = [f"by_{name} ASC NULLS FIRST" for name in question.by if name not in BUCKETS]
    order = [*times, "sum(f_cost_usd) DESC NULLS LAST", "calls DESC", *names]
    return f"""
        SELECT
            {", ".join(columns)}
        FROM ({" UNION ALL ".join(sources)})
        GROUP BY GROUPING SETS ({", ".join(sets)})
        ORDER BY {", ".join(order)}
        """


def _shown(name: str) -> str:
    match name:
        case "hour":
            return "formatDateTime(by_hour, '%Y-%m-%dT%H:%i:%SZ', 'UTC')"
        case "day":
            return "toString(by_day)"
        case _:
            return f"by_{name}"


def _part(found: pa.Table, by: Sequence[str], *, counted: bool) -> UsagePart:
    of_calls, is_total = found["of_calls"].to_numpy(), found["is_total"].to_numpy()
    totals = UsageRows(found.filter(pa.array((of_calls == counted) & (is_total == 1))), ())
    rows = UsageRows(found.filter(pa.array((of_calls == counted) & (is_total == 0))), by) if by else totals
    return UsagePart(rows, totals[0] if len(totals) else UsageRow())
