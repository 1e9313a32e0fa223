"""The first page: how things are, against their targets and the window before, and what changed most.

Few statements, each of one moment: one over the rollup's finest rows (totals and what changed, which
therefore add up), one over its coarse rows (durations, over time and by provider), one over tasks, one over
the latest failed calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from watchglass.queries.at_once import begin
from watchglass.queries.buckets import Buckets, buckets_of
from watchglass.queries.contributions import Contribution, change, contributions, leading, pairs, spent
from watchglass.queries.expired import ExpiredHours, expired_hours
from watchglass.queries.figures import Figures
from watchglass.queries.plain import moment, second
from watchglass.queries.targets import Judged, Target, Targets, met, targets
from watchglass.queries.task_outcomes import Done, Outcomes, outcomes
from watchglass.queries.top_errors import TopErrors, top_errors
from watchglass.queries.windows_compared import (
    Compared,
    Reading,
    Sum,
    Sums,
    Which,
    begins_late,
    kept_apart,
    sums,
)
from watchglass.store import Engine, Limits
from watchglass.store.expired import Expiry
from watchglass.store.rollup_engine import coverage, undisturbed

Dimension: TypeAlias = Literal["model", "feature", "tenant", "agent"]
CHANGED_BY: tuple[Dimension, ...] = get_args(Dimension)
MOST_CHANGES = 6
"""Groups that are named; the others are one row."""


class WindowFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one window of counted calls.

    A figure is null where it is not known, and `unknown` says why. Spend is of the priced calls;
    `unpriced` counts the others by reason. `cache_share` is the part of the input that was read from
    providers' caches, percentiles are within 1%, active agents are those that made a call or began a task.
    """

    since: str
    until: str
    calls: int
    failed_calls: int
    error_share: float | None
    cost_usd: Decimal | None
    priced_calls: int
    unpriced: dict[str, int]
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    cache_share: float | None
    p50_ns: int | None
    p95_ns: int | None
    p99_ns: int | None
    active_agents: int
    tasks: Outcomes
    unknown: dict[str, str]


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A bucket of time, from `at`. Without calls it has spent nothing; null is unknown."""

    at: str
    calls: int
    failed_calls: int
    cost_usd: Decimal | None
    p50_ns: int | None
    p95_ns: int | None


class ProviderHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider did (null: unknown), and in the window before."""

    provider: str | None
    calls: int
    calls_before: int
    failed_calls: int
    error_share: float | None
    error_share_before: float | None
    p50_ns: int | None
    p95_ns: int | None
    p95_before_ns: int | None
    p99_ns: int | None
    cost_usd: Decimal | None
    spend_share: float | None


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """What made the difference, by one dimension: `spend` largest differences of money first, `errors` of
    failed calls; each with the rest as its last row (`other`), so that it adds up to the difference."""

    by: Dimension
    groups: int
    spend: list[Contribution]
    errors: list[Contribution]


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The page. `difference_usd` is what the window spent more than the one before, as far as is known.

    Where the window before has calls in its second half alone, `before_begins_late` is when they begin:
    records are younger than it, and what is held against it says little.
    """

    now: WindowFigures
    before: WindowFigures
    before_begins_late: str | None
    difference_usd: Decimal | None
    failed_difference: int
    targets: list[Judged]
    targets_source: str
    bucket: str
    bucket_s: int
    series: list[Point]
    providers: list[ProviderHealth]
    changed: list[Changed]
    errors: TopErrors
    unattributed_usd: Decimal | None
    expired: ExpiredHours | None


def overview(engine: Engine, asked: Compared, *, limits: Limits, against: Targets | None = None) -> Overview:
    """Answer; figures are held `against` these targets, or those that there are at first. Raises `QueryError`
    for a window or filter that makes no sense."""
    asked.checked()
    return undisturbed(engine, lambda had: _overview(engine, asked, had, limits, against or targets()))


def _overview(engine: Engine, asked: Compared, had: Expiry, limits: Limits, against: Targets) -> Overview:
    apart = kept_apart([*asked.filters, *CHANGED_BY])
    expired = expired_hours(engine, asked.before_ns, asked.until_ns, kept_apart=apart, had=had, limits=limits)
    reading = Reading(had, coverage(engine), expired is not None and expired.included)
    buckets = buckets_of(asked.since_ns, asked.until_ns)
    by = [(name,) for name in CHANGED_BY]
    by_dimension = begin(lambda: sums(engine, asked, [(), *by], reading, limits=limits))
    tasks = begin(lambda: outcomes(engine, asked, limits=limits))
    coarse, _ = sums(
        engine,
        asked,
        [(), ("at",), ("provider",)],
        reading,
        buckets=buckets,
        durations=True,
        limits=limits,
    )
    series = [each for each in coarse[("at",)] if each.which == "now"]
    errors = top_errors(engine, asked, series, limits=limits)
    fine, unattributed = by_dimension.answer()
    done = tasks.answer()
    sides = {which: _window(which, asked, fine, coarse, done) for which in ("now", "before")}
    totals = pairs(fine[()]).get((), (Figures(), Figures()))
    return Overview(
        now=sides["now"],
        before=sides["before"],
        before_begins_late=begins_late(asked, coarse[("at",)]),
        difference_usd=change(*totals),
        failed_difference=totals[1].failed_calls - totals[0].failed_calls,
        targets=[_judged(each, sides, asked.until_ns - asked.since_ns) for each in against.targets],
        targets_source=against.source,
        bucket=buckets.name,
        bucket_s=buckets.width_s,
        series=_series(asked, series, buckets),
        providers=_providers(coarse[("provider",)]),
        changed=[_changed(name, fine[(name,)]) for name in CHANGED_BY],
        errors=errors,
        unattributed_usd=unattributed.cost_usd,
        expired=expired,
    )


def _window(
    which: Which, asked: Compared, fine: Sums, coarse: Sums, done: Mapping[Which, Done]
) -> WindowFigures:
    of = next((each for each in fine[()] if each.which == which), Sum(which=which))
    timed = next((each for each in coarse[()] if each.which == which), Sum(which=which))
    agents = {each.group for each in fine[("agent",)] if each.which == which} - {(None,)}
    agents |= {(name,) for name in done[which].agents}
    since_ns = asked.since_ns if which == "now" else asked.before_ns
    until_ns = asked.until_ns if which == "now" else asked.since_ns
    values: dict[str, Any] = {
        "error_share": _share(of.failed_calls, of.calls),
        "cost_usd": spent(of),
        "cache_share": _share(of.cache_read_tokens, of.input_tokens),
        **{name: getattr(of, name) for name in _TOKENS},
        **{name: getattr(timed, name) for name in _DURATIONS},
    }
    return WindowFigures(
        since=moment(since_ns),
        until=moment(until_ns),
        calls=of.calls,
        failed_calls=of.failed_calls,
        priced_calls=of.priced_calls,
        unpriced=dict(sorted(of.unpriced.items(), key=lambda each: (-each[1], each[0]))),
        active_agents=len(agents),
        tasks=done[which].outcomes,
        unknown={name: _why(name, of) for name, value in values.items() if value is None},
        **values,
    )


_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_DURATIONS = ("p50_ns", "p95_ns", "p99_ns")


def _why(name: str, of: Figures) -> str:
    if not of.calls:
        return "no call was made in this window"
    if name == "cost_usd":
        reasons = ", ".join(of.unpriced)
        return f"no call of this window has a price ({reasons})"
    if name in _DURATIONS:
        return "no call of this window says how long it took"
    what = {"cache_share": "cache_read_tokens"}.get(name, name).replace("_", " ")
    return f"no call of this window says its {what}"


def _judged(target: Target, sides: Mapping[str, WindowFigures], window_ns: int) -> Judged:
    now, before = (
        getattr(side.tasks if target.of == "tasks" else side, target.figure)
        for side in (sides["now"], sides["before"])
    )
    return Judged(
        figure=target.figure,
        of=target.of,
        bound=target.bound,
        value=target.value,
        unit=target.unit,
        met=met(target, now, window_ns),
        met_before=met(target, before, window_ns),
    )


def _series(asked: Compared, found: Sequence[Sum], buckets: Buckets) -> list[Point]:
    """Every bucket of the window, those without calls too."""
    by_start = {each.at_s: each for each in found}
    return [
        _point(start, by_start.get(start, Sum(which="now")))
        for start in buckets.starts(asked.since_ns, asked.until_ns)
    ]


def _point(start_s: int, of: Sum) -> Point:
    return Point(
        at=second(start_s),
        calls=of.calls,
        failed_calls=of.failed_calls,
        cost_usd=spent(of),
        p50_ns=of.p50_ns,
        p95_ns=of.p95_ns,
    )


def _providers(found: Sequence[Sum]) -> list[ProviderHealth]:
    """Those that are called most first; spend is shared out among what is known."""
    by_name: dict[str | None, dict[str, Sum]] = {}
    for each in found:
        by_name.setdefault(each.group[0], {})[each.which] = each
    known = sum((each.cost_usd or Decimal(0) for each in found if each.which == "now"), Decimal(0))
    made = [_provider(name, both, known) for name, both in by_name.items()]
    return sorted(made, key=lambda each: (-each.calls, -each.calls_before, each.provider or ""))


def _provider(name: str | None, both: Mapping[str, Sum], known: Decimal) -> ProviderHealth:
    now, before = (both.get(which, Sum(which="now")) for which in ("now", "before"))
    # A part of the whole, for a percentage; the money itself stays a decimal.
    share = float(now.cost_usd / known) if now.cost_usd is not None and known else None
    return ProviderHealth(
        provider=name,
        calls=now.calls,
        calls_before=before.calls,
        failed_calls=now.failed_calls,
        error_share=_share(now.failed_calls, now.calls),
        error_share_before=_share(before.failed_calls, before.calls),
        p50_ns=now.p50_ns,
        p95_ns=now.p95_ns,
        p95_before_ns=before.p95_ns,
        p99_ns=now.p99_ns,
        cost_usd=spent(now),
        spend_share=share,
    )


def _changed(by: Dimension, groups: Sequence[Sum]) -> Changed:
    found = contributions(groups)
    lists: list[list[Contribution]] = []
    for errors in (False, True):
        named, other = leading(found, MOST_CHANGES, errors=errors)
        lists.append([*named, *([other] if other is not None else [])])
    return Changed(by=by, groups=len(found), spend=lists[0], errors=lists[1])


def _share(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else part / whole
