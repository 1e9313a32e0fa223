"""Rows as plain values that mean the same in JSON, in a table and over the wire.

Money and other decimals are text, exact; times are RFC 3339 in UTC with all their digits; whole
numbers are numbers; NaN and infinities are null; maps are objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"
Row: TypeAlias = "list[Plain]"

ROWS_A_CHUNK = 10_000


class ResultColumn(msgspec.Struct, frozen=True):
    """A column of an answer. Units are in names; `number` is for those who align."""

    name: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to an ad-hoc question. `chunks` yields rows a few thousand at a time."""

    columns: tuple[ResultColumn, ...]
    chunks: Iterable[Sequence[Row]]

    @property
    def names(self) -> list[str]:
        """Column names, each different: a repeated one gets `_2`, `_3`, …"""
        return distinct([column.name for column in self.columns])

    def rows(self) -> Iterator[Row]:
        """Every row."""
        for chunk in self.chunks:
            yield from chunk


def distinct(names: Sequence[str]) -> list[str]:
    """Names made different from each other.

    >>> distinct(["a", "b", "a"])
    ['a', 'b', 'a_2']
    """
    taken: set[str] = set()
    result: list[str] = []
    for name in names:
        candidate, number = name, 2
        while candidate in taken or (candidate != name and candidate in names):
            candidate, number = f"{name}_{number}", number + 1
        taken.add(candidate)
        result.append(candidate)
    return result


def json_objects(answer: Answer) -> Iterator[bytes]:
    """An array of objects, one a line, in pieces."""
    names, encode = answer.names, msgspec.json.Encoder().encode
    yield b"["
    first = True
    for chunk in answer.chunks:
        lines = [encode(dict(zip(names, row, strict=True))) for row in chunk]
        if lines:
            yield (b"\n" if first else b",\n") + b",\n".join(lines)
            first = False
    yield b"]\n" if first else b"\n]\n"


def json_columns(answer: Answer) -> Iterator[bytes]:
    """`{"columns": [{name, number}], "rows": [[…]]}`, which keeps the columns of an empty answer."""
    encode = msgspec.json.Encoder().encode
    named = [
        ResultColumn(name, column.number) for name, column in zip(answer.names, answer.columns, strict=True)
    ]
    yield b'{"columns":' + encode(named) + b',"rows":['
    first = True
    for chunk in answer.chunks:
        if chunk:
            yield (b"" if first else b",") + encode(chunk)[1:-1]
            first = False
    yield b"]}"


def csv_lines(answer: Answer) -> Iterator[bytes]:
    """RFC 4180 with a header line; NULL is an empty field, an empty text is `""`."""
    yield csv_line(answer.names).encode()
    for chunk in answer.chunks:
        yield "".join(map(csv_line, chunk)).encode()


def csv_line(values: Sequence[Plain]) -> str:
    """One line of RFC 4180, its end included."""
    return ",".join(map(_field, values)) + "\r\n"


_NEEDS_QUOTES = re.compile(r'[",\r\n]|^$|^\s|\s$')


def _field(value: Plain) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str():
            text = value
        case _:
            text = msgspec.json.encode(value).decode()
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text
