"""mlflow: JSON in strings, the provider's own usage inside the answer, and the conventions' names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wire.dialects.made import described, span, tokens
from watchglass.model import Context
from watchglass.wire.dialects import context, describe

OUTPUTS: list[tuple[str, dict[str, Any], tuple[int | None, ...], str | None]] = [
    (
        "OpenAI",
        {
            "id": "chatcmpl-1",
            "model": "o4-mini-2025-04-16",
            "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "Blue."}}],
            "usage": {
                "prompt_tokens": 14,
                "completion_tokens": 145,
                "completion_tokens_details": {"reasoning_tokens": 128},
            },
        },
        (14, 145, None, None, 128),
        "chatcmpl-1",
    ),
    (
        "Anthropic",
        {
            "id": "msg_1",
            "type": "message",
            "model": "claude",
            "stop_reason": "stop",
            "role": "assistant",
            "content": [{"type": "text", "text": "Blue."}],
            "usage": {"input_tokens": 20, "output_tokens": 17, "cache_read_input_tokens": 1024},
        },
        (1044, 17, 1024, None, None),
        "msg_1",
    ),
    (
        "Gemini",
        {
            "candidates": [
                {"content": {"role": "model", "parts": [{"text": "Blue."}]}, "finish_reason": "stop"}
            ],
            "model_version": "gemini-2.5-pro",
            "response_id": "g1",
            "usage_metadata": {
                "prompt_token_count": 12,
                "candidates_token_count": 17,
                "thoughts_token_count": 128,
            },
        },
        (12, 145, None, None, 128),
        "g1",
    ),
    (
        "Bedrock",
        {
            "output": {"message": {"role": "assistant", "content": [{"text": "Blue."}]}},
            "stopReason": "stop",
            "usage": {"inputTokens": 9, "outputTokens": 17, "cacheReadInputTokens": 100, "totalTokens": 126},
        },
        (109, 17, 100, None, None),
        None,
    ),
]


@pytest.mark.parametrize(
    ("library", "outputs", "expected", "identity"), OUTPUTS, ids=[each[0] for each in OUTPUTS]
)
def test_the_answer_is_read_whoever_gave_it(
    library: str, outputs: dict[str, Any], expected: tuple[int | None, ...], identity: str | None
) -> None:
    """The provider's own usage, in its own counting rule, is preferred to mlflow's short form of it."""
    found = described(
        {
            "mlflow.spanType": '"CHAT_MODEL"',
            "mlflow.spanInputs": '{"model": "asked", "messages": [{"role": "user", "content": "Which?"}]}',
            "mlflow.spanOutputs": json.dumps(outputs),
            "mlflow.chat.tokenUsage": '{"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}',
        },
        scope="mlflow.tracing.provider",
        name=library,
    )
    assert tokens(found) == expected
    assert (found.response_id, found.finish_reasons, found.request_model) == (identity, ("stop",), "asked")
    assert found.output_messages[0].content == (
        '{"parts":[{"content":"Blue.","type":"text"}],"role":"assistant"}'
    )
    assert found.may_wrap


def test_without_an_answer_the_short_usage_is_read() -> None:
    """Values are JSON in strings, words with their quotes."""
    found = described(
        {
            "mlflow.spanType": '"LLM"',
            "model": '"gpt-4o"',
            "stream": "true",
            "mlflow.llm.model": '"gpt-4o-2024-08-06"',
            "mlflow.chat.tokenUsage": json.dumps(
                {
                    "input_tokens": 1523,
                    "output_tokens": 17,
                    "total_tokens": 1540,
                    "cache_read_input_tokens": 1024,
                }
            ),
            "mlflow.spanOutputs": '"Blue."',
        }
    )
    assert tokens(found) == (1523, 17, 1024, None, None)
    assert (found.request_model, found.response_model, found.streaming) == (
        "gpt-4o",
        "gpt-4o-2024-08-06",
        True,
    )


def test_other_types() -> None:
    """Agents with a usage repeat it; without one they are nothing, and so are tools and token counting."""
    usage = {"mlflow.chat.tokenUsage": '{"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}'}
    assert described({"mlflow.spanType": '"AGENT"', **usage}).kind == "aggregate"
    assert describe(span({"mlflow.spanType": '"AGENT"'})) is None
    assert describe(span({"mlflow.spanType": '"TOOL"', "mlflow.spanOutputs": '"x"'})) is None
    assert describe(span({"mlflow.spanType": '"LLM"'}, name="Models.count_tokens")) is None
    assert context(span({"mlflow.spanType": '"AGENT"'}, name="order-agent")) == Context(agent="order-agent")


def test_in_the_conventions_names_the_requested_model_is_the_answered() -> None:
    """With the conventions switched on, `gen_ai.request.model` is the answer's; `model` is what was asked."""
    found = described(
        {
            "model": '"gpt-4o"',
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o-2024-08-06",
            "gen_ai.usage.input_tokens": 25,
            "gen_ai.usage.output_tokens": 17,
        },
        scope="mlflow.tracing.provider",
    )
    assert (found.dialect, found.request_model, found.response_model) == (
        "mlflow",
        "gpt-4o",
        "gpt-4o-2024-08-06",
    )
