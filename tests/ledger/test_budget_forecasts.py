"""What is told of a budget: thresholds exactly when they are reached, a forecast that admits its limits."""

from __future__ import annotations

from decimal import Context, Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.budgets_made import budget
from watchglass.ledger.budgets.amounts import units, usd
from watchglass.ledger.budgets.forecasts import crossed, forecast, percent
from watchglass.ledger.budgets.periods import Span

CENT = units(Decimal("0.01"))


def test_thresholds_are_reached_exactly() -> None:
    """80% is told from the very amount on, and not one unit before."""
    held = budget(limit_usd=Decimal("10"), warn=(80, 50, 100))
    assert crossed(held, units(Decimal(8)) - 1) == (50,)
    assert crossed(held, units(Decimal(8))) == (50, 80)
    assert crossed(held, units(Decimal(10)) - 1) == (50, 80)
    assert percent(units(Decimal(10)) - 1, units(Decimal(10))) == 99


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(100, 10**15), st.integers(1, 10**15))
def test_a_forecast_is_the_pace_carried_on(spent, limit, length, elapsed) -> None:
    """At the forecast moment the pace so far makes the limit, one nanosecond before it does not."""
    span = Span(0, length)
    found = forecast(span, spent, limit, 10, min(elapsed, length))
    elapsed = min(elapsed, length)
    if spent >= limit:
        assert found.outlook == "crossed"
    elif elapsed * 10 < length:
        assert found.outlook == "not_enough_data"
    elif found.crosses_ns is not None:
        assert found.crosses_ns < length
        assert spent * found.crosses_ns >= limit * elapsed > spent * (found.crosses_ns - 1)
    else:
        assert found.outlook == "stays_below" and spent * (length - 1) < limit * elapsed


def test_of_little_nothing_is_said() -> None:
    """Fewer than ten calls, or less than a tenth of the period, make no forecast."""
    assert forecast(Span(0, 100), 50, 100, 9, 50).outlook == "not_enough_data"
    assert forecast(Span(0, 100), 50, 100, 500, 9).outlook == "not_enough_data"
    assert forecast(Span(0, 100), 0, 100, 500, 50).outlook == "stays_below"


@given(st.decimals(0, 10**11, allow_nan=False, places=18))
def test_amounts_are_exact(amount) -> None:
    """Dollars become units and back to the last digit, and a part of a unit is rounded up."""
    assert Decimal(usd(units(amount))) == amount
    assert units(amount.next_plus(Context(prec=60))) == units(amount) + 1
