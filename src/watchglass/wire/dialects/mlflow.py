"""mlflow's tracing, exported over OTLP: its own names, or the conventions' where that is switched on.

Every value is JSON in a string, also numbers and words. `mlflow.spanType` says what a span is; requests keep
the provider's whole request and answer in `mlflow.spanInputs` and `mlflow.spanOutputs`, whose usage is
preferred to `mlflow.chat.tokenUsage`: it has every part, in the provider's own rule.
(mlflow 3: `mlflow.tracing.constant.SpanAttributeKey`; `MLFLOW_ENABLE_OTEL_GENAI_SEMCONV`.)
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from watchglass.model import Attributes, Context, Described, Span, Step, StepKind, Usage, Value
from watchglass.wire.dialects import fields
from watchglass.wire.dialects.answers import Answer, answer_of, decoded
from watchglass.wire.dialects.bodies import answer_messages, request_messages
from watchglass.wire.dialects.chains import plumbing
from watchglass.wire.dialects.genai import describe_genai
from watchglass.wire.dialects.steps import made, step_by_operation
from watchglass.wire.dialects.usages import usage_of
from watchglass.wire.values import dig, first_text, flag, mapping, money, text

_TYPE = "mlflow.spanType"

_REQUESTS = {"CHAT_MODEL": "chat", "LLM": "chat", "EMBEDDING": "embeddings"}

_STEPS: dict[str, StepKind] = {"AGENT": "agent", "TOOL": "tool", "WORKFLOW": "flow", "TASK": "task"}

_MODEL_KEYS = ("model", "modelId", "model_id", "model_name")
"""The request's model among the arguments: OpenAI and most others, Bedrock, watsonx, LangChain."""

_HOST_KEYS = ("base_url", "api_base", "azure_endpoint")

_NO_CONTEXT = Context()


class Mlflow:
    """Reads spans with `mlflow.spanType`, and those of mlflow's scope in the conventions' names."""

    name = "mlflow"

    def matches(self, span: Span) -> bool:
        """By the attribute, or by scope."""
        return _TYPE in span.attributes or span.scope.name.startswith("mlflow.")

    def describe(self, span: Span) -> Described | None:
        """A request, the sum of some, or nothing."""
        attributes = span.attributes
        if _TYPE not in attributes:
            return _by_conventions(span)
        operation = _REQUESTS.get((text(attributes[_TYPE]) or "").upper())
        if operation is not None:
            return None if "count_tokens" in span.name else _request(span, operation)
        if "mlflow.chat.tokenUsage" not in attributes:
            return None
        usage = usage_of(mapping(attributes["mlflow.chat.tokenUsage"]))
        if not usage.known:
            return None
        return Described(dialect=self.name, kind="aggregate", operation="invoke_agent", usage=usage)

    def step(self, span: Span) -> Step | None:
        """By type; a CHAIN is a flow where nothing is around it and its name is nobody's plumbing."""
        attributes = span.attributes
        if _TYPE not in attributes:
            return step_by_operation(span, self.name)
        said = (text(attributes[_TYPE]) or "").upper()
        kind = _STEPS.get(said)
        if said == "CHAIN" and not span.parent_span_id and not plumbing(span.name):
            kind = "flow"
        if kind is None:
            return None
        return made(
            span,
            self.name,
            kind,
            span.name,
            asked=("mlflow.spanInputs",),
            answered=("mlflow.spanOutputs",),
            ids=("mlflow.traceRequestId",),
        )

    def context(self, span: Span) -> Context:
        """Session and user of the trace where they are exported; an AGENT span's name is the agent's."""
        attributes = span.attributes
        agent = span.name if text(attributes.get(_TYPE)) == "AGENT" else None
        session = text(attributes.get("mlflow.trace.session"))
        user = text(attributes.get("mlflow.trace.user"))
        if agent is None and session is None and user is None:
            return _NO_CONTEXT
        return Context(agent=agent, session=session, user=user)


def _request(span: Span, operation: str) -> Described:
    attributes = span.attributes
    inputs = mapping(attributes.get("mlflow.spanInputs"))
    outputs = decoded(attributes.get("mlflow.spanOutputs"))
    answer = answer_of(outputs)
    success, error_type, error_message = fields.failure(span)
    requested = text(attributes.get("model"))
    if requested is None:
        requested = next((found for key in _MODEL_KEYS if (found := text(inputs.get(key))) is not None), None)
    named = text(attributes.get("mlflow.llm.model"))
    responded = answer.model or (named if named != requested else None)
    keys = tuple(key for key in ("mlflow.spanInputs", "mlflow.spanOutputs") if key in attributes)
    return Described(
        dialect=Mlflow.name,
        kind="call",
        operation=operation,
        provider_label=first_text(attributes, "mlflow.llm.provider", "gen_ai.provider.name", "gen_ai.system"),
        server_address=_host(attributes),
        request_model=requested or (named if responded is None else None),
        response_model=responded,
        response_id=answer.response_id,
        usage=_usage(attributes, answer),
        reported_cost_usd=_cost(attributes),
        service_tier=answer.service_tier or text(attributes.get("service_tier")),
        streaming=flag(attributes.get("stream")),
        finish_reasons=answer.finish_reasons,
        success=success,
        error_type=error_type,
        error_message=error_message,
        input_messages=request_messages(dict(inputs) if inputs else attributes.get("mlflow.spanInputs")),
        output_messages=() if operation == "embeddings" else answer_messages(outputs),
        content_keys=keys,
        may_wrap=True,  # all of mlflow's integrations share a scope: LangChain's span stands around openai's
    )


def _by_conventions(span: Span) -> Described | None:
    """`gen_ai.request.model` is the answered model there; what was asked for is in `model`, JSON-quoted."""
    described = describe_genai(span, Mlflow.name)
    if described is None or described.kind != "call":
        return described
    asked = text(span.attributes.get("model"))
    answered = described.response_model or (described.request_model if asked is not None else None)
    return msgspec.structs.replace(
        described,
        request_model=asked or described.request_model,
        response_model=answered,
        streaming=described.streaming
        if described.streaming is not None
        else flag(span.attributes.get("stream")),
        may_wrap=True,
    )


def _usage(attributes: Attributes, answer: Answer) -> Usage:
    own = answer.tokens()
    if own.known:
        return own
    return usage_of(mapping(attributes.get("mlflow.chat.tokenUsage")))


def _cost(attributes: Attributes) -> Decimal | None:
    """`mlflow.llm.cost`: input, output and total in dollars."""
    return money(dig(attributes.get("mlflow.llm.cost"), "total_cost")) or None


def _host(attributes: Attributes) -> str | None:
    held: list[Value] = [attributes.get(key) for key in _HOST_KEYS]
    return next((found for each in held if (found := text(each)) is not None), None)


MLFLOW = Mlflow()
