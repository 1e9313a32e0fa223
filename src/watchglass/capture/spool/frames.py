"""How records lie in a segment, and how what is intact is found again in one that is damaged.

A record is an aligned 64-bit word, its length in the low half and a checksum in the high, then the payload,
then nothing up to the next multiple of 8. The word is stored last, by one machine store: before it the place
reads 0 and no record is there, after it the record is whole. Where a process is killed in between makes no
difference. (Half a word cannot be: stores that were executed stay in the page cache, in program order.)

The checksum starts from a salt that is part of the file's path, so that a payload that happens to hold what
looks like a record is not taken for one.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

WORD = 8
UNLOCKED = 5 * 1024
"""`zlib.crc32` gives up the interpreter lock for more than this, and may wait 5 ms to get it back."""


def checksum(payload: bytes | memoryview, salt: int) -> int:
    """CRC-32 of the payload, starting from `salt`; never gives up the interpreter lock."""
    if len(payload) <= UNLOCKED:
        return zlib.crc32(payload, salt)
    view = memoryview(payload)
    for start in range(0, len(view), UNLOCKED):
        salt = zlib.crc32(view[start : start + UNLOCKED], salt)
    return salt


def room(length: int) -> int:
    """Bytes that a record with a payload of `length` takes."""
    return WORD + (length + WORD - 1) // WORD * WORD


@dataclass(frozen=True, slots=True)
class Frame:
    """An intact record: its payload is at `start`, the next record at `end`.

    `lost` is how many records before it (since the previous intact one) are damaged.
    """

    start: int
    length: int
    end: int
    lost: int = 0


def at(data: memoryview, offset: int, end: int, salt: int) -> Frame | None:
    """The record at `offset` if one is there and intact."""
    if offset + WORD > end:
        return None
    word = int.from_bytes(data[offset : offset + WORD], sys.byteorder)
    length = word & 0xFFFFFFFF
    start = offset + WORD
    if word == 0 or length > end - start:
        return None
    if checksum(data[start : start + length], salt) != word >> 32:
        return None
    return Frame(start, length, offset + room(length))


def intact(data: memoryview, offset: int, end: int, salt: int, *, live: bool = False) -> Iterator[Frame]:
    """Every intact record from `offset` on; a last `Frame` of length -1 tells of damaged ones at the end.

    A record whose word was never stored (its process died while writing it) is not damaged: it never was. In
    a `live` segment the first such place is the end.
    """
    while offset < end:
        frame = at(data, offset, end, salt)
        if frame is None:
            if live and not any(data[offset : offset + WORD]):
                return
            frame = _after_damage(data, offset, end, salt)
            if frame is None:
                return
        yield frame
        offset = frame.end


def _after_damage(data: memoryview, offset: int, end: int, salt: int) -> Frame | None:
    """The next intact record, with how many are lost before it."""
    place = offset
    while (place := _next_used(data, place, end)) < end:
        frame = at(data, place, end, salt)
        if frame is not None:
            return Frame(frame.start, frame.length, frame.end, _links(data, offset, place))
        place += WORD
    lost = _links(data, offset, end)
    if not any(data[offset : offset + WORD]):
        return None
    return Frame(end, -1, end, lost)


def _next_used(data: memoryview, offset: int, end: int) -> int:
    """The first word from `offset` on that is not 0. Most of a segment may be unused: stripping is fast."""
    step = 256
    while offset < end:
        part = bytes(data[offset : min(end, offset + step)])
        rest = len(part.lstrip(b"\0"))
        if rest:
            return offset + (len(part) - rest) // WORD * WORD
        offset += len(part)
        step = min(step * 4, 1 << 20)
    return end


def _links(data: memoryview, offset: int, target: int) -> int:
    """How many damaged records lie between: as many as their lengths lead to `target`, else one."""
    links = 0
    while offset < target:
        word = int.from_bytes(data[offset : offset + WORD], sys.byteorder)
        if word == 0:
            return max(links, 1)
        offset += room(word & 0xFFFFFFFF)
        links += 1
    return links if offset == target else 1
