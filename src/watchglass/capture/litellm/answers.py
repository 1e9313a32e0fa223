"""What LiteLLM's answers say of a call: who served it, which model, the tokens, the cost, the texts."""

from __future__ import annotations

from base64 import b64decode
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import litellm

from watchglass.capture import content
from watchglass.capture.litellm import messages
from watchglass.capture.litellm.fields import fields_of
from watchglass.capture.litellm.usages import note_usage
from watchglass.names import (
    CACHE_HIT,
    ESTIMATED_INPUT,
    ESTIMATED_OUTPUT,
    FAST,
    MOCK,
    REPORTED_COST,
    SERVICE_TIER,
)

if TYPE_CHECKING:
    from watchglass.capture.calls import Call
    from watchglass.capture.records import Attributes

_MADE_HERE = "chatcmpl-"
"""LiteLLM makes an id of OpenAI's form for answers of providers that it translates: with a UUID, 45 long."""


def describe_provider(call: Call, answer: Any, kwargs: dict[str, Any], error: BaseException | None) -> None:
    """Provider and model of a call, as far as anybody says: the answer, the caller, the model's name."""
    model = call.model
    hidden = hidden_params(answer)
    provider = hidden.get("custom_llm_provider")
    if not provider and answer is not None:
        provider = fields_of(answer).get("custom_llm_provider")
    if provider == "cached_response":
        provider = None
    provider = provider or kwargs.get("custom_llm_provider") or getattr(error, "llm_provider", None)
    if not provider:
        prefix = model.partition("/")[0]
        known = "/" in model and prefix in litellm.provider_list
        provider = (
            prefix if known else None if error is not None else _provider(model, kwargs.get("api_base"))
        )
    if not isinstance(provider, str) or not provider:
        return
    # LiteLLM's own name for OpenAI's older endpoint; it is the same provider.
    label = provider.removeprefix("text-completion-")
    call.attributes["gen_ai.provider.name"] = label
    prefix, slash, rest = model.partition("/")
    if slash and prefix in (provider, label):
        call.model = call.attributes["gen_ai.request.model"] = rest


@lru_cache(maxsize=512)
def _provider(model: str, api_base: str | None) -> str | None:
    try:
        return litellm.get_llm_provider(model=model, api_base=api_base)[1]
    except litellm.exceptions.BadRequestError:
        return None


def hidden_params(answer: Any) -> dict[str, Any]:
    """LiteLLM's notes on an answer; empty where it has none."""
    try:
        hidden = answer.__pydantic_private__["_hidden_params"]  # as an attribute it costs four microseconds
    except (AttributeError, KeyError, TypeError):
        hidden = getattr(answer, "_hidden_params", None)
    return hidden if isinstance(hidden, dict) else {}


def describe_answer(call: Call, answer: Any, own: Attributes) -> None:
    """Write into `own` everything that a whole answer says."""
    hidden = hidden_params(answer)
    partly = False
    if hidden.get("cache_hit") is True:
        if call.seen:
            partly = True  # of a list of texts some: the tokens are those of all, what was billed is less
        else:
            call.attributes[CACHE_HIT] = True
    fields = fields_of(answer)
    describe_identity(call, fields.get("id"), fields.get("model"), own)
    tier = fields.get("service_tier")
    if isinstance(tier, str):
        own[SERVICE_TIER] = tier
    cost = hidden.get("response_cost")
    if cost and not partly and CACHE_HIT not in call.attributes and MOCK not in call.attributes:
        own[REPORTED_COST] = format(Decimal(repr(cost)), "f")
    describe_usage(call, fields.get("usage"), own, partly_cached=partly)
    reasons = messages.finish_reasons(fields)
    if reasons:
        own["gen_ai.response.finish_reasons"] = reasons
    feature = call.context.get("watchglass.feature")
    if content.wanted(feature):
        said = messages.answered(fields)
        if said:
            content.put(own, "gen_ai.output.messages", said, feature)


def describe_usage(call: Call, usage: Any, own: Attributes, *, partly_cached: bool = False) -> None:
    """Tokens that a provider billed; those of an answer that nobody billed are an estimate at most."""
    if usage is None or call.attributes.get(CACHE_HIT):
        return
    noted: Attributes = {}
    tier = note_usage(usage, noted)
    if partly_cached or call.attributes.get(MOCK):
        for key, name in ((ESTIMATED_INPUT, "input_tokens"), (ESTIMATED_OUTPUT, "output_tokens")):
            if f"gen_ai.usage.{name}" in noted:
                own[key] = noted[f"gen_ai.usage.{name}"]
        return
    own.update(noted)
    if tier and (tier == FAST or SERVICE_TIER not in own):
        own[SERVICE_TIER] = tier


def describe_identity(call: Call, identity: Any, model: Any, own: Attributes) -> None:
    """The provider's id of its answer, and the model that it says answered."""
    if isinstance(identity, str) and identity:
        made = identity.startswith(_MADE_HERE) and len(identity) == 45 and identity.count("-") == 5
        if not made:
            own["gen_ai.response.id"] = _unwrapped(identity)
    if isinstance(model, str) and model:
        provider = call.attributes.get("gen_ai.provider.name")
        if provider and model.startswith(f"{provider}/"):
            model = model.partition("/")[2]
        own["gen_ai.response.model"] = model


def _unwrapped(identity: str) -> str:
    """The provider's id within the one that LiteLLM makes of it for the responses API: base64 of
    `litellm:custom_llm_provider:…;model_id:…;response_id:<theirs>`."""
    if not identity.startswith("resp_"):
        return identity
    try:
        inside = b64decode(identity[5:], validate=True).decode()
    except ValueError:
        return identity
    return inside.partition(";response_id:")[2] or identity
