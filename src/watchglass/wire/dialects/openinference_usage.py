"""OpenInference's token counts: `llm.token_count.*`, the provider's own in the answer, and CrewAI's sums."""

from __future__ import annotations

from typing import Any

import msgspec

from watchglass.model import NO_USAGE, Attributes, Span, Usage, Value
from watchglass.wire.dialects import totals
from watchglass.wire.dialects.answers import Answer
from watchglass.wire.dialects.usages import completed, usage_of
from watchglass.wire.values import count, first_count

SUMMED: frozenset[str] = frozenset(
    {
        *("llm.token_count.prompt", "llm.token_count.completion", "llm.token_count.total"),
        "gen_ai.usage.input_tokens",
    }
)
"""A span that is no request repeats usage if it has one of these."""

_CACHE_READ = ("llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_input")


class _CrewOutput(msgspec.Struct, gc=False):
    token_usage: Any = None


_decode_crew = msgspec.json.Decoder(_CrewOutput).decode


def crew_usage(value: Value) -> Usage:
    """A crew's sum inside its output (CrewAI's `CrewOutput.token_usage`)."""
    if not isinstance(value, str) or '"token_usage"' not in value:
        return NO_USAGE
    try:
        return usage_of(_decode_crew(value).token_usage)
    except (msgspec.DecodeError, RecursionError):
        return NO_USAGE


def request_usage(span: Span, answer: Answer) -> Usage:
    """`llm.token_count.*`, completed by the provider's own figures where the answer is there.

    The conventions have the cache inside the prompt. Where an instrumentation hands on the figure of
    a provider that leaves it out, the answer's larger total shows it; the streams of the anthropic
    instrumentation before 1.0 leave it out without a trace, so with caching asked for the input is unknown.
    """
    attributes = span.attributes
    said = counted(attributes)
    if answer.usage is None:
        if said.input_tokens is not None and _drops_cache(span):
            return msgspec.structs.replace(said, input_tokens=None, total_tokens=None)
        return said if said.known else totals.usage(attributes)
    if said.cache_read_tokens is not None and said.reasoning_tokens is not None:
        return said
    own = answer.tokens()
    cached = (own.cache_read_tokens or 0) + (own.cache_write_tokens or 0)
    if cached and said.input_tokens is not None and said.input_tokens + cached == own.input_tokens:
        return own
    return completed(said, own)


def counted(attributes: Attributes) -> Usage:
    """`llm.token_count.*` as they stand; both totals 0 mean that nobody counted."""
    get = attributes.get
    asked = count(get("llm.token_count.prompt"))
    answered = count(get("llm.token_count.completion"))
    if not asked and not answered:
        total = count(get("llm.token_count.total"))
        return Usage(total_tokens=total) if total else NO_USAGE
    return totals.settled_usage(
        Usage(
            input_tokens=asked,
            output_tokens=answered,
            cache_read_tokens=first_count(attributes, *_CACHE_READ),
            cache_write_tokens=count(get("llm.token_count.prompt_details.cache_write")),
            reasoning_tokens=count(get("llm.token_count.completion_details.reasoning")),
            input_audio_tokens=count(get("llm.token_count.prompt_details.audio")),
            output_audio_tokens=count(get("llm.token_count.completion_details.audio")),
            total_tokens=count(get("llm.token_count.total")),
        )
    )


def _drops_cache(span: Span) -> bool:
    scope = span.scope
    if scope.name != "openinference.instrumentation.anthropic" or not scope.version.startswith("0."):
        return False
    asked = span.attributes.get("input.value")
    return isinstance(asked, str) and '"cache_control"' in asked
