"""Arrow columns as plain values, by their Arrow type and, where that loses something, the engine's.

The engine writes DateTime, Enum, IPv4, IPv6 and wide integers to Arrow as bare numbers or bytes;
for a result that holds such columns its own type names are asked for (`is_ambiguous`).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import math
import re
from decimal import Decimal
from itertools import pairwise
from typing import Any, cast

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from watchglass.queries.answers import Plain

_RFC3339 = "%Y-%m-%dT%H:%M:%SZ"
_ENUM_MEMBER = re.compile(r"'((?:[^'\\]|\\.)*)' = (-?\d+)")
_MAX_JSON_INT = 2**64 - 1
_MIN_JSON_INT = -(2**63)


def is_ambiguous(kind: pa.DataType) -> bool:
    """Whether values of this Arrow type can be something else in the engine."""
    if pa.types.is_uint32(kind) or pa.types.is_int8(kind) or pa.types.is_int16(kind):
        return True
    if pa.types.is_fixed_size_binary(kind):
        return True
    return (
        any(is_ambiguous(kind.field(i).type) for i in range(kind.num_fields)) if _is_nested(kind) else False
    )


def is_number(kind: pa.DataType) -> bool:
    """Whether people expect it aligned to the right."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def money(amount: Decimal) -> str:
    """A decimal as text: every digit it has, no exponent, no idle zeros.

    >>> money(Decimal("0.0125000")), money(Decimal("1E+2")), money(Decimal("0E-18"))
    ('0.0125', '100', '0')
    """
    text = f"{amount:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def sql_text(text: str) -> str:
    """A text as a literal of SQL, whatever is in it.

    >>> sql_text("o'neil\\\\")
    "unhex('6f276e65696c5c')"
    """
    return f"unhex('{text.encode('utf-8', 'surrogatepass').hex()}')"


def moment(ns: int) -> str:
    """Nanoseconds since 1970 as RFC 3339 with nine decimals and Z.

    >>> moment(1_577_836_800_123_456_789)
    '2020-01-01T00:00:00.123456789Z'
    """
    seconds, rest = divmod(ns, 1_000_000_000)
    return f"{second(seconds)[:-1]}.{rest:09d}Z"


def second(seconds: int) -> str:
    """Seconds since 1970 as RFC 3339 with Z."""
    when = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)
    return when.isoformat() + "Z"


def plain_values(column: pa.Array[Any], engine_type: str = "") -> list[Plain]:
    """The values of one column chunk; `engine_type` is the engine's name of the type, if asked for."""
    kind = column.type
    engine_type = _bare(engine_type)
    if isinstance(kind, pa.BaseExtensionType):
        return _extension(column)
    if pa.types.is_timestamp(kind):
        return _timestamps(column)
    if pa.types.is_duration(kind) or pa.types.is_time(kind):
        return _times(column)
    if pa.types.is_map(kind):
        return _maps(cast("pa.MapArray[Any, Any, Any]", column), engine_type)
    if pa.types.is_list(kind):
        return _lists(cast("pa.ListArray[Any]", column), engine_type)
    if pa.types.is_struct(kind):
        return _structs(cast("pa.StructArray", column), engine_type)
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return _texts(column)
    return [_scalar(value, engine_type) for value in cast("list[object]", column.to_pylist())]


def _scalar(value: object, engine_type: str) -> Plain:
    match value:
        case None | bool() | str():
            return value
        case int():
            return _integer(value, engine_type)
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return money(value)
        case bytes():
            return _bytes(value, engine_type)
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
        case dt.date() | dt.time():
            return value.isoformat()
        case _:
            return str(value)


def _integer(value: int, engine_type: str) -> Plain:
    if engine_type.startswith("DateTime"):
        return second(value)
    if engine_type.startswith("Enum"):
        return {int(number): name for name, number in _ENUM_MEMBER.findall(engine_type)}.get(value, value)
    if engine_type == "IPv4":
        return str(ipaddress.IPv4Address(value))
    return value


def _bytes(value: bytes, engine_type: str) -> Plain:
    if engine_type == "IPv6":
        return str(ipaddress.IPv6Address(value))
    if engine_type.startswith(("Int", "UInt")):
        number = int.from_bytes(value, "little", signed=engine_type.startswith("Int"))
        return number if _MIN_JSON_INT <= number <= _MAX_JSON_INT else str(number)
    return value.rstrip(b"\0").decode("utf-8", "replace")


def _texts(column: pa.Array[Any]) -> list[Plain]:
    try:
        return [
            v.decode() if isinstance(v, bytes) else v
            for v in cast("list[str | bytes | None]", column.to_pylist())
        ]
    except UnicodeDecodeError:  # the engine's String is bytes; what is no UTF-8 is shown with marks
        raw = cast("list[bytes | None]", column.view(pa.binary()).to_pylist())
        return [None if v is None else v.decode("utf-8", "replace") for v in raw]


_UNITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}


def _times(column: pa.Array[Any]) -> list[Plain]:
    """Durations and times of day, with all digits of parts of a second; Python's own types have six."""
    digits = _UNITS[column.type.unit]
    width = pa.int32() if column.type.bit_width == 32 else pa.int64()
    counts = cast("list[int | None]", column.view(width).to_pylist())
    return [None if each is None else _time(each, digits) for each in counts]


def _time(count: int, digits: int) -> str:
    seconds, rest = divmod(abs(count), 10**digits)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    sign = "-" if count < 0 else ""
    return f"{sign}{hours:02d}:{minute:02d}:{second:02d}" + (f".{rest:0{digits}d}" if rest else "")


def _timestamps(column: pa.Array[Any]) -> list[Plain]:
    """The seconds carry as many decimals as the type has: nine for DateTime64(9)."""
    utc = column.cast(pa.timestamp(column.type.unit, tz="UTC"))
    return cast("list[Plain]", pc.call_function("strftime", [utc], pc.StrftimeOptions(_RFC3339)).to_pylist())


def _lists(column: pa.ListArray[Any], engine_type: str) -> list[Plain]:
    values = plain_values(column.values, engine_type.removeprefix("Array(")[:-1])
    starts = cast("list[int]", column.offsets.to_pylist())
    return [
        values[start:end] if ok else None
        for start, end, ok in zip(
            starts, starts[1:], cast("list[bool]", column.is_valid().to_pylist()), strict=False
        )
    ]


def _maps(column: pa.MapArray[Any, Any, Any], engine_type: str) -> list[Plain]:
    types = _parts(engine_type.removeprefix("Map(")[:-1]) if engine_type else []
    key_type, item_type = types if len(types) == 2 else ("", "")
    keys = [str(key) for key in plain_values(column.keys, key_type)]
    items = plain_values(column.items, item_type)
    starts = cast("list[int]", column.offsets.to_pylist())
    return [dict(zip(keys[a:b], items[a:b], strict=True)) for a, b in pairwise(starts)]


def _structs(column: pa.StructArray, engine_type: str) -> list[Plain]:
    names = [column.type.field(i).name for i in range(column.type.num_fields)]
    parts = _parts(engine_type.removeprefix("Tuple(")[:-1]) if engine_type else []
    types = [part.removeprefix(f"{name} ") for part, name in zip(parts, names, strict=False)] or [""] * len(
        names
    )
    fields = [plain_values(field, kind) for field, kind in zip(column.flatten(), types, strict=True)]
    # A tuple without names comes with "1", "2", …: a list to everyone but the engine.
    if names == [str(i + 1) for i in range(len(names))]:
        return [list(row) for row in zip(*fields, strict=True)]
    return [dict(zip(names, row, strict=True)) for row in zip(*fields, strict=True)]


def _extension(column: pa.Array[Any]) -> list[Plain]:
    values = cast("list[object]", column.to_pylist())
    if "json" in str(column.type):
        return [None if value is None else msgspec.json.decode(str(value)) for value in values]
    return [None if value is None else str(value) for value in values]


def _is_nested(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_map(kind) or pa.types.is_struct(kind)


def _bare(engine_type: str) -> str:
    """The type without what only says how it is stored.

    >>> _bare("LowCardinality(Nullable(String))")
    'String'
    """
    for wrapper in ("LowCardinality(", "Nullable("):
        if engine_type.startswith(wrapper):
            return _bare(engine_type[len(wrapper) : -1])
    return engine_type


def _parts(inside: str) -> list[str]:
    """Split at the commas of the outermost level, texts left whole.

    >>> _parts("String, Map(String, Enum8('a,b' = 1))")
    ['String', "Map(String, Enum8('a,b' = 1))"]
    """
    parts, depth, start, quoted, position = list[str](), 0, 0, False, 0
    while position < len(inside):
        sign = inside[position]
        if quoted and sign == "\\":
            position += 1
        elif sign == "'":
            quoted = not quoted
        elif not quoted:
            depth += (sign == "(") - (sign == ")")
            if sign == "," and depth == 0:
                parts.append(inside[start:position].strip())
                start = position + 1
        position += 1
    return [*parts, inside[start:].strip()]
