"""Traffic to look at before there is any of one's own: a morning of three made-up tenants, as OTLP.

The spans are shaped as real instrumentations shape them, OpenTelemetry's GenAI conventions (1.37 and
later) and OpenInference side by side, and hold what makes real bills hard: cached and reasoning
tokens, a failure, a stream, a model without a price, an agent's span that repeats its calls' usage.

Nothing is random. What happens is in `FLOWS`, all times are counted back from the moment that is
given, and all ids are hashes of it: the same moment makes the same bytes, another moment makes
another batch beside the first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Literal

import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

Scalar = str | bool | int | float | list[str]

SECOND_NS = 10**9
_SERVER, _CLIENT, _INTERNAL = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_INTERNAL


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a model. Times are in seconds; tokens as the providers count them, caches included."""

    by: Literal["genai", "openinference"]
    provider: str
    host: str
    model: str
    answered: str | None = None
    operation: str = "chat"
    input: int = 0
    output: int = 0
    cache_read: int = 0
    reasoning: int = 0
    seconds: float = 1.0
    ttft: float | None = None
    error: str | None = None
    prompt: str = ""
    answer: str = ""


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of work for a tenant: one trace. `agent` makes the requests inside a span of its own."""

    tenant: str
    engagement: str
    feature: str
    service: str
    name: str
    minutes_ago: float
    requests: tuple[Request, ...]
    agent: str | None = None
    times: int = 1


_TRIAGE = Request(
    by="genai",
    provider="openai",
    host="api.openai.com",
    model="gpt-4o-mini",
    answered="gpt-4o-mini-2024-07-18",
    input=412,
    output=38,
    seconds=0.62,
    prompt="Which team should take this ticket? 'The invoice shows last month twice.'",
    answer="billing",
)
_REPLY = Request(
    by="genai",
    provider="openai",
    host="api.openai.com",
    model="gpt-4.1",
    answered="gpt-4.1-2025-04-14",
    input=3_180,
    output=264,
    cache_read=2_048,
    seconds=4.1,
    ttft=0.48,
    prompt="Write a reply to the customer about the invoice that shows last month twice.",
    answer="Thank you for telling us. The second entry is a correction and was not charged.",
)
_REVIEW = Request(
    by="openinference",
    provider="anthropic",
    host="api.anthropic.com",
    model="claude-sonnet-4-5",
    answered="claude-sonnet-4-5-20250929",
    input=18_750,
    output=1_420,
    cache_read=15_000,
    seconds=19.3,
    prompt="List the clauses of this contract that deviate from our standard terms.",
    answer="Three clauses deviate: 4.2 (liability), 7.1 (notice period), 11 (venue).",
)
_RATE_LIMITED = Request(
    by="openinference",
    provider="anthropic",
    host="api.anthropic.com",
    model="claude-sonnet-4-5",
    seconds=0.21,
    error="RateLimitError",
    prompt="List the clauses of this contract that deviate from our standard terms.",
)
_PLAN = Request(
    by="genai",
    provider="openai",
    host="api.openai.com",
    model="gpt-5-mini",
    answered="gpt-5-mini-2025-08-07",
    input=1_904,
    output=1_310,
    reasoning=960,
    seconds=11.8,
    prompt="Plan the research: which markets does the client's competitor enter this year?",
    answer="1. Annual reports. 2. Job openings by country. 3. Trade registers.",
)
_SUMMARY = Request(
    by="genai",
    provider="gcp.gemini",
    host="generativelanguage.googleapis.com",
    model="gemini-2.5-flash",
    answered="gemini-2.5-flash",
    operation="generate_content",
    input=9_260,
    output=702,
    seconds=3.4,
    prompt="Summarise these eleven pages in five sentences.",
    answer="The competitor enters Chile and Peru, both through local partners.",
)
_OWN_MODEL = Request(
    by="genai",
    provider="openai",
    host="llm.initech.example",
    model="initech-7b-finetuned",
    answered="initech-7b-finetuned",
    input=640,
    output=96,
    seconds=0.9,
    prompt="Classify this report: TPS, cover sheet missing.",
    answer="incomplete",
)
_EXTRACT = Request(
    by="openinference",
    provider="mistralai",
    host="api.mistral.ai",
    model="mistral-small-latest",
    answered="mistral-small-latest",
    input=2_300,
    output=180,
    seconds=1.7,
    prompt="Extract supplier, amount and due date as JSON.",
    answer='{"supplier": "Chotchkie\'s", "amount": 137.5, "due": "2025-03-01"}',
)

FLOWS: tuple[Flow, ...] = (
    Flow(
        tenant="demo-acme",
        engagement="support-2025",
        feature="ticket-reply",
        service="support-bot",
        name="POST /tickets/{id}/reply",
        minutes_ago=170,
        requests=(_TRIAGE, _REPLY),
        agent="support-agent",
        times=6,
    ),
    Flow(
        tenant="demo-acme",
        engagement="support-2025",
        feature="ticket-triage",
        service="support-bot",
        name="POST /tickets",
        minutes_ago=165,
        requests=(_TRIAGE,),
        times=8,
    ),
    Flow(
        tenant="demo-globex",
        engagement="contract-review",
        feature="clause-check",
        service="legal-desk",
        name="review contract",
        minutes_ago=140,
        requests=(_RATE_LIMITED, _REVIEW),
        times=3,
    ),
    Flow(
        tenant="demo-globex",
        engagement="market-study",
        feature="research",
        service="research-crew",
        name="run market study",
        minutes_ago=95,
        requests=(_PLAN, _SUMMARY, _SUMMARY),
        agent="researcher",
        times=2,
    ),
    Flow(
        tenant="demo-initech",
        engagement="back-office",
        feature="report-check",
        service="report-checker",
        name="check report",
        minutes_ago=60,
        requests=(_OWN_MODEL,),
        times=4,
    ),
    Flow(
        tenant="demo-initech",
        engagement="back-office",
        feature="invoice-reading",
        service="invoice-reader",
        name="read invoice",
        minutes_ago=30,
        requests=(_EXTRACT,),
        times=5,
    ),
)
"""What happens, in the order in which it began."""


class Batch(msgspec.Struct, frozen=True):
    """One OTLP request body, as a client's exporter would send it, and the traces in it."""

    body: bytes
    trace_ids: tuple[str, ...]
    spans: int


def batches(now_ns: int, flows: Sequence[Flow] = FLOWS) -> list[Batch]:
    """The traffic of the hours before `now_ns`, a body for each flow (each is a process of its own)."""
    return [_batch(now_ns, number, flow) for number, flow in enumerate(flows)]


def _batch(now_ns: int, number: int, flow: Flow) -> Batch:
    export = ExportTraceServiceRequest()
    sent = export.resource_spans.add()
    sent.resource.attributes.extend(
        _attributes(
            {
                "service.name": flow.service,
                "service.instance.id": f"{flow.service}-1",
                "deployment.environment.name": "demo",
                "telemetry.sdk.language": "python",
            }
        )
    )
    begin = now_ns - round(flow.minutes_ago * 60 * SECOND_NS)
    traces = [
        _Trace(f"{now_ns}/{number}/{each}", begin + each * 150 * SECOND_NS) for each in range(flow.times)
    ]
    spans = [made for trace in traces for made in trace.play(flow)]
    for scope in dict.fromkeys(scope for scope, _ in spans):
        group = sent.scope_spans.add()
        group.scope.name = scope
        group.spans.extend(span for name, span in spans if name == scope)
    return Batch(export.SerializeToString(), tuple(trace.trace_id.hex() for trace in traces), len(spans))


class _Trace:
    """Plays one run of a flow: hands out ids and moves the time on as requests follow each other."""

    def __init__(self, seed: str, begin_ns: int) -> None:
        self.trace_id = blake2b(seed.encode(), digest_size=16).digest()
        self._seed = seed
        self._spans = 0
        self._now_ns = begin_ns

    def play(self, flow: Flow) -> list[tuple[str, Span]]:
        """The spans of one run, each with its instrumentation scope."""
        root = self._begin(flow.name, _SERVER, None)
        root.attributes.extend(
            _attributes(
                {
                    "watchglass.tenant": flow.tenant,
                    "watchglass.engagement": flow.engagement,
                    "watchglass.feature": flow.feature,
                }
            )
        )
        agent = self._begin(f"invoke_agent {flow.agent}", _INTERNAL, root) if flow.agent else None
        requests = [self._request(request, agent or root) for request in flow.requests]
        above = [("demo.service", root)]
        if agent is not None and flow.agent is not None:
            agent.attributes.extend(_attributes(_agent(flow.agent, flow.requests)))
            self._end(agent)
            above.append((_SCOPES["genai"], agent))
        self._end(root)
        return above + requests

    def _request(self, request: Request, parent: Span) -> tuple[str, Span]:
        span = self._begin(f"{request.operation} {request.model}", _CLIENT, parent)
        response_id = f"resp-{span.span_id.hex()}"
        made = (_genai if request.by == "genai" else _openinference)(request, response_id)
        span.attributes.extend(_attributes(made))
        self._now_ns += round(request.seconds * SECOND_NS)
        if request.error is not None:
            span.status.code, span.status.message = Status.STATUS_CODE_ERROR, f"{request.error}: HTTP 429"
        self._end(span)
        return _SCOPES[request.by], span

    def _begin(self, name: str, kind: Span.SpanKind.ValueType, parent: Span | None) -> Span:
        self._spans += 1
        span_id = blake2b(f"{self._seed}/{self._spans}".encode(), digest_size=8).digest()
        self._now_ns += SECOND_NS // 500
        return Span(
            trace_id=self.trace_id,
            span_id=span_id,
            parent_span_id=parent.span_id if parent is not None else b"",
            name=name,
            kind=kind,
            start_time_unix_nano=self._now_ns,
        )

    def _end(self, span: Span) -> None:
        self._now_ns += SECOND_NS // 1000
        span.end_time_unix_nano = self._now_ns


_SCOPES = {
    "genai": "opentelemetry.instrumentation.genai",
    "openinference": "openinference.instrumentation.demo",
}


def _genai(request: Request, response_id: str) -> dict[str, Scalar]:
    """OpenTelemetry GenAI semantic conventions 1.37, client span."""
    said: dict[str, Scalar] = {
        "gen_ai.operation.name": request.operation,
        "gen_ai.provider.name": request.provider,
        "gen_ai.request.model": request.model,
        "server.address": request.host,
        "server.port": 443,
        "gen_ai.input.messages": _text_message("user", request.prompt),
        "gen_ai.output.messages": _text_message("assistant", request.answer),
        "gen_ai.response.id": response_id,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": request.input,
        "gen_ai.usage.output_tokens": request.output,
    }
    if request.answered:
        said["gen_ai.response.model"] = request.answered
    if request.cache_read:
        said["gen_ai.usage.cache_read.input_tokens"] = request.cache_read
    if request.reasoning:
        said["gen_ai.usage.reasoning.output_tokens"] = request.reasoning
    if request.ttft is not None:
        said |= {"gen_ai.request.stream": True, "gen_ai.response.time_to_first_chunk": request.ttft}
    return said


def _openinference(request: Request, _: str) -> dict[str, Scalar]:
    """OpenInference semantic conventions, LLM span; a failed request has no answer and no usage."""
    said: dict[str, Scalar] = {
        "openinference.span.kind": "LLM",
        "llm.provider": request.provider,
        "llm.system": request.provider,
        "llm.model_name": request.answered or request.model,
        "llm.invocation_parameters": json.dumps({"model": request.model, "max_tokens": 4096}),
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": request.prompt,
    }
    if request.error is None:
        said |= {
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": request.answer,
            "llm.token_count.prompt": request.input,
            "llm.token_count.completion": request.output,
            "llm.token_count.total": request.input + request.output,
        }
        if request.cache_read:
            said["llm.token_count.prompt_details.cache_read"] = request.cache_read
    return said


def _agent(name: str, requests: Sequence[Request]) -> dict[str, Scalar]:
    """An agent's span, which repeats the usage of its requests as many frameworks do."""
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": name,
        "gen_ai.provider.name": requests[0].provider,
        "gen_ai.usage.input_tokens": sum(each.input for each in requests),
        "gen_ai.usage.output_tokens": sum(each.output for each in requests),
    }


def _text_message(role: str, content: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": content}]}])


def _attributes(values: dict[str, Scalar]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any(value)) for key, value in values.items()]


def _any(value: Scalar) -> AnyValue:
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
            return AnyValue(array_value=ArrayValue(values=[_any(each) for each in value]))
