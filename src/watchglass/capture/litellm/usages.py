"""Tokens out of LiteLLM's usage objects, in OpenTelemetry's counting: input with what was cached, output with
reasoning. LiteLLM brings every provider's counting into OpenAI's, which is the same; Anthropic's own form
(`anthropic_messages`) leaves cached tokens out of the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from watchglass.capture.litellm.fields import fields_of
from watchglass.names import CACHE_WRITE_1H, FAST, INPUT_AUDIO, OUTPUT_AUDIO, TOTAL_TOKENS

if TYPE_CHECKING:
    from watchglass.capture.records import Attributes


def note_usage(usage: Any, own: Attributes) -> str | None:
    """Write the tokens into `own`, absent where unsaid; returns the service tier if the usage names one.

    Where both totals are 0 nobody counted: LiteLLM writes 0 when the answer brought no usage.
    """
    get = fields_of(usage).get
    asked = _count(get("prompt_tokens"))
    theirs = asked is None
    asked = _count(get("input_tokens")) if theirs else asked
    answered = _count(get("completion_tokens"))
    answered = _count(get("output_tokens")) if answered is None else answered
    if not asked and not answered:
        return None
    inside = fields_of(get("prompt_tokens_details") or get("input_tokens_details"))
    read = _first(inside.get("cached_tokens"), get("cache_read_input_tokens"))
    written = _first(inside.get("cache_creation_tokens"), get("cache_creation_input_tokens"))
    by_life = fields_of(inside.get("cache_creation_token_details") or get("cache_creation"))
    if theirs and not inside:  # Anthropic's own
        asked = (asked or 0) + (read or 0) + (written or 0)
    outside = fields_of(get("completion_tokens_details") or get("output_tokens_details"))
    if asked is not None:
        own["gen_ai.usage.input_tokens"] = asked
    if answered is not None:
        own["gen_ai.usage.output_tokens"] = answered
    if read is not None:
        own["gen_ai.usage.cache_read.input_tokens"] = read
    if written is not None:
        own["gen_ai.usage.cache_creation.input_tokens"] = written
    for key, details, name in (
        (CACHE_WRITE_1H, by_life, "ephemeral_1h_input_tokens"),
        ("gen_ai.usage.reasoning.output_tokens", outside, "reasoning_tokens"),
        (INPUT_AUDIO, inside, "audio_tokens"),
        (OUTPUT_AUDIO, outside, "audio_tokens"),
    ):
        value = details.get(name)
        if type(value) is int and value >= 0:
            own[key] = value
    total = _count(get("total_tokens"))
    if total and total != (asked or 0) + (answered or 0):
        own[TOTAL_TOKENS] = total
    if get("speed") == FAST:
        return FAST
    tier = get("service_tier")
    return tier if isinstance(tier, str) else None


def _first(*values: Any) -> int | None:
    for value in values:
        if (count := _count(value)) is not None:
            return count
    return None


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None
