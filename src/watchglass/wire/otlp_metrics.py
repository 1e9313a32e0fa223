"""OTLP metrics into one record a data point.

Metrics are few beside spans, so protobuf goes through the same reader as JSON: the official
classes turn it into OTLP's JSON shape first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import msgspec
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from watchglass.errors import BadRequest
from watchglass.model import Attributes, Resource, Scope
from watchglass.wire import otlp_json
from watchglass.wire.otlp import Encoding
from watchglass.wire.rejects import LATEST_NS, Reject, SpanRefused
from watchglass.wire.salvage import salvage

_KINDS = {
    "gauge": "gauge",
    "sum": "sum",
    "histogram": "histogram",
    "exponentialHistogram": "exponential_histogram",
    "summary": "summary",
}
_TEMPORALITY = {
    "AGGREGATION_TEMPORALITY_DELTA": "delta",
    "AGGREGATION_TEMPORALITY_CUMULATIVE": "cumulative",
    1: "delta",
    2: "cumulative",
}
_TAKEN_APART = ("attributes", "timeUnixNano", "startTimeUnixNano", "asDouble", "asInt", "count", "sum")


class MetricPoint(msgspec.Struct, frozen=True, gc=False):
    """One data point. `data` is what is left of it (buckets, quantiles, exemplars), as JSON's objects."""

    name: str
    kind: str
    unit: str
    description: str
    temporality: str
    monotonic: bool
    time_ns: int
    start_ns: int
    value: float | None
    value_int: int | None
    count: int | None
    sum: float | None
    attributes: Attributes
    data: dict[str, Any]
    scope: Scope
    resource: Resource


class DecodedMetrics(msgspec.Struct, frozen=True):
    """What a metrics body held."""

    points: list[MetricPoint]
    rejects: list[Reject]


def decode_metrics(body: bytes, encoding: Encoding) -> DecodedMetrics:
    """Data points of an ExportMetricsServiceRequest. Raises `BadRequest` where nothing can be read."""
    rejects: list[Reject] = []
    request = otlp_json.parse(body) if encoding == "json" else _parse(body, rejects)
    return DecodedMetrics(list(_points(request, rejects)), rejects)


def _parse(body: bytes, rejects: list[Reject]) -> dict[str, Any]:
    try:
        message = ExportMetricsServiceRequest.FromString(body)
    except DecodeError:
        mended, lost = salvage(body, cast(Any, ExportMetricsServiceRequest).DESCRIPTOR)
        rejects.extend(lost)
        try:
            message = ExportMetricsServiceRequest.FromString(mended)
        except DecodeError as error:
            raise BadRequest(f"the body is no ExportMetricsServiceRequest: {error}") from error
    return MessageToDict(message)


def _points(request: dict[str, Any], rejects: list[Reject]) -> Iterator[MetricPoint]:
    for where, scope, resource, metric in otlp_json.items(
        request, "resourceMetrics", "scopeMetrics", "metrics"
    ):
        try:
            yield from _metric(metric, scope, resource)
        except SpanRefused as refused:
            rejects.append(Reject(where, str(refused)))


def _metric(metric: Any, scope: Scope, resource: Resource) -> list[MetricPoint]:
    if not isinstance(metric, dict):
        raise SpanRefused("a metric must be an object")
    body = cast(dict[str, Any], metric)
    for field, kind in _KINDS.items():
        if isinstance(holder := body.get(field), dict):
            return [
                _point(body, kind, cast(dict[str, Any], holder), point, scope, resource)
                for point in otlp_json.dicts(holder, "dataPoints")
            ]
    return []


def _point(
    metric: dict[str, Any],
    kind: str,
    holder: dict[str, Any],
    point: dict[str, Any],
    scope: Scope,
    resource: Resource,
) -> MetricPoint:
    temporality = holder.get("aggregationTemporality")
    time_ns = otlp_json.integer(point, "timeUnixNano")
    return MetricPoint(
        otlp_json.string(metric, "name"),
        kind,
        otlp_json.string(metric, "unit"),
        otlp_json.string(metric, "description"),
        _TEMPORALITY.get(temporality, "") if isinstance(temporality, str | int) else "",
        bool(holder.get("isMonotonic")),
        max(0, min(time_ns, LATEST_NS)),
        max(0, min(otlp_json.integer(point, "startTimeUnixNano"), LATEST_NS)),
        otlp_json.double(point["asDouble"]) if "asDouble" in point else None,
        _int64(point, "asInt"),
        _int64(point, "count"),
        otlp_json.double(point["sum"]) if "sum" in point else None,
        otlp_json.attributes(point.get("attributes")),
        {key: value for key, value in point.items() if key not in _TAKEN_APART},
        scope,
        resource,
    )


def _int64(point: dict[str, Any], field: str) -> int | None:
    return min(otlp_json.integer(point, field), LATEST_NS) if field in point else None
