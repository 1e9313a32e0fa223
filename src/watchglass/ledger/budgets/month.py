"""What a calendar month will cost: what is spent, and the days that are left at the mean of the last ones.

The mean is of the last whole days of UTC, at most `DAYS`: four of each weekday, so that weekends are in it as
often as they will come. The range holds the sum of the days left with a probability of 80%, if days are
independent and alike: for k days left after n known ones of standard deviation s, s·√(k + k²/n) about the
forecast, times the quantile 1.2816 of the normal distribution (the usual interval for predicting a sum from
a sample whose mean is estimated). It knows of no growth and no holidays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext

import msgspec

from watchglass.ledger.budgets.periods import Span, period_at

DAYS = 28
LEAST_DAYS = 3
_DAY_NS = 86_400 * 10**9
_DIGITS = 60
_QUANTILE_80 = Decimal("1.2816")
_CENT_OF_CENT = Decimal("0.0001")


class MonthForecast(msgspec.Struct, frozen=True, kw_only=True):
    """A month's spend: known so far, forecast, and the range of it, in dollars. `method` says how; where
    there is no forecast `unknown` says why. `unpriced_calls` of the month cost an unknown amount more."""

    since_ns: int
    until_ns: int
    spent_usd: Decimal
    forecast_usd: Decimal | None
    low_usd: Decimal | None
    high_usd: Decimal | None
    days: int
    unpriced_calls: int
    method: str
    unknown: str | None


def month_at(now_ns: int) -> Span:
    """The month, in UTC."""
    return period_at("month", "UTC", now_ns)


def asked_since_ns(now_ns: int) -> int:
    """From when days must be known: of the month, and of the mean."""
    return min(month_at(now_ns).since_ns, now_ns - now_ns % _DAY_NS - DAYS * _DAY_NS)


def month_forecast(days: Mapping[int, Decimal], unpriced_calls: int, now_ns: int) -> MonthForecast:
    """`days` are what was spent from the start of each day (ns) that had calls, since `asked_since_ns`."""
    span, today = month_at(now_ns), now_ns - now_ns % _DAY_NS
    with localcontext(prec=_DIGITS):
        spent = sum((usd for start, usd in days.items() if start >= span.since_ns), Decimal(0))
        whole = _whole_days(days, today)
        left = Decimal(span.until_ns - now_ns) / _DAY_NS
        mean, spread = _mean_and_spread(whole) if len(whole) >= LEAST_DAYS else (None, None)
        forecast = low = high = None
        if mean is not None and spread is not None:
            forecast = spent + mean * left
            margin = _QUANTILE_80 * spread * (left + left * left / len(whole)).sqrt()
            low, high = (
                max(spent, (forecast - margin)).quantize(_CENT_OF_CENT),
                (forecast + margin).quantize(_CENT_OF_CENT),
            )
            forecast = forecast.quantize(_CENT_OF_CENT)
    return MonthForecast(
        since_ns=span.since_ns,
        until_ns=span.until_ns,
        spent_usd=spent,
        forecast_usd=forecast,
        low_usd=low,
        high_usd=high,
        days=len(whole),
        unpriced_calls=unpriced_calls,
        method=f"What is spent, and for the rest of the month the mean of the last {len(whole)} whole days"
        " (UTC). The range holds it in 4 of 5 cases if days go on as they went; it knows of no growth and no"
        " holidays.",
        unknown=None
        if forecast is not None
        else f"only {len(whole)} whole days are recorded; a forecast takes {LEAST_DAYS}",
    )


def _whole_days(days: Mapping[int, Decimal], today: int) -> Sequence[Decimal]:
    """What each day cost from the first with calls until yesterday: days without calls cost nothing."""
    known = [start for start in days if today - DAYS * _DAY_NS <= start < today]
    if not known:
        return []
    return [days.get(start, Decimal(0)) for start in range(min(known), today, _DAY_NS)]


def _mean_and_spread(whole: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    mean = sum(whole, Decimal(0)) / len(whole)
    return mean, (sum(((each - mean) ** 2 for each in whole), Decimal(0)) / (len(whole) - 1)).sqrt()
