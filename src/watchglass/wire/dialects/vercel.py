"""Vercel's ai SDK (`experimental_telemetry`), versions 3 to 6.

`ai.operationId` names the function. Those that end in `.doGenerate`, `.doStream`, `.doEmbed` or `.doRerank`
are the requests, one span per attempt; the functions around them (`ai.generateText` …) repeat their usage.
(ai SDK documentation, "Telemetry"; ai 4.3 and 6.0 as sent.)
"""

from __future__ import annotations

from watchglass.model import Attributes, Context, Described, Message, Span, Step, Usage, Value
from watchglass.wire.dialects import fields, totals
from watchglass.wire.dialects.answers import tier_of
from watchglass.wire.dialects.messages import Messages, message, text_message
from watchglass.wire.dialects.parts import parts_of, text_part, tool_call_part
from watchglass.wire.dialects.steps import made
from watchglass.wire.values import (
    count,
    dig,
    first_count,
    first_text,
    json_value,
    money,
    sequence,
    text,
)

_OPERATION = "ai.operationId"

_REQUESTS: dict[str, str] = {
    "doGenerate": "chat",
    "doStream": "chat",
    "doEmbed": "embeddings",
    "doRerank": "rerank",
}
"""Last word of the operation id of a request: what is asked for."""

_INPUT = (
    "ai.usage.inputTokens",
    "ai.usage.promptTokens",
    "ai.usage.tokens",
    "gen_ai.usage.input_tokens",
)
_OUTPUT = (
    "ai.usage.outputTokens",
    "ai.usage.completionTokens",
    "gen_ai.usage.output_tokens",
)
_CACHE_READ = (
    "ai.usage.inputTokenDetails.cacheReadTokens",
    "ai.usage.cachedInputTokens",
)
_REASONING = ("ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens")
_CONTENT_IN = ("ai.prompt.messages", "ai.prompt", "ai.values", "ai.value")
_CONTENT_OUT = (
    "ai.response.text",
    "ai.response.toolCalls",
    "ai.response.object",
    "ai.response.reasoning",
)

_LOOPS = frozenset({"ai.generateText", "ai.streamText", "ai.generateObject", "ai.streamObject"})

_NO_CONTEXT = Context()


class VercelAi:
    """Reads spans with `ai.operationId`."""

    name = "vercel-ai"

    def matches(self, span: Span) -> bool:
        """The scope is `ai`, unless the application hands its own tracer in."""
        return _OPERATION in span.attributes

    def describe(self, span: Span) -> Described | None:
        """A request, or the sum of some; tool calls are neither."""
        operation = text(span.attributes[_OPERATION])
        if operation is None:
            return None
        asks = _REQUESTS.get(operation.rpartition(".")[2])
        if asks is not None:
            return _request(span, asks, operation.endswith(".doStream"))
        usage = _usage(span.attributes)
        return _sum(span, operation, usage) if usage.known else None

    def step(self, span: Span) -> Step | None:
        """A tool call, or the function that asks until it has an answer: so the SDK runs its agents."""
        attributes = span.attributes
        operation = text(attributes[_OPERATION]) or ""
        agent = text(attributes.get("ai.telemetry.functionId"))
        if operation == "ai.toolCall":
            return made(
                span,
                self.name,
                "tool",
                text(attributes.get("ai.toolCall.name")),
                agent=agent,
                asked=("ai.toolCall.args", "ai.toolCall.input"),
                answered=("ai.toolCall.result", "ai.toolCall.output"),
                ids=("ai.toolCall.id",),
            )
        if operation not in _LOOPS:
            return None
        return made(
            span,
            self.name,
            "agent",
            agent or operation,
            asked=("ai.prompt",),
            answered=("ai.response.text", "ai.response.object"),
        )

    def context(self, span: Span) -> Context:
        """`ai.telemetry.functionId` is how the application names the step."""
        agent = text(span.attributes.get("ai.telemetry.functionId"))
        return _NO_CONTEXT if agent is None else Context(agent=agent)


def _request(span: Span, operation: str, streaming: bool) -> Described:
    attributes = span.attributes
    success, error_type, error_message = fields.failure(span)
    keys = tuple(key for key in (*_CONTENT_IN, *_CONTENT_OUT) if key in attributes)
    return Described(
        dialect=VercelAi.name,
        kind="call",
        operation=operation,
        provider_label=first_text(attributes, "gen_ai.system", "ai.model.provider"),
        request_model=first_text(attributes, "gen_ai.request.model", "ai.model.id"),
        response_model=first_text(attributes, "gen_ai.response.model", "ai.response.model"),
        response_id=_response_id(attributes),
        usage=_usage(attributes),
        service_tier=_tier(_metadata(attributes)),
        ttft_ns=_milliseconds(attributes.get("ai.response.msToFirstChunk")),
        streaming=streaming,
        finish_reasons=_finish_reasons(span),
        success=success,
        error_type=error_type,
        error_message=error_message,
        input_messages=_asked(attributes),
        output_messages=_answered(attributes),
        content_keys=keys,
    )


def _sum(span: Span, operation: str, usage: Usage) -> Described:
    success, error_type, error_message = fields.failure(span)
    attributes = span.attributes
    return Described(
        dialect=VercelAi.name,
        kind="aggregate",
        operation="embeddings" if "embed" in operation else "invoke_agent",
        provider_label=text(attributes.get("ai.model.provider")),
        request_model=text(attributes.get("ai.model.id")),
        usage=usage,
        success=success,
        error_type=error_type,
        error_message=error_message,
    )


def _usage(attributes: Attributes) -> Usage:
    """From version 6 on the input holds the cache; before, it is what the provider says.

    So Anthropic's and Bedrock's leave the cache out there, and Gemini's output its thoughts, which
    the reported total shows.
    """
    asked, answered = (
        first_count(attributes, *_INPUT),
        first_count(attributes, *_OUTPUT),
    )
    if not asked and not answered:
        return Usage()
    metadata = _metadata(attributes)
    read = first_count(attributes, *_CACHE_READ)
    write = count(attributes.get("ai.usage.inputTokenDetails.cacheWriteTokens"))
    reasoning = first_count(attributes, *_REASONING)
    settled = "ai.usage.inputTokenDetails.noCacheTokens" in attributes
    said = Usage(
        input_tokens=asked,
        output_tokens=answered,
        cache_read_tokens=_of_provider(metadata, _READ_PATHS) if read is None else read,
        cache_write_tokens=_of_provider(metadata, _WRITE_PATHS) if write is None else write,
        reasoning_tokens=_of_provider(metadata, _REASONING_PATHS) if reasoning is None else reasoning,
        total_tokens=count(attributes.get("ai.usage.totalTokens")),
    )
    return totals.settled_usage(said, cache_excluded=not settled and _leaves_cache_out(attributes, metadata))


_READ_PATHS = (
    ("openai", "cachedPromptTokens"),
    ("anthropic", "cacheReadInputTokens"),
    ("anthropic", "usage", "cache_read_input_tokens"),
    ("bedrock", "usage", "cacheReadInputTokens"),
    ("google", "usageMetadata", "cachedContentTokenCount"),
    ("deepseek", "promptCacheHitTokens"),
)
_WRITE_PATHS = (
    ("anthropic", "cacheCreationInputTokens"),
    ("anthropic", "usage", "cache_creation_input_tokens"),
    ("bedrock", "usage", "cacheWriteInputTokens"),
)
_REASONING_PATHS = (
    ("openai", "reasoningTokens"),
    ("google", "usageMetadata", "thoughtsTokenCount"),
)


def _of_provider(metadata: Value, paths: tuple[tuple[str, ...], ...]) -> int | None:
    if metadata is None:
        return None
    for path in paths:
        if (found := count(dig(metadata, *path))) is not None:
            return found
    return None


def _metadata(attributes: Attributes) -> Value:
    return json_value(attributes.get("ai.response.providerMetadata"))


def _tier(metadata: Value) -> str | None:
    return tier_of(dig(metadata, "openai", "serviceTier"), dig(metadata, "anthropic", "usage"))


def _leaves_cache_out(attributes: Attributes, metadata: Value) -> bool:
    provider = first_text(attributes, "ai.model.provider", "gen_ai.system") or ""
    if "anthropic" in provider or "bedrock" in provider:
        return True
    return isinstance(metadata, dict) and ("anthropic" in metadata or "bedrock" in metadata)


def _response_id(attributes: Attributes) -> str | None:
    """The provider's; the SDK makes ids up (`aitxt-…`, `aiobj-…`) where the provider gave none."""
    found = first_text(attributes, "gen_ai.response.id", "ai.response.id")
    return None if found is None or found.startswith(("aitxt-", "aiobj-")) else found


def _finish_reasons(span: Span) -> tuple[str, ...]:
    reason = text(span.attributes.get("ai.response.finishReason"))
    return fields.finish_reasons(span) if reason is None else (reason,)


def _milliseconds(value: Value) -> int | None:
    amount = money(value)
    return None if amount is None else int(amount * 1_000_000)


def _asked(attributes: Attributes) -> Messages:
    if (prompt := attributes.get("ai.prompt.messages")) is not None:
        return tuple(each for item in sequence(prompt) if (each := _message(item)) is not None)
    values = attributes.get("ai.values", attributes.get("ai.value"))
    if values is None:
        return ()
    made = (text_message("user", told) for each in _values(values) if (told := text(each)) is not None)
    return tuple(each for each in made if each is not None)


def _values(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


def _answered(attributes: Attributes) -> Messages:
    parts: list[Value] = []
    if (thought := attributes.get("ai.response.reasoning")) not in (None, ""):
        parts.append({"type": "reasoning", "content": thought})
    if (written := attributes.get("ai.response.text")) not in (None, ""):
        parts.append(text_part(written))
    if (made := attributes.get("ai.response.object")) not in (None, ""):
        parts.append(text_part(made))
    parts += [_part(call) for call in sequence(attributes.get("ai.response.toolCalls"))]
    one = message("assistant", parts) if parts else None
    return () if one is None else (one,)


def _message(item: Value) -> Message | None:
    if not isinstance(item, dict):
        return None
    role = text(item.get("role")) or "user"
    content = item.get("content")
    return message(
        role,
        [_part(part) for part in content] if isinstance(content, list) else parts_of(content),
    )


def _part(part: Value) -> Value:
    """The SDK's own content parts (`tool-call`, `tool-result`, `reasoning` …) in the conventions' shape."""
    if not isinstance(part, dict):
        return part
    kind = part.get("type")
    if kind == "tool-call" or "toolCallType" in part:
        arguments = part.get("input", part.get("args"))
        return tool_call_part(part.get("toolCallId"), part.get("toolName"), _decoded(arguments))
    if kind == "tool-result":
        response = part.get("output", part.get("result"))
        return {
            "type": "tool_call_response",
            "id": part.get("toolCallId"),
            "response": response,
        }
    if kind == "reasoning":
        return {"type": "reasoning", "content": part.get("text")}
    return parts_of(part)[0] if kind == "text" else part


def _decoded(value: Value) -> Value:
    inner = json_value(value)
    return value if inner is None else inner


VERCEL_AI = VercelAi()
