"""What a provider's answer says of itself: id, model, tier, finish reasons and usage, whoever wrapped it.

Libraries that have no attribute for the response id leave the whole answer as JSON in `output.value`,
`mlflow.spanOutputs` or `gen_ai.completion`. Known here: OpenAI chat completions and responses (and all who
copy them), Anthropic messages, Gemini, Bedrock Converse; inside LangChain's `LLMResult` and messages,
LlamaIndex's `ChatResponse`, and smolagents' messages with the answer's Python text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from watchglass.model import Usage, Value
from watchglass.names import FAST
from watchglass.wire.dialects.usages import usage_of
from watchglass.wire.values import count, dig, json_value, text


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What the answer says of itself; `usage` as the provider sent it."""

    response_id: str | None = None
    model: str | None = None
    service_tier: str | None = None
    finish_reasons: tuple[str, ...] = ()
    usage: Value = None

    def tokens(self) -> Usage:
        """The usage in our counting rule."""
        return usage_of(self.usage)


NO_ANSWER = Answer()


class _Choice(msgspec.Struct, gc=False):
    finish_reason: Any = None
    finishReason: Any = None


class _Body(msgspec.Struct, gc=False):
    """Only what is read: the rest of the JSON is skipped without becoming objects."""

    id: Any = None
    response_id: Any = None
    responseId: Any = None
    object: Any = None
    model: Any = None
    model_version: Any = None
    modelVersion: Any = None
    service_tier: Any = None
    usage: Any = None
    usage_metadata: Any = None
    usageMetadata: Any = None
    token_usage: Any = None
    stop_reason: Any = None
    stopReason: Any = None
    status: Any = None
    choices: list[_Choice] | None = None
    candidates: list[_Choice] | None = None
    # wrappers
    generations: Any = None
    llm_output: Any = None
    response_metadata: Any = None
    data: Any = None
    raw: Any = None


_decode = msgspec.json.Decoder(_Body).decode

_PROVIDER_IDS = ("chatcmpl-", "msg_", "resp_", "gen-", "cmpl-")
"""Beginnings of ids that providers make up; LangChain's messages otherwise carry ids of their own runs."""


def answer_of(value: Value) -> Answer:
    """The answer in a JSON text or a decoded map; nothing where it is neither or is no answer."""
    try:
        if isinstance(value, str):
            if not value.startswith("{"):
                return NO_ANSWER
            body = _decode(value)
        elif isinstance(value, dict):
            body = msgspec.convert(value, _Body)
        else:
            return NO_ANSWER
    except (msgspec.DecodeError, RecursionError, ValueError):
        return NO_ANSWER
    if body.generations is not None:
        return _langchain_result(body)
    if body.response_metadata is not None or body.data is not None:
        return _langchain_message(body.response_metadata, body.data, body.usage_metadata, body.id)
    if body.raw is not None:
        return _wrapped(body)
    return _plain(body)


def tier_of(named: Value, usage: Value) -> str | None:
    """The service tier of an answer, which names it or leaves it to its usage; fast mode is one to a bill."""
    if dig(usage, "speed") == FAST:
        return FAST
    return text(named) or text(dig(usage, "service_tier"))


def tier_asked(parameters: Mapping[str, Value]) -> str | None:
    """The service tier that a request asked for; whether it got fast mode, the answer knows better."""
    return FAST if parameters.get("speed") == FAST else text(parameters.get("service_tier"))


def _plain(body: _Body) -> Answer:
    model = text(body.model) or text(body.model_version) or text(body.modelVersion)
    finish_reasons = _finish_reasons(body)
    usage = body.usage or body.usage_metadata or body.usageMetadata or body.token_usage
    # Frameworks' own results have an `id` too; it is the provider's only beside what a provider says.
    answered = model is not None or finish_reasons or usage or body.object is not None
    identity = text(body.id) or text(body.response_id) or text(body.responseId)
    return Answer(
        response_id=identity if answered else None,
        model=model,
        service_tier=tier_of(body.service_tier, body.usage),
        finish_reasons=finish_reasons,
        usage=usage,
    )


def _finish_reasons(body: _Body) -> tuple[str, ...]:
    choices = body.choices or body.candidates
    if choices:
        reasons = (text(each.finish_reason) or text(each.finishReason) for each in choices)
        return tuple(reason for reason in reasons if reason is not None)
    reason = text(body.stop_reason) or text(body.stopReason)
    if reason is None and body.object == "response":
        reason = text(body.status)
    return () if reason is None else (reason,)


def _wrapped(body: _Body) -> Answer:
    """LlamaIndex keeps the answer as a map, smolagents as its Python text beside counts of its own."""
    if isinstance(body.raw, dict):
        inner = answer_of(body.raw)
        return inner if inner.response_id or inner.usage else _plain(body)
    if isinstance(body.raw, str) and len(body.raw) < 1_000_000:
        return _from_python_text(body.raw, body.token_usage or body.usage)
    return _plain(body)


_LONGEST_USAGE = 4_000
"""Characters of a usage object's Python text, far above any client's."""

_TEXT_FAST = f"speed='{FAST}'"
_TEXT_ID = re.compile(r"\((?:[a-z_]+=None, )*id='([^']{1,128})'")
_TEXT_FIELDS = re.compile(
    r"\b(model|service_tier|finish_reason|stop_reason)='([^']{1,128})'"
    r"|\b(prompt_tokens|completion_tokens|total_tokens|input_tokens|output_tokens|cached_tokens"
    r"|cache_read_input_tokens|cache_creation_input_tokens|reasoning_tokens)=(\d{1,13})\b"
)


def _from_python_text(source: str, usage: Value) -> Answer:
    """The `repr` of a client library's answer, such as `ChatCompletion(id='…', …, usage=CompletionUsage(…))`.

    Only the part after the last message content is trusted for figures: usage is the last field of
    every client's answer, and a message's own text could hold anything.
    """
    identity = _TEXT_ID.search(source[:256])
    fields: dict[str, str] = {}
    counts: dict[str, Value] = {}
    begin = source.rfind("usage=")
    tail = source[begin : begin + _LONGEST_USAGE] if begin >= 0 else ""
    for match in _TEXT_FIELDS.finditer(tail):
        if match[3]:
            counts[match[3]] = count(match[4])
    for match in _TEXT_FIELDS.finditer(source[-2_000:]):
        if match[1]:
            fields[match[1]] = match[2]
    reason = fields.get("finish_reason") or fields.get("stop_reason")
    return Answer(
        response_id=identity[1] if identity else None,
        model=fields.get("model"),
        service_tier=FAST if _TEXT_FAST in tail else fields.get("service_tier"),
        finish_reasons=() if reason is None else (reason,),
        usage=counts or usage,
    )


def _langchain_result(body: _Body) -> Answer:
    """`LLMResult`: a list of generations per prompt; the first tells of the request."""
    generation = dig(body.generations, 0, 0)
    if generation is None:
        generation = dig(body.generations, 0)
    found = NO_ANSWER
    message = dig(generation, "message")
    if isinstance(message, dict):
        inner = message.get("kwargs", message)
        if isinstance(inner, dict):
            found = _langchain_message(
                inner.get("response_metadata"),
                None,
                inner.get("usage_metadata"),
                inner.get("id"),
            )
    info = dig(generation, "generation_info")
    output = body.llm_output
    reason = text(dig(info, "finish_reason")) or text(dig(info, "stop_reason"))
    return Answer(
        response_id=found.response_id or text(dig(output, "id")),
        model=found.model or text(dig(info, "model_name")) or text(dig(output, "model_name")),
        service_tier=found.service_tier or tier_of(dig(info, "service_tier"), dig(output, "usage")),
        finish_reasons=found.finish_reasons or (() if reason is None else (reason,)),
        usage=found.usage or dig(output, "token_usage") or dig(output, "usage"),
    )


def _langchain_message(metadata: Value, data: Value, usage: Value, identity: Value) -> Answer:
    if isinstance(data, dict):
        metadata, usage = data.get("response_metadata"), data.get("usage_metadata")
        identity = data.get("id")
    named = text(identity)
    reason = text(dig(metadata, "finish_reason")) or text(dig(metadata, "stop_reason"))
    return Answer(
        response_id=text(dig(metadata, "id"))
        or (named if named is not None and named.startswith(_PROVIDER_IDS) else None),
        model=text(dig(metadata, "model_name")) or text(dig(metadata, "model")),
        service_tier=tier_of(dig(metadata, "service_tier"), dig(metadata, "usage")),
        finish_reasons=() if reason is None else (reason,),
        usage=usage or dig(metadata, "token_usage") or dig(metadata, "usage"),
    )


def decoded(value: Value) -> Value:
    """A value that may be JSON text, decoded; other text as it is."""
    if isinstance(value, str) and value[:1] in ("{", "[", '"'):
        inner = json_value(value)
        return value if inner is None else inner
    return value
