"""Spans and log records of one run as they are drawn: ids, scopes, values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Literal, NamedTuple

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from watchglass.surfaces.demo.records import Failure, Message

Value = str | bool | int | float | list[str] | Mapping[str, "Value"]
Kind = Literal["internal", "server", "client"]

_KINDS = {
    "internal": Span.SPAN_KIND_INTERNAL,
    "server": Span.SPAN_KIND_SERVER,
    "client": Span.SPAN_KIND_CLIENT,
}


class Scope(NamedTuple):
    """The instrumentation that speaks."""

    name: str
    version: str = ""
    schema_url: str = ""


class Drawing:
    """What one run sends."""

    def __init__(self, run_id: str) -> None:
        self.trace_id = bytes.fromhex(run_id)
        self.spans: list[tuple[Scope, Span]] = []
        self.logs: list[tuple[Scope, LogRecord]] = []

    def span(
        self,
        scope: Scope,
        name: str,
        parent: Span | None,
        times: tuple[int, int],
        values: Mapping[str, Value],
        *,
        kind: Kind = "internal",
        failure: Failure | None = None,
        says_ok: bool = False,
    ) -> Span:
        """Draw one; `says_ok`: its library sets the status where all went well, too."""
        span_id = blake2b(self.trace_id + len(self.spans).to_bytes(4, "big"), digest_size=8).digest()
        made = Span(
            trace_id=self.trace_id,
            span_id=span_id,
            parent_span_id=parent.span_id if parent is not None else b"",
            name=name,
            kind=_KINDS[kind],
            start_time_unix_nano=times[0],
            end_time_unix_nano=times[1],
            attributes=attributes(values),
        )
        if failure is not None:
            made.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=sentence(failure)))
        elif says_ok:
            made.status.code = Status.STATUS_CODE_OK
        self.spans.append((scope, made))
        return made

    def log(self, scope: Scope, event: str, span: Span, at_ns: int, body: Value, system: str) -> None:
        """An event of a span, sent as a log record."""
        self.logs.append(
            (
                scope,
                LogRecord(
                    time_unix_nano=at_ns,
                    observed_time_unix_nano=at_ns,
                    event_name=event,
                    body=any_value(body),
                    attributes=attributes({"gen_ai.system": system}),
                    trace_id=self.trace_id,
                    span_id=span.span_id,
                ),
            )
        )


def raised(span: Span, failure: Failure, module: str) -> None:
    """Record the exception on the span as OpenTelemetry's SDKs do."""
    event = span.events.add(name="exception", time_unix_nano=span.end_time_unix_nano)
    event.attributes.extend(
        attributes({"exception.type": f"{module}.{failure.kind}", "exception.message": sentence(failure)})
    )


def sentence(failure: Failure) -> str:
    """As the providers' clients word it."""
    return f"Error code: {failure.status} - {failure.message}" if failure.status else failure.message


def attributes(values: Mapping[str, Value]) -> list[KeyValue]:
    """As OTLP writes them."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in values.items()]


def any_value(value: Value) -> AnyValue:
    """As OTLP writes it."""
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=[any_value(each) for each in value]))
        case _:
            return AnyValue(kvlist_value=KeyValueList(values=attributes(value)))


def parts_json(messages: tuple[Message, ...], finish: str | None = None) -> str:
    """Messages by the GenAI conventions since 1.37: roles with parts."""
    told: list[dict[str, object]] = []
    for message in messages:
        parts: list[dict[str, object]] = []
        if message.role == "tool" and message.call is not None:
            parts.append({"type": "tool_call_response", "id": message.call[0], "response": message.text})
        elif message.text:
            parts.append({"type": "text", "content": message.text})
        if message.role == "assistant" and message.call is not None:
            call_id, name, arguments = message.call
            parts.append(
                {"type": "tool_call", "id": call_id, "name": name, "arguments": json.loads(arguments)}
            )
        one: dict[str, object] = {"role": message.role, "parts": parts}
        if finish is not None:
            one["finish_reason"] = finish
        told.append(one)
    return json.dumps(told, ensure_ascii=False)
