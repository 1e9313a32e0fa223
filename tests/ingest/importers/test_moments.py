"""Times as others write them become exact nanoseconds, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.ingest.importers.moments import moment_of, moments_of

NEW_YEAR = 1_735_689_600_000_000_000


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (1735689600, NEW_YEAR),
        (1735689600123, NEW_YEAR + 123_000_000),
        (1735689600123456, NEW_YEAR + 123_456_000),
        (1735689600123456789, NEW_YEAR + 123_456_789),
        (Decimal("1735689600.123456789"), NEW_YEAR + 123_456_789),
        ("1735689600.5", NEW_YEAR + 500_000_000),
        ("2025-01-01T00:00:00Z", NEW_YEAR),
        ("2025-01-01", NEW_YEAR),
        ("2025-01-01 01:00:00+01:00", NEW_YEAR),
        ("2025-01-01 00:00:00.000000001 UTC", NEW_YEAR + 1),
        ("2024-12-31T19:30:00-0430", NEW_YEAR),
        (" 2025-01-01t00:00:00,25z ", NEW_YEAR + 250_000_000),
        ("2025-01-01T00:00:00.1234567894", NEW_YEAR + 123_456_789),
    ],
)
def test_a_time_is_read_to_the_nanosecond(written: Any, expected: int) -> None:
    """Epochs by their size, RFC 3339 with any fraction; what names no zone is UTC."""
    assert moment_of(written) == expected
    many = moments_of([written, written])
    assert many is None or many == [expected, expected]


@pytest.mark.parametrize(
    "written",
    [
        0,
        -1,
        True,
        2**63,
        "",
        "soon",
        "2025-13-01",
        "2025-01-01T25:00:00Z",
        "2500-01-01",
        "1e9",
        [1],
        "9" * 50,
    ],
)
def test_what_is_no_time_is_refused(written: Any) -> None:
    """Nothing is guessed, and no moment is before 1970 or after 2262."""
    with pytest.raises(ValueError):
        moment_of(written)
    assert moments_of([written]) is None


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2262, 1, 1)),
    st.integers(-23 * 60, 23 * 60),
    st.sampled_from(["T", " "]),
)
def test_zones_and_forms_name_the_same_moment(moment: datetime, offset: int, gap: str) -> None:
    """A moment written in any zone is the same nanoseconds, one by one and as a column."""
    zoned = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=offset)))
    expected = (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1) * 1000
    written = zoned.isoformat(gap)
    assert moment_of(written) == expected
    assert moments_of([written]) in (None, [expected])
