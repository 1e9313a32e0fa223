"""The slow, patient reader of broken protobuf: keeps every item that is whole, names the others.

Walks the wire format with the message descriptors. Broken UTF-8 is mended with U+FFFD (the
official parser refuses the whole body for it); a broken *item* (span, log record, data point's
metric) is dropped and named; a break outside any item makes the whole body a `BadRequest` that
says at which byte. Source: the protobuf encoding specification.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchglass.errors import BadRequest
from watchglass.wire.rejects import Reject

_ITEMS = {"Span", "LogRecord", "Metric"}
_MAX_DEPTH = 90  # the official parser stops at 100
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIELD_TYPE_STRING, _FIELD_TYPE_MESSAGE = 9, 11


class _Broken(Exception):
    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.at = at


def salvage(body: bytes, descriptor: Any) -> tuple[bytes, list[Reject]]:
    """The body with what is broken mended or left out, and what was left out.

    Raises `BadRequest` with the byte offset where the frame around the items is broken.
    """
    rejects: list[Reject] = []
    try:
        return _mend(memoryview(body), 0, descriptor, "", 0, rejects), rejects
    except _Broken as broken:
        raise BadRequest(
            f"the body is no {descriptor.name}: {broken} at byte {broken.at} of {len(body)};"
            " it may be cut off, compressed twice, or no protobuf at all",
            where=f"byte {broken.at}",
        ) from broken


def _mend(
    data: memoryview, base: int, descriptor: Any, path: str, depth: int, rejects: list[Reject]
) -> bytes:
    """Re-encode one message; `base` is its offset in the body, `path` its name in JSON terms."""
    if depth > _MAX_DEPTH:
        raise _Broken(f"nesting deeper than {_MAX_DEPTH}", base)
    out = bytearray()
    seen: dict[int, int] = {}
    for number, wire_type, head, start, end in _fields(data, base):
        field = descriptor.fields_by_number.get(number)
        if (
            field is None
            or wire_type != _BYTES
            or field.type not in (_FIELD_TYPE_STRING, _FIELD_TYPE_MESSAGE)
        ):
            out += data[head:end]
            continue
        payload = data[start:end]
        if field.type == _FIELD_TYPE_STRING:
            mended = bytes(payload).decode("utf-8", "replace").encode()
        else:
            seen[number] = seen.get(number, -1) + 1
            name = f"{path}{'.' if path else ''}{field.json_name}[{seen[number]}]"
            try:
                mended = _mend(payload, base + start, field.message_type, name, depth + 1, rejects)
            except _Broken as broken:
                if field.message_type.name not in _ITEMS:
                    raise
                rejects.append(Reject(name, f"{broken} at byte {broken.at} of the body"))
                continue
        out += _varint(number << 3 | _BYTES) + _varint(len(mended)) + mended
    return bytes(out)


def _fields(data: memoryview, base: int) -> Iterator[tuple[int, int, int, int, int]]:
    """(number, wire type, offset of the tag, start and end of the payload) of each field."""
    at, size = 0, len(data)
    while at < size:
        head = at
        tag, at = _read_varint(data, at, base)
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise _Broken("field number 0", base + head)
        start = at
        if wire_type == _VARINT:
            _, at = _read_varint(data, at, base)
        elif wire_type == _FIXED64:
            at += 8
        elif wire_type == _FIXED32:
            at += 4
        elif wire_type == _BYTES:
            length, start = _read_varint(data, at, base)
            at = start + length
        else:
            raise _Broken(f"wire type {wire_type} that OTLP does not use", base + head)
        if at > size:
            raise _Broken(f"field {number} runs {at - size} bytes past the end of its message", base + head)
        yield number, wire_type, head, start, at


def _read_varint(data: memoryview, at: int, base: int) -> tuple[int, int]:
    value = shift = 0
    begin = at
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), at
        shift += 7
    raise _Broken("a number without an end", base + begin)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
