"""OTLP over gRPC, with grpcio's own client and OpenTelemetry's exporter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest as BadRequestDetail
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.our_log import ours
from watchglass.errors import BadRequest, Overloaded, Refused, StoreError, StoreFull, TooLarge
from watchglass.ingest.receiver import Outcome

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"


@pytest.fixture
def export(server: Any) -> Any:
    """Calls a method with raw bytes, and gives the raw answer."""
    channel = grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}")

    def call(body: bytes, method: str = TRACES, **options: Any) -> bytes:
        return channel.unary_unary(method)(body, timeout=60, **options)

    yield call
    channel.close()


def details(error: grpc.RpcError) -> Status:
    metadata = dict(error.trailing_metadata())
    return Status.FromString(metadata["grpc-status-details-bin"])


@pytest.mark.parametrize(("method", "signal"), [(TRACES, "traces"), (LOGS, "logs"), (METRICS, "metrics")])
def test_each_service_hands_its_bytes_on(server: Any, export: Any, method: str, signal: str) -> None:
    """The message reaches the receiver byte for byte, and an empty message is the answer."""
    assert export(b"any bytes \x00\xff", method) == b""
    assert server.receiver.received == [(signal, b"any bytes \x00\xff", "protobuf")]


def test_gzip_is_inflated(server: Any, export: Any) -> None:
    """A compressed message arrives inflated."""
    export(b"z" * 500_000, compression=grpc.Compression.Gzip)
    assert server.receiver.received == [("traces", b"z" * 500_000, "protobuf")]


def test_an_empty_request_is_a_success(server: Any, export: Any) -> None:
    """An empty export request is acknowledged."""
    assert export(b"") == b""


@pytest.mark.parametrize(
    ("method", "message", "field"),
    [
        (TRACES, ExportTraceServiceResponse, "rejected_spans"),
        (LOGS, ExportLogsServiceResponse, "rejected_log_records"),
        (METRICS, ExportMetricsServiceResponse, "rejected_data_points"),
    ],
)
def test_partial_success(server: Any, export: Any, method: str, message: Any, field: str) -> None:
    """Rejected items are counted and named."""
    server.receiver.answers = [Outcome(1, 3, "span 00ab: no trace id")]
    partial = message.FromString(export(b"x", method)).partial_success
    assert (getattr(partial, field), partial.error_message) == (3, "span 00ab: no trace id")


@pytest.mark.parametrize(
    ("error", "code", "retry_s"),
    [
        (BadRequest("A varint has no end."), grpc.StatusCode.INVALID_ARGUMENT, None),
        (TooLarge("The body is too large."), grpc.StatusCode.RESOURCE_EXHAUSTED, None),
        (Refused("This key may not."), grpc.StatusCode.PERMISSION_DENIED, None),
        (Overloaded("The queue is full.", retry_after_s=7), grpc.StatusCode.UNAVAILABLE, 7),
        (StoreFull("The disk is full."), grpc.StatusCode.UNAVAILABLE, 30),
        (StoreError("The engine said no."), grpc.StatusCode.UNAVAILABLE, 5),
    ],
)
def test_errors(
    server: Any, export: Any, error: Exception, code: grpc.StatusCode, retry_s: int | None
) -> None:
    """Each error has its code; those worth resending carry RetryInfo, and only those."""
    server.receiver.answers = [error]
    with pytest.raises(grpc.RpcError) as failed:
        export(b"x")
    assert (failed.value.code(), failed.value.details()) == (code, str(error))
    retry = RetryInfo()
    found = [retry.retry_delay.seconds for detail in details(failed.value).details if detail.Unpack(retry)]
    assert found == ([retry_s] if retry_s else [])


def test_a_bad_request_says_where(server: Any, export: Any) -> None:
    """The place of the mistake is a field violation of google.rpc.BadRequest."""
    server.receiver.answers = [BadRequest("A varint has no end.", where="byte 118")]
    with pytest.raises(grpc.RpcError) as failed:
        export(b"x")
    detail = BadRequestDetail()
    assert details(failed.value).details[0].Unpack(detail)
    assert detail.field_violations[0].field == "byte 118"


def test_the_limit_is_after_decompression(server: Any, export: Any) -> None:
    """A message over the limit is RESOURCE_EXHAUSTED without RetryInfo, gzipped or not."""
    export(b"z" * server.limit)
    for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
        with pytest.raises(grpc.RpcError) as failed:
            export(b"z" * (server.limit + 1), compression=compression)
        assert failed.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "grpc-status-details-bin" not in dict(failed.value.trailing_metadata() or ())
    assert len(server.receiver.received) == 1


def test_over_the_byte_budget_senders_are_told_to_come_back(make_server: Callable[..., Any]) -> None:
    """While the bytes in flight are spent, a message is UNAVAILABLE with RetryInfo, and later taken."""
    server = make_server(in_flight=1000)
    server.shut_gate()
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        first = channel.unary_unary(TRACES).future(b"x" * 900, timeout=60)
        server.until(lambda: server.receiver.waiting == 1)
        with pytest.raises(grpc.RpcError) as failed:
            channel.unary_unary(TRACES)(b"x" * 200, timeout=60)
        assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
        server.open_gate()
        assert first.result() == b""
        assert channel.unary_unary(TRACES)(b"x" * 200, timeout=60) == b""
    assert server.budget.used == 0


def test_a_mistake_of_ours_is_internal_and_logged(
    server: Any, export: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """An unforeseen exception is INTERNAL without its text, and stands in the log."""
    server.receiver.answers = [ZeroDivisionError("a secret value")]
    with pytest.raises(grpc.RpcError) as failed:
        export(b"x")
    assert failed.value.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in failed.value.details()
    assert [record.message for record in ours(caplog)] == ["mistake in a gRPC request"]


def test_unknown_methods_are_unimplemented(export: Any) -> None:
    """What is none of the three services is UNIMPLEMENTED."""
    with pytest.raises(grpc.RpcError) as failed:
        export(b"x", "/opentelemetry.proto.collector.profiles.v1.ProfilesService/Export")
    assert failed.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_client_whose_deadline_passes_costs_nobody_else(server: Any, export: Any) -> None:
    """A cancelled request hands its bytes back, and the next one is served."""
    server.shut_gate()
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        waiting = channel.unary_unary(TRACES).future(b"x" * 900, timeout=60)
        server.until(lambda: server.receiver.waiting == 1)
        waiting.cancel()
        server.until(lambda: server.budget.used == 0)
    server.open_gate()
    assert export(b"x") == b""
