"""OpenInference: Arize's conventions, by whichever of its instrumentations (Python, JavaScript) or by hand.

A span says in `openinference.span.kind` what it is; `LLM` and `EMBEDDING` are requests, most of the time.
(OpenInference semantic conventions 0.1; instrumentations of openai 0.1.66, anthropic 0.1 and 3.1,
litellm, langchain, llama-index 4.6, smolagents, crewai 1.1, google-genai, bedrock, openai-agents 2.6,
@arizeai/openinference-instrumentation-openai 4.2, and what the others share with these.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from watchglass.model import NO_USAGE, Attributes, Context, Described, Span, Step, Value
from watchglass.wire.dialects import fields, totals
from watchglass.wire.dialects.answers import Answer, answer_of, tier_asked
from watchglass.wire.dialects.bodies import REDACTED, answer_messages, request_messages
from watchglass.wire.dialects.messages import Messages, convention_messages
from watchglass.wire.dialects.openinference_messages import embedded_texts, flattened_messages
from watchglass.wire.dialects.openinference_steps import step_of
from watchglass.wire.dialects.openinference_usage import SUMMED, counted, crew_usage, request_usage
from watchglass.wire.values import first_text, mapping, money, text

_KIND = "openinference.span.kind"

_CLIENT_LABELS: dict[str, str] = {
    "anthropic": "anthropic",
    "bedrock": "aws.bedrock",
    "groq": "groq",
    "mistralai": "mistral",
    "vertexai": "vertex_ai",
    "google_genai": "google",
    "cohere": "cohere",
    "together": "together",
    "ollama": "ollama",
    "watsonx": "watsonx",
}
"""Last word of the scope of an instrumentation that sits on a provider's own client: the provider."""

_PROVIDER_CLIENTS = frozenset({*_CLIENT_LABELS, "openai"})
"""Nothing is below these; every other instrumentation may stand around one of them."""

_HOST_KEYS = (
    "api_base",
    "base_url",
    "openai_api_base",
    "azure_endpoint",
    "endpoint_url",
    "endpoint",
    "host",
)
_HOST_KEY_SET = frozenset(_HOST_KEYS)

_NOT_A_REQUEST = re.compile(
    r"count_?tokens|token_?count|\._prepare|\.get_tool_calls_from_response$",
    re.IGNORECASE,
)
"""Names of LLM-kind spans that ask no model: token counting, and preparation (LlamaIndex)."""

_NOT_INFERENCE = re.compile(
    r"(Page|Deleted)$|^(File|Vector|Thread|Assistant|Upload|Container|Moderation|Conversation|Batch|Model|Fine)"
)
"""The rest of OpenAI's API: its instrumentation names spans by the client's class of the answer."""

_COUNTING = frozenset(
    {
        "input_tokens",
        "object",
        "total_tokens",
        "totalTokens",
        "cached_content_token_count",
        "sdk_http_response",
    }
)

_FIRST_TOKEN = "First Token Stream Event"


class OpenInference:
    """Reads spans with `openinference.span.kind`."""

    name = "openinference"

    def matches(self, span: Span) -> bool:
        """Any scope: the conventions are meant to be used by hand too."""
        return _KIND in span.attributes

    def describe(self, span: Span) -> Described | None:
        """A request, the sum of some (agents, chains, crews), or nothing."""
        attributes = span.attributes
        kind = attributes[_KIND]
        if kind != "LLM" and kind != "EMBEDDING":
            kind = kind.upper() if isinstance(kind, str) else ""
        if kind == "LLM":
            return None if _asks_nothing(span.scope.name, span.name) else _request(span)
        if kind == "EMBEDDING":
            return _embedding(span)
        return _sum(span)

    def step(self, span: Span) -> Step | None:
        """What the span's kind calls an execution."""
        kind = span.attributes[_KIND]
        return step_of(span, kind.upper()) if isinstance(kind, str) else None

    def context(self, span: Span) -> Context:
        """The agent of an AGENT span: `agent.name`, or the node's name in the agent graph."""
        attributes = span.attributes
        if attributes.get(_KIND) != "AGENT":
            return _NOBODY
        agent = first_text(attributes, "agent.name", "graph.node.id")
        return _NOBODY if agent is None else Context(agent=agent)


_NOBODY = Context()


@lru_cache(4_096)
def _asks_nothing(scope: str, name: str) -> bool:
    if _NOT_A_REQUEST.search(name) is not None:
        return True
    return _NOT_INFERENCE.search(name) is not None and _last_word(scope) == "openai"


def _request(span: Span) -> Described | None:
    attributes = span.attributes
    parameters = mapping(attributes.get("llm.invocation_parameters"))
    answer = answer_of(attributes.get("output.value"))
    asked, answered, keys = flattened_messages(attributes)
    if not answered and _counts_tokens(attributes):
        return None
    asked, answered, keys = _messages_of_values(attributes, asked, answered, keys)
    success, error_type, error_message = fields.failure(span)
    requested, responded = _models(attributes, parameters, answer)
    usage = request_usage(span, answer)
    first = _first_token_ns(span)
    return Described(
        dialect="openinference",
        kind="call",
        operation="text_completion" if span.name == "Completion" else "chat",
        provider_label=_label(span),
        server_address=_host(attributes, parameters),
        request_model=requested,
        response_model=responded,
        response_id=text(attributes.get("gen_ai.response.id")) or answer.response_id,
        usage=usage,
        reported_cost_usd=_cost(attributes),
        service_tier=answer.service_tier or tier_asked(parameters),
        ttft_ns=first,
        streaming=True if first is not None or "stream" in span.name.lower() else _streamed(parameters),
        finish_reasons=_finish_reasons(attributes, answer),
        success=success,
        error_type=error_type,
        error_message=error_message,
        input_messages=asked,
        output_messages=answered,
        content_keys=keys,
        may_wrap=not _on_a_client(span.scope.name),
    )


def _embedding(span: Span) -> Described:
    attributes = span.attributes
    parameters = mapping(
        attributes.get("embedding.invocation_parameters") or attributes.get("llm.invocation_parameters")
    )
    answer = answer_of(attributes.get("output.value"))
    success, error_type, error_message = fields.failure(span)
    asked, keys = embedded_texts(attributes)
    if "input.value" in attributes:
        asked = asked or request_messages(attributes["input.value"])
        keys = (*keys, "input.value")
    named = first_text(attributes, "embedding.model_name", "llm.model_name")
    return Described(
        dialect="openinference",
        kind="call",
        operation="embeddings",
        provider_label=_label(span),
        server_address=_host(attributes, parameters),
        request_model=text(parameters.get("model")) or (None if answer.model == named else named),
        response_model=answer.model,
        response_id=answer.response_id,
        usage=request_usage(span, answer),
        reported_cost_usd=_cost(attributes),
        success=success,
        error_type=error_type,
        error_message=error_message,
        input_messages=asked,
        content_keys=keys,
        may_wrap=not _on_a_client(span.scope.name),
    )


def _sum(span: Span) -> Described | None:
    """Agents, chains, crews: a repetition of usage, where they have any."""
    attributes = span.attributes
    if not SUMMED.isdisjoint(attributes):
        usage = counted(attributes)
        if usage is NO_USAGE:
            usage = totals.usage(attributes)
    elif "crewai" in span.scope.name:
        usage = crew_usage(attributes.get("output.value"))
    else:
        return None
    if usage.input_tokens is None and usage.output_tokens is None and not usage.total_tokens:
        return None
    success, error_type, error_message = fields.failure(span)
    return Described(
        dialect="openinference",
        kind="aggregate",
        operation="invoke_agent",
        usage=usage,
        reported_cost_usd=_cost(attributes),
        success=success,
        error_type=error_type,
        error_message=error_message,
    )


def _models(
    attributes: Attributes, parameters: Mapping[str, Value], answer: Answer
) -> tuple[str | None, str | None]:
    """Requested and answered. `llm.model_name` is either, depending on the instrumentation and on success."""
    named = text(attributes.get("llm.model_name"))
    responded = first_text(attributes, "llm.response.model_name", "gen_ai.response.model") or answer.model
    requested = first_text(attributes, "llm.request.model_name", "gen_ai.request.model")
    if requested is None and "object" not in parameters and "created_at" not in parameters:
        # openai-agents puts the whole answer among the parameters; its model is no request.
        requested = text(parameters.get("model")) or text(parameters.get("model_name"))
    if requested is None and named != responded:
        requested = named
    if responded is None and named != requested:
        responded = named
    return requested, responded


def _label(span: Span) -> str | None:
    """`llm.provider`; else `llm.system`, unless it only tells whose protocol was spoken.

    The openai instrumentations always say system `openai`, and a provider only for hosts that they know.
    """
    provider = first_text(span.attributes, "llm.provider", "gen_ai.provider.name")
    client = _last_word(span.scope.name)
    if provider is not None or client == "openai":
        return provider
    return text(span.attributes.get("llm.system")) or _CLIENT_LABELS.get(client)


def _host(attributes: Attributes, parameters: Mapping[str, Value]) -> str | None:
    if not _HOST_KEY_SET.isdisjoint(parameters):
        for key in _HOST_KEYS:
            if (found := text(parameters.get(key))) is not None:
                return found
    return first_text(attributes, "server.address", "url.full")


def _cost(attributes: Attributes) -> Decimal | None:
    cost = money(attributes.get("llm.cost.total"))
    if cost is None and "llm.cost.prompt" in attributes:
        parts = money(attributes["llm.cost.prompt"]), money(attributes.get("llm.cost.completion"))
        cost = None if None in parts else sum((part for part in parts if part is not None), Decimal(0))
    # litellm writes 0 where its price table does not know the model.
    return cost or None


def _finish_reasons(attributes: Attributes, answer: Answer) -> tuple[str, ...]:
    reason = text(attributes.get("llm.finish_reason"))
    return answer.finish_reasons if reason is None else (reason,)


def _first_token_ns(span: Span) -> int | None:
    for event in span.events:
        if event.name == _FIRST_TOKEN and event.time_ns >= span.start_ns > 0:
            return event.time_ns - span.start_ns
    return None


def _streamed(parameters: Mapping[str, Value]) -> bool | None:
    said = parameters.get("stream")
    return said if isinstance(said, bool) else None


def _counts_tokens(attributes: Attributes) -> bool:
    """An answer of nothing but a count."""
    if "llm.token_count.completion" in attributes or "llm.token_count.prompt" in attributes:
        return False
    value = attributes.get("output.value")
    if not isinstance(value, str) or len(value) > 1_000 or "token" not in value:
        return False
    answer = mapping(value)
    return bool(answer) and answer.keys() <= _COUNTING


def _messages_of_values(
    attributes: Attributes, asked: Messages, answered: Messages, keys: tuple[str, ...]
) -> tuple[Messages, Messages, tuple[str, ...]]:
    """What repeats the messages, or is all there is: whole bodies, and the GenAI conventions' names."""
    if "gen_ai.input.messages" in attributes or "gen_ai.output.messages" in attributes:
        more_asked, more_answered, more_keys = convention_messages(attributes)
        asked, answered, keys = asked or more_asked, answered or more_answered, (*keys, *more_keys)
    if (value := attributes.get("input.value")) is not None and value != REDACTED:
        asked = asked or request_messages(value)
        keys = (*keys, "input.value")
    if (value := attributes.get("output.value")) is not None and value != REDACTED:
        answered = answered or answer_messages(value)
        keys = (*keys, "output.value")
    return asked, answered, keys


@lru_cache(1_024)
def _on_a_client(scope: str) -> bool:
    return _last_word(scope) in _PROVIDER_CLIENTS


@lru_cache(1_024)
def _last_word(scope: str) -> str:
    """`openinference.instrumentation.openai` and `@arizeai/openinference-instrumentation-openai` alike."""
    return scope.rpartition(".")[2].rpartition("instrumentation-")[2]


OPENINFERENCE = OpenInference()
