"""Token counts out of the maps in which frameworks pass a provider's usage on.

langfuse's `usage_details`, mlflow's `tokenUsage`, LangChain's `usage_metadata`, CrewAI's `token_usage`,
smolagents' `token_usage` and every provider's own usage object, which nests inside them. The names are
a table; whether cached, reasoning and audio tokens are within their totals is decided by the family of
the names and checked against the reported total.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from watchglass.model import NO_USAGE, Usage, Value
from watchglass.wire.dialects.totals import provider_usage, settled_usage
from watchglass.wire.values import count, dig

_WRITE_5M = "cache_write_5m_tokens"
"""No field of `Usage`: what is written for five minutes, which LangChain tells apart from the rest."""

_PARTS: dict[str, str] = {
    "prompt_tokens": "input_tokens",
    "input_tokens": "input_tokens",
    "inputTokens": "input_tokens",
    "promptTokens": "input_tokens",
    "input": "input_tokens",
    "completion_tokens": "output_tokens",
    "output_tokens": "output_tokens",
    "outputTokens": "output_tokens",
    "completionTokens": "output_tokens",
    "output": "output_tokens",
    "total_tokens": "total_tokens",
    "totalTokens": "total_tokens",
    "total": "total_tokens",
    # OpenAI, chat completions and responses; langfuse flattens the one level with "_"
    "cached_tokens": "cache_read_tokens",
    "prompt_tokens_details.cached_tokens": "cache_read_tokens",
    "prompt_token_details.cached_tokens": "cache_read_tokens",
    "prompt_tokens_details.cache_write_tokens": "cache_write_tokens",
    "prompt_tokens_details.cache_creation_tokens": "cache_write_tokens",
    "prompt_tokens_details.audio_tokens": "input_audio_tokens",
    "input_tokens_details.cached_tokens": "cache_read_tokens",
    "completion_tokens_details.reasoning_tokens": "reasoning_tokens",
    "completion_tokens_details.audio_tokens": "output_audio_tokens",
    "output_tokens_details.reasoning_tokens": "reasoning_tokens",
    "input_cached_tokens": "cache_read_tokens",
    "input_audio_tokens": "input_audio_tokens",
    "output_audio_tokens": "output_audio_tokens",
    "output_reasoning_tokens": "reasoning_tokens",
    # Anthropic; mlflow uses the same names whatever the provider
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
    "cache_creation.ephemeral_5m_input_tokens": _WRITE_5M,
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h_tokens",
    # Bedrock Converse
    "cacheReadInputTokens": "cache_read_tokens",
    "cacheWriteInputTokens": "cache_write_tokens",
    # DeepSeek
    "prompt_cache_hit_tokens": "cache_read_tokens",
    # LangChain's usage_metadata, and as langfuse's handler flattens it
    "input_token_details.cache_read": "cache_read_tokens",
    "input_token_details.priority_cache_read": "cache_read_tokens",
    "input_token_details.flex_cache_read": "cache_read_tokens",
    "input_token_details.cache_creation": "cache_write_tokens",
    "input_token_details.ephemeral_5m_input_tokens": _WRITE_5M,
    "input_token_details.ephemeral_1h_input_tokens": "cache_write_1h_tokens",
    "input_token_details.audio": "input_audio_tokens",
    "output_token_details.reasoning": "reasoning_tokens",
    "output_token_details.priority_reasoning": "reasoning_tokens",
    "output_token_details.flex_reasoning": "reasoning_tokens",
    "output_token_details.audio": "output_audio_tokens",
    "input_cache_read": "cache_read_tokens",
    "input_cache_creation": "cache_write_tokens",
    "input_ephemeral_5m_input_tokens": _WRITE_5M,
    "input_ephemeral_1h_input_tokens": "cache_write_1h_tokens",
    "input_audio": "input_audio_tokens",
    "output_reasoning": "reasoning_tokens",
    "output_audio": "output_audio_tokens",
    # CrewAI
    "cached_prompt_tokens": "cache_read_tokens",
    "cache_creation_tokens": "cache_write_tokens",
    # Gemini by langfuse
    "cached_content_token_count": "cache_read_tokens",
    "thoughts_token_count": "reasoning_tokens",
    "reasoning_tokens": "reasoning_tokens",
}
"""Name in a usage map (nested ones joined by a dot): what it counts. An earlier name outranks a later one."""

_RANK = {name: rank for rank, name in enumerate(_PARTS)}


def usage_of(value: Value | Mapping[str, Value]) -> Usage:
    """Totals in our counting rule out of any of these maps; nothing where it counts nothing."""
    if not isinstance(value, dict) or not value:
        return NO_USAGE
    if "prompt_token_count" in value or "promptTokenCount" in value:
        return provider_usage(value)
    said = _said(value)
    # LangChain says 0 for all writes where it tells those of five minutes and of an hour apart.
    by_life = said.pop(_WRITE_5M, 0) + said.get("cache_write_1h_tokens", 0)
    if by_life > said.get("cache_write_tokens", 0):
        said["cache_write_tokens"] = by_life
    if not said.get("input_tokens") and not said.get("output_tokens"):
        return Usage(total_tokens=said["total_tokens"]) if said.get("total_tokens") else NO_USAGE
    if "input" in value or "output" in value:
        return _disjoint(said)
    return settled_usage(Usage(**said), cache_excluded=_excludes_cache(value, said))


def completed(usage: Usage, more: Usage) -> Usage:
    """`usage` with the parts that only `more` knows, where both speak of the same totals."""
    if not more.known:
        return usage
    if not usage.known:
        return more
    same = usage.output_tokens == more.output_tokens or None in (
        usage.output_tokens,
        more.output_tokens,
    )
    if not same or usage.input_tokens != more.input_tokens:
        return usage
    told = {name: getattr(usage, name) for name in usage.__struct_fields__}
    filled = {
        name: getattr(more, name)
        for name, held in told.items()
        if held is None and getattr(more, name) is not None
    }
    return Usage(**(told | filled)) if filled else usage


def _said(value: Mapping[str, Value]) -> dict[str, int]:
    said: dict[str, int] = {}
    ranks: dict[str, int] = {}
    for name, found in _named(value):
        part = _PARTS[name]
        if part not in ranks or _RANK[name] < ranks[part]:
            said[part], ranks[part] = found, _RANK[name]
    return said


def _named(value: Mapping[str, Value]) -> Iterator[tuple[str, int]]:
    for key, item in value.items():
        if isinstance(item, dict):
            for inner, leaf in item.items():
                name = f"{key}.{inner}"
                if name in _PARTS and (found := count(leaf)) is not None:
                    yield name, found
        elif key in _PARTS and (found := count(item)) is not None:
            yield key, found


def _excludes_cache(value: Mapping[str, Value], said: Mapping[str, int]) -> bool:
    """Anthropic and Bedrock leave cached tokens out of the input; a reported total can deny it."""
    if "inputTokens" in value and said.get("total_tokens") is None:
        return True
    if "prompt_tokens" in value or dig(value.get("input_token_details"), "cache_read") is not None:
        return False
    named = "cache_read_input_tokens" in value or "cache_creation_input_tokens" in value
    return named and "total_tokens" not in value


def _disjoint(said: dict[str, int]) -> Usage:
    """langfuse's own keys: every type of usage stands for itself, and the total is the sum of all.

    (langfuse docs, "usage details"; its LangChain handler subtracts each detail from `input`.) A
    total that is the sum of input and output alone shows that the sender put the parts inside.
    """
    asked, answered, total = (
        said.get("input_tokens"),
        said.get("output_tokens"),
        said.get("total_tokens"),
    )
    cached = said.get("cache_read_tokens", 0) + said.get("cache_write_tokens", 0)
    more_in = cached + said.get("input_audio_tokens", 0)
    more_out = said.get("reasoning_tokens", 0) + said.get("output_audio_tokens", 0)
    inside = total is not None and total == (asked or 0) + (answered or 0)
    if inside or not (more_in or more_out):
        return settled_usage(Usage(**said))
    outside = {
        "input_tokens": None if asked is None else asked + more_in,
        "output_tokens": None if answered is None else answered + more_out,
    }
    return Usage(**(said | outside))
