"""Records as OTLP: what the server reads is what was recorded."""

from __future__ import annotations

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from watchglass.capture import boundary, encoder
from watchglass.capture.records import EventRecord, SpanRecord, about_process, encode
from watchglass.wire.otlp import attributes_of

TRACE, SPAN, PARENT = bytes(range(16)), bytes(range(8)), bytes(range(8, 16))
ABOUT = about_process({"service.name": "shop", "process.pid": 7})

CALL = SpanRecord(
    TRACE,
    SPAN,
    PARENT,
    "chat gpt-5",
    3,
    10,
    20,
    2,
    "broke \ud800",
    {
        "text": "ü",
        "flag": True,
        "n": 3,
        "big": 1 << 70,
        "seed": (1 << 63) + 5,
        "f": 0.5,
        "raw": b"\x00",
        "none": None,
        "a": [1, "b"],
    }
    | {"map": {"k": 1}, "watchglass.tenant": "own", "empty": [], "nothing": {}, "object": object()}
    | {"seed": (1 << 63) + 5},
    {"watchglass.tenant": "context", "session.id": "s"},
    [("event", 15, {"e": 1})],
    [(TRACE, PARENT, {"why": "retry"})],
    "watchglass.litellm",
    "1",
)
READ = {
    "text": "ü",
    "flag": True,
    "n": 3,
    "big": str(1 << 70),
    "seed": str((1 << 63) + 5),
    "f": 0.5,
    "raw": b"\x00",
    "a": [1, "b"],
} | {
    "map": {"k": 1},
    "object": "<builtins.object>",
    "seed": str((1 << 63) + 5),
    "watchglass.tenant": "own",
    "session.id": "s",
    "empty": [],
    "nothing": {},
}
EVENT = EventRecord(
    "watchglass.interrupt", 12, {"kind": "confirm"}, {"user.id": "u"}, TRACE, SPAN, body="said"
)


def test_a_span_arrives_as_it_was_recorded() -> None:
    """Ids, times, status, attributes of every type, events, links, scope and resource are in the request."""
    (made,) = encoder.requests(ABOUT, [encode(CALL)])
    assert (made.path, made.records) == ("/v1/traces", 1)
    within = ExportTraceServiceRequest.FromString(made.body).resource_spans[0]
    assert attributes_of(within.resource.attributes) == {"service.name": "shop", "process.pid": 7}
    scope = within.scope_spans[0]
    assert (scope.scope.name, scope.scope.version) == ("watchglass.litellm", "1")
    span = scope.spans[0]
    assert (span.trace_id, span.span_id, span.parent_span_id) == (TRACE, SPAN, PARENT)
    assert (span.name, span.kind, span.start_time_unix_nano, span.end_time_unix_nano) == (
        "chat gpt-5",
        3,
        10,
        20,
    )
    assert (span.status.code, span.status.message) == (2, "broke ?")
    assert attributes_of(span.attributes) == READ
    assert (span.events[0].name, span.events[0].time_unix_nano) == ("event", 15)
    assert (span.links[0].span_id, attributes_of(span.links[0].attributes)) == (PARENT, {"why": "retry"})


def test_an_event_arrives_as_it_was_recorded() -> None:
    """Name, time, ids, severity, body, attributes and context are in the request for logs."""
    (made,) = encoder.requests(ABOUT, [encode(EVENT)])
    assert (made.path, made.records) == ("/v1/logs", 1)
    scope = ExportLogsServiceRequest.FromString(made.body).resource_logs[0].scope_logs[0]
    log = scope.log_records[0]
    assert (log.event_name, log.time_unix_nano, log.severity_number) == ("watchglass.interrupt", 12, 9)
    assert (log.trace_id, log.span_id, log.body.string_value) == (TRACE, SPAN, "said")
    assert attributes_of(log.attributes) == {"kind": "confirm", "user.id": "u"}


def test_what_is_no_record_costs_no_neighbour() -> None:
    """A payload that cannot be read is counted and left out; those beside it are sent."""
    boundary.forget()
    made = encoder.requests(ABOUT, [b"\xc1", encode(CALL), b"", encode(EVENT)[:-1], encode(EVENT)])
    assert [each.records for each in made] == [1, 1]
    assert boundary.failures["encode"] == 3
    boundary.forget()


def test_the_same_records_are_the_same_bytes() -> None:
    """A batch that is sent again is the same request."""
    payloads = [encode(CALL), encode(EVENT)]
    assert encoder.requests(ABOUT, payloads) == encoder.requests(ABOUT, payloads)
