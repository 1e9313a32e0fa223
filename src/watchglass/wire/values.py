"""Readers that take an attribute value as it came and give a typed one, or None: never an error.

Libraries put numbers in strings, JSON in strings, Python literals in strings and `0`, `"null"` or
`""` where they mean "nothing". Every dialect reads through these.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import cast

import msgspec

from watchglass.model import Attributes, Value

_decode_json = msgspec.json.Decoder().decode
_encode_json = msgspec.json.Encoder(order="deterministic").encode

MAX_TOKENS = 10**12
"""More tokens than this in one request is nonsense, whoever says it."""

_LITERAL_LIMIT = 65_536

_NOTHING = frozenset({"", "null", "None"})


def text(value: Value) -> str | None:
    """A non-empty string, unquoted where it came JSON-quoted; numbers and booleans as their text."""
    if value is None:
        return None
    if isinstance(value, str):
        # Nearly every value is plain: no space or quote around it (and every space is below "!").
        if value and value[0] > '"' and value[-1] > '"' and value not in _NOTHING:
            return value
        stripped = value.strip()
        if len(stripped) >= 2 and stripped[0] == '"' and stripped[-1] == '"':
            inner = json_value(stripped)
            return inner.strip() or None if isinstance(inner, str) else stripped
        return None if stripped in _NOTHING else stripped
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return None


def count(value: Value) -> int | None:
    """A token count: a whole number from 0 to `MAX_TOKENS`, given as int, whole float or digits."""
    if type(value) is int:
        return value if 0 <= value <= MAX_TOKENS else None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        value = value.strip().strip('"')
        if not value.isascii() or not value.isdigit() or len(value) > 13:
            return None
        value = int(value)
    if isinstance(value, float):
        if not value.is_integer():
            return None
        value = int(value)
    if isinstance(value, int) and 0 <= value <= MAX_TOKENS:
        return value
    return None


def money(value: Value) -> Decimal | None:
    """US dollars as an exact decimal; a float by its shortest text, so 0.1 is 0.1."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float):
        value = repr(value)
    if isinstance(value, int):
        return Decimal(value) if 0 <= value < 10**12 else None
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        amount = Decimal(value.strip().strip('"'))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10**12 else None


def seconds_to_ns(value: Value) -> int | None:
    """A duration in seconds, as int nanoseconds."""
    if isinstance(value, float):  # a clock's reading: no need of exact decimals
        return round(value * 1e9) if 0 <= value < 1e8 else None
    amount = money(value)
    return int(amount * 1_000_000_000) if amount is not None and amount < 10**8 else None


def flag(value: Value) -> bool | None:
    """A boolean, given as one or as its word."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return None


def json_value(value: Value) -> Value:
    """JSON inside a string, decoded; a value that is no string, or no JSON, gives None."""
    if not isinstance(value, str):
        return None
    try:
        return cast(Value, _decode_json(value))
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None


def mapping(value: Value) -> Mapping[str, Value]:
    """A map: as it came, as JSON text, or as the text of a Python literal; anything else is empty."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return {}
    decoded = json_value(value)
    if decoded is None and len(value) <= _LITERAL_LIMIT:
        decoded = _literal(value)
    return decoded if isinstance(decoded, dict) else {}


def sequence(value: Value) -> list[Value]:
    """A list: as it came or as JSON text; anything else is empty."""
    if isinstance(value, str):
        value = json_value(value)
    return value if isinstance(value, list) else []


def to_json(value: Value) -> str:
    """Canonical JSON text of a value: keys sorted, no spaces; bytes as base64."""
    return _encode_json(value).decode()


def first(attributes: Attributes, *keys: str) -> Value:
    """The value of the first of these keys that is present."""
    for key in keys:
        if (value := attributes.get(key)) is not None:
            return value
    return None


def first_text(attributes: Attributes, *keys: str) -> str | None:
    """The first of these keys that holds text."""
    for key in keys:
        value = attributes.get(key)
        if value is not None and (found := text(value)) is not None:
            return found
    return None


def first_count(attributes: Mapping[str, Value], *keys: str) -> int | None:
    """The first of these keys that holds a token count."""
    for key in keys:
        value = attributes.get(key)
        if value is not None and (found := count(value)) is not None:
            return found
    return None


def dig(value: Value, *path: str | int) -> Value:
    """Walk into maps, lists and JSON text; None as soon as a step is missing."""
    for step in path:
        if isinstance(value, str):
            value = json_value(value)
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def _literal(source: str) -> Value:
    try:
        return cast(Value, ast.literal_eval(source))
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None
