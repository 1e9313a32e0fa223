"""Foreign values read as ours, a column at a time: exactly, or not at all and with the reason.

A column comes from JSON (text, whole numbers, `Decimal`s, booleans) or from CSV (text); None is "nobody
said". Money and times never pass through a float. What cannot be read is None and named in `Faults`.
The usual case of each kind is found by the types of the whole column and costs nanoseconds a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any, TypeAlias, TypeVar, cast

from watchglass.ingest.importers.moments import moment_of, moments_of

Value: TypeAlias = Any
"""str, int, bool, Decimal, list, dict or None: what `msgspec.json` and `csv` make."""

T = TypeVar("T")

MOST = 2**63 - 1
_NOTHING = type(None)
_COLUMN = Decimal(1).scaleb(-18)
_MONEY = Context(prec=38, rounding=ROUND_HALF_EVEN)
_WHOLE = Context(prec=30, rounding=ROUND_HALF_EVEN)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_AMOUNT_SIGNS = dict.fromkeys(map(ord, "0123456789.eE+-"))
_HEX = re.compile(r"[0-9a-f]+")
_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0", "ok", "success", "succeeded"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0", "error", "failure", "failed"})


class Faults(dict[int, str]):
    """Rows that cannot be kept, by their place in the piece, each with its first reason."""

    def note(self, row: int, column: str, value: object, advice: str) -> None:
        """Say what is wrong with one value."""
        self.setdefault(row, f"{column} is {shown(value)}: {advice}")


def shown(value: object) -> str:
    """A value as a message shows it."""
    text = repr(str(value) if isinstance(value, Decimal) else value)
    return text if len(text) <= 60 else text[:57] + "…"


def texts(values: Sequence[Value], column: str, faults: Faults) -> list[str | None]:
    """Text; numbers and booleans as they are written; '' is nobody said."""
    if _only(values, str):
        return _blank(cast("list[str | None]", values))
    return _each(values, _text, column, faults, "write text")


def hex_ids(values: Sequence[Value], column: str, faults: Faults, digits: int) -> list[str | None]:
    """Trace and span ids: lower-case hex of `digits` digits; dashes of a UUID are left out."""
    advice = f"write {digits} hex digits, not all 0, or map another column"
    return _each(values, lambda value: _hex(value, digits), column, faults, advice)


def counts(values: Sequence[Value], column: str, faults: Faults) -> list[int | None]:
    """Whole numbers from 0 to 2^63 - 1."""
    return _whole_numbers(values, column, faults, 1, "write a whole number, 0 or more")


def nanoseconds(values: Sequence[Value], column: str, faults: Faults, unit: int) -> list[int | None]:
    """Lengths of time in units of `unit` nanoseconds, fractions allowed; half to even below one."""
    return _whole_numbers(values, column, faults, unit, "write a number, 0 or more")


def _whole_numbers(
    values: Sequence[Value], column: str, faults: Faults, unit: int, advice: str
) -> list[int | None]:
    if _digits(values):
        values = [int(value) if value else None for value in values]
    if _only(values, int):
        numbers = [value for value in values if value is not None]
        if not numbers or (min(numbers) >= 0 and max(numbers) * unit <= MOST):
            whole = cast("list[int | None]", values)
            return whole if unit == 1 else [None if value is None else value * unit for value in whole]
    return _each(values, lambda value: _whole(value, unit), column, faults, advice)


def money(values: Sequence[Value], column: str, faults: Faults) -> list[Decimal | None]:
    """US dollars, 0 or more, to 18 decimals, half to even, as the column holds them."""
    numbers = _plain_money(values)
    if numbers is not None:
        return numbers
    return _each(values, _money, column, faults, "write a number of US dollars, 0 or more")


def _plain_money(values: Sequence[Value]) -> list[Decimal | None] | None:
    """The usual column of amounts at once; None where it has anything else."""
    try:
        if _only(values, str):
            # Without letters but e there is no nan, no infinity and no `_`, which Decimal would read.
            if "".join(cast("list[str]", [value or "" for value in values])).translate(_AMOUNT_SIGNS):
                return None
            values = [Decimal(value) if value else None for value in values]
        elif not set(map(type, values)) <= {Decimal, int, _NOTHING}:
            return None
        quantize = _MONEY.quantize
        found = [
            None if value is None else quantize(value if type(value) is Decimal else Decimal(value), _COLUMN)
            for value in values
        ]
    except InvalidOperation:
        return None
    said = [value for value in found if value is not None]
    return None if said and min(said) < 0 else found


def moments(values: Sequence[Value], column: str, faults: Faults, unit: int) -> list[int | None]:
    """Times as nanoseconds since 1970 UTC; see `moments.moment_of`. A `unit` is that of an epoch."""
    if unit:
        return _whole_numbers(values, column, faults, unit, "write an epoch in nanoseconds")
    if _digits(values) and "" not in values and None not in values:
        values = list(map(int, values))
    whole = moments_of(values)
    if whole is not None:
        return cast("list[int | None]", whole)
    advice = "write RFC 3339 (2026-01-31T12:00:00Z) or an epoch in s, ms, us or ns, from 1970 to 2262"
    return _each(values, moment_of, column, faults, advice)


def flags(values: Sequence[Value], column: str, faults: Faults) -> list[bool | None]:
    """Yes or no."""
    if _only(values, bool):
        return cast("list[bool | None]", values)
    return _each(values, _flag, column, faults, "write true or false")


def lists(values: Sequence[Value], column: str, faults: Faults) -> list[tuple[str, ...] | None]:
    """A list of texts, or one text."""
    return _each(values, _list, column, faults, "write text or a list of texts")


def _only(values: Sequence[Value], kind: type) -> bool:
    return set(map(type, values)) <= {kind, _NOTHING}


def _digits(values: Sequence[Value]) -> bool:
    """Whether a column is text of plain digits, as CSV has whole numbers; none so long as to be a joke."""
    if not _only(values, str):
        return False
    joined = "".join(cast("list[str]", [value or "" for value in values]))
    return joined.isascii() and joined.isdigit() and len(max(values, key=_length)) < 20


def _length(value: str | None) -> int:
    return len(value) if value else 0


def _blank(values: list[str | None]) -> list[str | None]:
    return [value or None for value in values] if "" in values else values


class _Unreadable(Exception):
    pass


def _each(
    values: Sequence[Value], read: Callable[[Value], T], column: str, faults: Faults, advice: str
) -> list[T | None]:
    """Each value by itself; equal texts, which are many in a column, only once."""
    remembered: dict[str, T] = {}
    found: list[T | None] = []
    for row, value in enumerate(values):
        if value is None or value == "":
            found.append(None)
            continue
        text = type(value) is str
        if text and value in remembered:
            found.append(remembered[value])
            continue
        try:
            understood = read(value)
        except (_Unreadable, ValueError, InvalidOperation):
            faults.note(row, column, value, advice)
            found.append(None)
            continue
        if text:
            remembered[value] = understood
        found.append(understood)
    return found


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    raise _Unreadable


def _hex(value: Value, digits: int) -> str:
    text = value.replace("-", "").lower() if isinstance(value, str) else ""
    if len(text) != digits or not _HEX.fullmatch(text) or not text.strip("0"):
        raise _Unreadable
    return text


def _number(value: Value) -> Decimal | int:
    if isinstance(value, bool):
        raise _Unreadable
    if isinstance(value, int | Decimal):
        return value
    if isinstance(value, str) and len(value) < 100 and _NUMBER.fullmatch(stripped := value.strip()):
        return Decimal(stripped)
    raise _Unreadable


def _whole(value: Value, unit: int) -> int:
    number = _number(value)
    if isinstance(number, Decimal):
        if number.adjusted() > 20:
            raise _Unreadable
        scaled = _WHOLE.multiply(number, Decimal(unit))
        rounded = _WHOLE.to_integral_value(scaled)
        if unit == 1 and rounded != scaled:
            raise _Unreadable  # a count has no fractions
        number = int(rounded)
    else:
        number *= unit
    if not 0 <= number <= MOST:
        raise _Unreadable
    return number


def _money(value: Value) -> Decimal:
    number = _number(value)
    if number < 0 or (isinstance(number, int) and number > MOST):
        raise _Unreadable
    return _MONEY.quantize(number if isinstance(number, Decimal) else Decimal(number), _COLUMN)


def _flag(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    text = value.strip().lower() if isinstance(value, str) else str(value)
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise _Unreadable


def _list(value: Value) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(_text(each) for each in cast("list[Value]", value) if each is not None)
    return (_text(value),)
