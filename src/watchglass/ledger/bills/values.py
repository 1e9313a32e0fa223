"""Values of a bill's record, read exactly as they are written or not at all and with the reason.

A value comes from JSON (text, whole numbers, `Decimal`s) or from a table (text); None and '' are "does not
say". Nothing passes through a float, nothing is rounded, and nothing that looks like a credential is kept.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias, cast

from watchglass.ledger.bills.line import MOST_DECIMALS, MOST_USD

Record: TypeAlias = Mapping[str, Any]
"""One record: names to text, whole numbers, `Decimal`s, records, lists or None."""

MOST = 2**63 - 1
LONGEST_TEXT = 512

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9})0*)?\s?([Zz]|UTC|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[Tt ]00:00:00(?:\.0+)?Z?)?", re.ASCII)
_OFFSETS = {None: "", "Z": "+00:00", "z": "+00:00", "UTC": "+00:00"}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_CREDENTIAL = re.compile(
    # What the keys of the providers' APIs begin with, each with enough after it to be one and no name.
    r"\b(?:sk|pk|rk)-[\w-]{12,}|\b(?:gsk_|xai-|pplx-|nvapi-|r8_|hf_|AIza|AKIA|ya29\.)[\w-]{16,}"
    r"|\bBearer\s+\S{8,}|\beyJ[\w-]{8,}\.[\w-]{8,}"
)


class Unreadable(Exception):
    """A value that cannot be read; the message is why, and what to do."""


def money(record: Record, name: str, places: int = 0) -> Decimal | None:
    """US dollars, or what becomes them by moving the point (-2 for cents); negative for a credit.

    Every digit is kept, whatever precision this thread's arithmetic is set to.
    """
    number = _number(record, name, "write a plain number")
    if number is None:
        return None
    sign, digits, exponent = number.as_tuple()
    exponent = cast("int", exponent) + places
    number = Decimal((sign, digits, exponent))
    if number.adjusted() >= MOST_USD.adjusted():
        raise Unreadable(f"{name} is {shown(number)}: no bill has so much; below 10^20 can be kept")
    if -exponent > MOST_DECIMALS:
        raise Unreadable(f"{name} is {shown(number)}: more than {MOST_DECIMALS} decimals cannot be kept")
    return number


def count(record: Record, name: str) -> int | None:
    """A whole number from 0 to 2^63 - 1; spreadsheets write `10.0`, which is one."""
    value = record.get(name)
    if type(value) is int and 0 <= value <= MOST:
        return value  # the usual case, and there are several a record
    number = _number(record, name, "write a whole number, 0 or more")
    if number is None:
        return None
    if number.adjusted() > 18 or number != int(number) or not 0 <= number <= MOST:
        raise Unreadable(f"{name} is {shown(number)}: write a whole number, 0 or more")
    return int(number)


def text(record: Record, name: str) -> str | None:
    """Text, or a number as it is written; what looks like a credential becomes its hash (`unkeyed`)."""
    value = record.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Unreadable(f"{name} is {shown(value)}: write text")
    if isinstance(value, Decimal) and not value.is_finite():
        raise Unreadable(f"{name} is {value}: write text")
    said = str(value).strip()
    if len(said) > LONGEST_TEXT:
        raise Unreadable(f"{name} is {shown(said)}: longer than {LONGEST_TEXT} characters")
    if not said.isascii() and any("\ud800" <= char <= "\udfff" for char in said):
        raise Unreadable(f"{name} is not UTF-8; convert the file first")
    return unkeyed(said) or None


def unkeyed(said: str) -> str:
    """The text, with each credential in it as `sha256:` and its hash: tells two apart, opens nothing.

    A text that is a key from end to end becomes the bare hash: LiteLLM's spend logs name a key that way.
    """
    whole = _CREDENTIAL.fullmatch(said)
    if whole:
        return hashlib.sha256(said.encode()).hexdigest()
    return _CREDENTIAL.sub(lambda found: f"sha256:{hashlib.sha256(found[0].encode()).hexdigest()[:16]}", said)


def tier(record: Record, name: str) -> str | None:
    """A service tier in the provider's words; None for its standard one."""
    said = text(record, name)
    return None if said is None or said.lower() in ("default", "standard", "auto") else said


def currency(record: Record, name: str) -> None:
    """Raises `Unreadable` unless the record's money is in US dollars. Where it says nothing, so does this."""
    said = text(record, name)
    if said is not None and said.lower() != "usd":
        raise Unreadable(f"{name} is {shown(said)}: only US dollars can be compared; convert the bill first")


def epoch(record: Record, name: str) -> int:
    """Nanoseconds of a time that is written in whole seconds since 1970."""
    seconds = count(record, name)
    if seconds is None or not 0 <= seconds * 10**9 <= MOST:
        raise Unreadable(f"{name} is {shown(record.get(name))}: write seconds since 1970")
    return seconds * 10**9


def instant(record: Record, name: str, zone: dt.tzinfo = dt.UTC) -> int:
    """Nanoseconds of an RFC 3339 time; one that names no zone is in `zone`."""
    value = record.get(name)
    match = _INSTANT.fullmatch(value.strip()) if isinstance(value, str) and len(value) < 64 else None
    try:
        if match is None:
            raise ValueError
        moment = dt.datetime.fromisoformat(f"{match[1]}T{match[2]}{_OFFSETS.get(match[4], match[4])}")
    except ValueError:
        raise Unreadable(f"{name} is {shown(value)}: write a time as 2026-01-31T12:00:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return _nanoseconds(moment, name) + int((match[3] or "0")[:9].ljust(9, "0"))


def instant_or_epoch(record: Record, name: str, zone: dt.tzinfo = dt.UTC) -> int:
    """As `instant`; digits alone are whole seconds, milliseconds, microseconds or nanoseconds since 1970."""
    said = text(record, name) or ""
    if not (said.isascii() and said.isdigit() and len(said) < 20):
        return instant(record, name, zone)
    number = int(said)
    # An epoch in seconds has ten digits until the year 2286; each finer unit has three more.
    found = number * 10 ** (9 - 3 * max(0, (len(said) - 8) // 3))
    if not 0 < found <= MOST:
        raise Unreadable(f"{name} is {shown(said)}: write a time as 2026-01-31T12:00:00Z")
    return found


def day(record: Record, name: str, zone: dt.tzinfo = dt.UTC) -> tuple[int, int]:
    """The first nanosecond of a day (2026-01-31) in a zone, and the next day's."""
    value = record.get(name)
    match = _DAY.fullmatch(value.strip()) if isinstance(value, str) and len(value) < 64 else None
    try:
        if match is None:
            raise ValueError
        midnight = dt.datetime.fromisoformat(match[1])
        first = midnight.replace(tzinfo=zone)
        following = (midnight + dt.timedelta(days=1)).replace(tzinfo=zone)
    except (ValueError, OverflowError):
        raise Unreadable(f"{name} is {shown(value)}: write a day as 2026-01-31") from None
    return _nanoseconds(first, name), _nanoseconds(following, name)


def shown(value: object) -> str:
    """A value as a message shows it: short, and no credential in it."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    said = str(value) if not isinstance(value, str) else repr(unkeyed(value[:1000]))
    said = said.encode("utf-8", "backslashreplace").decode()
    return said if len(said) <= 60 else said[:57] + "…"


def _nanoseconds(moment: dt.datetime, name: str) -> int:
    found = (moment - _EPOCH) // dt.timedelta(seconds=1) * 10**9
    if not 0 <= found <= MOST - 10**9:
        raise Unreadable(f"{name} is {moment.year}: write a time from 1970 to 2262")
    return found


def _number(record: Record, name: str, advice: str) -> Decimal | None:
    value = record.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    elif isinstance(value, str) and len(value) <= 100 and _NUMBER.fullmatch(stripped := value.strip()):
        value = Decimal(stripped)
    if not isinstance(value, Decimal) or not value.is_finite():
        raise Unreadable(f"{name} is {shown(value)}: {advice}")
    return value


def number(literal: str) -> Decimal:
    """A JSON number as it is written; one beyond all bounds is no number, and refused where it is read."""
    try:
        return Decimal(literal)
    except InvalidOperation:
        return Decimal("NaN")
