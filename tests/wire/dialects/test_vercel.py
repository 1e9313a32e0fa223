"""Vercel's ai SDK: inner spans are the requests, outer ones repeat; counting rules by version."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wire.dialects.made import described, span, tokens
from watchglass.model import Context
from watchglass.wire.dialects import context, describe

GENERATE = "ai.generateText.doGenerate"


def test_a_streamed_request_of_version_6() -> None:
    """Input includes the cache, milliseconds count from the start, ids and finish reasons stand beside."""
    found = described(
        {
            "ai.operationId": "ai.streamText.doStream",
            "ai.model.provider": "openai.chat",
            "ai.model.id": "gpt-4o",
            "ai.prompt.messages": json.dumps(
                [
                    {"role": "user", "content": [{"type": "text", "text": "When?"}]},
                    {
                        "role": "assistant",
                        "content": [
                            {"type": "tool-call", "toolCallId": "c1", "toolName": "look", "input": {"n": 1}}
                        ],
                    },
                    {
                        "role": "tool",
                        "content": [{"type": "tool-result", "toolCallId": "c1", "output": "Tuesday"}],
                    },
                ]
            ),
            "ai.response.text": "On Tuesday.",
            "ai.response.finishReason": "stop",
            "ai.response.id": "chatcmpl-1",
            "ai.response.model": "gpt-4o-2024-08-06",
            "ai.response.msToFirstChunk": 49.5,
            "ai.usage.inputTokens": 1567,
            "ai.usage.inputTokenDetails.noCacheTokens": 543,
            "ai.usage.inputTokenDetails.cacheReadTokens": 1024,
            "ai.usage.outputTokens": 17,
            "ai.usage.totalTokens": 1584,
        },
        scope="ai",
    )
    assert (found.dialect, found.kind, found.operation) == ("vercel-ai", "call", "chat")
    assert tokens(found) == (1567, 17, 1024, None, None)
    assert (found.provider_label, found.request_model) == ("openai.chat", "gpt-4o")
    assert (found.response_model, found.response_id) == ("gpt-4o-2024-08-06", "chatcmpl-1")
    assert (found.ttft_ns, found.streaming, found.finish_reasons) == (49_500_000, True, ("stop",))
    assert [json.loads(each.content)["parts"][0] for each in found.input_messages] == [
        {"type": "text", "content": "When?"},
        {"type": "tool_call", "id": "c1", "name": "look", "arguments": {"n": 1}},
        {"type": "tool_call_response", "id": "c1", "response": "Tuesday"},
    ]
    assert found.content_keys == ("ai.prompt.messages", "ai.response.text")


def test_the_function_around_repeats() -> None:
    """`ai.generateText` is the sum of its requests; a tool call is neither."""
    outer = {
        "ai.operationId": "ai.generateText",
        "ai.usage.promptTokens": 81,
        "ai.usage.completionTokens": 17,
    }
    assert described(outer).kind == "aggregate"
    assert describe(span({"ai.operationId": "ai.generateText"}, status=2)) is None
    assert describe(span({"ai.operationId": "ai.toolCall", "ai.toolCall.name": "look"})) is None


@pytest.mark.parametrize(
    ("provider", "extra", "expected"),
    [
        # version 5, Anthropic: the input is Anthropic's own, without the cache
        (
            "anthropic.messages",
            {
                "ai.usage.cachedInputTokens": 1024,
                "ai.response.providerMetadata": '{"anthropic": {"cacheCreationInputTokens": 2048}}',
            },
            (3092, 17, 1024, 2048, None),
        ),
        # version 5, OpenAI: the input has it
        ("openai.chat", {"ai.usage.cachedInputTokens": 10}, (20, 17, 10, None, None)),
        # version 5, Gemini: thoughts are beside the output, as the total shows
        (
            "google.generative-ai",
            {"ai.usage.reasoningTokens": 128, "ai.usage.totalTokens": 165},
            (20, 145, None, None, 128),
        ),
        # version 4, OpenAI: the parts are only in the provider's metadata
        (
            "openai.chat",
            {"ai.response.providerMetadata": '{"openai": {"reasoningTokens": 3, "cachedPromptTokens": 8}}'},
            (20, 17, 8, None, 3),
        ),
    ],
)
def test_counting_before_version_6(
    provider: str, extra: dict[str, Any], expected: tuple[int | None, ...]
) -> None:
    """Before version 6 the totals are what the provider says."""
    found = described(
        {
            "ai.operationId": GENERATE,
            "ai.model.provider": provider,
            "ai.usage.inputTokens": 20,
            "ai.usage.outputTokens": 17,
            **extra,
        }
    )
    assert tokens(found) == expected


def test_unknown_tokens_and_made_up_ids() -> None:
    """Version 4 writes NaN for a stream without usage; `aitxt-` ids are the SDK's own."""
    found = described(
        {
            "ai.operationId": "ai.streamText.doStream",
            "ai.response.id": "aitxt-abc",
            "ai.usage.promptTokens": float("nan"),
            "ai.usage.completionTokens": float("nan"),
        }
    )
    assert (tokens(found), found.response_id) == ((None, None, None, None, None), None)


def test_embeddings() -> None:
    """Embeddings count `ai.usage.tokens`; their values are JSON texts."""
    found = described(
        {
            "ai.operationId": "ai.embedMany.doEmbed",
            "ai.model.provider": "openai.embedding",
            "ai.model.id": "text-embedding-3-small",
            "ai.values": ['"one"', '"two"'],
            "ai.usage.tokens": 3,
        }
    )
    assert (found.operation, tokens(found)) == ("embeddings", (3, None, None, None, None))
    assert len(found.input_messages) == 2


def test_a_failed_attempt_is_a_call() -> None:
    """Each attempt has a span of its own."""
    found = described(
        {"ai.operationId": GENERATE, "ai.model.id": "gpt-4o"},
        status=2,
        message="Rate limit",
        events=(("exception", 1, {"exception.type": "AI_APICallError", "exception.message": "Rate limit"}),),
    )
    assert (found.success, found.error_type, found.error_message) == (False, "AI_APICallError", "Rate limit")


def test_the_function_id_is_the_agent() -> None:
    """The application names the step in `ai.telemetry.functionId`."""
    made = span({"ai.operationId": GENERATE, "ai.telemetry.functionId": "order.answer"})
    assert context(made) == Context(agent="order.answer")
