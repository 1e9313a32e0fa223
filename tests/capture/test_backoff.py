"""How long delivery waits before it tries again."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.capture.backoff import Backoff, retry_after
from watchglass.clock import ManualClock


def test_doubles() -> None:
    """Waits double up to a bound, each shortened by up to half, and start anew after a success."""
    backoff = Backoff(first_s=1, most_s=60, random=random.Random(1))
    waits = [backoff.failed() for _ in range(10)]
    longest = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, longest, strict=True))
    assert len({wait / most for wait, most in zip(waits, longest, strict=True)}) == 10
    backoff.succeeded()
    assert backoff.failed() <= 1


def test_as_asked() -> None:
    """What the server asks for counts where it is longer, up to five minutes."""
    assert Backoff().failed(120) == 120
    assert Backoff().failed(1e9) == 300
    assert Backoff(first_s=60).failed(1) >= 30


@given(st.integers(0, 10**6))
def test_any_number_of_failures(failures: int) -> None:
    """However often it failed, a wait is neither nothing nor longer than the bound."""
    assert 0 < Backoff(failures=failures).failed() <= 60


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 60.0),
        ("Wed, 31 Dec 1969 00:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("", None),
        ("Thu, 99 Jan 1970 00:01:00 GMT", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    """`Retry-After` is a number of seconds or a date; anything else asks for nothing."""
    assert retry_after(value, ManualClock()) == seconds
