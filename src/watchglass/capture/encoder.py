"""Records out of the spool into OTLP requests; runs on the background thread only.

All records of one batch come from one process, so they share its resource. The same records give the same
bytes, so that what is sent twice is recognised by its ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from watchglass.capture import boundary
from watchglass.capture.records import Attribute, Attributes, EventRecord, Record, SpanRecord, decode

Observer = Callable[[Record], None]


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the server: a path below the endpoint, and its body as OTLP protobuf."""

    path: str
    body: bytes
    records: int


def about_process(resource: Attributes) -> bytes:
    """What a spool segment says of the process that wrote it. `resource`: OTLP resource attributes."""
    return msgspec.msgpack.encode(resource)


def requests(about: bytes, payloads: Sequence[bytes], observe: Observer | None = None) -> list[Request]:
    """The payloads of one process as at most one request for spans and one for events.

    A payload that is no record of ours is counted (`boundary.failures["encode"]`) and left out: it can never
    be sent. `observe` sees each record that can be.
    """
    spans: list[SpanRecord] = []
    events: list[EventRecord] = []
    for payload in payloads:
        record = _read(payload)
        if record is None:
            continue
        if observe is not None:
            observe(record)
        if isinstance(record, SpanRecord):
            spans.append(record)
        else:
            events.append(record)
    resource = _resource(about)
    made: list[Request] = []
    if spans:
        made.append(Request("/v1/traces", _traces(resource, spans), len(spans)))
    if events:
        made.append(Request("/v1/logs", _logs(resource, events), len(events)))
    return made


def _read(payload: bytes) -> Record | None:
    try:
        return decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
        boundary.failed("encode", fault)
        return None


def _resource(about: bytes) -> list[KeyValue]:
    try:
        attributes = msgspec.msgpack.decode(about, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
        boundary.failed("encode.about", fault)
        return []
    return _key_values(attributes.items())


def _traces(resource: list[KeyValue], spans: list[SpanRecord]) -> bytes:
    request = ExportTraceServiceRequest()
    within = request.resource_spans.add()
    within.resource.attributes.extend(resource)
    scopes: dict[tuple[str, str], Any] = {}
    for record in spans:
        key = (record.scope, record.scope_version)
        place = scopes.get(key)
        if place is None:
            place = scopes[key] = within.scope_spans.add()
            place.scope.name, place.scope.version = key
        place.spans.append(_span(record))
    return request.SerializeToString()


def _logs(resource: list[KeyValue], events: list[EventRecord]) -> bytes:
    request = ExportLogsServiceRequest()
    within = request.resource_logs.add()
    within.resource.attributes.extend(resource)
    scopes: dict[tuple[str, str], Any] = {}
    for record in events:
        key = (record.scope, record.scope_version)
        place = scopes.get(key)
        if place is None:
            place = scopes[key] = within.scope_logs.add()
            place.scope.name, place.scope.version = key
        place.log_records.append(_event(record))
    return request.SerializeToString()


def _span(record: SpanRecord) -> Span:
    return Span(
        trace_id=record.trace_id,
        span_id=record.span_id,
        parent_span_id=record.parent_span_id,
        trace_state=record.trace_state,
        flags=record.flags,
        name=_text(record.name),
        kind=cast("Span.SpanKind.ValueType", record.kind),
        start_time_unix_nano=record.start_ns,
        end_time_unix_nano=record.end_ns,
        attributes=_attributes(record),
        events=[
            Span.Event(name=_text(name), time_unix_nano=at, attributes=_key_values(attributes.items()))
            for name, at, attributes in record.events
        ],
        links=[
            Span.Link(trace_id=trace, span_id=span, attributes=_key_values(attributes.items()))
            for trace, span, attributes in record.links
        ],
        status=Status(
            code=cast("Status.StatusCode.ValueType", record.status), message=_text(record.status_message)
        ),
    )


def _event(record: EventRecord) -> LogRecord:
    return LogRecord(
        time_unix_nano=record.time_ns,
        observed_time_unix_nano=record.time_ns,
        severity_number=cast("SeverityNumber.ValueType", record.severity),
        event_name=_text(record.name),
        body=None if record.body is None else _value(record.body),
        attributes=_attributes(record),
        trace_id=record.trace_id,
        span_id=record.span_id,
    )


def _attributes(record: Record) -> list[KeyValue]:
    own = record.attributes
    made = _key_values(own.items())
    made.extend(_key_values((key, value) for key, value in record.context.items() if key not in own))
    return made


def _key_values(attributes: Iterable[tuple[str, Attribute]]) -> list[KeyValue]:
    return [KeyValue(key=_text(key), value=_value(value)) for key, value in attributes if value is not None]


_INT64 = 1 << 63


def _value(value: Attribute) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=_text(value))
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        if -_INT64 <= value < _INT64:
            return AnyValue(int_value=value)
        return AnyValue(string_value=str(value))
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, bytes):
        return AnyValue(bytes_value=value)
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[_value(each) for each in value]))
    if isinstance(value, dict):
        return AnyValue(kvlist_value=KeyValueList(values=_key_values(value.items())))
    return AnyValue()


def _text(text: str) -> str:
    """The text, with what UTF-8 cannot say (lone surrogates) replaced: protobuf refuses it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text
