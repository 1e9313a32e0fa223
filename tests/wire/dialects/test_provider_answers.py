"""What a provider's answer says of its service tier, whoever wrapped it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wire.dialects.made import INTERNAL, described
from watchglass.wire.dialects.answers import answer_of

USAGE = {"input_tokens": 20, "output_tokens": 9, "service_tier": "standard", "speed": "fast"}
MESSAGE = {"id": "msg_1", "type": "message", "model": "claude-opus-4-8", "stop_reason": "end_turn"}
CHAIN = {"id": "msg_1", "model_name": "claude-opus-4-8", "usage": USAGE}
TEXT = "Message(id='msg_1', model='claude-opus-4-8', usage=Usage(input_tokens=20, output_tokens=9, {}))"


@pytest.mark.parametrize(
    "answer",
    [
        {**MESSAGE, "usage": USAGE},
        {"raw": {**MESSAGE, "usage": USAGE}},
        {"raw": TEXT.format("service_tier='standard', speed='fast'")},
        {"response_metadata": CHAIN, "usage_metadata": {"input_tokens": 20, "output_tokens": 9}},
        {"generations": [[{"message": {"kwargs": {"response_metadata": CHAIN}}}]]},
    ],
    ids=["plain", "LlamaIndex", "smolagents", "LangChain message", "LangChain result"],
)
def test_fast_mode_is_a_tier_of_its_own(answer: dict[str, Any]) -> None:
    """Anthropic bills `usage.speed` of `fast` by other prices; the service tier beside it is `standard`."""
    assert answer_of(answer).service_tier == "fast"
    assert answer_of(json.dumps(answer)).service_tier == "fast"


def test_the_speed_that_everybody_gets_is_no_tier() -> None:
    """A request that asked for fast mode and was refused it is billed as what its usage says."""
    usage = {**USAGE, "speed": "standard"}
    assert answer_of({**MESSAGE, "usage": usage}).service_tier == "standard"
    assert answer_of({"raw": TEXT.format("speed='standard'")}).service_tier is None


@pytest.mark.parametrize(
    ("answer", "tier"), [({}, "fast"), ({"usage": USAGE | {"speed": "standard"}}, "standard")]
)
def test_of_a_speed_that_was_asked_for_the_answer_knows_better(answer: dict[str, Any], tier: str) -> None:
    """`speed` among the parameters counts where the span has no usage that says which it was."""
    found = described(
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "claude-opus-4-8",
            "llm.invocation_parameters": '{"model": "claude-opus-4-8", "speed": "fast"}',
            "llm.token_count.prompt": 20,
            "llm.token_count.completion": 9,
            "llm.output_messages.0.message.content": "Blue.",
            "output.value": json.dumps({**MESSAGE, **answer}),
        },
        scope="openinference.instrumentation.anthropic",
        kind=INTERNAL,
    )
    assert found.service_tier == tier


def test_the_ai_sdk_keeps_the_usage_in_its_provider_metadata() -> None:
    """`providerMetadata.anthropic.usage` is Anthropic's own."""
    found = described(
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.model.provider": "anthropic.messages",
            "ai.model.id": "claude-opus-4-8",
            "ai.usage.inputTokens": 20,
            "ai.usage.outputTokens": 9,
            "ai.response.providerMetadata": json.dumps({"anthropic": {"usage": USAGE}}),
        },
        scope="ai",
    )
    assert found.service_tier == "fast"


def test_logfire_keeps_the_usage_as_it_came() -> None:
    """`gen_ai.usage.raw` says of the speed what the conventions have no name for."""
    found = described(
        {
            "request_data": '{"model": "claude-opus-4-8"}',
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "claude-opus-4-8",
            "gen_ai.usage.input_tokens": 20,
            "gen_ai.usage.output_tokens": 9,
            "gen_ai.usage.raw": json.dumps(USAGE),
        },
        scope="logfire.anthropic",
    )
    assert found.service_tier == "fast"
