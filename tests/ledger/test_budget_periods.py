"""Periods by the calendar of a zone: whole, without gaps, and as long as its clocks say."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.ledger.budgets.periods import period_at

HOUR_NS = 3_600_000_000_000
ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo"),
    *("America/Sao_Paulo", "Pacific/Apia", "America/Havana", "Asia/Beirut", "Asia/Kathmandu"),
)


def ns(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("period", "zone", "at", "since", "until"),
    [
        ("month", "Europe/Berlin", "2026-03-29T12:00Z", "2026-02-28T23:00Z", "2026-03-31T22:00Z"),
        ("month", "Europe/Berlin", "2026-10-31T22:59Z", "2026-09-30T22:00Z", "2026-10-31T23:00Z"),
        ("month", "America/New_York", "2026-12-31T23:00Z", "2026-12-01T05:00Z", "2027-01-01T05:00Z"),
        ("day", "Europe/Berlin", "2026-03-29T12:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z"),
        ("day", "Europe/Berlin", "2026-10-25T12:00Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),
        ("day", "America/Sao_Paulo", "2018-11-04T12:00Z", "2018-11-04T03:00Z", "2018-11-05T02:00Z"),
        ("day", "Pacific/Apia", "2011-12-30T09:59Z", "2011-12-29T10:00Z", "2011-12-30T10:00Z"),
        ("hour", "Asia/Kolkata", "2026-01-01T12:59:59Z", "2026-01-01T12:00Z", "2026-01-01T13:00Z"),
    ],
)
def test_known_bounds(period, zone, at, since, until) -> None:
    """Where clocks change, at midnight too, and where a day was left out, bounds are the calendar's."""
    assert period_at(period, zone, ns(at)) == (ns(since), ns(until))


@given(
    st.sampled_from(["hour", "day", "month"]),
    st.sampled_from(ZONES),
    st.integers(ns("1990-01-01T00:00Z"), ns("2037-01-01T00:00Z")),
)
def test_periods_follow_each_other(period, zone, at_ns) -> None:
    """Every moment lies in its period, all of a period in the same one, and the next begins at its end."""
    span = period_at(period, zone, at_ns)
    assert span.since_ns <= at_ns < span.until_ns
    assert period_at(period, zone, span.since_ns) == period_at(period, zone, span.until_ns - 1) == span
    assert period_at(period, zone, span.until_ns).since_ns == span.until_ns


@given(st.sampled_from(ZONES), st.integers(ns("1990-01-01T00:00Z"), ns("2037-01-01T00:00Z")))
def test_a_day_is_one_date(zone, at_ns) -> None:
    """The first and the last second of a day have the date of the moment it was asked for."""

    def date(moment_ns: int) -> dt.date:
        return dt.datetime.fromtimestamp(moment_ns // 10**9, ZoneInfo(zone)).date()

    span = period_at("day", zone, at_ns)
    assert date(span.since_ns) == date(at_ns) == date(span.until_ns - 10**9)
