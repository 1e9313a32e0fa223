"""The GenAI metrics that OpenTelemetry's instrumentations send beside their spans, as delta histograms."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Histogram,
    HistogramDataPoint,
    Metric,
    ScopeMetrics,
)

from watchglass.surfaces.demo.records import Call, Run
from watchglass.surfaces.demo.shapes.drawing import Value, attributes

_DURATION_BOUNDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKEN_BOUNDS = (1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576)
"""Bucket bounds that the GenAI semantic conventions recommend (1.37, metrics)."""


def metrics_of(runs: Iterable[Run]) -> list[ScopeMetrics]:
    """How long requests took and how many tokens they had, by model, over the time of these runs."""
    calls: dict[tuple[str, str], list[Call]] = {}
    for run in runs:
        for call in run.calls:
            calls.setdefault((call.model.name, call.operation), []).append(call)
    if not calls:
        return []
    durations, tokens = list[HistogramDataPoint](), list[HistogramDataPoint]()
    for (model, operation), made in calls.items():
        said: dict[str, Value] = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": made[0].model.provider,
            "gen_ai.request.model": model,
        }
        seconds = [(call.end_ns - call.start_ns) / 10**9 for call in made]
        durations.append(_point(made, said, seconds, _DURATION_BOUNDS))
        for kind in ("input", "output"):
            counts = [getattr(call.usage, kind) or 0 for call in made if call.usage is not None]
            if counts:
                tokens.append(_point(made, said | {"gen_ai.token.type": kind}, counts, _TOKEN_BOUNDS))
    scope = InstrumentationScope(name="opentelemetry.instrumentation.genai.openai", version="1.3b0")
    told = [
        _metric("gen_ai.client.operation.duration", "s", durations),
        _metric("gen_ai.client.token.usage", "{token}", tokens),
    ]
    return [ScopeMetrics(scope=scope, metrics=told)]


def _metric(name: str, unit: str, points: Sequence[HistogramDataPoint]) -> Metric:
    delta = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    return Metric(
        name=name, unit=unit, histogram=Histogram(data_points=points, aggregation_temporality=delta)
    )


def _point(
    calls: Sequence[Call], said: dict[str, Value], values: Sequence[float], bounds: Sequence[float]
) -> HistogramDataPoint:
    buckets = [0] * (len(bounds) + 1)
    for value in values:
        buckets[bisect_left(bounds, value)] += 1
    return HistogramDataPoint(
        attributes=attributes(said),
        start_time_unix_nano=min(call.start_ns for call in calls),
        time_unix_nano=max(call.end_ns for call in calls),
        count=len(values),
        sum=sum(values),
        min=min(values),
        max=max(values),
        bucket_counts=buckets,
        explicit_bounds=bounds,
    )
