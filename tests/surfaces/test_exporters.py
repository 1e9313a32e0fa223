"""OpenTelemetry's own exporters against both servers: what a client's users see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from watchglass.errors import BadRequest, Overloaded
from watchglass.ingest.receiver import Outcome

http_exporter = pytest.importorskip("opentelemetry.exporter.otlp.proto.http.trace_exporter")
grpc_exporter = pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc.trace_exporter")


@pytest.fixture
def spans() -> list[ReadableSpan]:
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    with provider.get_tracer("test").start_as_current_span("outer", attributes={"gen_ai.request.model": "m"}):
        pass
    return list(memory.get_finished_spans())


@pytest.fixture(params=["http", "http gzip", "grpc", "grpc gzip"])
def exporter(server: Any, request: pytest.FixtureRequest) -> Iterator[SpanExporter]:
    protocol, _, compression = request.param.partition(" ")
    if protocol == "http":
        gzip = http_exporter.Compression.Gzip if compression else http_exporter.Compression.NoCompression
        made = http_exporter.OTLPSpanExporter(f"{server.url}/v1/traces", compression=gzip)
    else:
        from grpc import Compression

        gzip = Compression.Gzip if compression else Compression.NoCompression
        made = grpc_exporter.OTLPSpanExporter(f"http://127.0.0.1:{server.grpc_port}", compression=gzip)
    yield made
    made.shutdown()


def names(body: bytes) -> list[str]:
    request = ExportTraceServiceRequest.FromString(body)
    scopes = [scope for resource in request.resource_spans for scope in resource.scope_spans]
    return [span.name for scope in scopes for span in scope.spans]


def test_spans_arrive(server: Any, exporter: SpanExporter, spans: list[ReadableSpan]) -> None:
    """What the SDK exports is received whole, and the SDK is told so."""
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert [names(body) for _, body, _ in server.receiver.received] == [["outer"]]


def test_what_is_refused_for_now_is_sent_again(
    server: Any, exporter: SpanExporter, spans: list[ReadableSpan]
) -> None:
    """After Overloaded the SDK resends the same spans, and loses none."""
    server.receiver.answers = [Overloaded("Full.", retry_after_s=1)]
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert [names(body) for _, body, _ in server.receiver.received] == [["outer"]]


def test_what_is_malformed_is_not_sent_again(
    server: Any, exporter: SpanExporter, spans: list[ReadableSpan]
) -> None:
    """After a bad request the SDK gives up at once."""
    server.receiver.answers = [BadRequest("No."), Outcome(1)]
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert len(server.receiver.answers) == 1
