"""The forecast of a month: what is spent, the mean of the last whole days for the rest, and a range."""

from __future__ import annotations

from decimal import Decimal

from watchglass.ledger.budgets.month import DAYS, asked_since_ns, month_forecast

DAY_NS = 86_400 * 10**9
JUNE_NS = 1_780_272_000_000_000_000
"""2026-06-01, of 30 days."""


def test_days_that_are_alike_go_on() -> None:
    """Ten dollars on each of the last 28 days: half way through June it is 300, without any doubt."""
    now_ns = JUNE_NS + 15 * DAY_NS
    days = {now_ns - n * DAY_NS: Decimal(10) for n in range(1, DAYS + 1)}
    found = month_forecast(days, 0, now_ns)
    assert (found.spent_usd, found.forecast_usd) == (150, 300)
    assert (found.low_usd, found.high_usd) == (300, 300)


def test_days_that_differ_make_a_range() -> None:
    """The range lies around the forecast and never below what is spent already."""
    now_ns = JUNE_NS + 15 * DAY_NS
    days = {now_ns - n * DAY_NS: Decimal(20 * (n % 2)) for n in range(1, DAYS + 1)}
    found = month_forecast(days, 3, now_ns)
    assert found.forecast_usd is not None
    assert found.low_usd is not None
    assert found.high_usd is not None
    assert found.spent_usd < found.low_usd < found.forecast_usd < found.high_usd
    assert found.unpriced_calls == 3


def test_today_is_spent_but_no_whole_day() -> None:
    """What was spent today counts in the sum and not in the mean, and days without calls are days."""
    now_ns = JUNE_NS + 10 * DAY_NS + DAY_NS // 2
    days = {JUNE_NS + 6 * DAY_NS: Decimal(8), JUNE_NS + 10 * DAY_NS: Decimal(100)}
    found = month_forecast(days, 0, now_ns)
    assert found.days == 4
    assert found.forecast_usd == 108 + 2 * Decimal("19.5")


def test_too_few_days_are_no_forecast() -> None:
    """Two whole days say nothing of a month; the reason says how many it takes."""
    now_ns = JUNE_NS + 2 * DAY_NS
    found = month_forecast({JUNE_NS: Decimal(1), JUNE_NS + DAY_NS: Decimal(1)}, 0, now_ns)
    assert found.forecast_usd is None
    assert found.unknown == "only 2 whole days are recorded; a forecast takes 3"
    assert asked_since_ns(now_ns) == now_ns - DAYS * DAY_NS
