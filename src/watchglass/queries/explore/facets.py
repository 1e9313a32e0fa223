"""How the calls of a search are spread: over values of each facet, and over time.

Counts are of counted calls that meet the filters; a facet's own filter is left out of its counts, so that
one sees what else could be chosen. They come from the rollup where it keeps apart what the filters ask, and
else from calls, newest first, until the time is up: `counted_since` says how far they reach then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from watchglass.errors import QueryLimit
from watchglass.queries.explore.conditions import traces_in
from watchglass.queries.explore.patience import Patience
from watchglass.queries.explore.question import FACETS, OF_CALLS, ExploreQuestion
from watchglass.queries.explore.text import Hits
from watchglass.queries.figures import plus_money, tidy
from watchglass.queries.lists.windows import windows
from watchglass.queries.plain import moment
from watchglass.queries.usage import ROLLED, UsageQuestion, answering
from watchglass.store import Engine, Limits
from watchglass.store.rollup_engine import undisturbed
from watchglass.store.rollup_figures import within
from watchglass.store.rollup_hours import Answering, Range
from watchglass.store.rollup_keeper import KEPT

MOST_VALUES = 20
BARS = 96
HOUR_S = 3600
WIDTHS_S = (60, 300, 600, 900, 1800, HOUR_S, *(HOUR_S * n for n in (2, 3, 6, 12, 24, 48, 168, 336, 672)))
"""Widths of a bar. Below an hour only calls can tell, so that is for short times."""

_VALUED = tuple(name for name in FACETS if name != "status")


class FacetValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value (None: nobody said) with the calls that have it."""

    value: str | None
    calls: int
    failed_calls: int


class Facet(msgspec.Struct, frozen=True, kw_only=True):
    """The values of one facet, the most frequent first. `others` are the calls of values beyond those."""

    name: str
    values: list[FacetValue]
    other_values: int = 0
    others: int = 0


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """Calls and, among them, failed ones by time. `start_s` is the first bar's, in seconds since 1970."""

    start_s: int
    width_s: int
    calls: list[int]
    failed_calls: list[int]


class SearchTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What all calls that were counted add up to."""

    calls: int = 0
    failed_calls: int = 0
    unpriced_calls: int = 0
    cost_usd: Decimal | None = None


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `counted_since` is None when everything was counted."""

    facets: list[Facet]
    histogram: Histogram
    totals: SearchTotals
    counted_since: str | None = None


class _Row(msgspec.Struct, frozen=True):
    facet: str
    value: str | None
    slot: int
    calls: int
    failed: int
    unpriced: int
    cost: str | None


def spread(
    engine: Engine,
    question: ExploreQuestion,
    hits: Hits | None,
    now_ns: int,
    patience: Patience,
    *,
    limits: Limits,
) -> Spread:
    """Counts over the calls of a question. Raises `QueryLimit` when there is no time for any."""
    until_ns = now_ns if question.until_ns is None else question.until_ns
    width_s = _width(question.since_ns, until_ns)
    whole = hits is None and not question.amounts
    rolled = whole and width_s % HOUR_S == 0 and set(question.calls) <= ROLLED
    if rolled:
        asked = UsageQuestion(
            by=("hour", *_VALUED),
            since_ns=question.since_ns,
            until_ns=question.until_ns,
            filters=question.calls,
        )
        rows = undisturbed(
            engine,
            lambda had: _ask(
                engine, question, answering(engine, asked, had), (), width_s, patience.limits(limits), {}
            ),
        )
        return _together(question, rows, width_s, until_ns, None)
    rows, reached_ns = list[_Row](), until_ns
    try:
        for begin, end in _steps(question, now_ns):
            where = Answering({}, [(begin, end)])
            params: dict[str, object] = {}
            beside = [] if whole else traces_in(question, hits, (begin, end), params)
            rows += _ask(engine, question, where, beside, width_s, patience.limits(limits), params)
            reached_ns = begin
    except QueryLimit:
        return _together(question, rows, width_s, until_ns, reached_ns)
    return _together(question, rows, width_s, until_ns, None)


def _steps(question: ExploreQuestion, now_ns: int) -> list[tuple[int, int]]:
    """Windows of time, newest first; the first three as one, for each costs a statement."""
    found = list(windows(question.since_ns, question.until_ns, now_ns))
    return [(found[:3][-1][0], found[0][1]), *found[3:]] if found else []


def _width(since_ns: int, until_ns: int) -> int:
    span_s = max(1, (until_ns - since_ns) // 10**9)
    return next(
        (width for width in WIDTHS_S if span_s <= BARS * width), -(-span_s // BARS // 604_800) * 604_800
    )


def _ask(
    engine: Engine,
    question: ExploreQuestion,
    where: Answering,
    beside: Sequence[str],
    width_s: int,
    limits: Limits,
    params: dict[str, object],
) -> list[_Row]:
    """One statement for all facets: a row that misses one filter alone counts for that filter's facet."""
    sources: list[str] = []
    bound = question.calls
    of_rest = [
        f"AND {_condition(name, values, params)}" for name, values in bound.items() if name not in _VALUED
    ]
    if where.ranges:
        also = " ".join([*of_rest, *(f"AND {each}" for each in beside)])
        sources.append(_from_calls(where.ranges, also, width_s, params))
    if where.buckets:
        params |= {"buckets": list(where.buckets), "generations": list(where.buckets.values())}
        sources.append(
            f"""
            SELECT {_valued()}, intDiv(bucket, {width_s}) * {width_s} AS slot,
                toInt64(sum(calls)) AS n, toInt64(sum(failed_calls)) AS failed,
                toInt64(sum(calls) - sum(priced_calls)) AS unpriced,
                sum(cost_usd) AS cost
            FROM {KEPT}
            WHERE grain = 'fine' AND counted {" ".join(of_rest)} AND (bucket, generation) IN
                arrayZip({{buckets:Array(Int64)}}, {{generations:Array(UInt64)}})
            GROUP BY ALL
            """
        )
    if not sources:
        return []
    own = [name for name in _VALUED if name in bound]
    misses = [f"NOT ({_condition(name, bound[name], params, f'v_{name}')})" for name in own]
    missed = " + ".join(f"toUInt8({each})" for each in misses) or "0"
    alone = "multiIf(missed != 1, '', "
    alone += ", ".join(f"{each}, '{name}'" for name, each in zip(own, misses, strict=True))
    alone = f"{alone}, '')" if own else "''"
    statement = _statement(sources, missed, alone)
    rows = engine.execute(statement, params, limits=limits).to_pylist()
    return [msgspec.convert(row, _Row) for row in rows]


def _statement(sources: Sequence[str], missed: str, alone: str) -> str:
    # Rows are doubled once: each counts for every facet if it misses no filter, else for the one it misses.
    shown = ", ".join(f"('{name}', v_{name}, toInt64(0))" for name in _VALUED)
    return f"""
        SELECT told.1 AS facet, told.2 AS value, told.3 AS slot,
            toInt64(sum(n)) AS calls, toInt64(sum(failed)) AS failed, toInt64(sum(unpriced)) AS unpriced,
            toString(sum(cost)) AS cost
        FROM
        (
            SELECT n, failed, unpriced, cost, arrayJoin(
                arrayFilter(t -> missing = '' OR t.1 = missing,
                    [{shown}, ('', CAST(NULL, 'Nullable(String)'), toInt64(slot))])
            ) AS told
            FROM
            (
                SELECT *, {missed} AS missed, {alone} AS missing
                FROM ({" UNION ALL ".join(sources)})
            )
            WHERE missed <= 1
        )
        GROUP BY ALL
        """


def _from_calls(ranges: Sequence[Range], also: str, width_s: int, params: dict[str, object]) -> str:
    return f"""
        SELECT {_valued()}, intDiv(toUnixTimestamp(time), {width_s}) * {width_s} AS slot,
            toInt64(count()) AS n, toInt64(countIf(NOT success)) AS failed,
            toInt64(countIf(isNull(cost_usd))) AS unpriced, sum(cost_usd) AS cost
        FROM store.calls FINAL
        WHERE counted AND {within(ranges, params)} {also}
        GROUP BY ALL
        """


def _valued() -> str:
    return ", ".join(f"CAST({OF_CALLS[name]}, 'Nullable(String)') AS v_{name}" for name in _VALUED)


def _condition(name: str, values: Sequence[str], params: dict[str, object], said: str = "") -> str:
    params[f"only_{name}"] = list(values)
    return f"has({{only_{name}:Array(String)}}, ifNull(toString({said or OF_CALLS[name]}), ''))"


def _together(
    question: ExploreQuestion, rows: Sequence[_Row], width_s: int, until_ns: int, reached_ns: int | None
) -> Spread:
    counts: dict[str, dict[str | None, list[int]]] = {name: {} for name in FACETS}
    start_s = question.since_ns // 10**9 // width_s * width_s
    bars = max(1, -(-(-(-until_ns // 10**9) - start_s) // width_s))
    calls, failed = [0] * bars, [0] * bars
    totals, cost = [0, 0, 0], None
    for row in rows:
        if row.facet:
            each = counts[row.facet].setdefault(row.value or None, [0, 0])
            each[0] += row.calls
            each[1] += row.failed
            continue
        bar = min(max(0, (row.slot - start_s) // width_s), bars - 1)
        calls[bar] += row.calls
        failed[bar] += row.failed
        totals = [a + b for a, b in zip(totals, (row.calls, row.failed, row.unpriced), strict=True)]
        cost = plus_money(cost, None if row.cost is None else Decimal(row.cost))
    counts["status"] = {"ok": [totals[0] - totals[1], 0], "failed": [totals[1], totals[1]]}
    if question.status is not None:
        at = 1 if question.status == "failed" else 0
        counts = {name: _only(values, at) for name, values in counts.items() if name != "status"} | {
            "status": counts["status"]
        }
    chosen = question.listed.filters
    return Spread(
        facets=[_facet(name, counts[name], chosen.get(name, ())) for name in FACETS],
        histogram=Histogram(start_s=start_s, width_s=width_s, calls=calls, failed_calls=failed),
        totals=SearchTotals(
            calls=totals[0], failed_calls=totals[1], unpriced_calls=totals[2], cost_usd=tidy(cost)
        ),
        counted_since=None if reached_ns is None else moment(reached_ns),
    )


def _only(values: Mapping[str | None, list[int]], failed: int) -> dict[str | None, list[int]]:
    """The same with only the failed calls, or only the others."""
    kept = {value: [bad, bad] if failed else [calls - bad, 0] for value, (calls, bad) in values.items()}
    return {value: each for value, each in kept.items() if each[0]}


def _facet(name: str, counts: Mapping[str | None, Sequence[int]], chosen: Sequence[str]) -> Facet:
    """The most frequent values, and those that are chosen even if nothing has them."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1][0], item[0] is None, item[0] or ""))
    wanted = {value or None for value in chosen}
    shown = [item for at, item in enumerate(ordered) if at < MOST_VALUES or item[0] in wanted]
    missing = [(value, [0, 0]) for value in sorted(wanted, key=str) if value not in counts]
    left = ordered[MOST_VALUES:]
    left = [item for item in left if item[0] not in wanted]
    values: list[tuple[str | None, Sequence[int]]] = [*shown, *missing]
    return Facet(
        name=name,
        values=[FacetValue(value=value, calls=each[0], failed_calls=each[1]) for value, each in values],
        other_values=len(left),
        others=sum(each[0] for _, each in left),
    )
