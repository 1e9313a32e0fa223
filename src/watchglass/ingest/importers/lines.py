"""A file as pieces that end at the end of a line, in bounded memory whatever is in it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import IO, Protocol

import msgspec

from watchglass.errors import BadRequest

PIECE_BYTES = 2 << 20
MAX_LINE_BYTES = 4 << 20
"""A longer line is refused and skipped; it is never held in memory whole."""

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"{\0", b"\0{")


class Reading(Protocol):
    """Where bytes come from."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; b'' at the end."""
        ...


class Piece(msgspec.Struct, frozen=True):
    """Whole lines, the first of which has this number (from 1). `too_long`: one line that was skipped."""

    first_line: int
    data: bytes
    too_long: bool = False


def opened(file: IO[bytes], name: str) -> Ahead:
    """The file, unpacked where it is gzip, whatever it is called. Raises `BadRequest` for UTF-16."""
    head = Ahead(file)
    if head.peek(2) == _GZIP:
        head = Ahead(_Unpacked(head, name))
    if head.peek(2) in _WIDE:
        raise BadRequest(f"{name} is UTF-16; convert it to UTF-8 first (iconv -f utf-16 -t utf-8)")
    if head.peek(3) == _BOM:
        head.read(3)
    return head


def pieces(source: Reading, size: int = PIECE_BYTES, longest: int = MAX_LINE_BYTES) -> Iterator[Piece]:
    """The lines of `source`, about `size` bytes at a time."""
    line, rest = 1, b""
    while block := source.read(size):
        block = rest + block if rest else block
        cut = block.rfind(b"\n") + 1
        if cut == 0 and len(block) > longest:
            yield Piece(line, b"", too_long=True)
            rest = _after_line(source, size)
            line += 1
            continue
        rest = block[cut:]
        if cut:
            yield Piece(line, block[:cut])
            line += block.count(b"\n")
    if rest:
        yield Piece(line, rest)


def _after_line(source: Reading, size: int) -> bytes:
    while block := source.read(size):
        at = block.find(b"\n")
        if at >= 0:
            return block[at + 1 :]
    return b""


class Ahead:
    """A stream whose first bytes can be looked at."""

    def __init__(self, source: Reading) -> None:
        self._source = source
        self._head = b""

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer than `size` only at the end."""
        while len(self._head) < size and (more := self._source.read(size)):
            self._head += more
        return self._head[:size]

    def read(self, size: int, /) -> bytes:
        """See `Reading.read`."""
        if not self._head:
            return self._source.read(size)
        found, self._head = self._head[:size], self._head[size:]
        return found


class _Unpacked:
    def __init__(self, source: Reading, name: str) -> None:
        self._file = gzip.GzipFile(fileobj=source, mode="rb")  # type: ignore[call-overload]  # read() is all it needs
        self._name = name

    def read(self, size: int, /) -> bytes:
        try:
            return self._file.read(size)
        except (OSError, EOFError, zlib.error) as fault:
            raise BadRequest(
                f"{self._name} cannot be unpacked ({fault}); what came before is imported, and importing the "
                "whole file later does no harm"
            ) from None
