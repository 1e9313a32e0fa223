"""What the SDK records: finished spans and events, compact enough to be written while the caller waits.

A record holds OTLP's own terms (ids, nanoseconds, attributes by their conventional names), so that turning
it into OTLP later, on a background thread, needs to know nothing of who made it. Encoded as a msgpack
array: no field names, a microsecond for a call without texts.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

Attribute: TypeAlias = "bool | int | float | str | bytes | list[Attribute] | dict[str, Attribute] | None"
"""An OTLP AnyValue as Python has it."""

Attributes: TypeAlias = dict[str, Any]
"""Values are `Attribute`s; msgspec's decoders take no union of text and bytes."""

SCOPE = "watchglass"
"""Instrumentation scope of what the SDK itself records (`watchglass.litellm` and so on for its parts)."""


class SpanRecord(msgspec.Struct, array_like=True, gc=False, tag="s"):
    """A finished span.

    Ids are raw bytes (16, 8, and 8 or none for a root). `kind` and `status` are OTLP's numbers (kind 1
    internal, 2 server, 3 client; status 0 unset, 1 ok, 2 error). `context` is what `Context.attributes` of
    `capture.context` prepared; where both name a key, `attributes` wins.
    """

    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes
    name: str
    kind: int
    start_ns: int
    end_ns: int
    status: int
    status_message: str
    attributes: Attributes
    context: dict[str, str] = {}
    events: list[tuple[str, int, Attributes]] = []
    links: list[tuple[bytes, bytes, Attributes]] = []
    scope: str = SCOPE
    scope_version: str = ""
    trace_state: str = ""
    flags: int = 0


class EventRecord(msgspec.Struct, array_like=True, gc=False, tag="e"):
    """Something that happened at one moment; an OTLP log record with an event name.

    Ids as in `SpanRecord`, empty where there is no span. `severity` is OTLP's number (9 info, 13 warn,
    17 error).
    """

    name: str
    time_ns: int
    attributes: Attributes
    context: dict[str, str] = {}
    trace_id: bytes = b""
    span_id: bytes = b""
    severity: int = 9
    body: Any = None
    scope: str = SCOPE
    scope_version: str = ""


Record: TypeAlias = SpanRecord | EventRecord


def _unencodable(value: object) -> str:
    """Stands for an object that is no attribute: its type, since its text may hold anything."""
    return f"<{type(value).__module__}.{type(value).__qualname__}>"


_encode = msgspec.msgpack.Encoder(enc_hook=_unencodable).encode
_decode = msgspec.msgpack.Decoder(SpanRecord | EventRecord).decode


def encode(record: Record) -> bytes:
    """The record as it is spooled. What no attribute can be is replaced: objects by the name of their type,
    integers beyond 64 bits by their text, lone surrogates by `?`."""
    try:
        return _encode(record)
    except (UnicodeEncodeError, OverflowError):
        return _encode(type(record)(*(_mended(getattr(record, name)) for name in record.__struct_fields__)))


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_mended(key): _mended(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(each) for each in value]
    return str(value) if isinstance(value, int) and not -_INT64 <= value < _INT64 else value


_INT64 = 1 << 63


def decode(payload: bytes | memoryview) -> Record:
    """The record that `encode` wrote. Raises `msgspec.MsgspecError` for anything else."""
    return _decode(payload)


def about_process(resource: Attributes) -> bytes:
    """What a spool segment says of the process that wrote it. `resource`: OTLP resource attributes."""
    return msgspec.msgpack.encode(_mended(resource))
