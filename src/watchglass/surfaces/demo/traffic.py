"""Runs packed into request bodies: one process's spans to a body, as its exporter would send them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import ResourceMetrics
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from watchglass.surfaces.demo.play import digest
from watchglass.surfaces.demo.records import Run
from watchglass.surfaces.demo.shapes import draw
from watchglass.surfaces.demo.shapes.drawing import Drawing, Scope, Value, attributes
from watchglass.surfaces.demo.shapes.metrics import metrics_of

MOST_SPANS = 512
"""The batch size of OpenTelemetry's batch processors; a run is never torn apart."""

_NAMED_BY_RESOURCE = frozenset({"otel_genai", "otel_openai_v2", "pydantic_ai"})
"""Services that are deployed for one tenant say so in their resource; the others say it with each request."""

_Item = TypeVar("_Item", Span, LogRecord)


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One OTLP/HTTP request: where it goes, its body, and the runs whose spans are in it."""

    path: str
    body: bytes
    spans: int
    runs: tuple[Run, ...] = ()


def batches(runs: Iterable[Run]) -> Iterator[Batch]:
    """The bodies of some runs; a process's (service, environment, release) come together."""
    by_process: dict[tuple[str, str, str], list[tuple[Run, Drawing]]] = {}
    for run in runs:
        process = run.workload.service, run.environment, run.version
        held = by_process.setdefault(process, [])
        held.append((run, draw(run)))
        if sum(len(drawing.spans) for _, drawing in held) >= MOST_SPANS:
            yield from _bodies(by_process.pop(process))
    for held in by_process.values():
        yield from _bodies(held)


def _bodies(held: Sequence[tuple[Run, Drawing]]) -> Iterator[Batch]:
    runs, drawings = zip(*held, strict=True)
    resource = _resource(runs[0])
    spans = [each for drawing in drawings for each in drawing.spans]
    grouped = [
        ScopeSpans(scope=_scope(scope), spans=some, schema_url=scope.schema_url) for scope, some in _by(spans)
    ]
    export = ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource, scope_spans=grouped)])
    yield Batch(path="/v1/traces", body=export.SerializeToString(), spans=len(spans), runs=runs)
    logs = [each for drawing in drawings for each in drawing.logs]
    if logs:
        told = [
            ScopeLogs(scope=_scope(scope), log_records=some, schema_url=scope.schema_url)
            for scope, some in _by(logs)
        ]
        sent = ExportLogsServiceRequest(resource_logs=[ResourceLogs(resource=resource, scope_logs=told)])
        yield Batch(path="/v1/logs", body=sent.SerializeToString(), spans=0)
    if runs[0].workload.library == "otel_genai":
        measured = ResourceMetrics(resource=resource, scope_metrics=metrics_of(runs))
        told_of = ExportMetricsServiceRequest(resource_metrics=[measured])
        yield Batch(path="/v1/metrics", body=told_of.SerializeToString(), spans=0)


def _by(items: Sequence[tuple[Scope, _Item]]) -> list[tuple[Scope, list[_Item]]]:
    found: dict[Scope, list[_Item]] = {}
    for scope, item in items:
        found.setdefault(scope, []).append(item)
    return list(found.items())


def _scope(scope: Scope) -> InstrumentationScope:
    return InstrumentationScope(name=scope.name, version=scope.version)


def _resource(run: Run) -> Resource:
    process = f"{run.workload.service}/{run.environment}/{run.version}"
    said: dict[str, Value] = {
        "service.name": run.workload.service,
        "service.version": run.version,
        "service.instance.id": digest(process, 16),
        "deployment.environment.name": run.environment,
        "watchglass.demo": True,
        "telemetry.sdk.language": "nodejs" if run.workload.library == "vercel" else "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "2.11.0" if run.workload.library == "vercel" else "1.45.2",
    }
    if run.workload.library in _NAMED_BY_RESOURCE:
        said["watchglass.tenant"] = run.workload.tenant
    return Resource(attributes=attributes(said))
