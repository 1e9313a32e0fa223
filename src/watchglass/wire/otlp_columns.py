"""Trace bodies into columns: all spans of a body read at once, a field at a time.

The walk is level by level: one step reads the next field of *every* span, the next of every
attribute, the next of every value, each as a few operations on whole arrays. It reads only bodies
in which all is as it should be; anything else (a bad id, a field twice, broken UTF-8, a wire type
that does not fit) is `Unreadable`, and `otlp.decode_traces` reads that body span by span instead,
which knows how to name what is wrong. Source: the protobuf encoding specification and
opentelemetry-proto's trace.proto.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceProto
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanProto
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from watchglass.model import Event, Link, Resource, Scope, Span, Value
from watchglass.wire.otlp import any_value, attributes_of, event_of, link_of
from watchglass.wire.rejects import LATEST_NS

Ints = np.ndarray[Any, np.dtype[np.int64]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
TEXT, OTHER = 0, 1
"""Kinds of attribute values."""
MOST_FIELDS = 2048
"""A message of more is not for columns: each of its fields is a step, however few messages are left."""
_WIRE_OF_FIELD = np.array([-1, _BYTES, _VARINT, _VARINT, _FIXED64, _BYTES, _BYTES, _BYTES], np.int64)


class Unreadable(Exception):
    """This body is not for the fast path."""


class SpanColumns(msgspec.Struct, frozen=True):
    """The spans of one body. Arrays have one element a span, or, where said, one an attribute."""

    trace_id: list[str]
    span_id: list[str]
    parent_span_id: list[str]
    name: list[str]
    kind: Ints
    start_ns: Ints
    end_ns: Ints
    status: list[int]
    status_message: list[str]
    trace_state: list[str]
    flags: Ints
    origin: Ints
    """Index into `origins`."""
    origins: list[tuple[Scope, Resource]]
    events: dict[int, list[Event]]
    links: dict[int, list[Link]]
    first_attribute: Ints
    """Index of each span's first attribute, and one past the last span's."""
    key: Ints
    """An attribute: index into `keys`."""
    keys: list[str]
    value_kind: Ints
    """An attribute: TEXT or OTHER."""
    text: pa.StringArray
    """An attribute: its text; '' where the kind is not TEXT."""
    other: dict[int, Value]
    """By attribute: the values that are no text."""

    def __len__(self) -> int:
        return len(self.trace_id)

    def values(self) -> list[Value]:
        """Every attribute's value as Python has it."""
        found: list[Value] = self.text.to_pylist()
        for index, value in self.other.items():
            found[index] = value
        return found

    def spans(self, indices: Iterable[int]) -> Iterator[tuple[int, Span]]:
        """These spans as records, each with its index."""
        values, names, first = self.values(), self.keys, self.first_attribute.tolist()
        key, kind, flags = self.key.tolist(), self.kind.tolist(), self.flags.tolist()
        start_ns, end_ns, origin = self.start_ns.tolist(), self.end_ns.tolist(), self.origin.tolist()
        for index in indices:
            begin, end = first[index], first[index + 1]
            scope, resource = self.origins[origin[index]]
            yield (
                index,
                Span(
                    self.trace_id[index],
                    self.span_id[index],
                    self.parent_span_id[index],
                    self.name[index],
                    kind[index],
                    start_ns[index],
                    end_ns[index],
                    self.status[index],
                    self.status_message[index],
                    dict(zip([names[each] for each in key[begin:end]], values[begin:end], strict=True)),
                    self.events.get(index, []),
                    self.links.get(index, []),
                    scope,
                    resource,
                    self.trace_state[index],
                    flags[index],
                ),
            )


def columns_of(spans: Sequence[Span]) -> SpanColumns:
    """Records as columns: for bodies that were read span by span."""
    origins: dict[tuple[int, int], int] = {}
    held: list[tuple[Scope, Resource]] = []
    keys: dict[str, int] = {}
    key: list[int] = []
    values: list[Value] = []
    for span in spans:
        if (id(span.scope), id(span.resource)) not in origins:
            origins[id(span.scope), id(span.resource)] = len(held)
            held.append((span.scope, span.resource))
        key.extend(keys.setdefault(each, len(keys)) for each in span.attributes)
        values.extend(span.attributes.values())
    first = np.cumsum([0, *(len(span.attributes) for span in spans)]).astype(np.int64)
    is_text = [isinstance(value, str) for value in values]
    texts = [value if isinstance(value, str) else "" for value in values]
    return SpanColumns(
        [span.trace_id for span in spans],
        [span.span_id for span in spans],
        [span.parent_span_id for span in spans],
        [span.name for span in spans],
        np.array([span.kind for span in spans], np.int64),
        np.array([span.start_ns for span in spans], np.int64),
        np.array([span.end_ns for span in spans], np.int64),
        [span.status for span in spans],
        [span.status_message for span in spans],
        [span.trace_state for span in spans],
        np.array([span.flags for span in spans], np.int64),
        np.array([origins[id(span.scope), id(span.resource)] for span in spans], np.int64),
        held,
        {index: span.events for index, span in enumerate(spans) if span.events},
        {index: span.links for index, span in enumerate(spans) if span.links},
        first,
        np.array(key, np.int64),
        [each for each in keys],
        np.where(is_text, TEXT, OTHER).astype(np.int64),
        pa.array(texts, pa.string()),
        {index: value for index, value in enumerate(values) if not is_text[index]},
    )


def read_spans(body: bytes) -> SpanColumns:
    """All spans of an ExportTraceServiceRequest. Raises `Unreadable` unless all of it is in order."""
    try:
        return _read(body)
    except (DecodeError, UnicodeDecodeError, pa.ArrowInvalid, IndexError, ValueError) as error:
        raise Unreadable from error


def _read(body: bytes) -> SpanColumns:
    origins: list[tuple[Scope, Resource]] = []
    starts, ends, origin = _frames(body, origins)
    buffer = np.frombuffer(body + bytes(16), np.uint8)
    fields = _Fields(buffer, starts, ends)
    count = len(starts)
    first_attribute, key_at, value_at = _pairs(buffer, fields, count)
    keys = _strings(body, *key_at).dictionary_encode()
    key = keys.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    owner = np.repeat(np.arange(count), np.diff(first_attribute))
    if _repeated(owner * max(1, len(keys.dictionary)) + key):
        raise Unreadable  # a key twice in one span: the last one holds, which is for the slow path
    value_kind, text, other = _values(body, buffer, *value_at)
    status, status_message = _statuses(body, fields, count)
    parents = fields.spans_of(4, count)
    return SpanColumns(
        _ids(buffer, fields.spans_of(1, count), 16),
        _ids(buffer, fields.spans_of(2, count), 8),
        _parents(buffer, parents),
        _texts(body, fields.spans_of(5, count)),
        _kinds(fields, count),
        _times(buffer, fields, 7, count, least=1),
        _times(buffer, fields, 8, count, least=0),
        status,
        status_message,
        _texts(body, fields.spans_of(3, count)),
        _fixed(buffer, fields, 16, count, _FIXED32, "<u4"),
        origin,
        origins,
        {row: [event_of(each) for each in held] for row, held in fields.messages(body, 11, SpanProto.Event)},
        {row: [link_of(each) for each in held] for row, held in fields.messages(body, 13, SpanProto.Link)},
        first_attribute,
        key,
        keys.dictionary.to_pylist(),
        value_kind,
        text,
        other,
    )


class _Fields:
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
        if _repeated(row):
            raise Unreadable
        return row, start, value

    def spans_of(self, number: int, count: int) -> tuple[Ints, Ints]:
        """(start, length) in each message of a length-delimited field; (0, 0) where absent."""
        row, start, length = self.single(number, _BYTES)
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
        row, start, length = self.of(number, _BYTES)
        found: dict[int, list[Any]] = {}
        for owner, begin, size in zip(row.tolist(), start.tolist(), length.tolist(), strict=True):
            found.setdefault(owner, []).append(_parsed(kind, body[begin : begin + size]))
        return list(found.items())


def _repeated(numbers: Ints) -> bool:
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
    counted = (wire == _BYTES) | (wire == _VARINT)
    if counted.all():
        value, start = _varints(buffer, at, end)
    elif counted.any():
        start = at.copy()
        value[counted], start[counted] = _varints(buffer, at[counted], end[counted])
    width = np.where(wire == _BYTES, value, np.where(wire == _FIXED64, 8, np.where(wire == _FIXED32, 4, 0)))
    if not (counted | (wire == _FIXED64) | (wire == _FIXED32)).all():
        raise Unreadable
    return start, value, start + width


def _frames(body: bytes, origins: list[tuple[Scope, Resource]]) -> tuple[Ints, Ints, Ints]:
    """Where each span's bytes are, and whose it is. Few fields: walked one by one."""
    starts: list[int] = []
    ends: list[int] = []
    origin: list[int] = []
    for number, begin, end in _walk(body, 0, len(body)):
        if number != 1:
            continue
        holders: list[tuple[int, int]] = []
        resource, schema = ResourceProto(), ""
        for inner, first, last in _walk(body, begin, end):
            if inner == 1:
                resource.MergeFromString(body[first:last])
            elif inner == 2:
                holders.append((first, last))
            elif inner == 3:
                schema = body[first:last].decode()
        sender = Resource(attributes_of(resource.attributes), schema)
        for first, last in holders:
            _scope_frames(body, first, last, sender, origins, starts, ends)
            origin += [len(origins) - 1] * (len(starts) - len(origin))
    return np.array(starts, np.int64), np.array(ends, np.int64), np.array(origin, np.int64)


def _scope_frames(
    body: bytes,
    begin: int,
    end: int,
    resource: Resource,
    origins: list[tuple[Scope, Resource]],
    starts: list[int],
    ends: list[int],
) -> None:
    scope, schema = InstrumentationScope(), ""
    for number, first, last in _walk(body, begin, end):
        if number == 2:
            starts.append(first)
            ends.append(last)
        elif number == 1:
            scope.MergeFromString(body[first:last])
        elif number == 3:
            schema = body[first:last].decode()
    origins.append((Scope(scope.name, scope.version, attributes_of(scope.attributes), schema), resource))


def _walk(body: bytes, at: int, end: int) -> list[tuple[int, int, int]]:
    """(field number, start, end) of the length-delimited fields; others have no business up here."""
    found: list[tuple[int, int, int]] = []
    while at < end:
        tag, at = _varint(body, at, end)
        if tag & 7 != _BYTES:
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


def _pairs(buffer: Bytes, fields: _Fields, count: int) -> tuple[Ints, tuple[Ints, Ints], tuple[Ints, Ints]]:
    """First attribute of each span, and (start, length) of every attribute's key and value."""
    row, start, length = fields.of(9, _BYTES)
    first = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=count))]).astype(np.int64)
    inner = _Fields(buffer, start, start + length)
    return first, inner.spans_of(1, len(row)), inner.spans_of(2, len(row))


def _values(
    body: bytes, buffer: Bytes, starts: Ints, lengths: Ints
) -> tuple[Ints, pa.StringArray, dict[int, Value]]:
    inner = _Fields(buffer, starts, starts + lengths)
    if _repeated(inner.row):
        raise Unreadable
    known = (inner.number > 0) & (inner.number < len(_WIRE_OF_FIELD))
    if not known.all() or (_WIRE_OF_FIELD[inner.number] != inner.wire).any():
        raise Unreadable
    count = len(starts)
    kind, at, size = np.full(count, OTHER), np.zeros(count, np.int64), np.zeros(count, np.int64)
    is_text = inner.number == 1
    kind[inner.row[is_text]] = TEXT
    at[inner.row[is_text]], size[inner.row[is_text]] = inner.start[is_text], inner.value[is_text]
    other: dict[int, Value] = {}
    for row, number, start, value in zip(
        *(each[~is_text].tolist() for each in (inner.row, inner.number, inner.start, inner.value)),
        strict=True,
    ):
        if number == 3:
            other[row] = value
        elif number == 2:
            other[row] = value != 0
        elif number == 4:
            other[row] = float(np.frombuffer(body, "<f8", 1, start)[0])
        else:
            whole = int(starts[row]), int(starts[row] + lengths[row])
            other[row] = any_value(_parsed(AnyValue, body[whole[0] : whole[1]]))
    if len(inner.row) < count:
        missing = np.setdiff1d(np.arange(count), inner.row, assume_unique=True)
        other.update(dict.fromkeys(missing.tolist(), None))
    return kind, _strings(body, at, size), other


def _strings(body: bytes, starts: Ints, lengths: Ints) -> pa.StringArray:
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


def _texts(body: bytes, places: tuple[Ints, Ints]) -> list[str]:
    starts, lengths = places
    if not lengths.any():
        return [""] * len(starts)
    ends = (starts + lengths).tolist()
    return [body[start:end].decode() for start, end in zip(starts.tolist(), ends, strict=True)]


def _ids(buffer: Bytes, places: tuple[Ints, Ints], size: int) -> list[str]:
    starts, lengths = places
    if (lengths != size).any():
        raise Unreadable
    raw = buffer[starts[:, None] + np.arange(size)]
    if not raw.any(axis=1).all():
        raise Unreadable
    digits, width = raw.tobytes().hex(), 2 * size
    return [digits[at : at + width] for at in range(0, len(digits), width)]


def _parents(buffer: Bytes, places: tuple[Ints, Ints]) -> list[str]:
    starts, lengths = places
    if not lengths.any():
        return [""] * len(starts)
    if ((lengths != 8) & (lengths != 0)).any():
        raise Unreadable
    raw = buffer[starts[:, None] + np.arange(8)]
    given = (lengths == 8) & raw.any(axis=1)
    digits = raw.tobytes().hex()
    return [digits[16 * at : 16 * at + 16] if there else "" for at, there in enumerate(given.tolist())]


def _kinds(fields: _Fields, count: int) -> Ints:
    kinds = fields.numbers(6, count, _VARINT)
    if (kinds < 0).any() or (kinds > 255).any():
        raise Unreadable
    return kinds


def _times(buffer: Bytes, fields: _Fields, number: int, count: int, *, least: int) -> Ints:
    values = _fixed(buffer, fields, number, count, _FIXED64, "<u8")
    if (values < least).any() or (values > LATEST_NS).any():
        raise Unreadable
    return values


def _fixed(buffer: Bytes, fields: _Fields, number: int, count: int, wire: int, kind: str) -> Ints:
    row, start, _ = fields.single(number, wire)
    size = np.dtype(kind).itemsize
    raw = buffer[start[:, None] + np.arange(size)]
    values = np.zeros(count, np.int64)
    values[row] = raw.reshape(-1).view(kind).astype(np.int64)
    return values


def _statuses(body: bytes, fields: _Fields, count: int) -> tuple[list[int], list[str]]:
    codes, said = [0] * count, [""] * count
    row, start, length = fields.single(15, _BYTES)
    for owner, begin, size in zip(row.tolist(), start.tolist(), length.tolist(), strict=True):
        if size:
            status = _parsed(Status, body[begin : begin + size])
            codes[owner], said[owner] = status.code, status.message
    return codes, said


def _parsed(kind: Any, data: bytes) -> Any:
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise Unreadable from error
