"""OTLP bodies into records: one function a signal, bytes in, records and rejects out.

The protobuf path parses with the official classes. A body that those refuse is read again by
`salvage`, so that one broken span or one byte of broken UTF-8 does not cost its neighbours.
Source: opentelemetry-proto 1.x, and the OTLP specification's "JSON Protobuf Encoding".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias

import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from watchglass.errors import BadRequest
from watchglass.model import Attributes, Event, Link, LogRecord, Resource, Scope, Span, Value
from watchglass.wire import otlp_json
from watchglass.wire.rejects import LATEST_NS, Reject, SpanRefused
from watchglass.wire.salvage import salvage

Encoding: TypeAlias = Literal["protobuf", "json"]

_ZERO_SPAN = bytes(8)


class DecodedSpans(msgspec.Struct, frozen=True):
    """What a trace body held."""

    spans: list[Span]
    rejects: list[Reject]


class DecodedLogs(msgspec.Struct, frozen=True):
    """What a log body held."""

    logs: list[LogRecord]
    rejects: list[Reject]


def decode_traces(body: bytes, encoding: Encoding) -> DecodedSpans:
    """Spans of an ExportTraceServiceRequest. Raises `BadRequest` where nothing can be read."""
    rejects: list[Reject] = []
    if encoding == "json":
        return DecodedSpans(otlp_json.spans(otlp_json.parse(body), rejects), rejects)
    request = _parse(ExportTraceServiceRequest, body, rejects)
    return DecodedSpans(list(_spans(request, rejects)), rejects)


def decode_logs(body: bytes, encoding: Encoding) -> DecodedLogs:
    """Log records of an ExportLogsServiceRequest. Raises `BadRequest` where nothing can be read."""
    rejects: list[Reject] = []
    if encoding == "json":
        return DecodedLogs(otlp_json.logs(otlp_json.parse(body), rejects), rejects)
    request = _parse(ExportLogsServiceRequest, body, rejects)
    return DecodedLogs(list(_logs(request)), rejects)


def _parse(kind: Any, body: bytes, rejects: list[Reject]) -> Any:
    try:
        return kind.FromString(body)
    except DecodeError:
        mended, lost = salvage(body, kind.DESCRIPTOR)
        rejects.extend(lost)
    try:
        return kind.FromString(mended)
    except DecodeError as error:  # what salvage lets through is well formed; this is for what it cannot know
        raise BadRequest(
            f"the body is no {kind.DESCRIPTOR.name}: {error}; send protobuf, or JSON as application/json"
        ) from error


def _spans(request: Any, rejects: list[Reject]) -> Iterator[Span]:
    for i, resource_spans in enumerate(request.resource_spans):
        resource = Resource(attributes_of(resource_spans.resource.attributes), resource_spans.schema_url)
        for j, scope_spans in enumerate(resource_spans.scope_spans):
            scope = _scope(scope_spans)
            for k, span in enumerate(scope_spans.spans):
                try:
                    yield _span(span, scope, resource)
                except SpanRefused as refused:
                    where = f"resourceSpans[{i}].scopeSpans[{j}].spans[{k}]"
                    rejects.append(Reject(where, str(refused), span.trace_id.hex(), span.span_id.hex()))


def _span(pb: Any, scope: Scope, resource: Resource) -> Span:
    trace_id, span_id, parent = pb.trace_id, pb.span_id, pb.parent_span_id
    if len(trace_id) != 16 or not any(trace_id):
        raise SpanRefused.id("traceId", trace_id.hex(), 16)
    if len(span_id) != 8 or not any(span_id):
        raise SpanRefused.id("spanId", span_id.hex(), 8)
    if parent and len(parent) != 8:
        raise SpanRefused.id("parentSpanId", parent.hex(), 8)
    start_ns, end_ns = pb.start_time_unix_nano, pb.end_time_unix_nano
    if not 0 < start_ns <= LATEST_NS or end_ns > LATEST_NS:
        raise SpanRefused.time(start_ns, end_ns)
    status = pb.status
    return Span(
        trace_id.hex(),
        span_id.hex(),
        parent.hex() if parent and parent != _ZERO_SPAN else "",
        pb.name,
        pb.kind,
        start_ns,
        end_ns,
        status.code,
        status.message,
        attributes_of(pb.attributes),
        [event_of(each) for each in pb.events],
        [link_of(each) for each in pb.links],
        scope,
        resource,
        pb.trace_state,
        pb.flags,
    )


def event_of(pb: Any) -> Event:
    """A span event message as a record."""
    return Event(pb.name, pb.time_unix_nano, attributes_of(pb.attributes))


def link_of(pb: Any) -> Link:
    """A span link message as a record."""
    return Link(pb.trace_id.hex(), pb.span_id.hex(), attributes_of(pb.attributes))


def _logs(request: Any) -> Iterator[LogRecord]:
    for resource_logs in request.resource_logs:
        resource = Resource(attributes_of(resource_logs.resource.attributes), resource_logs.schema_url)
        for scope_logs in resource_logs.scope_logs:
            scope = _scope(scope_logs)
            for pb in scope_logs.log_records:
                yield LogRecord(
                    pb.trace_id.hex() if len(pb.trace_id) == 16 and any(pb.trace_id) else "",
                    pb.span_id.hex() if len(pb.span_id) == 8 and any(pb.span_id) else "",
                    min(pb.time_unix_nano, LATEST_NS),
                    min(pb.observed_time_unix_nano, LATEST_NS),
                    pb.severity_number if 0 <= pb.severity_number <= 24 else 0,
                    pb.severity_text,
                    pb.event_name,
                    any_value(pb.body),
                    attributes_of(pb.attributes),
                    scope,
                    resource,
                )


def _scope(holder: Any) -> Scope:
    scope = holder.scope
    return Scope(scope.name, scope.version, attributes_of(scope.attributes), holder.schema_url)


def attributes_of(pairs: Any) -> Attributes:
    """KeyValue messages as a dict; of a key given twice the last holds."""
    # The non-empty string is nearly every value there is: asking for it first spares WhichOneof.
    return {pair.key: (value := pair.value).string_value or any_value(value) for pair in pairs}


def any_value(value: Any) -> Value:
    """An AnyValue message as a Python value; an empty one is None."""
    which = value.WhichOneof("value")
    return None if which is None else _READERS[which](value)


def _plain(name: str) -> Callable[[Any], Value]:
    return lambda value: getattr(value, name)


_READERS: dict[str, Callable[[Any], Value]] = {
    "string_value": _plain("string_value"),
    "bool_value": _plain("bool_value"),
    "int_value": _plain("int_value"),
    "double_value": _plain("double_value"),
    "bytes_value": _plain("bytes_value"),
    "array_value": lambda value: [any_value(item) for item in value.array_value.values],
    "kvlist_value": lambda value: attributes_of(value.kvlist_value.values),
}
