"""Times as people and programs write them, read as exact nanoseconds since 1970 UTC."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

import pyarrow as pa

_ZONED = pa.timestamp("ns", tz="UTC")
_PLAIN = pa.timestamp("ns")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 2**63 - 1
_EXACT = Context(prec=40, rounding=ROUND_HALF_EVEN)

STEPS: tuple[tuple[int, int], ...] = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3))
"""An epoch below the first is in seconds, and so on (each up to the year 5138); above, in nanoseconds."""

_RFC_3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,18}))?)?)?"
    r"\s?([Zz]|UTC|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_DIGITS = re.compile(r"\d+(\.\d+)?", re.ASCII)


def moments_of(values: Sequence[Any]) -> list[int] | None:
    """A column of one usual form at once; None where it has another, or a value that cannot be read."""
    kinds = set(map(type, values))
    if kinds == {int}:
        low, high = min(values), max(values)
        for below, unit in STEPS:
            if (
                low > 0
                and high < below
                and high * unit <= _LATEST
                and (unit == 10**9 or low >= below // 1000)
            ):
                return [value * unit for value in values]
        return None
    if kinds != {str}:
        return None
    try:
        zoned = values[0][-1:] in "Zz" or values[0][-6:-5] in "+-"
        found = pa.array(values, pa.string()).cast(_ZONED if zoned else _PLAIN)
    except pa.ArrowInvalid:
        return None
    whole: list[int] = found.cast(pa.int64()).to_pylist()
    return whole if min(whole) > 0 else None


def moment_of(value: Any) -> int:
    """One time: RFC 3339 (also with a blank for the T, and UTC where it names no zone), or an epoch in the
    unit that its size tells, fractions allowed; half to even below a nanosecond. Raises `ValueError`."""
    if isinstance(value, str):
        value = value.strip()
        if _DIGITS.fullmatch(value) and len(value) < 40:
            value = Decimal(value)
    if isinstance(value, str):
        found = _written(value)
    elif isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError
    else:
        found = _epoch(value)
    if not 0 < found <= _LATEST:
        raise ValueError
    return found


def _epoch(value: int | Decimal) -> int:
    if not 0 < value <= _LATEST:
        raise ValueError
    unit = next((unit for below, unit in STEPS if value < below), 1)
    if isinstance(value, int):
        return value * unit
    return int(_EXACT.to_integral_value(_EXACT.multiply(value, Decimal(unit))))


def _written(text: str) -> int:
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise ValueError
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    moment = datetime(
        *(int(part or 0) for part in (year, month, day, hour, minute, second)), tzinfo=_zone(zone)
    )
    whole = (moment - _EPOCH) // timedelta(seconds=1)
    return whole * 10**9 + (_epoch_fraction(fraction) if fraction else 0)


def _epoch_fraction(digits: str) -> int:
    return int(_EXACT.to_integral_value(Decimal(f"0.{digits}").scaleb(9)))


def _zone(text: str | None) -> timezone:
    if text is None or text in ("Z", "z", "UTC"):
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]) if len(text) > 3 else 0)
    return timezone(-offset if text[0] == "-" else offset)
