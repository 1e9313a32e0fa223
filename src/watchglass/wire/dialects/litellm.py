"""LiteLLM's otel callback, both generations, as library and as proxy.

First generation: `litellm_request` (usage, cost, caller's metadata as strings) with a child
`raw_gen_ai_request` that holds the provider's own answer as `llm.<provider>.*`: a supplement, the only place
of the provider's response id and model. Second generation (`LITELLM_OTEL_V2`): one client span by the
conventions with `litellm.*`. Input includes cached tokens for every provider. (litellm 1.60 to 1.106.)
"""

from __future__ import annotations

import re

import msgspec

from watchglass.model import Attributes, Context, Described, Span, Step, Usage, Value
from watchglass.wire.dialects import totals
from watchglass.wire.dialects.answers import tier_of
from watchglass.wire.dialects.genai import describe_judged
from watchglass.wire.dialects.messages import indexed_messages
from watchglass.wire.dialects.operations import judge
from watchglass.wire.dialects.steps import step_by_operation
from watchglass.wire.values import first_text, json_value, mapping, money, text

_RAW = "raw_gen_ai_request"
_MADE_HERE = re.compile(r"chatcmpl-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OWN_IDS = frozenset(
    {
        *("anthropic", "bedrock", "bedrock_converse", "vertex_ai", "gemini", "cohere", "cohere_chat"),
        *("ollama", "ollama_chat", "huggingface", "replicate", "sagemaker", "watsonx", "palm"),
    }
)
"""Providers that LiteLLM translates: for those it makes a response id of OpenAI's form itself."""


class _Hidden(msgspec.Struct, gc=False):
    """What is read of `hidden_params`, JSON text."""

    api_base: str | None = None


_hidden = msgspec.json.Decoder(_Hidden).decode


class LiteLLM:
    """Reads the spans of LiteLLM's otel callback."""

    name = "litellm"

    def matches(self, span: Span) -> bool:
        """By scope, or by its call id on a span of the application that the callback wrote to."""
        return span.scope.name == "litellm" or "litellm.call_id" in span.attributes

    def describe(self, span: Span) -> Described | None:
        """The request, or the supplement below it; the proxy's own steps are neither."""
        if span.name == _RAW:
            return _raw(span, self.name)
        attributes = span.attributes
        said = _usage(attributes)
        judged = judge(span, said.known)
        if judged is None:
            return None
        return _mended(describe_judged(span, self.name, judged, said), attributes)

    def step(self, span: Span) -> Step | None:
        """By the conventions: the gateway runs agents and tools of others."""
        return step_by_operation(span, self.name)

    def context(self, span: Span) -> Context:
        """User and session as the caller of LiteLLM or its proxy named them."""
        attributes = span.attributes
        user = first_text(
            attributes, "llm.user", "metadata.user_api_key_end_user_id", "metadata.user_api_key_user_id"
        )
        session = first_text(attributes, "litellm.session_id", "metadata.litellm_session_id")
        return Context(user=user, session=session)


def _usage(attributes: Attributes) -> Usage:
    """Totals from the attributes; what they do not split, from the usage object that the metadata repeats."""
    said = totals.usage(attributes)
    split = attributes.get("metadata.usage_object")
    if not said.known or not isinstance(split, str):
        return said
    parts = totals.provider_usage(_literal(split))
    unsaid = {name: getattr(parts, name) for name in Usage.__struct_fields__ if getattr(said, name) is None}
    return msgspec.structs.replace(said, **unsaid)


def _mended(described: Described, attributes: Attributes) -> Described:
    """Cost, host and provider from LiteLLM's own attributes; its aliases and made-up ids taken out."""
    label = described.provider_label or text(attributes.get("error.llm_provider"))
    cost = described.reported_cost_usd or money(attributes.get("litellm.cost.total"))
    answered = described.output_messages
    keys = described.content_keys
    if "gen_ai.completion.0.function_call.name" in attributes and not _has_tool_call(described):
        # The output message of a tool call has no parts: the call is beside it, by indexed names.
        answered, more = indexed_messages(attributes, "gen_ai.completion", "assistant")
        keys = (*keys, *more)
    return msgspec.structs.replace(
        described,
        provider_label=label,
        server_address=described.server_address or _api_base(attributes),
        response_model=_answered_model(described, label, attributes),
        response_id=_provider_id(described.response_id, label, attributes),
        reported_cost_usd=cost or None,  # 0 is what it reports for a model that it has no price for
        output_messages=answered,
        content_keys=keys,
    )


def _raw(span: Span, dialect: str) -> Described | None:
    """The provider's own answer: id, model and usage, for the `litellm_request` above."""
    answer: dict[str, Value] = {}
    label = None
    for key, value in span.attributes.items():
        place = key.split(".", 2)
        if len(place) == 3 and place[0] == "llm":
            label = place[1]
            answer[place[2]] = value
    identity = text(answer.get("id"))
    usage = _literal(answer.get("usage"))
    said = totals.provider_usage(usage)
    if identity is None and not said.known:
        return None
    return Described(
        dialect=dialect,
        kind="supplement",
        operation="chat",
        provider_label=None if label == "None" else label,
        response_model=text(answer.get("model")),
        response_id=identity,
        usage=said,
        service_tier=tier_of(answer.get("service_tier"), usage),
        supplements_span_id=span.parent_span_id or None,
    )


def _literal(value: Value) -> Value:
    """A Python literal's text as a map; most are JSON but for quotes and three words: much quicker."""
    if not isinstance(value, str):
        return value
    quick = value.replace("'", '"').replace("None", "null").replace("True", "true").replace("False", "false")
    decoded = json_value(quick)
    return decoded if isinstance(decoded, dict) else dict(mapping(value))


def _has_tool_call(described: Described) -> bool:
    return any('"tool_call"' in each.content for each in described.output_messages)


def _api_base(attributes: Attributes) -> str | None:
    hidden = attributes.get("hidden_params")
    if not isinstance(hidden, str):
        return None
    try:
        return text(_hidden(hidden).api_base)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None


def _answered_model(described: Described, label: str | None, attributes: Attributes) -> str | None:
    """The model without LiteLLM's provider prefix; a proxy's group name is no model."""
    model = described.response_model
    if model is None or model == text(attributes.get("litellm.model_group")) != described.request_model:
        return None
    return model.removeprefix(f"{label}/") if label is not None else model


def _provider_id(identity: str | None, label: str | None, attributes: Attributes) -> str | None:
    """The response id, unless LiteLLM made it: then it identifies nothing outside LiteLLM."""
    if identity is None or identity == attributes.get("litellm.call_id"):
        return None
    return None if label in _OWN_IDS and _MADE_HERE.fullmatch(identity) else identity


LITELLM = LiteLLM()
