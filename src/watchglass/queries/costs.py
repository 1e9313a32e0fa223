"""What was spent on what: over time, by one or two dimensions, against the window before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext

import msgspec

from watchglass.errors import QueryError
from watchglass.queries.at_once import begin
from watchglass.queries.buckets import Buckets, buckets_of
from watchglass.queries.contributions import NOTHING, change, pairs, spent, total
from watchglass.queries.expired import ExpiredHours, expired_hours
from watchglass.queries.figures import MONEY_DIGITS, Figures
from watchglass.queries.lists.calls import CallRow
from watchglass.queries.lists.question import ListQuestion
from watchglass.queries.lists.subjects import page
from watchglass.queries.plain import moment, second
from watchglass.queries.usage import FILTERS
from watchglass.queries.windows_compared import Compared, Reading, Sum, Sums, begins_late, kept_apart, sums
from watchglass.store import Engine, Limits
from watchglass.store.expired import Expiry
from watchglass.store.rollup_engine import coverage, undisturbed

LINES = 8
"""Groups with a line of their own: more cannot be told apart in a chart."""

MOST_GROUPS = 200
"""Groups in the table; the others are one row."""

TOP_CALLS = 10


class CostsQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked: a window with filters, one or two dimensions, and how time is cut (None: as fits)."""

    asked: Compared
    by: tuple[str, ...] = ("model",)
    bucket: str | None = None

    def checked(self) -> CostsQuestion:
        """Itself. Raises `QueryError` for what makes no sense."""
        self.asked.checked()
        if not 1 <= len(set(self.by)) == len(self.by) <= 2:
            raise QueryError(f"costs are by one or two different dimensions, not by {','.join(self.by)!r}")
        for name in self.by:
            if name not in FILTERS:
                raise QueryError(f"costs cannot be by {name!r}; they can by {', '.join(sorted(FILTERS))}")
        return self


class CostGroup(msgspec.Struct, frozen=True, kw_only=True):
    """One group of calls, `names` in the order of `by` (null: unknown). The row `other` is all groups that
    are not named, `groups` of them.

    Money is null where no call has a price, and `unpriced` counts the calls that have none by reason; in a
    window without calls nothing was spent. `share` is of the known spend, `per_call_usd` of a priced call.
    """

    names: list[str | None]
    other: bool
    groups: int
    calls: int
    failed_calls: int
    calls_before: int
    priced_calls: int
    unpriced: dict[str, int]
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: Decimal | None
    share: float | None
    per_call_usd: Decimal | None
    cost_before_usd: Decimal | None
    difference_usd: Decimal | None


class CostLine(msgspec.Struct, frozen=True, kw_only=True):
    """A group over time: one amount for each of `at`. Null is unknown; without calls nothing was spent."""

    names: list[str | None]
    other: bool
    cost_usd: list[Decimal | None]
    calls: list[int]


class CostSeries(msgspec.Struct, frozen=True, kw_only=True):
    """The course: starts of equal buckets of UTC, and lines of the groups that cost most and of the rest."""

    bucket: str
    bucket_s: int
    at: list[str]
    lines: list[CostLine]


class UnpricedCalls(msgspec.Struct, frozen=True, kw_only=True):
    """Calls without a price for one reason, of one provider and model (null: unknown)."""

    reason: str
    provider: str | None
    model: str | None
    calls: int


class CostFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What calls say of costs. `totals` is the sum of `groups`, and each point in time of its lines.

    Where the window before has calls in its second half alone, `before_begins_late` is when they begin.
    """

    since: str
    until: str
    before_since: str
    before_begins_late: str | None
    by: list[str]
    totals: CostGroup
    groups: list[CostGroup]
    series: CostSeries
    top_calls: list[CallRow]
    unpriced: list[UnpricedCalls]
    unattributed_usd: Decimal | None
    expired: ExpiredHours | None


def costs(engine: Engine, question: CostsQuestion, now_ns: int, *, limits: Limits) -> CostFigures:
    """Answer. Raises `QueryError` for what makes no sense."""
    question.checked()
    return undisturbed(engine, lambda had: _costs(engine, question, had, now_ns, limits))


def cost_groups(engine: Engine, question: CostsQuestion, *, limits: Limits) -> list[CostGroup]:
    """Every group, and the totals as the last row: what is exported."""
    question.checked()

    def ask(had: Expiry) -> list[CostGroup]:
        reading, _ = reading_of(engine, question, had, limits)
        found, _ = sums(engine, question.asked, [(), question.by], reading, limits=limits)
        return [*_groups(found[question.by], most=None), _total(found)]

    return undisturbed(engine, ask)


def _costs(engine: Engine, question: CostsQuestion, had: Expiry, now_ns: int, limits: Limits) -> CostFigures:
    asked, by = question.asked, question.by
    reading, expired = reading_of(engine, question, had, limits)
    buckets = buckets_of(asked.since_ns, asked.until_ns, question.bucket)
    unpriced = by if set(by) == {"provider", "model"} else ("provider", "model")
    sets = list(dict.fromkeys([(), by, unpriced]))
    dearest = begin(lambda: _top_calls(engine, asked, now_ns, limits))
    found, unattributed = sums(engine, asked, sets, reading, limits=limits)
    groups = _groups(found[by], most=MOST_GROUPS)
    series, late = _series(engine, question, groups, reading, buckets, limits)
    return CostFigures(
        since=moment(asked.since_ns),
        until=moment(asked.until_ns),
        before_since=moment(asked.before_ns),
        before_begins_late=late,
        by=list(by),
        totals=_total(found),
        groups=groups,
        series=series,
        top_calls=dearest.answer(),
        unpriced=_unpriced(found[unpriced], unpriced.index("provider")),
        unattributed_usd=unattributed.cost_usd,
        expired=expired,
    )


def reading_of(
    engine: Engine, question: CostsQuestion, had: Expiry, limits: Limits
) -> tuple[Reading, ExpiredHours | None]:
    """What is known when a question begins, and which of its hours have expired."""
    asked = question.asked
    expired = expired_hours(
        engine,
        asked.before_ns,
        asked.until_ns,
        kept_apart=kept_apart([*question.by, *asked.filters]),
        had=had,
        limits=limits,
    )
    return Reading(had, coverage(engine), expired is not None and expired.included), expired


def _groups(found: Sequence[Sum], most: int | None) -> list[CostGroup]:
    """What cost most first, unknown costs last; beyond `most` as one row."""
    both = pairs(found)
    known = total(now for _, now in both.values()).cost_usd

    def rank(name: tuple[str | None, ...]) -> tuple[bool, Decimal, int, list[str]]:
        before, now = both[name]
        cost = now.cost_usd
        return cost is None, -(cost or Decimal(0)), -now.calls - before.calls, [each or "" for each in name]

    ranked = sorted(both, key=rank)
    shown = ranked if most is None else ranked[:most]
    made = [_group(list(name), *both[name], known) for name in shown]
    rest = ranked[len(shown) :]
    if rest:
        sides = [total(both[name][side] for name in rest) for side in (0, 1)]
        width = len(rest[0])
        made.append(_group([None] * width, sides[0], sides[1], known, other=True, groups=len(rest)))
    return made


def _total(found: Sums) -> CostGroup:
    before, now = pairs(found[()]).get((), (NOTHING, NOTHING))
    return _group([], before, now, now.cost_usd)


def _group(
    names: list[str | None],
    before: Figures,
    now: Figures,
    known: Decimal | None,
    *,
    other: bool = False,
    groups: int = 1,
) -> CostGroup:
    cost = now.cost_usd
    return CostGroup(
        names=names,
        other=other,
        groups=groups,
        calls=now.calls,
        failed_calls=now.failed_calls,
        calls_before=before.calls,
        priced_calls=now.priced_calls,
        unpriced=now.unpriced,
        input_tokens=now.input_tokens,
        output_tokens=now.output_tokens,
        cache_read_tokens=now.cache_read_tokens,
        cache_write_tokens=now.cache_write_tokens,
        reasoning_tokens=now.reasoning_tokens,
        cost_usd=spent(now),
        # A part of the whole, for a percentage; the money itself stays a decimal.
        share=float(cost / known) if cost is not None and known else None,
        per_call_usd=ratio(cost, now.priced_calls),
        cost_before_usd=spent(before),
        difference_usd=change(before, now),
    )


def ratio(amount: Decimal | None, count: int) -> Decimal | None:
    """Dollars for one, to 18 digits; None of none."""
    if amount is None or not count:
        return None
    with localcontext(prec=MONEY_DIGITS):
        return (amount / count).quantize(Decimal(1).scaleb(-18))


def _series(
    engine: Engine,
    question: CostsQuestion,
    groups: Sequence[CostGroup],
    reading: Reading,
    buckets: Buckets,
    limits: Limits,
) -> tuple[CostSeries, str | None]:
    asked, by = question.asked, question.by
    named = [tuple(each.names) for each in groups[:LINES] if not each.other]
    timed = ("at", *by)
    found, _ = sums(
        engine,
        asked,
        [("at",), timed],
        reading,
        buckets=buckets,
        only={timed: named},
        limits=limits,
    )
    starts = list(buckets.starts(asked.since_ns, asked.until_ns))
    at_all = {each.at_s: each for each in found[("at",)] if each.which == "now"}
    lines: dict[tuple[str | None, ...], dict[int, Figures]] = {name: {} for name in named}
    for each in found[timed]:
        if each.which == "now" and each.at_s is not None:
            lines[each.group][each.at_s] = each
    made = [_line(list(name), starts, of) for name, of in lines.items()]
    if len(groups) > len(named):
        rest = {start: _rest(at_all.get(start), [of.get(start) for of in lines.values()]) for start in starts}
        made.append(_line([None] * len(by), starts, rest, other=True))
    series = CostSeries(
        bucket=buckets.name,
        bucket_s=buckets.width_s,
        at=[second(start) for start in starts],
        lines=made,
    )
    return series, begins_late(asked, found[("at",)])


def _line(
    names: list[str | None], starts: Sequence[int], of: Mapping[int, Figures], *, other: bool = False
) -> CostLine:
    points = [of.get(start, NOTHING) for start in starts]
    return CostLine(
        names=names,
        other=other,
        cost_usd=[spent(each) for each in points],
        calls=[each.calls for each in points],
    )


def _rest(whole: Sum | None, named: Sequence[Figures | None]) -> Figures:
    """What is left of a bucket for the groups that have no line."""
    if whole is None:
        return NOTHING
    known = total(each for each in named if each is not None)
    calls = whole.calls - known.calls
    priced = whole.priced_calls - known.priced_calls
    with localcontext(prec=MONEY_DIGITS):
        cost = (whole.cost_usd or Decimal(0)) - (known.cost_usd or Decimal(0))
    return Figures(calls=calls, priced_calls=priced, cost_usd=cost if priced else None)


def _top_calls(engine: Engine, asked: Compared, now_ns: int, limits: Limits) -> list[CallRow]:
    question = ListQuestion(
        subject="calls",
        since_ns=asked.since_ns,
        until_ns=asked.until_ns,
        filters=asked.filters,
        sort="cost",
        limit=TOP_CALLS,
    )
    rows: Sequence[CallRow] = page(engine, question, now_ns, limits=limits).rows
    return [row for row in rows if row.cost_usd is not None]


def _unpriced(found: Sequence[Sum], provider_at: int) -> list[UnpricedCalls]:
    """The commonest first."""
    made = [
        UnpricedCalls(
            reason=reason, provider=each.group[provider_at], model=each.group[1 - provider_at], calls=calls
        )
        for each in found
        if each.which == "now"
        for reason, calls in each.unpriced.items()
    ]
    return sorted(made, key=lambda each: (-each.calls, each.reason, each.provider or "", each.model or ""))
