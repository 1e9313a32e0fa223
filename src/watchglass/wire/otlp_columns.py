"""Trace bodies into columns: all spans of a body read at once, a field at a time.

The walk is level by level: one step reads the next field of *every* span, the next of every
attribute, the next of every value, each as a few operations on whole arrays. It reads only bodies
in which all is as it should be; anything else (a bad id, a field twice, broken UTF-8, a wire type
that does not fit) is `Unreadable`, and `otlp.decode_traces` reads that body span by span instead,
which knows how to name what is wrong. Source: the protobuf encoding specification and
opentelemetry-proto's trace.proto.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceProto
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanProto
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from watchglass.model import Resource, Scope, Value
from watchglass.wire.columns import OTHER, TEXT, SpanColumns
from watchglass.wire.otlp import any_value, attributes_of, event_of, link_of
from watchglass.wire.protobuf_columns import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    Bytes,
    Fields,
    Ints,
    Unreadable,
    parsed,
    repeated,
    strings,
    walk,
)
from watchglass.wire.rejects import LATEST_NS

_WIRE_OF_FIELD = np.array([-1, BYTES, VARINT, VARINT, FIXED64, BYTES, BYTES, BYTES], np.int64)


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
    fields = Fields(buffer, starts, ends)
    count = len(starts)
    first_attribute, key_at, value_at = _pairs(buffer, fields, count)
    keys = strings(body, *key_at).dictionary_encode()
    key = keys.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    owner = np.repeat(np.arange(count), np.diff(first_attribute))
    if repeated(owner * max(1, len(keys.dictionary)) + key):
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
        _fixed(buffer, fields, 16, count, FIXED32, "<u4"),
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


def _frames(body: bytes, origins: list[tuple[Scope, Resource]]) -> tuple[Ints, Ints, Ints]:
    """Where each span's bytes are, and whose it is. Few fields: walked one by one."""
    starts: list[int] = []
    ends: list[int] = []
    origin: list[int] = []
    for number, begin, end in walk(body, 0, len(body)):
        if number != 1:
            continue
        holders: list[tuple[int, int]] = []
        resource, schema = ResourceProto(), ""
        for inner, first, last in walk(body, begin, end):
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
    for number, first, last in walk(body, begin, end):
        if number == 2:
            starts.append(first)
            ends.append(last)
        elif number == 1:
            scope.MergeFromString(body[first:last])
        elif number == 3:
            schema = body[first:last].decode()
    origins.append((Scope(scope.name, scope.version, attributes_of(scope.attributes), schema), resource))


def _pairs(buffer: Bytes, fields: Fields, count: int) -> tuple[Ints, tuple[Ints, Ints], tuple[Ints, Ints]]:
    """First attribute of each span, and (start, length) of every attribute's key and value."""
    row, start, length = fields.of(9, BYTES)
    first = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=count))]).astype(np.int64)
    inner = Fields(buffer, start, start + length)
    return first, inner.spans_of(1, len(row)), inner.spans_of(2, len(row))


def _values(
    body: bytes, buffer: Bytes, starts: Ints, lengths: Ints
) -> tuple[Ints, pa.StringArray, dict[int, Value]]:
    inner = Fields(buffer, starts, starts + lengths)
    if repeated(inner.row):
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
            other[row] = any_value(parsed(AnyValue, body[whole[0] : whole[1]]))
    if len(inner.row) < count:
        missing = np.setdiff1d(np.arange(count), inner.row, assume_unique=True)
        other.update(dict.fromkeys(missing.tolist(), None))
    return kind, strings(body, at, size), other


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


def _kinds(fields: Fields, count: int) -> Ints:
    kinds = fields.numbers(6, count, VARINT)
    if (kinds < 0).any() or (kinds > 255).any():
        raise Unreadable
    return kinds


def _times(buffer: Bytes, fields: Fields, number: int, count: int, *, least: int) -> Ints:
    values = _fixed(buffer, fields, number, count, FIXED64, "<u8")
    if (values < least).any() or (values > LATEST_NS).any():
        raise Unreadable
    return values


def _fixed(buffer: Bytes, fields: Fields, number: int, count: int, wire: int, kind: str) -> Ints:
    row, start, _ = fields.single(number, wire)
    size = np.dtype(kind).itemsize
    raw = buffer[start[:, None] + np.arange(size)]
    values = np.zeros(count, np.int64)
    values[row] = raw.reshape(-1).view(kind).astype(np.int64)
    return values


def _statuses(body: bytes, fields: Fields, count: int) -> tuple[list[int], list[str]]:
    codes, said = [0] * count, [""] * count
    row, start, length = fields.single(15, BYTES)
    for owner, begin, size in zip(row.tolist(), start.tolist(), length.tolist(), strict=True):
        if size:
            status = parsed(Status, body[begin : begin + size])
            codes[owner], said[owner] = status.code, status.message
    return codes, said
