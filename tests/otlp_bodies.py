"""OTLP bodies made by hand, for tests that need to know exactly what they sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

START_NS = 1_790_000_000_000_000_000
GENAI = "opentelemetry.instrumentation.genai.openai"


def any_value(value: object) -> AnyValue:
    """A Python value as AnyValue."""
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=[any_value(each) for each in value]))
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=pairs(value)))
        case None:
            return AnyValue()
        case _:
            return AnyValue(string_value=str(value))


def pairs(values: Mapping[str, Any]) -> list[KeyValue]:
    """Attributes as OTLP has them."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in values.items()]


def chat(
    trace: int, span: int, parent: int = 0, /, name: str = "chat gpt-4o-mini", **attributes: Any
) -> Span:
    """A chat call with 100 input and 10 output tokens; `__` in an attribute's name stands for a dot."""
    given = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 10,
        **{key.replace("__", "."): value for key, value in attributes.items()},
    }
    return Span(
        trace_id=trace.to_bytes(16, "big"),
        span_id=span.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        name=name,
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=START_NS,
        end_time_unix_nano=START_NS + 10**9,
        attributes=pairs(given),
    )


def request(
    *spans: Span, scope: str = GENAI, resource: Mapping[str, Any] | None = None
) -> ExportTraceServiceRequest:
    """A request of one resource and one scope."""
    body = ExportTraceServiceRequest()
    group = body.resource_spans.add()
    group.resource.attributes.extend(
        pairs(resource or {"service.name": "shop", "service.instance.id": "shop-1"})
    )
    holder = group.scope_spans.add()
    holder.scope.name = scope
    holder.spans.extend(spans)
    return body
