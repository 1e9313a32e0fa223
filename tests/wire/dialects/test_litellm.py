"""LiteLLM's otel callback, both generations."""

from __future__ import annotations

from decimal import Decimal

from tests.wire.dialects.made import INTERNAL, described, span, tokens
from watchglass.model import Context, Usage
from watchglass.wire.dialects import context, describe

REQUEST = {
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.response.model": "claude-sonnet-4-5-20250929",
    "gen_ai.system": "anthropic",
    "llm.request.type": "acompletion",
    "gen_ai.operation.name": "acompletion",
    "litellm.call_id": "c-1",
    "gen_ai.response.id": "chatcmpl-01697b8e-479f-4755-8423-2b2fd77dbbcb",
    "gen_ai.usage.input_tokens": 3098,
    "gen_ai.usage.output_tokens": 17,
    "gen_ai.usage.total_tokens": 3115,
    "gen_ai.cost.total_cost": 0.0083202,
    "gen_ai.response.finish_reasons": '["stop"]',
    "llm.is_streaming": "False",
    "hidden_params": '{"model_id": null, "api_base": "https://api.anthropic.com", "response_cost": 0.0083}',
    "metadata.usage_object": (
        "{'completion_tokens': 17, 'prompt_tokens': 3098, 'total_tokens': 3115, "
        "'completion_tokens_details': {'reasoning_tokens': 0}, "
        "'prompt_tokens_details': {'audio_tokens': None, 'cache_write_tokens': 2048, 'cached_tokens': 1024}}"
    ),
}


def test_first_generation_request() -> None:
    """Usage, its split out of the usage object, cost, host; an id that LiteLLM made is no response id."""
    found = described(REQUEST, scope="litellm", name="litellm_request", kind=INTERNAL)
    assert (found.dialect, found.kind, found.operation) == ("litellm", "call", "chat")
    assert tokens(found) == (3098, 17, 1024, 2048, 0)
    assert found.reported_cost_usd == Decimal("0.0083202")
    assert found.server_address == "https://api.anthropic.com"
    assert found.finish_reasons == ("stop",)
    assert found.streaming is False
    assert found.response_id is None


def test_group_names_and_prefixes_are_no_models() -> None:
    """A proxy's model group is not the model that answered, and LiteLLM's own prefix is no part of a name."""
    group = {**REQUEST, "litellm.model_group": "fast", "gen_ai.response.model": "fast"}
    assert described(group, scope="litellm").response_model is None
    deep = {**REQUEST, "gen_ai.system": "deepinfra", "gen_ai.response.model": "deepinfra/meta-llama/L-70B"}
    assert described(deep, scope="litellm").response_model == "meta-llama/L-70B"


def test_raw_request_is_a_supplement() -> None:
    """The child holds the provider's own answer for the request above: id, model, usage."""
    found = described(
        {
            "llm.anthropic.id": "msg_1",
            "llm.anthropic.model": "claude-sonnet-4-5-20250929",
            "llm.anthropic.usage": (
                "{'input_tokens': 26, 'cache_creation_input_tokens': 2048, 'cache_read_input_tokens': 1024, "
                "'cache_creation': {'ephemeral_5m_input_tokens': 0, 'ephemeral_1h_input_tokens': 2048}, "
                "'output_tokens': 17, 'service_tier': 'standard'}"
            ),
        },
        scope="litellm",
        name="raw_gen_ai_request",
        parent="00000000000000aa",
    )
    assert (found.kind, found.supplements_span_id) == ("supplement", "00000000000000aa")
    assert (found.response_id, found.response_model) == ("msg_1", "claude-sonnet-4-5-20250929")
    assert found.usage == Usage(
        input_tokens=3098,
        output_tokens=17,
        cache_read_tokens=1024,
        cache_write_tokens=2048,
        cache_write_1h_tokens=2048,
    )


def test_fast_mode_is_a_tier_of_its_own() -> None:
    """Anthropic's usage says `standard` of the service tier and `fast` of the speed, which is billed."""
    usage = "{'input_tokens': 26, 'output_tokens': 17, 'service_tier': 'standard', 'speed': 'fast'}"
    found = described(
        {"llm.anthropic.id": "msg_1", "llm.anthropic.usage": usage},
        scope="litellm",
        name="raw_gen_ai_request",
        parent="00000000000000aa",
    )
    assert found.service_tier == "fast"


def test_steps_of_the_proxy_are_nothing() -> None:
    """Router, auth and an empty raw request have nothing to tell."""
    assert (
        describe(span({"service": "router", "call_type": "acompletion"}, scope="litellm", name="router"))
        is None
    )
    assert describe(span({}, scope="litellm", name="raw_gen_ai_request")) is None


def test_failed_request() -> None:
    """A failed request is a failed call, with the provider that the error names."""
    found = described(
        {
            "gen_ai.request.model": "gpt-4o-mini",
            "llm.request.type": "acompletion",
            "error.type": "InternalServerError",
            "error.message": "the server had an error",
            "error.llm_provider": "openai",
        },
        scope="litellm",
        status=2,
    )
    assert (found.kind, found.success, found.error_type) == ("call", False, "InternalServerError")
    assert (found.provider_label, found.error_message) == ("openai", "the server had an error")


def test_second_generation() -> None:
    """By the conventions, with LiteLLM's cost; a cost of 0 is a model without a price."""
    about = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 1522,
        "gen_ai.usage.output_tokens": 17,
        "gen_ai.usage.cache_read.input_tokens": 1024,
        "litellm.cost.total": 0.002695,
        "litellm.request.streaming": True,
    }
    found = described(about, scope="litellm")
    assert tokens(found) == (1522, 17, 1024, None, None)
    assert (found.reported_cost_usd, found.streaming) == (Decimal("0.002695"), True)
    assert described({**about, "litellm.cost.total": 0.0}, scope="litellm").reported_cost_usd is None


def test_tool_call_beside_an_empty_message() -> None:
    """The first generation writes a tool call beside the output message, by indexed names."""
    found = described(
        {
            **REQUEST,
            "gen_ai.output.messages": '[{"role": "assistant", "parts": [], "finish_reason": "tool_calls"}]',
            "gen_ai.completion.0.function_call.name": "get_order",
            "gen_ai.completion.0.function_call.arguments": '{"order_id": "1234"}',
        },
        scope="litellm",
    )
    assert '"get_order"' in found.output_messages[0].content


def test_user_of_the_caller() -> None:
    """The `user` of the request is the user."""
    assert context(span({"llm.user": "u-7"}, scope="litellm")) == Context(user="u-7")
