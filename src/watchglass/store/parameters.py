"""Query parameters as the engine wants them written: text that can only be a value."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from watchglass.errors import QueryError

_ESCAPES = str.maketrans(
    {
        "\\": "\\\\",
        "\t": "\\t",
        "\n": "\\n",
        "\r": "\\r",
        "\0": "\\0",
        "\b": "\\b",
        "\f": "\\f",
    }
)
_QUOTED = str.maketrans({**{chr(k): v for k, v in _ESCAPES.items()}, "'": "\\'"})


def bind(params: Mapping[str, object]) -> dict[str, str]:
    """Each parameter as the text the engine reads back to the same value.

    A lone value is read as one field of a tab-separated file, an element of a list or map as a
    literal; the two escape differently, and getting that wrong is how text becomes SQL.
    """
    return {name: _lone(name, value) for name, value in params.items()}


def _lone(name: str, value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    return _plain(name, value)


def _element(name: str, value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return f"'{value.translate(_QUOTED)}'"
    if isinstance(value, dt.date):  # and dt.datetime, which is one
        return f"'{_plain(name, value)}'"
    return _plain(name, value)


def _plain(name: str, value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value) if math.isfinite(value) else str(value)
        case Decimal():
            return f"{value:f}"
        case dt.datetime():
            return _moment(name, value)
        case dt.date():
            return value.isoformat()
        case list() | tuple():
            return "[" + ",".join(_element(name, v) for v in cast("list[object]", value)) + "]"
        case dict():
            pairs = cast("dict[object, object]", value).items()
            return "{" + ",".join(f"{_element(name, k)}:{_element(name, v)}" for k, v in pairs) + "}"
        case _:
            raise QueryError(
                f"parameter {name} is a {type(value).__name__}, which cannot be bound; "
                "pass text, numbers, times, or lists and dicts of these"
            )


def _moment(name: str, value: dt.datetime) -> str:
    if value.tzinfo is None:
        raise QueryError(f"parameter {name} is {value.isoformat()}, which has no time zone; pass UTC times")
    return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
