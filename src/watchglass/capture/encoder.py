"""Records out of the spool into OTLP requests; runs on the background thread only.

All records of one batch come from one process, so they share its resource. The same records give the same
bytes, so that what is sent twice is recognised by its ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from watchglass.capture import boundary
from watchglass.capture.records import Attribute, Attributes, EventRecord, Record, SpanRecord, decode

Observer = Callable[[Record], None]


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the server: a path below the endpoint, and its body as OTLP protobuf."""

    path: str
    body: bytes
    records: int


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


def _resource(about: bytes) -> Attributes:
    try:
        return msgspec.msgpack.decode(about, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
        boundary.failed("encode.about", fault)
        return {}


def _traces(resource: Attributes, spans: list[SpanRecord]) -> bytes:
    request = ExportTraceServiceRequest()
    within = request.resource_spans.add()
    _fill(within.resource.attributes, resource)
    scopes: dict[tuple[str, str], Any] = {}
    for record in spans:
        key = (record.scope, record.scope_version)
        place = scopes.get(key)
        if place is None:
            place = scopes[key] = within.scope_spans.add()
            place.scope.name, place.scope.version = key
        _fill_span(place.spans.add(), record)
    return request.SerializeToString()


def _logs(resource: Attributes, events: list[EventRecord]) -> bytes:
    request = ExportLogsServiceRequest()
    within = request.resource_logs.add()
    _fill(within.resource.attributes, resource)
    scopes: dict[tuple[str, str], Any] = {}
    for record in events:
        key = (record.scope, record.scope_version)
        place = scopes.get(key)
        if place is None:
            place = scopes[key] = within.scope_logs.add()
            place.scope.name, place.scope.version = key
        _fill_event(place.log_records.add(), record)
    return request.SerializeToString()


# Messages are filled in place: making each one and copying it into its parent takes three times as long.


def _fill_span(span: Any, record: SpanRecord) -> None:
    span.trace_id, span.span_id, span.parent_span_id = record.trace_id, record.span_id, record.parent_span_id
    span.trace_state, span.flags = record.trace_state, record.flags
    span.name, span.kind = record.name, record.kind
    span.start_time_unix_nano, span.end_time_unix_nano = record.start_ns, record.end_ns
    _fill_attributes(span.attributes, record)
    for name, at, attributes in record.events:
        event = span.events.add()
        event.name, event.time_unix_nano = name, at
        _fill(event.attributes, attributes)
    for trace, linked, attributes in record.links:
        link = span.links.add()
        link.trace_id, link.span_id = trace, linked
        _fill(link.attributes, attributes)
    span.status.code = record.status
    if record.status_message:
        span.status.message = record.status_message


def _fill_event(log: Any, record: EventRecord) -> None:
    log.time_unix_nano = log.observed_time_unix_nano = record.time_ns
    log.severity_number = record.severity
    log.event_name = record.name
    log.trace_id, log.span_id = record.trace_id, record.span_id
    if record.body is not None:
        _fill_value(log.body, record.body)
    _fill_attributes(log.attributes, record)


def _fill_attributes(place: Any, record: Record) -> None:
    own = record.attributes
    _fill(place, own)
    _fill(place, {key: value for key, value in record.context.items() if key not in own})


def _fill(place: Any, attributes: Attributes) -> None:
    """Append attributes to a repeated field of `KeyValue`; None is no attribute."""
    add = place.add
    for key, value in attributes.items():
        if value is not None:
            made = add()
            made.key = key
            _fill_value(made.value, value)


_INT64 = 1 << 63


def _fill_value(place: Any, value: Attribute) -> None:
    if isinstance(value, str):
        place.string_value = value
    elif isinstance(value, bool):
        place.bool_value = value
    elif isinstance(value, int):
        if -_INT64 <= value < _INT64:
            place.int_value = value
        else:  # msgpack takes one bit more than OTLP
            place.string_value = str(value)
    elif isinstance(value, float):
        place.double_value = value
    elif isinstance(value, bytes):
        place.bytes_value = value
    elif isinstance(value, list):
        place.array_value.SetInParent()
        for each in value:
            _fill_value(place.array_value.values.add(), each)
    elif isinstance(value, dict):
        place.kvlist_value.SetInParent()
        _fill(place.kvlist_value.values, value)
