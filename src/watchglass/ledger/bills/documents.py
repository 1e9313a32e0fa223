"""A file as JSON values: one, several one after the other, a list of them, or one a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from watchglass.ledger.bills.line import Refused
from watchglass.ledger.bills.values import number

MAX_VALUE = 32 << 20
"""Characters of one JSON value, at most; read, it can take thirty times as much memory."""

_SPACE = re.compile(r"[\s,\x1e]*")
"""What stands between two values: blanks, and the record separator of RFC 7464."""


def is_json(content: bytes) -> bool:
    """Whether a file begins as JSON does, and no table."""
    return content[:4096].lstrip()[:1] in (b"{", b"[")


class Document(msgspec.Struct, frozen=True):
    """One value, and where it stands."""

    where: str
    value: Any


def _whole(literal: str) -> Any:
    # A number of a million digits takes minutes to become an int; no count has twenty.
    if len(literal) <= 20:
        return int(literal)
    return number(literal if len(literal) <= 200 else "NaN")


# Not msgspec here: what Python programs wrote has NaN in it, which must cost its record and no other, and
# pages are saved one behind the other.
_DECODER = json.JSONDecoder(parse_float=number, parse_int=_whole, parse_constant=number)


def documents(content: bytes, most: int = MAX_VALUE) -> Iterator[Document | Refused]:
    """The values of a file. What is no JSON is refused as far as the end of its line."""
    said = content.decode("utf-8", "surrogateescape")
    at, line, counted_to, found = 0, 1, 0, 0
    while at < len(said):
        # Values are read within a window, which is what bounds one. It moves on when half of it is read, so
        # that moving it costs little however many values there are.
        start = at
        window = said[start : start + 2 * most]
        ends = len(said) if start + len(window) == len(said) else start + most
        while at < ends:
            matched = _SPACE.match(said, at)
            at = matched.end() if matched else at
            if at >= ends:
                break
            line += said.count("\n", counted_to, at)
            counted_to = at
            try:
                value, length = _DECODER.raw_decode(window, at - start)
            except (ValueError, RecursionError) as fault:
                yield Refused(f"line {line}", _why(fault, at - start, len(window), most))
                at = said.find("\n", at) + 1 or len(said)
                continue
            at, found = start + length, found + 1
            yield Document(f"line {line}" if line > 1 or found > 1 else "", value)


def _why(fault: Exception, at: int, window: int, most: int) -> str:
    if isinstance(fault, RecursionError):
        return "it is nested too deep"
    if not isinstance(fault, json.JSONDecodeError):
        return str(fault)
    if window - at > most:
        return f"it is no JSON, or larger than {most >> 20} MiB; write one record a line (jq -c '.[]')"
    return f"it is no JSON: {fault.msg} at its character {fault.pos - at + 1}"
