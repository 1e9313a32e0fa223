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
    return int(literal) if len(literal) <= 20 else number(literal[:200])


# Not msgspec here: what Python programs wrote has NaN in it, which must cost its record and no other, and
# pages are saved one behind the other.
_DECODER = json.JSONDecoder(parse_float=number, parse_int=_whole, parse_constant=number)


def documents(content: bytes) -> Iterator[Document | Refused]:
    """The values of a file. What is no JSON is refused as far as the end of its line."""
    said = content.decode("utf-8", "surrogateescape")
    line, found, start = 1, 0, 0
    while start < len(said):
        # Values are read within a window, which is what bounds one. It moves on when half of it is read, so
        # that moving it costs little however many values there are.
        window = said[start : start + 2 * MAX_VALUE]
        at, counted_to = 0, 0
        last = start + len(window) == len(said)
        while at < len(window) and (last or at < MAX_VALUE):
            matched = _SPACE.match(window, at)
            at = matched.end() if matched else at
            if at == len(window):
                break
            line += window.count("\n", counted_to, at)
            counted_to = at
            try:
                value, at = _DECODER.raw_decode(window, at)
            except (ValueError, RecursionError) as fault:
                yield Refused(f"line {line}", _why(fault, at, len(window)))
                at = window.find("\n", at) + 1 or len(window)
                continue
            found += 1
            yield Document(f"line {line}" if line > 1 or found > 1 else "", value)
        line += window.count("\n", counted_to, at)
        start += at


def _why(fault: Exception, at: int, window: int) -> str:
    if isinstance(fault, RecursionError):
        return "it is nested too deep"
    if not isinstance(fault, json.JSONDecodeError):
        return str(fault)
    if window - at > MAX_VALUE and fault.pos >= window - 1:
        return f"it is larger than {MAX_VALUE >> 20} MiB; write one record a line (jq -c '.[]')"
    return f"it is no JSON: {fault.msg} at its character {fault.pos - at + 1}"
