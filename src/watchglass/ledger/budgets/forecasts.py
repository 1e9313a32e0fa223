"""What is to be told of a budget: the thresholds that were crossed, and when the limit will be.

The forecast is the pace of the period so far, carried on: after `elapsed` of the period `spent` is
spent, so the limit is reached at `elapsed × limit / spent`. It knows no weekends and no nights, so it says
nothing before a tenth of the period has passed or of fewer than `LEAST_CALLS` calls.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from watchglass.ledger.budgets.amounts import units
from watchglass.ledger.budgets.periods import Span
from watchglass.ledger.budgets.spending import Spending
from watchglass.store.budgets import Budget

LEAST_CALLS = 10
LEAST_SHARE = 10
"""… of the period: one in so many parts must have passed."""

Outlook: TypeAlias = Literal["crosses", "crossed", "stays_below", "not_enough_data"]


class Forecast(msgspec.Struct, frozen=True):
    """Whether the limit is reached within the period, and when."""

    outlook: Outlook
    crosses_ns: int | None = None


def forecast(span: Span, spent: int, limit: int, calls: int, now_ns: int) -> Forecast:
    """The pace so far, carried on; amounts in any one unit.

    >>> forecast(Span(0, 100), 50, 80, 10, 50)
    Forecast(outlook='crosses', crosses_ns=80)
    >>> forecast(Span(0, 100), 30, 80, 10, 50).outlook, forecast(Span(0, 100), 5, 80, 10, 5).outlook
    ('stays_below', 'not_enough_data')
    """
    if spent >= limit:
        return Forecast("crossed")
    elapsed = min(now_ns, span.until_ns) - span.since_ns
    if elapsed * LEAST_SHARE < span.until_ns - span.since_ns or calls < LEAST_CALLS:
        return Forecast("not_enough_data")
    if spent <= 0:
        return Forecast("stays_below")
    crosses_ns = span.since_ns + -(-elapsed * limit // spent)
    return Forecast("crosses", crosses_ns) if crosses_ns < span.until_ns else Forecast("stays_below")


def percent(spent: int, limit: int) -> int:
    """The whole percents of the limit that are spent, rounded down: 100 is never said too early."""
    return 100 * spent // limit


def crossed(budget: Budget, spent: int) -> tuple[int, ...]:
    """The thresholds that this much has reached, the lowest first."""
    limit = units(budget.limit_usd)
    return tuple(each for each in sorted(set(budget.warn)) if 100 * spent >= each * limit)


def outlook(budget: Budget, seen: Spending, spent: int, now_ns: int) -> Forecast:
    """What is to be expected of a budget, from when it counts."""
    since_ns = max(seen.span.since_ns, budget.since_ns or 0)
    until_ns = min(seen.span.until_ns, budget.until_ns or seen.span.until_ns)
    return forecast(Span(since_ns, until_ns), spent, units(budget.limit_usd), seen.calls, now_ns)
