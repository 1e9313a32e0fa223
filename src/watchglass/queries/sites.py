"""Which lines of code made calls, how many, and what flowed through each: the run-time half of coverage."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from watchglass.errors import QueryError
from watchglass.queries.figures import tidy
from watchglass.queries.plain import moment
from watchglass.queries.times import parse_moment
from watchglass.store import Engine, Limits

MOST_SITES = 50_000
"""Different lines in one answer. A program has some hundred; more are lines that a generator made up."""

SITE_FILTERS = ("service", "environment", "tenant")
"""What the calls can be narrowed to."""


class SitesQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Of the counted calls in `[since_ns, until_ns)`; a filter names the values that match, '' stands for
    NULL."""

    since_ns: int
    until_ns: int
    filters: dict[str, tuple[str, ...]] = {}


class RecordedSite(msgspec.Struct, frozen=True, kw_only=True):
    """A line of code that made calls; `file` is NULL for calls of which nobody said where they were made.

    `cost_usd` is the sum of what is known, `unpriced_calls` are those of which it is not. Calls without a
    tenant or without a feature are `without_context`, and `cost_without_context_usd` is theirs.
    """

    file: str | None
    line: int | None
    function: str | None
    calls: int
    failed_calls: int
    unpriced_calls: int
    cost_usd: Decimal | None
    without_tenant: int
    without_feature: int
    without_context: int
    cost_without_context_usd: Decimal | None
    last: str
    services: list[str]
    scope: str
    """One of the libraries that told of them."""


class RecordedSites(msgspec.Struct, frozen=True, kw_only=True):
    """All of a span of time, those that most money flowed through first."""

    since: str
    until: str
    sites: list[RecordedSite]


def sites(engine: Engine, question: SitesQuestion, *, limits: Limits) -> RecordedSites:
    """Answer in one statement. Raises `QueryLimit` when there are more than `MOST_SITES`."""
    params: dict[str, Any] = {"since": question.since_ns, "until": question.until_ns, "most": MOST_SITES + 1}
    conditions = ""
    for name, values in question.filters.items():
        if name not in SITE_FILTERS:
            raise QueryError(f"coverage cannot be filtered by {name!r}; it can by {', '.join(SITE_FILTERS)}")
        params[f"only_{name}"] = list(values)
        conditions += f" AND has({{only_{name}:Array(String)}}, ifNull({name}, ''))"
    found = engine.execute(
        f"""
        SELECT
            code_file AS file,
            code_line AS line,
            code_function AS function,
            count() AS calls,
            countIf(NOT success) AS failed_calls,
            countIf(cost_usd IS NULL) AS unpriced_calls,
            sum(cost_usd) AS cost,
            countIf(tenant IS NULL) AS without_tenant,
            countIf(feature IS NULL) AS without_feature,
            countIf(tenant IS NULL OR feature IS NULL) AS without_context,
            sumIf(cost_usd, tenant IS NULL OR feature IS NULL) AS cost_without_context,
            toUnixTimestamp64Nano(max(time)) AS last_ns,
            arraySort(groupUniqArray(20)(ifNull(service, ''))) AS services,
            any(scope) AS told_by
        FROM calls
        WHERE counted
            AND time >= fromUnixTimestamp64Nano({{since:Int64}}, 'UTC')
            AND time < fromUnixTimestamp64Nano({{until:Int64}}, 'UTC')
            {conditions}
        GROUP BY file, line, function
        ORDER BY cost DESC NULLS LAST, calls DESC, file, line
        LIMIT {{most:UInt64}}
        """,
        params,
        limits=limits,
    ).to_pylist()
    if len(found) > MOST_SITES:
        raise QueryError(f"calls came from more than {MOST_SITES:,} lines; ask for one service, or less time")
    return RecordedSites(
        since=moment(question.since_ns), until=moment(question.until_ns), sites=[_site(row) for row in found]
    )


def _site(row: dict[str, Any]) -> RecordedSite:
    return RecordedSite(
        file=row["file"],
        line=row["line"],
        function=row["function"],
        calls=row["calls"],
        failed_calls=row["failed_calls"],
        unpriced_calls=row["unpriced_calls"],
        cost_usd=tidy(row["cost"]),
        without_tenant=row["without_tenant"],
        without_feature=row["without_feature"],
        without_context=row["without_context"],
        cost_without_context_usd=tidy(row["cost_without_context"]),
        last=moment(row["last_ns"]),
        services=[each for each in row["services"] if each],
        scope=row["told_by"],
    )


def sites_question(items: Iterable[tuple[str, str]], now_ns: int) -> SitesQuestion:
    """The question of query parameters `since` (30 days ago unless given), `until` and the filters."""
    single: dict[str, str] = {}
    filters: dict[str, tuple[str, ...]] = {}
    for name, value in items:
        if name in SITE_FILTERS:
            filters[name] = (*filters.get(name, ()), value)
        elif name in ("since", "until"):
            single[name] = value
        else:
            raise QueryError(f"coverage knows no {name!r}; it takes since, until, {', '.join(SITE_FILTERS)}")
    question = SitesQuestion(
        since_ns=parse_moment(single.get("since") or "30d", now_ns),
        until_ns=parse_moment(single.get("until") or "now", now_ns),
        filters=filters,
    )
    if question.since_ns >= question.until_ns:
        raise QueryError("there is no time between since and until; give an earlier since")
    return question


def sites_items(question: SitesQuestion) -> list[tuple[str, str]]:
    """Query parameters that `sites_question` reads back to the same question."""
    items = [("since", moment(question.since_ns)), ("until", moment(question.until_ns))]
    return items + [(name, value) for name, values in question.filters.items() for value in values]
