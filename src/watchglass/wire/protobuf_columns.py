"""Protobuf read a field at a time: the next field of every message in one step of array operations.

Reads only what is as it should be; anything else is `Unreadable`, and left to a patient reader.
Source: the protobuf encoding specification.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from google.protobuf.message import DecodeError

Ints = np.ndarray[Any, np.dtype[np.int64]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MOST_FIELDS = 2048
"""A message of more is not for columns: each of its fields is a step, however few messages are left."""


class Unreadable(Exception):
    """This body is not for the fast path."""


class Fields:
    """Every field of many messages: which message, field number, wire type, and where or what it is."""

    def __init__(self, buffer: Bytes, starts: Ints, ends: Ints) -> None:
        row, at, end = np.arange(len(starts)), starts, ends
        parts: list[tuple[Ints, ...]] = []
        keep = at < end
        while True:
            row, at, end = row[keep], at[keep], end[keep]
            if not len(row):
                break
            if len(parts) >= MOST_FIELDS:
                raise Unreadable
            tag, at = _varints(buffer, at, end)
            if (tag < 8).any() or (tag >= 2**32).any():
                raise Unreadable
            wire = tag & 7
            start, value, following = _payloads(buffer, wire, at, end)
            if (following > end).any() or (following < at).any():
                raise Unreadable
            parts.append((row, tag >> 3, wire, start, value))
            at = following
            keep = at < end
        if not parts:
            parts = [tuple(np.empty(0, np.int64) for _ in range(5))]
        self.row, self.number, self.wire, self.start, self.value = (
            np.concatenate(each) for each in zip(*parts, strict=True)
        )

    def of(self, number: int, wire: int) -> tuple[Ints, Ints, Ints]:
        """(message, start, value) of every field of this number, in the order of the bytes."""
        chosen = np.nonzero(self.number == number)[0]
        if (self.wire[chosen] != wire).any():
            raise Unreadable
        chosen = chosen[np.argsort(self.start[chosen], kind="stable")]
        return self.row[chosen], self.start[chosen], self.value[chosen]

    def single(self, number: int, wire: int) -> tuple[Ints, Ints, Ints]:
        """As `of`, for a field that a message has at most once."""
        row, start, value = self.of(number, wire)
        if repeated(row):
            raise Unreadable
        return row, start, value

    def spans_of(self, number: int, count: int) -> tuple[Ints, Ints]:
        """(start, length) in each message of a length-delimited field; (0, 0) where absent."""
        row, start, length = self.single(number, BYTES)
        starts, lengths = np.zeros(count, np.int64), np.zeros(count, np.int64)
        starts[row], lengths[row] = start, length
        return starts, lengths

    def numbers(self, number: int, count: int, wire: int) -> Ints:
        """The value in each message of a varint field; 0 where absent."""
        row, _, value = self.single(number, wire)
        values = np.zeros(count, np.int64)
        values[row] = value
        return values

    def messages(self, body: bytes, number: int, kind: Any) -> list[tuple[int, list[Any]]]:
        """(message, its sub-messages) of a repeated field, parsed by the official class."""
        row, start, length = self.of(number, BYTES)
        found: dict[int, list[Any]] = {}
        for owner, begin, size in zip(row.tolist(), start.tolist(), length.tolist(), strict=True):
            found.setdefault(owner, []).append(parsed(kind, body[begin : begin + size]))
        return list(found.items())


def repeated(numbers: Ints) -> bool:
    """Whether a number is there twice."""
    if not len(numbers):
        return False
    if numbers.max() > 64 * len(numbers) + 4096:
        return len(np.unique(numbers)) != len(numbers)
    return bool(np.bincount(numbers).max() > 1)


def _varints(buffer: Bytes, at: Ints, end: Ints) -> tuple[Ints, Ints]:
    """The varint at each place, and the place after it."""
    if (at >= end).any():
        raise Unreadable
    byte = buffer[at].astype(np.int64)
    value, at = byte & 0x7F, at + 1
    more, shift = np.nonzero(byte & 0x80)[0], 7
    while len(more):
        if shift > 63 or (at[more] >= end[more]).any():
            raise Unreadable
        byte = buffer[at[more]].astype(np.int64)
        if shift == 63 and (byte > 1).any():
            raise Unreadable  # past 64 bits
        value[more] |= (byte & 0x7F) << shift
        at[more] += 1
        more, shift = more[(byte & 0x80) != 0], shift + 7
    return value, at


def _payloads(buffer: Bytes, wire: Ints, at: Ints, end: Ints) -> tuple[Ints, Ints, Ints]:
    """(start of the payload, varint or length, place after it) for each field."""
    value = np.zeros(len(at), np.int64)
    start = at
    counted = (wire == BYTES) | (wire == VARINT)
    if counted.all():
        value, start = _varints(buffer, at, end)
    elif counted.any():
        start = at.copy()
        value[counted], start[counted] = _varints(buffer, at[counted], end[counted])
    width = np.where(wire == BYTES, value, np.where(wire == FIXED64, 8, np.where(wire == FIXED32, 4, 0)))
    if not (counted | (wire == FIXED64) | (wire == FIXED32)).all():
        raise Unreadable
    return start, value, start + width


def walk(body: bytes, at: int, end: int) -> list[tuple[int, int, int]]:
    """(field number, start, end) of the length-delimited fields; others have no business up here."""
    found: list[tuple[int, int, int]] = []
    while at < end:
        tag, at = _varint(body, at, end)
        if tag & 7 != BYTES:
            raise Unreadable
        size, at = _varint(body, at, end)
        if at + size > end:
            raise Unreadable
        found.append((tag >> 3, at, at + size))
        at += size
    return found


def _varint(body: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 63:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise Unreadable


def strings(body: bytes, starts: Ints, lengths: Ints) -> pa.StringArray:
    """The texts at these places, checked to be UTF-8."""
    # An absent text is empty wherever it is said to be; the offsets must not fall.
    starts = np.maximum.accumulate(np.where(lengths > 0, starts, 0))
    offsets = np.empty(2 * len(starts) + 1, np.int32)
    offsets[0:-1:2], offsets[1::2] = starts, starts + lengths
    offsets[-1] = offsets[-2] if len(starts) else 0
    # Every text is one element, what lies between two texts another; taking each second one packs them.
    spread = pa.Array.from_buffers(
        pa.binary(), 2 * len(starts), [None, pa.py_buffer(offsets), pa.py_buffer(body)]
    )
    packed = spread.take(pa.array(np.arange(0, 2 * len(starts), 2)))
    texts = pa.Array.from_buffers(pa.string(), len(packed), packed.buffers())
    texts.validate(full=True)
    return texts


def parsed(kind: Any, data: bytes) -> Any:
    """A message by the official class `kind`. Raises `Unreadable`."""
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise Unreadable from error
