"""Token totals in watchglass's one counting rule, from attributes and from providers' own usage objects.

The names stand in order of trust: the current conventions', their earlier ones, then libraries' own.
(OpenTelemetry semantic conventions 1.25 to 1.41 and the separate GenAI repository; OpenLLMetry 0.1 to
0.62; Semantic Kernel; Spring AI; pydantic-ai; OpenLIT; Sentry.)
"""

from __future__ import annotations

import msgspec

from watchglass.model import Attributes, Usage, Value
from watchglass.wire.values import count, dig, first_count

_INPUT = (
    *("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    *("llm.usage.prompt_tokens", "gen_ai.response.prompt_tokens"),
)
_OUTPUT = (
    *("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    *("llm.usage.completion_tokens", "gen_ai.response.completion_tokens"),
)
_TOTAL = ("gen_ai.usage.total_tokens", "llm.usage.total_tokens")
_CACHE_READ = (
    *("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"),
    *("gen_ai.usage.input_tokens.cached", "gen_ai.usage.cached_input_tokens", "gen_ai.usage.cached_tokens"),
    *("gen_ai.usage.cache_read_tokens", "gen_ai.usage.details.cache_read_input_tokens"),
    *("gen_ai.usage.details.cache_read_tokens", "gen_ai.usage.details.cached_tokens"),
    *("gen_ai.usage.input_token_details.cached", "gen_ai.usage.prompt_tokens_details.cached_tokens"),
    *("gen_ai.usage.prompt_tokens_details.cache_read", "gen_ai.usage.input_tokens_details.cached_tokens"),
)
_CACHE_WRITE = (
    *("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_write.input_tokens"),
    *("gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.cache_write_input_tokens"),
    *("gen_ai.usage.cache_write_tokens", "gen_ai.usage.cache_creation_tokens"),
    *("gen_ai.usage.input_tokens.cache_write", "gen_ai.usage.details.cache_creation_tokens"),
    "gen_ai.usage.prompt_tokens_details.cache_write",
    *("gen_ai.usage.details.cache_write_tokens", "gen_ai.usage.details.cache_creation_input_tokens"),
)
_CACHE_WRITE_1H = (
    "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",
    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
)
_REASONING = (
    *("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"),
    *("gen_ai.usage.details.reasoning_tokens", "gen_ai.usage.output_tokens.reasoning"),
    *(
        "gen_ai.usage.experimental.reasoning_tokens",
        "gen_ai.usage.completion_tokens_details.reasoning_tokens",
    ),
    *(
        "gen_ai.usage.output_tokens_details.reasoning_tokens",
        "gen_ai.usage.completion_tokens_details.reasoning",
    ),
    *("gen_ai.usage.output_reasoning_tokens", "gen_ai.usage.thoughts_tokens", "llm.usage.reasoning_tokens"),
)
_INPUT_AUDIO = (
    *("gen_ai.usage.audio.input_tokens", "gen_ai.usage.details.input_audio_tokens"),
    "gen_ai.usage.prompt_tokens_details.audio",
)
_OUTPUT_AUDIO = (
    *("gen_ai.usage.audio.output_tokens", "gen_ai.usage.details.output_audio_tokens"),
    "gen_ai.usage.completion_tokens_details.audio",
)

_SPLITS = frozenset(
    {*_CACHE_READ, *_CACHE_WRITE, *_CACHE_WRITE_1H, *_REASONING, *_INPUT_AUDIO, *_OUTPUT_AUDIO}
)


def usage(attributes: Attributes, *, cache_excluded: bool = False) -> Usage:
    """Token totals in our counting rule; `cache_excluded` where the library's input leaves cached tokens out.

    Where both totals are 0 nobody counted: no request is without tokens, and several libraries
    write 0 when the answer brought no usage.
    """
    asked, answered = count(attributes.get(_INPUT[0])), count(attributes.get(_OUTPUT[0]))
    if asked is None:
        asked = first_count(attributes, *_INPUT[1:])
    if answered is None:
        answered = first_count(attributes, *_OUTPUT[1:])
    if not asked and not answered:
        return Usage()
    total = first_count(attributes, *_TOTAL)
    if _SPLITS.isdisjoint(attributes):
        return Usage(input_tokens=asked, output_tokens=answered, total_tokens=total)
    return settled_usage(
        Usage(
            input_tokens=asked,
            output_tokens=answered,
            cache_read_tokens=first_count(attributes, *_CACHE_READ),
            cache_write_tokens=first_count(attributes, *_CACHE_WRITE),
            cache_write_1h_tokens=first_count(attributes, *_CACHE_WRITE_1H),
            reasoning_tokens=first_count(attributes, *_REASONING),
            input_audio_tokens=first_count(attributes, *_INPUT_AUDIO),
            output_audio_tokens=first_count(attributes, *_OUTPUT_AUDIO),
            total_tokens=total,
        ),
        cache_excluded=cache_excluded,
    )


def settled_usage(said: Usage, *, cache_excluded: bool = False, reasoning_excluded: bool = False) -> Usage:
    """Bring totals that leave a part out into our counting rule.

    Beyond what the library is known to do, the figures themselves may show it: a part that is larger
    than its whole was never in it, and a reported total that only adds up with the part shows the same.
    """
    asked, answered, total = said.input_tokens, said.output_tokens, said.total_tokens
    cached = (said.cache_read_tokens or 0) + (said.cache_write_tokens or 0)
    reasoning = said.reasoning_tokens or 0
    if asked is not None and cached:
        outside = asked < cached or (answered is not None and total == asked + answered + cached)
        asked += cached if cache_excluded or outside else 0
    if answered is not None and reasoning:
        outside = answered < reasoning or (asked is not None and total == asked + answered + reasoning)
        answered += reasoning if reasoning_excluded or outside else 0
    if asked is said.input_tokens and answered is said.output_tokens:
        return said
    return msgspec.structs.replace(said, input_tokens=asked, output_tokens=answered)


def provider_usage(value: Value) -> Usage:
    """Totals out of a provider's own usage object: OpenAI's, Anthropic's, Bedrock's or Gemini's, as a map.

    Anthropic's and Bedrock's input excludes cached tokens; Gemini's output excludes thoughts, and its
    tool results count as input. (Anthropic messages API, Bedrock Converse `TokenUsage`, Gemini
    `UsageMetadata`, OpenAI `CompletionUsage` and `ResponseUsage`.)
    """
    if not isinstance(value, dict):
        return Usage()
    if "promptTokenCount" in value or "prompt_token_count" in value:
        return _gemini_usage(value)
    read = _deep(value, _OPENAI_CACHED, "cache_read_input_tokens", "cacheReadInputTokens")
    write = _deep(value, _OPENAI_WRITTEN, "cache_creation_input_tokens", "cacheWriteInputTokens")
    said = Usage(
        input_tokens=first_count(value, "prompt_tokens", "input_tokens", "inputTokens"),
        output_tokens=first_count(value, "completion_tokens", "output_tokens", "outputTokens"),
        cache_read_tokens=read,
        cache_write_tokens=write,
        cache_write_1h_tokens=count(dig(value, "cache_creation", "ephemeral_1h_input_tokens")),
        reasoning_tokens=_deep(value, _OPENAI_REASONING, "reasoning_tokens"),
        input_audio_tokens=_deep(value, (("prompt_tokens_details", "audio_tokens"),)),
        output_audio_tokens=_deep(value, (("completion_tokens_details", "audio_tokens"),)),
        total_tokens=first_count(value, "total_tokens", "totalTokens"),
    )
    if not said.input_tokens and not said.output_tokens:
        return Usage()
    foreign = "prompt_tokens" not in value and ("cache_read_input_tokens" in value or "inputTokens" in value)
    return settled_usage(said, cache_excluded=foreign)


_OPENAI_CACHED = (("prompt_tokens_details", "cached_tokens"), ("input_tokens_details", "cached_tokens"))
_OPENAI_WRITTEN = (
    ("prompt_tokens_details", "cache_write_tokens"),
    ("prompt_tokens_details", "cache_creation_tokens"),
)
_OPENAI_REASONING = (
    ("completion_tokens_details", "reasoning_tokens"),
    ("output_tokens_details", "reasoning_tokens"),
)


def _deep(value: dict[str, Value], paths: tuple[tuple[str, str], ...], *names: str) -> int | None:
    for path in paths:
        if (found := count(dig(value, *path))) is not None:
            return found
    return first_count(value, *names)


def _gemini_usage(value: dict[str, Value]) -> Usage:
    asked = first_count(value, "prompt_token_count", "promptTokenCount")
    tools = first_count(value, "tool_use_prompt_token_count", "toolUsePromptTokenCount")
    answered = first_count(value, "candidates_token_count", "candidatesTokenCount")
    thought = first_count(value, "thoughts_token_count", "thoughtsTokenCount")
    total = first_count(value, "total_token_count", "totalTokenCount")
    if answered is None and thought is None:
        output = None
    elif total is not None and total == (asked or 0) + (tools or 0) + (answered or 0):
        output = answered  # another provider's usage in Gemini's words: thoughts are in the answer
    else:
        output = (answered or 0) + (thought or 0)
    return Usage(
        input_tokens=None if asked is None else asked + (tools or 0),
        output_tokens=output,
        cache_read_tokens=first_count(value, "cached_content_token_count", "cachedContentTokenCount"),
        reasoning_tokens=thought,
        total_tokens=total,
    )
