"""The `gen_ai.*` attributes that describe a request, of every generation and of the libraries beside them.

Each list stands in order of trust: the current conventions' name, their earlier names, then libraries'
own. (OpenTelemetry semantic conventions 1.25 to 1.41 and the separate GenAI repository; OpenLLMetry
0.1 to 0.62; Semantic Kernel; Spring AI; pydantic-ai; OpenLIT; Sentry.)
"""

from __future__ import annotations

import re
from decimal import Decimal

from watchglass.model import Attributes, Span
from watchglass.wire.values import (
    first,
    first_count,
    first_text,
    flag,
    json_value,
    money,
    seconds_to_ns,
    text,
)

_OTHER_LABELS = ("gen_ai.system", "llm.vendor")
_FRAMEWORKS = frozenset(
    {"langchain", "Langchain", "LangChain", "langgraph", "llamaindex", "llama_index", "haystack", "crewai"}
)
_OTHER_HOSTS = (
    *("gen_ai.openai.api_base", "gen_ai.request.base_url", "llm.request.base_url"),
    *("url.full", "http.url", "net.peer.name"),
)
_TIERS = (
    *(
        "openai.response.service_tier",
        "gen_ai.openai.response.service_tier",
        "anthropic.response.service_tier",
    ),
    *("gen_ai.response.service_tier", "aws.bedrock.service_tier"),
    *("openai.request.service_tier", "gen_ai.openai.request.service_tier", "gen_ai.request.service_tier"),
)
_STREAMING = (
    *("gen_ai.request.stream", "gen_ai.is_streaming", "llm.is_streaming", "litellm.request.streaming"),
    *("gen_ai.response.streaming", "gen_ai.request.is_stream", "gen_ai.request.llm_is_streaming"),
)
_COSTS = (
    *("gen_ai.usage.cost", "gen_ai.usage.total_cost", "gen_ai.usage.cost_usd", "gen_ai.cost.total_cost"),
    *("gen_ai.cost.total", "gen_ai.cost.usd", "operation.cost", "llm.cost.total"),
)
_TTFT = (
    *("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token"),
    *("gen_ai.response.time_to_first_token", "gen_ai.client.operation.time_to_first_chunk"),
    "gen_ai.latency.time_to_first_token",  # vLLM
)
_CHUNK_EVENTS = frozenset(
    {"gen_ai.content.completion.chunk", "llm.content.completion.chunk", "gen_ai.first_token", "first_token"}
)
_FINISH = (
    *("gen_ai.response.finish_reasons", "gen_ai.response.finish_reason", "llm.response.finish_reason"),
    *("anthropic.message.stop_reason", "llm.response.stop_reason", "gen_ai.completion.0.finish_reason"),
)
_NO_MODEL = frozenset({"none", "unknown", "Unknown", "UNKNOWN", "n/a", "N/A", "NONE", "undefined"})

TIER, COST, STREAMING, TTFT, FINISH, FAILURE, MESSAGES = (1 << bit for bit in range(7))
"""Bits of `mentioned`: which of the rarer fields a span says anything about."""

_MENTIONS: dict[str, int] = {
    key: bit
    for bit, keys in (
        (TIER, _TIERS),
        (COST, _COSTS),
        (STREAMING, _STREAMING),
        (TTFT, _TTFT),
        (FINISH, _FINISH),
        (FAILURE, ("error.type", "http.response.status_code", "http.status_code")),
        (
            MESSAGES,
            (
                *("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"),
                *("gen_ai.prompt", "gen_ai.completion", "gen_ai.prompt.0.role", "gen_ai.prompt.0.content"),
                *("gen_ai.completion.0.role", "gen_ai.completion.0.content"),
            ),
        ),
    )
    for key in keys
}

_STATUS_CODE = re.compile(r"Error code: (\d{3})\b")  # openai and anthropic clients' str(APIStatusError)

UNNAMED_ERROR = "_OTHER"
"""`error.type` of a failure that names no type (OpenTelemetry `error.type`, fallback value)."""


def mentioned(attributes: Attributes) -> int:
    """Which of the rarer fields are there: one walk over a dozen keys saves seventy look-ups in vain."""
    bits, mentions = 0, _MENTIONS
    for key in attributes:
        if key in mentions:
            bits |= mentions[key]
    return bits


def request_model(attributes: Attributes) -> str | None:
    """The model asked for, or None where a library writes a word for "none"."""
    return _model(attributes, "gen_ai.request.model", "llm.request.model")


def response_model(attributes: Attributes) -> str | None:
    """The model that answered, or None where a library writes a word for "none"."""
    return _model(attributes, "gen_ai.response.model", "llm.response.model")


def _model(attributes: Attributes, key: str, earlier: str) -> str | None:
    name = text(attributes.get(key))
    if name is None and (name := text(attributes.get(earlier))) is None:
        return None
    return None if name in _NO_MODEL else name


def label(attributes: Attributes) -> str | None:
    """The library's word for the provider; behind a framework's own name, the one it passes on."""
    found = text(attributes.get("gen_ai.provider.name")) or first_text(attributes, *_OTHER_LABELS)
    if found is None or found in _FRAMEWORKS:
        return text(attributes.get("traceloop.association.properties.ls_provider")) or found
    return found


def host(attributes: Attributes) -> str | None:
    """Host or base URL of the API."""
    return text(attributes.get("server.address")) or first_text(attributes, *_OTHER_HOSTS)


def service_tier(attributes: Attributes) -> str | None:
    """Which service tier answered, or was asked for."""
    return first_text(attributes, *_TIERS)


def cost_usd(attributes: Attributes) -> Decimal | None:
    """What the library says the request cost; 0 is what they say of a model without a price."""
    said = first(attributes, *_COSTS)
    return None if said is None else money(said) or None


def streaming(attributes: Attributes) -> bool | None:
    """Whether the answer came in pieces, when anybody says."""
    for key in _STREAMING:
        if (said := flag(attributes.get(key))) is not None:
            return said
    return None


def ttft_ns(span: Span) -> int | None:
    """Time to first token: as reported in seconds, or from the first event of a streamed piece."""
    attributes = span.attributes
    for key in _TTFT:
        if key in attributes:
            return seconds_to_ns(attributes[key])
    for event in span.events:
        if event.name in _CHUNK_EVENTS and event.time_ns >= span.start_ns > 0:
            return event.time_ns - span.start_ns
    return None


def finish_reasons(span: Span) -> tuple[str, ...]:
    """Why each choice ended: a list, JSON text of one, or a single word; else what the choice events say."""
    attributes = span.attributes
    for key in _FINISH:
        value = attributes.get(key)
        if value is None:
            continue
        if isinstance(value, str):
            decoded = json_value(value) if value[:1] == "[" else None
            value = decoded if isinstance(decoded, list) else [value]
        if isinstance(value, list) and (words := [word for each in value if (word := text(each))]):
            return tuple(words)
    if not span.events:
        return ()
    choices = (each.attributes for each in span.events if each.name == "gen_ai.choice")
    return tuple(word for each in choices if (word := text(each.get("finish_reason"))))


def failure(span: Span) -> tuple[bool, str | None, str | None]:
    """Success, error type and message: from `error.type`, exception event, HTTP status or span status."""
    attributes = span.attributes
    named = text(attributes.get("error.type"))
    status = first_count(attributes, "http.response.status_code", "http.status_code")
    if span.status != 2 and named is None and (status is None or status < 400):
        return True, None, None
    raised, said = exception(span)
    message = text(span.status_message) or said or first_text(attributes, "error.message", "error_message")
    if named is None:
        named = raised or (str(status) if status is not None and status >= 400 else None)
    if named is None and message is not None and (code := _STATUS_CODE.search(message)) is not None:
        named = code[1]
    return False, named or UNNAMED_ERROR, message


def exception(span: Span) -> tuple[str | None, str | None]:
    """Type and message of the last exception that the span recorded."""
    for event in reversed(span.events):
        if event.name == "exception":
            return first_text(event.attributes, "exception.type"), first_text(
                event.attributes, "exception.message"
            )
    return None, None
