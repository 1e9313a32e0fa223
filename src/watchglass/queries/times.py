"""Moments as people write them, as integer nanoseconds UTC."""

from __future__ import annotations

import datetime as dt
import re

from watchglass.errors import QueryError

_AGO = re.compile(r"(\d+)\s*(s|m|h|d|w)(?:\s+ago)?")
_UNIT_NS = {
    unit: s * 1_000_000_000 for unit, s in {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}.items()
}
_FRACTION = re.compile(r"[.,](\d{1,9})(?=$|[Zz+-])")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_END_NS = 2**63
"""What 64 bits hold, and the engine with them: from 1677 to 2262."""
_MOST_DIGITS = 12


def parse_moment(text: str, now_ns: int) -> int:
    """Nanoseconds since 1970 of `7d` (ago), `now`, a date (00:00) or an ISO 8601 time, UTC unless it says.

    Raises `QueryError` showing the text, also for a time that 64 bits of nanoseconds do not reach.

    >>> parse_moment("2020-01-01T00:00:00.123456789Z", 0)
    1577836800123456789
    >>> parse_moment("1h", 7_200_000_000_000)
    3600000000000
    """
    text = text.strip()
    if text.lower() == "now":
        return now_ns
    ago = _AGO.fullmatch(text.lower())
    if ago:
        # No more digits than make sense: Python itself refuses to read thousands of them.
        number = int(ago[1]) if len(ago[1]) <= _MOST_DIGITS else _END_NS
        return _within(now_ns - number * _UNIT_NS[ago[2]], text)
    fraction = _FRACTION.search(text)
    try:
        when = dt.datetime.fromisoformat(_FRACTION.sub("", text, count=1))
    except ValueError:
        raise QueryError(
            f"{text[:100]!r} is no time; "
            "write 2026-01-31, 2026-01-31T12:00:00Z, or 7d, 12h, 30m for so long ago"
        ) from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=dt.UTC)
    since_epoch = when - _EPOCH
    seconds = since_epoch.days * 86400 + since_epoch.seconds
    return _within(seconds * 1_000_000_000 + (int(fraction[1].ljust(9, "0")) if fraction else 0), text)


def _within(found_ns: int, text: str) -> int:
    if not -_END_NS <= found_ns < _END_NS:
        raise QueryError(
            f"{text[:100]!r} is no time that can be kept: those are from 1677-09-22 to 2262-04-11"
        )
    return found_ns
