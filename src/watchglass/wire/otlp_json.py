"""OTLP's JSON encoding into the same records as the protobuf one.

Differs from plain protobuf JSON: ids are hex, enums are numbers, 64-bit integers may be strings
(OTLP specification, "JSON Protobuf Encoding"). Unknown fields are ignored; a wrong type refuses
the one item that has it; a wrong type outside any item is a `BadRequest` that names the path.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any, cast

import msgspec

from watchglass.errors import BadRequest
from watchglass.model import Attributes, Event, Link, LogRecord, Resource, Scope, Span, Value
from watchglass.wire.rejects import LATEST_NS, Reject, SpanRefused

_KINDS = {
    f"SPAN_KIND_{name}": number
    for number, name in enumerate(("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"))
}
_STATUSES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}
_MAX_DEPTH = 90
_HEX = frozenset("0123456789abcdef")


def parse(body: bytes) -> dict[str, Any]:
    """The body as a JSON object; broken UTF-8 is mended, anything else broken is a `BadRequest`."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        decoded = _parse_mended(body)
    if not isinstance(decoded, dict):
        raise BadRequest(f"the body must be a JSON object, it is {_type(decoded)}", where="$")
    return cast(dict[str, Any], decoded)


_HALVES = r"u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(rf"\\(?:{_HALVES}|(u[dD][89a-fA-F][0-9a-fA-F]{{2}})|.)", re.DOTALL)
"""An escape in JSON text; the group is half of a surrogate pair without its other half."""


def _parse_mended(body: bytes) -> object:
    """Broken UTF-8 and halves of surrogate pairs, which are no text, become U+FFFD."""
    text = _ESCAPE.sub(lambda escape: "\\ufffd" if escape[1] else escape[0], body.decode("utf-8", "replace"))
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(f"the body is no JSON: {error}", where="$") from error


def spans(request: dict[str, Any], rejects: list[Reject]) -> list[Span]:
    """Every good span; bad ones go to `rejects`."""
    found: list[Span] = []
    for where, scope, resource, item in items(request, "resourceSpans", "scopeSpans", "spans"):
        try:
            found.append(_span(item, scope, resource))
        except SpanRefused as refused:
            ids = item if isinstance(item, dict) else {}
            rejects.append(Reject(where, str(refused), _shown(ids, "traceId"), _shown(ids, "spanId")))
    return found


def logs(request: dict[str, Any], rejects: list[Reject]) -> list[LogRecord]:
    """Every good log record; bad ones go to `rejects`."""
    found: list[LogRecord] = []
    for where, scope, resource, item in items(request, "resourceLogs", "scopeLogs", "logRecords"):
        try:
            found.append(_log(item, scope, resource))
        except SpanRefused as refused:
            rejects.append(Reject(where, str(refused)))
    return found


def items(
    request: dict[str, Any], outer: str, middle: str, inner: str
) -> Iterator[tuple[str, Scope, Resource, Any]]:
    """Each innermost object with its path, scope and resource. Raises `BadRequest` for a broken frame."""
    for i, group in enumerate(_objects(request, outer, "$")):
        where = f"{outer}[{i}]"
        try:
            resource = Resource(
                attributes(_object(group, "resource", where).get("attributes")), string(group, "schemaUrl")
            )
            for j, holder in enumerate(_objects(group, middle, where)):
                path = f"{where}.{middle}[{j}]"
                named = _object(holder, "scope", path)
                scope = Scope(
                    string(named, "name"),
                    string(named, "version"),
                    attributes(named.get("attributes")),
                    string(holder, "schemaUrl"),
                )
                for k, item in enumerate(_list(holder, inner, path)):
                    yield f"{path}.{inner}[{k}]", scope, resource, item
        except SpanRefused as refused:
            raise BadRequest(str(refused), where=where) from refused


def _span(item: Any, scope: Scope, resource: Resource) -> Span:
    if not isinstance(item, dict):
        raise SpanRefused(f"a span must be an object, it is {_type(item)}")
    span = cast(dict[str, Any], item)
    start_ns, end_ns = integer(span, "startTimeUnixNano"), integer(span, "endTimeUnixNano")
    if not 0 < start_ns <= LATEST_NS or not 0 <= end_ns <= LATEST_NS:
        raise SpanRefused.time(start_ns, end_ns)
    status = _dict(span, "status")
    return Span(
        _id(span, "traceId", 16),
        _id(span, "spanId", 8),
        _parent(span),
        string(span, "name"),
        _enum(span, "kind", _KINDS),
        start_ns,
        end_ns,
        _enum(status, "code", _STATUSES),
        string(status, "message"),
        attributes(span.get("attributes")),
        [
            Event(string(e, "name"), integer(e, "timeUnixNano"), attributes(e.get("attributes")))
            for e in dicts(span, "events")
        ],
        [
            Link(string(e, "traceId").lower(), string(e, "spanId").lower(), attributes(e.get("attributes")))
            for e in dicts(span, "links")
        ],
        scope,
        resource,
        string(span, "traceState"),
        integer(span, "flags") & 0xFFFFFFFF,
    )


def _log(item: Any, scope: Scope, resource: Resource) -> LogRecord:
    if not isinstance(item, dict):
        raise SpanRefused(f"a log record must be an object, it is {_type(item)}")
    record = cast(dict[str, Any], item)
    severity = integer(record, "severityNumber") if not isinstance(record.get("severityNumber"), str) else 0
    return LogRecord(
        _id(record, "traceId", 16) if _given(record, "traceId") else "",
        _id(record, "spanId", 8) if _given(record, "spanId") else "",
        max(0, min(integer(record, "timeUnixNano"), LATEST_NS)),
        max(0, min(integer(record, "observedTimeUnixNano"), LATEST_NS)),
        severity if 0 <= severity <= 24 else 0,
        string(record, "severityText"),
        string(record, "eventName"),
        any_value(record.get("body")),
        attributes(record.get("attributes")),
        scope,
        resource,
    )


def attributes(pairs: Any) -> Attributes:
    """A list of `{"key": …, "value": {"stringValue": …}}` as a dict."""
    if pairs is None:
        return {}
    if not isinstance(pairs, list):
        raise SpanRefused(f"attributes must be a list of key and value, it is {_type(pairs)}")
    found: Attributes = {}
    for pair in cast(list[Any], pairs):
        if not isinstance(pair, dict):
            raise SpanRefused(f"an attribute must be an object with key and value; it is {str(pair)[:80]!r}")
        found[string(cast(dict[str, Any], pair), "key")] = any_value(pair.get("value"))
    return found


def any_value(value: Any, depth: int = 0) -> Value:
    """OTLP/JSON's AnyValue object as a Python value; an empty one is None."""
    if value is None or value == {}:
        return None
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        raise SpanRefused(
            f"a value must be an object such as {{'stringValue': …}}; it is {str(value)[:80]!r}"
        )
    for kind, inner in cast(dict[str, Any], value).items():
        if kind == "stringValue":
            return inner if isinstance(inner, str) else str(inner)
        if kind == "intValue":
            return integer(value, "intValue")
        if kind == "boolValue":
            return bool(inner)
        if kind == "doubleValue":
            return double(inner)
        if kind == "bytesValue":
            return _bytes(inner)
        if kind == "arrayValue":
            return [any_value(each, depth + 1) for each in dicts(inner or {}, "values")]
        if kind == "kvlistValue":
            return {
                str(each.get("key", "")): any_value(each.get("value"), depth + 1)
                for each in dicts(inner or {}, "values")
            }
    return None


def double(value: Any) -> float:
    """A number, or the words that stand for NaN and the infinities."""
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise SpanRefused(f"doubleValue must be a number, it is {str(value)[:40]!r}") from error


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=False)
    except (TypeError, ValueError, binascii.Error) as error:
        raise SpanRefused(f"bytesValue must be base64, it is {str(value)[:40]!r}") from error


def _id(holder: dict[str, Any], field: str, size: int) -> str:
    given = holder.get(field)
    lowered = given.lower() if isinstance(given, str) else ""
    if len(lowered) != size * 2 or not _HEX.issuperset(lowered) or not lowered.strip("0"):
        raise SpanRefused.id(field, str(given) if given is not None else "", size)
    return lowered


def _given(holder: dict[str, Any], field: str) -> bool:
    value = holder.get(field)
    return isinstance(value, str) and bool(value.strip("0"))


def _parent(span: dict[str, Any]) -> str:
    return _id(span, "parentSpanId", 8) if _given(span, "parentSpanId") else ""


def integer(holder: dict[str, Any], field: str) -> int:
    """A whole number of 64 bits, given as a number or as text; 0 where absent."""
    value = holder.get(field)
    if value is None or value == "":
        return 0
    try:
        if isinstance(value, str) and len(value) > 24:
            raise ValueError
        number = int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise SpanRefused(f"{field} must be a whole number, it is {str(value)[:40]!r}") from error
    if not -(2**63) <= number < 2**64:
        raise SpanRefused(f"{field} must fit into 64 bits, it is {number}")
    return number


def _enum(holder: dict[str, Any], field: str, names: dict[str, int]) -> int:
    value = holder.get(field)
    if isinstance(value, str) and value in names:
        return names[value]
    number = integer(holder, field)
    return number if number in names.values() else 0


def string(holder: dict[str, Any], field: str) -> str:
    """Text; empty where absent."""
    value = holder.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise SpanRefused(f"{field} must be text, it is {_type(value)}")
    return value


def _dict(holder: dict[str, Any], field: str) -> dict[str, Any]:
    value = holder.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SpanRefused(f"{field} must be an object, it is {_type(value)}")
    return cast(dict[str, Any], value)


def dicts(holder: Any, field: str) -> list[dict[str, Any]]:
    """A list of objects; empty where absent."""
    value = holder.get(field) if isinstance(holder, dict) else holder
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in cast(list[Any], value)):
        raise SpanRefused(f"{field} must be a list of objects")
    return cast(list[dict[str, Any]], value)


def _list(holder: dict[str, Any], field: str, where: str) -> list[Any]:
    value = holder.get(field)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRequest(f"{field} must be a list, it is {_type(value)}", where=f"{where}.{field}")
    return cast(list[Any], value)


def _objects(holder: dict[str, Any], field: str, where: str) -> list[dict[str, Any]]:
    found = _list(holder, field, where)
    for i, each in enumerate(found):
        if not isinstance(each, dict):
            raise BadRequest(f"it must be an object, it is {_type(each)}", where=f"{where}.{field}[{i}]")
    return cast(list[dict[str, Any]], found)


def _object(holder: dict[str, Any], field: str, where: str) -> dict[str, Any]:
    value = holder.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequest(f"it must be an object, it is {_type(value)}", where=f"{where}.{field}")
    return cast(dict[str, Any], value)


def _shown(holder: dict[str, Any], field: str) -> str:
    value = holder.get(field)
    return value[:40] if isinstance(value, str) else ""


_TYPES: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "a boolean",
    type(None): "null",
}


def _type(value: object) -> str:
    return _TYPES.get(type(value), "a number")
