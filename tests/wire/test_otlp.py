"""Bodies into records: both encodings agree, and nothing broken takes its neighbours along."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanProto

from watchglass.errors import BadRequest
from watchglass.wire.otlp import decode_logs, decode_traces
from watchglass.wire.otlp_metrics import decode_metrics

START_NS = 1_790_000_000_123_456_789


def any_value(value: object) -> AnyValue:
    """A Python value as AnyValue."""
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, bytes):
        return AnyValue(bytes_value=value)
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[any_value(each) for each in value]))
    if isinstance(value, dict):
        pairs = [KeyValue(key=key, value=any_value(each)) for key, each in value.items()]
        return AnyValue(kvlist_value=KeyValueList(values=pairs))
    return AnyValue() if value is None else AnyValue(string_value=str(value))


def span(number: int, attributes: dict[str, Any] | None = None, **fields: Any) -> SpanProto:
    """A small good span; `number` makes its ids."""
    given = {
        "trace_id": number.to_bytes(16, "big"),
        "span_id": number.to_bytes(8, "big"),
        "name": f"chat {number}",
        "start_time_unix_nano": START_NS,
        "end_time_unix_nano": START_NS + 1_000_000,
        "attributes": [KeyValue(key=k, value=any_value(v)) for k, v in (attributes or {}).items()],
    }
    return SpanProto(**(given | fields))


def request(*spans: SpanProto) -> ExportTraceServiceRequest:
    """A request with one resource and one scope."""
    body = ExportTraceServiceRequest()
    group = body.resource_spans.add()
    group.resource.attributes.append(KeyValue(key="service.name", value=any_value("shop")))
    holder = group.scope_spans.add()
    holder.scope.name, holder.scope.version = "lib", "1.2"
    holder.spans.extend(spans)
    return body


def as_otlp_json(body: ExportTraceServiceRequest) -> bytes:
    """OTLP's JSON: protobuf's JSON with ids in hex and enums as numbers."""
    tree = MessageToDict(body, use_integers_for_enums=True)
    for group in tree.get("resourceSpans", []):
        for holder in group.get("scopeSpans", []):
            for each in holder.get("spans", []):
                for field in ("traceId", "spanId", "parentSpanId"):
                    if field in each:
                        each[field] = base64.b64decode(each[field]).hex()
    return json.dumps(tree).encode()


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.text(), VALUES, max_size=5), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_both_encodings_give_the_same_spans(attributes: list[dict[str, Any]]) -> None:
    """Whatever the attributes hold, JSON and protobuf decode to equal records."""
    body = request(*[span(i + 1, given, kind=3) for i, given in enumerate(attributes)])
    binary = decode_traces(body.SerializeToString(), "protobuf")
    text = decode_traces(as_otlp_json(body), "json")
    assert binary == text
    assert [each.attributes for each in binary.spans] == attributes
    assert binary.spans[0].resource.attributes == {"service.name": "shop"}


def test_an_empty_request_is_no_error() -> None:
    """No bytes, an empty message and an empty object hold no spans."""
    for body, encoding in ((b"", "protobuf"), (b"{}", "json"), (b'{"resourceSpans": []}', "json")):
        assert decode_traces(body, encoding).spans == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"trace_id": b"\1" * 15}, "traceId must be 16 bytes"),
        ({"trace_id": bytes(16)}, "not all zero"),
        ({"span_id": b""}, "spanId must be 8 bytes"),
        ({"parent_span_id": b"\1"}, "parentSpanId must be 8 bytes"),
        ({"start_time_unix_nano": 0}, "startTimeUnixNano"),
        ({"start_time_unix_nano": 2**64 - 1}, "2262"),
    ],
)
def test_a_bad_span_is_named_and_its_neighbours_stay(fields: dict[str, Any], said: str) -> None:
    """A span with an impossible id or time is rejected with its place; the others are kept."""
    body = request(span(1), span(2, **fields), span(3))
    for decoded in (
        decode_traces(body.SerializeToString(), "protobuf"),
        decode_traces(as_otlp_json(body), "json"),
    ):
        assert [each.name for each in decoded.spans] == ["chat 1", "chat 3"]
        (reject,) = decoded.rejects
        assert reject.where == "resourceSpans[0].scopeSpans[0].spans[1]"
        assert said in reject.reason


def test_broken_utf8_costs_nobody() -> None:
    """A body with one byte that is no UTF-8 keeps all its spans; the byte becomes U+FFFD."""
    body = request(span(1, {"model": "gpt-XX"}), span(2)).SerializeToString()
    decoded = decode_traces(body.replace(b"gpt-XX", b"gpt-\xff\xfe"), "protobuf")
    assert [each.name for each in decoded.spans] == ["chat 1", "chat 2"]
    assert decoded.spans[0].attributes == {"model": "gpt-\ufffd\ufffd"}


def test_half_a_surrogate_pair_costs_nobody() -> None:
    """JSON that escapes half a character keeps all its spans; the half becomes U+FFFD, whole ones stay."""
    body = as_otlp_json(request(span(1, {"model": "HALF"}), span(2, {"a": "\U0001f600 \\ud800"})))
    decoded = decode_traces(body.replace(b"HALF", b"x\\ud83dy"), "json")
    assert [each.attributes for each in decoded.spans] == [
        {"model": "x\ufffdy"},
        {"a": "\U0001f600 \\ud800"},
    ]


def test_a_span_that_is_no_message_is_left_out() -> None:
    """A span whose bytes do not parse is rejected alone, with the byte at which it breaks."""
    good = request(span(1), span(2), span(3))
    broken = bytearray(good.SerializeToString())
    at = broken.index(b"chat 2")
    broken[at - 1] = 0x7F  # the name now claims 127 bytes, past the end of its span
    decoded = decode_traces(bytes(broken), "protobuf")
    assert [each.name for each in decoded.spans] == ["chat 1", "chat 3"]
    assert "runs" in decoded.rejects[0].reason and "byte" in decoded.rejects[0].reason


@pytest.mark.parametrize("body", [b"\xff" * 40, b"hello there", request(span(1)).SerializeToString()[:-3]])
def test_what_is_no_request_says_where_it_breaks(body: bytes) -> None:
    """Garbage and a cut-off body are a BadRequest that names the byte."""
    with pytest.raises(BadRequest, match="byte") as caught:
        decode_traces(body, "protobuf")
    assert caught.value.where is not None


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"[]", "$"),
        (b"{", "$"),
        (b'{"resourceSpans": 3}', "$.resourceSpans"),
        (b'{"resourceSpans": [{"scopeSpans": [4]}]}', "resourceSpans[0].scopeSpans[0]"),
        (b'{"resourceSpans": [{"resource": []}]}', "resourceSpans[0].resource"),
        (b'{"resourceSpans": [{"resource": {"attributes": 5}}]}', "resourceSpans[0]"),
    ],
)
def test_json_that_is_no_request_says_where(body: bytes, where: str) -> None:
    """A wrong shape outside any span is a BadRequest with the path."""
    with pytest.raises(BadRequest) as caught:
        decode_traces(body, "json")
    assert caught.value.where == where


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_no_mutation_raises_anything_else(data: st.DataObject) -> None:
    """Any mutation of a good body, in any encoding and signal, is read, rejected or a BadRequest."""
    body = request(span(1, {"a": "x" * 20, "n": 3, "l": [1, {"k": "v"}]}), span(2))
    as_json = data.draw(st.booleans())
    broken = bytearray(as_otlp_json(body) if as_json else body.SerializeToString())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(broken) - 1))
        broken[at] = data.draw(st.integers(0, 255))
    mutated = bytes(broken[: data.draw(st.integers(0, len(broken)))])
    for decode in (decode_traces, decode_logs, decode_metrics):
        try:
            decode(mutated, "json" if as_json else "protobuf")
        except BadRequest as error:
            assert str(error)


def test_logs_keep_their_span_and_body() -> None:
    """A log record keeps ids, event name and a body that is a map."""
    body = ExportLogsServiceRequest()
    record = body.resource_logs.add().scope_logs.add().log_records.add()
    record.trace_id, record.span_id, record.event_name = b"\1" * 16, b"\2" * 8, "gen_ai.choice"
    record.body.CopyFrom(any_value({"index": 0, "message": {"content": "hi"}}))
    (log,) = decode_logs(body.SerializeToString(), "protobuf").logs
    assert (log.trace_id, log.span_id, log.event_name) == ("01" * 16, "02" * 8, "gen_ai.choice")
    assert log.body == {"index": 0, "message": {"content": "hi"}}


def test_metric_points_are_one_record_each() -> None:
    """Sums and histograms keep value, count, temporality and buckets."""
    body = ExportMetricsServiceRequest()
    holder = body.resource_metrics.add().scope_metrics.add()
    total = holder.metrics.add(name="llm.requests.total", unit="1")
    total.sum.is_monotonic, total.sum.aggregation_temporality = True, 2
    total.sum.data_points.add(as_int=5, time_unix_nano=START_NS)
    latency = holder.metrics.add(name="gen_ai.client.operation.duration", unit="s")
    latency.histogram.data_points.add(
        count=2, sum=0.5, bucket_counts=[1, 1], explicit_bounds=[0.1], time_unix_nano=START_NS
    )
    first, second = decode_metrics(body.SerializeToString(), "protobuf").points
    assert (first.value_int, first.temporality, first.monotonic) == (5, "cumulative", True)
    assert (second.count, second.sum, second.data["explicitBounds"]) == (2, 0.5, [0.1])
