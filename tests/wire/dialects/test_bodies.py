"""Whole bodies inside attributes: read whatever they are, and never an error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.dialects.made import span
from watchglass.model import NO_USAGE, Described, Usage
from watchglass.wire.dialects import context, describe
from watchglass.wire.dialects.answers import NO_ANSWER, answer_of
from watchglass.wire.dialects.bodies import answer_messages, request_messages
from watchglass.wire.dialects.usages import completed, usage_of

WORDS = st.sampled_from(
    [
        *("id", "object", "type", "model", "usage", "usage_metadata", "choices", "candidates", "generations"),
        *("message", "messages", "content", "parts", "kwargs", "data", "response_metadata", "raw", "output"),
        *("role", "text", "tool_calls", "function", "name", "arguments", "input", "system", "prompt"),
        *("prompt_tokens", "input_tokens", "output_tokens", "total_tokens", "prompt_token_count", "total"),
        *("prompt_tokens_details", "cached_tokens", "input_token_details", "cache_read", "token_usage"),
        *("anthropic", "openai", "usageMetadata", "finish_reason", "stop_reason", "status", "stream"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=12,
)
BODIES = VALUES | VALUES.map(json.dumps) | st.sampled_from(["[" * 3_000, '{"raw": "usage=', "{'a': 1}"])

KEYS: dict[str, tuple[str, ...]] = {
    "openinference.span.kind": (
        *("input.value", "output.value", "llm.invocation_parameters", "llm.model_name", "llm.finish_reason"),
        *(
            "llm.token_count.prompt",
            "llm.token_count.completion",
            "llm.token_count.prompt_details.cache_read",
        ),
        *("llm.input_messages.0.message.role", "llm.input_messages.0.message.content", "llm.cost.total"),
        *(
            "llm.input_messages.x.message.role",
            "llm.input_messages.0.message.tool_call_id",
            "llm.cost.prompt",
        ),
        *("llm.output_messages.0.message.contents.0.message_content.text", "llm.choices.0.completion.text"),
        *("llm.output_messages.0.message.tool_calls.0.tool_call.function.name", "llm.token_count.total"),
        *("llm.output_messages.0.message.contents.0.tool_call.id", "embedding.embeddings.0.embedding.text"),
    ),
    "ai.operationId": (
        *(
            "ai.usage.inputTokens",
            "ai.usage.outputTokens",
            "ai.response.providerMetadata",
            "ai.prompt.messages",
        ),
        *("ai.response.toolCalls", "ai.response.text", "ai.values", "ai.response.msToFirstChunk"),
    ),
    "langfuse.observation.type": (
        *("langfuse.observation.usage_details", "langfuse.observation.cost_details"),
        *("langfuse.observation.input", "langfuse.observation.output", "langfuse.observation.level"),
        *("langfuse.observation.completion_start_time", "langfuse.observation.model.parameters"),
    ),
    "mlflow.spanType": (
        *("mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.chat.tokenUsage", "mlflow.llm.cost", "model"),
    ),
    "langsmith.span.kind": (
        *("gen_ai.prompt", "gen_ai.completion", "langsmith.metadata.usage_metadata", "gen_ai.request.model"),
    ),
    "request_data": (
        *("response_data", "gen_ai.usage.raw", "events", "operation.cost", "logfire.msg_template"),
        *("logfire.span_type", "gen_ai.request.model", "model_name", "gen_ai.aggregated_usage.input_tokens"),
    ),
}
FIRST = {
    "openinference.span.kind": st.sampled_from(["LLM", "llm", "EMBEDDING", "CHAIN", 3]),
    "ai.operationId": st.sampled_from(["ai.generateText.doGenerate", "ai.embed.doEmbed", "ai.streamText", 3]),
    "langfuse.observation.type": st.sampled_from(["generation", "embedding", "span", 3]),
    "mlflow.spanType": st.sampled_from(['"CHAT_MODEL"', '"EMBEDDING"', '"AGENT"', 3]),
    "langsmith.span.kind": st.sampled_from(["llm", "embedding", "chain", 3]),
    "request_data": VALUES.map(json.dumps),
}
SCOPES = st.sampled_from(["", "logfire.openai", "pydantic-ai", "openinference.instrumentation.crewai", "ai"])


@st.composite
def attributes(draw: st.DrawFn) -> dict[str, Any]:
    """A span of one of these dialects with values of any kind under its names."""
    marker = draw(st.sampled_from(sorted(KEYS)))
    made = draw(st.dictionaries(st.sampled_from(KEYS[marker]), BODIES, max_size=8))
    return {marker: draw(FIRST[marker]), **made}


@settings(max_examples=150, deadline=None)
@given(attributes(), SCOPES)
def test_no_value_raises_or_leaves_the_rule(made: dict[str, Any], scope: str) -> None:
    """Whatever the values are, there is an answer, the same one twice, whose parts fit in their totals."""
    one = span(made, scope=scope)
    found = describe(one)
    assert found == describe(one)
    context(one)
    if isinstance(found, Described):
        assert set(found.content_keys) <= made.keys()
        assert all(isinstance(json.loads(each.content), dict) for each in found.input_messages)
        _fits(found.usage)


@settings(max_examples=150, deadline=None)
@given(BODIES)
def test_any_body_is_read_or_is_none(body: Any) -> None:
    """A body of any shape gives an answer, messages and usage, empty where there are none."""
    answer = answer_of(body)
    _fits(answer.tokens())
    _fits(usage_of(body))
    request_messages(body)
    answer_messages(body)


def _fits(usage: Usage) -> None:
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    assert usage.input_tokens is None or cached <= usage.input_tokens
    assert usage.output_tokens is None or (usage.reasoning_tokens or 0) <= usage.output_tokens


def test_what_is_no_answer() -> None:
    """Plain text, lists and broken JSON are no answer."""
    for value in ("Blue.", '["a"]', '{"id": ', "", None, 7, [1]):
        assert answer_of(value) == NO_ANSWER


@pytest.mark.parametrize(
    ("body", "roles"),
    [
        ({"system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]}, ["system", "user"]),
        ({"instructions": "Be brief.", "input": "Hi"}, ["system", "user"]),
        ({"contents": [{"role": "model", "parts": [{"text": "Hi"}]}]}, ["assistant"]),
        ({"system_instruction": {"parts": [{"text": "Be brief."}]}, "contents": "Hi"}, ["system", "user"]),
        ({"input": ["one", "two"]}, ["user", "user"]),
        (
            {"messages": [[{"type": "human", "content": "Hi"}, {"type": "ai", "content": "Ho"}]]},
            ["user", "assistant"],
        ),
        ("Hi", ["user"]),
        ("__REDACTED__", []),
        ("", []),
    ],
)
def test_requests_of_every_provider(body: Any, roles: list[str]) -> None:
    """OpenAI's, Anthropic's, Gemini's and LangChain's request bodies all hold messages."""
    assert [each.role for each in request_messages(body)] == roles


def test_completing_needs_agreement() -> None:
    """Parts are taken over only from figures that speak of the same totals."""
    totals = Usage(input_tokens=10, output_tokens=2)
    parts = Usage(input_tokens=10, output_tokens=2, cache_read_tokens=4)
    other = Usage(input_tokens=11, output_tokens=2, cache_read_tokens=4)
    assert completed(totals, parts) == parts
    assert completed(totals, other) == totals
    assert completed(NO_USAGE, other) == other
    assert completed(totals, NO_USAGE) == totals
