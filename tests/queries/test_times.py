"""Moments as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stored_rows import NOON_NS, SECOND_NS
from watchglass.errors import QueryError
from watchglass.queries.plain import moment
from watchglass.queries.times import parse_moment


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOON_NS),
        ("90s", NOON_NS - 90 * SECOND_NS),
        ("30m", NOON_NS - 1800 * SECOND_NS),
        ("12h", NOON_NS - 12 * 3600 * SECOND_NS),
        ("7d", NOON_NS - 7 * 86400 * SECOND_NS),
        ("2w ago", NOON_NS - 14 * 86400 * SECOND_NS),
        ("2026-01-01", NOON_NS - 12 * 3600 * SECOND_NS),
        ("2026-01-01T12:00", NOON_NS),
        ("2026-01-01 12:00:00", NOON_NS),
        ("2026-01-01T12:00:00Z", NOON_NS),
        ("2026-01-01T13:00:00+01:00", NOON_NS),
        ("2026-01-01T12:00:00.000000001Z", NOON_NS + 1),
        ("2026-01-01T13:00:00.5+01:00", NOON_NS + SECOND_NS // 2),
        ("20260101T120000Z", NOON_NS),
        ("1970-01-01", 0),
    ],
)
def test_understood(text: str, expected: int) -> None:
    """So long ago, dates and ISO times, in UTC unless they say otherwise."""
    assert parse_moment(text, NOON_NS) == expected


@pytest.mark.parametrize(
    "text",
    ["9999-12-31", "2262-04-12", "1677-09-21", "0001-01-01", "999999d", "9" * 5000 + "d"],
)
def test_too_far(text: str) -> None:
    """A time that 64 bits of nanoseconds do not reach is an error that shows it, in short."""
    with pytest.raises(QueryError, match="is no time that can be kept: those are from 1677") as caught:
        parse_moment(text, NOON_NS)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    "text", ["", "yesterday", "7", "7 days", "-7d", "2026-13-01", "2026-01-01T25:00Z", "12:00", "1e9"]
)
def test_not_understood(text: str) -> None:
    """Anything else is an error that shows it, never a guess."""
    with pytest.raises(QueryError, match="is no time"):
        parse_moment(text, NOON_NS)


@given(st.integers(-(10**18), 4 * 10**18))
def test_what_is_printed_can_be_typed(ns: int) -> None:
    """Every moment survives being written and read, to the nanosecond."""
    assert parse_moment(moment(ns), 0) == ns
