"""Which lines of code made calls, how many, and what flowed through each: the run-time half of coverage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from watchglass.errors import QueryError
from watchglass.queries.figures import tidy
from watchglass.queries.plain import moment
from watchglass.queries.times import parse_moment
from watchglass.store import Engine, Limits
from watchglass.store.rollup_engine import site_days
from watchglass.store.rollup_figures import SITE, SITE_FIGURES, Figure, within
from watchglass.store.rollup_hours import Answering
from watchglass.store.rollup_statements import KEPT_SITES

MOST_SITES = 50_000
"""Different lines in one answer. A program has some hundred; more are lines that a generator made up."""

_SERVICES = "arraySlice(arraySort({of}), 1, 20)"
"""Of more than twenty the first by name, from whichever source they come."""

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
    """Answer in one statement: whole days that have been summed up from their sums, all else from calls.

    Raises `QueryError` when there are more than `MOST_SITES`.
    """
    params: dict[str, Any] = {"most": MOST_SITES + 1}
    where = site_days(engine, question.since_ns, question.until_ns)
    found = engine.execute(_statement(question, where, params), params, limits=limits).to_pylist()
    if len(found) > MOST_SITES:
        raise QueryError(f"calls came from more than {MOST_SITES:,} lines; ask for one service, or less time")
    return RecordedSites(
        since=moment(question.since_ns), until=moment(question.until_ns), sites=[_site(row) for row in found]
    )


def _statement(question: SitesQuestion, where: Answering, params: dict[str, Any]) -> str:
    """The SQL; its values are added to `params`. Both sources have the same figures (`SITE_FIGURES`)."""
    conditions = ""
    for name, values in question.filters.items():
        if name not in SITE_FILTERS:
            raise QueryError(f"coverage cannot be filtered by {name!r}; it can by {', '.join(SITE_FILTERS)}")
        params[f"only_{name}"] = list(values)
        conditions += f" AND has({{only_{name}:Array(String)}}, ifNull({name}, ''))"
    sources = [
        _source([each.of_calls for each in SITE_FIGURES], "calls", _of_calls(where, params), conditions)
    ]
    if where.days:
        params |= {"buckets": list(where.days), "generations": list(where.days.values())}
        kept = "(bucket, generation) IN arrayZip({buckets:Array(Int64)}, {generations:Array(UInt64)})"
        sources.append(_source([each.of_kept for each in SITE_FIGURES], KEPT_SITES, kept, conditions))
    return f"""
        SELECT
            {", ".join(f"by_{name}" for name in SITE)},
            {", ".join(f"{_together(each)} AS {each.name}" for each in SITE_FIGURES if each.name != "last")},
            toUnixTimestamp64Nano(max(f_last)) AS last_ns,
            {_SERVICES.replace("{of}", "groupUniqArrayArray(f_services)")} AS services
        FROM ({" UNION ALL ".join(sources)})
        GROUP BY {", ".join(f"by_{name}" for name in SITE)}
        ORDER BY cost_usd DESC NULLS LAST, calls DESC, {", ".join(f"by_{name}" for name in SITE)}
        LIMIT {{most:UInt64}}
        """


def _together(figure: Figure) -> str:
    """A figure of both sources: sums are summed up, of the largest the largest is taken."""
    return f"{figure.of_kept.partition('(')[0]}(f_{figure.name})"


def _of_calls(where: Answering, params: dict[str, Any]) -> str:
    return f"counted AND {within(where.ranges, params)}"


def _source(figures: Sequence[str], table: str, which: str, conditions: str) -> str:
    named = [f"{sql} AS f_{each.name}" for sql, each in zip(figures, SITE_FIGURES, strict=True)]
    return f"""
        SELECT
            {", ".join(f"{name} AS by_{name}" for name in SITE)},
            {", ".join(named)},
            {_SERVICES.replace("{of}", "groupUniqArray(ifNull(service, ''))")} AS f_services
        FROM {table}
        WHERE {which} {conditions}
        GROUP BY {", ".join(f"by_{name}" for name in SITE)}
        """


def _site(row: dict[str, Any]) -> RecordedSite:
    return RecordedSite(
        file=row["by_code_file"],
        line=row["by_code_line"],
        function=row["by_code_function"],
        calls=row["calls"],
        failed_calls=row["failed_calls"],
        unpriced_calls=row["unpriced_calls"],
        cost_usd=tidy(row["cost_usd"]),
        without_tenant=row["without_tenant"],
        without_feature=row["without_feature"],
        without_context=row["without_context"],
        cost_without_context_usd=tidy(row["cost_without_context_usd"]),
        last=moment(row["last_ns"]),
        services=[each for each in row["services"] if each],
        scope=row["scope"],
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
