"""The OpenTelemetry GenAI conventions, whoever writes them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.dialects.made import CLIENT, INTERNAL, described, span, tokens
from watchglass.model import Described, Message, Usage
from watchglass.wire.dialects import describe

CHAT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "server.address": "api.openai.com",
}


def test_current_generation_whole() -> None:
    """A 1.37 span gives every field; the finish reason is no part of the message."""
    found = described(
        {
            **CHAT,
            "gen_ai.request.stream": True,
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.finish_reasons": ["stop", "stop"],
            "gen_ai.response.time_to_first_chunk": 0.25,
            "gen_ai.usage.input_tokens": 120,
            "gen_ai.usage.output_tokens": 30,
            "gen_ai.usage.cache_read.input_tokens": 100,
            "gen_ai.usage.reasoning.output_tokens": 20,
            "openai.response.service_tier": "flex",
            "gen_ai.system_instructions": '[{"type": "text", "content": "Be brief."}]',
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}],"name":null}]',
            "gen_ai.output.messages": (
                '[{"role":"assistant","parts":[{"type":"text","content":"Ho"}],"finish_reason":"stop"}]'
            ),
        }
    )
    assert found == Described(
        dialect="otel-genai-1.37",
        kind="call",
        operation="chat",
        provider_label="openai",
        server_address="api.openai.com",
        request_model="gpt-4o",
        response_model="gpt-4o-2024-08-06",
        response_id="chatcmpl-1",
        usage=Usage(input_tokens=120, output_tokens=30, cache_read_tokens=100, reasoning_tokens=20),
        service_tier="flex",
        ttft_ns=250_000_000,
        streaming=True,
        finish_reasons=("stop", "stop"),
        input_messages=(
            Message("system", '{"parts":[{"content":"Be brief.","type":"text"}],"role":"system"}'),
            Message("user", '{"parts":[{"content":"Hi","type":"text"}],"role":"user"}'),
        ),
        output_messages=(
            Message("assistant", '{"parts":[{"content":"Ho","type":"text"}],"role":"assistant"}'),
        ),
        content_keys=("gen_ai.input.messages", "gen_ai.system_instructions", "gen_ai.output.messages"),
    )


def test_earlier_generation() -> None:
    """A span with `gen_ai.system` is the same call by another dialect's name; unsaid parts are unknown."""
    found = described(
        {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.usage.input_tokens": 4,
        }
    )
    assert (found.dialect, found.operation, found.provider_label) == (
        "otel-genai-1.36",
        "embeddings",
        "openai",
    )
    assert tokens(found) == (4, None, None, None, None)


@pytest.mark.parametrize(
    "operation",
    [
        "invoke_agent",
        "create_agent",
        "execute_tool",
        "invoke_workflow",
        "execute_task",
        "retrieval",
        "framework",
    ],
)
def test_work_that_is_no_request(operation: str) -> None:
    """An agent, tool or workflow is nothing without usage, and a repetition with it; never a call."""
    about = {**CHAT, "gen_ai.operation.name": operation}
    assert describe(span(about)) is None
    assert described({**about, "gen_ai.usage.input_tokens": 9}).kind == "aggregate"


@pytest.mark.parametrize(
    ("attributes", "kind", "expected"),
    [
        ({"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 3}, INTERNAL, "call"),
        ({"gen_ai.request.model": "m"}, CLIENT, "call"),
        ({"gen_ai.request.model": "m"}, INTERNAL, None),
        ({"gen_ai.system": "x"}, CLIENT, None),
        ({"gen_ai.request.model": "m", "gen_ai.tool.name": "t"}, CLIENT, None),
    ],
)
def test_spans_without_operation(attributes: dict[str, Any], kind: int, expected: str | None) -> None:
    """Without an operation name a span is a call if it names a model and is a client's or tells of usage."""
    found = describe(span(attributes, kind=kind, name="model x"))
    assert (found.kind if found else None) == expected


def test_token_counting_is_no_call() -> None:
    """A request that only counts tokens is not billed and is no call."""
    assert describe(span(CHAT, name="messages.count_tokens claude")) is None


def test_zero_usage_is_no_usage() -> None:
    """Both totals 0 is what libraries write for a stream without usage: unknown."""
    found = described({**CHAT, "gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0})
    assert not found.usage.known


def test_tokens_as_text() -> None:
    """Spring AI and others send counts as strings, and `none` for a model they do not know."""
    found = described(
        {
            **CHAT,
            "gen_ai.usage.input_tokens": "12",
            "gen_ai.usage.output_tokens": "3",
            "gen_ai.response.model": "none",
        }
    )
    assert tokens(found)[:2] == (12, 3)
    assert found.response_model is None


def test_parts_larger_than_the_whole_are_added() -> None:
    """Input below its cached part, or output below its reasoning, never included them."""
    found = described(
        {
            **CHAT,
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.usage.output_tokens": 5,
            "gen_ai.usage.cache_read.input_tokens": 1000,
            "gen_ai.usage.cache_creation.input_tokens": 200,
            "gen_ai.usage.reasoning.output_tokens": 50,
        }
    )
    assert tokens(found) == (1210, 55, 1000, 200, 50)


def test_reported_total_shows_an_excluded_cache() -> None:
    """A total that only adds up with the cached tokens shows that input left them out."""
    counts = {
        "gen_ai.usage.input_tokens": 2000,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.cache_read_input_tokens": 1500,
    }
    assert tokens(described({**CHAT, **counts, "gen_ai.usage.total_tokens": 3510}))[0] == 3500
    assert tokens(described({**CHAT, **counts, "gen_ai.usage.total_tokens": 2010}))[0] == 2000


def test_failure_by_type_and_event() -> None:
    """The error type is the attribute, else the exception's, else the status code in the client's message."""
    raised = ("exception", 5, {"exception.type": "openai.RateLimitError", "exception.message": "slow down"})
    found = described(CHAT, status=2, events=(raised,))
    assert (found.kind, found.success, found.error_type) == ("call", False, "openai.RateLimitError")
    assert found.error_message == "slow down"
    assert described({**CHAT, "error.type": "timeout"}).error_type == "timeout"
    assert described(CHAT, status=2, message="Error code: 429 - {}").error_type == "429"
    assert described(CHAT, status=2).error_type == "_OTHER"
    assert described({**CHAT, "http.response.status_code": 529}).success is False


def test_messages_in_events_of_the_span() -> None:
    """Azure's and the first generations' span events hold the messages and the finish reason."""
    found = described(
        CHAT,
        events=(
            ("gen_ai.user.message", 1, {"gen_ai.event.content": '{"role": "user", "content": "Hi"}'}),
            ("gen_ai.choice", 9, {"gen_ai.event.content": '{"message": {"content": "Ho"}, "index": 0}'}),
        ),
    )
    assert [each.role for each in found.input_messages] == ["user"]
    assert found.output_messages[0].content == '{"parts":[{"content":"Ho","type":"text"}],"role":"assistant"}'


def test_first_chunk_event_is_time_to_first_token() -> None:
    """The first event of a streamed piece tells when the answer began, and that it was streamed."""
    found = described(CHAT, events=(("gen_ai.content.completion.chunk", 70_000_000, {}),))
    assert (found.ttft_ns, found.streaming) == (70_000_000, True)


@pytest.mark.parametrize("operation", ["chat.completions", "text.completions", "acompletion", "responses"])
def test_operations_by_other_names(operation: str) -> None:
    """Semantic Kernel's, LiteLLM's and others' words for a request are requests."""
    assert described({**CHAT, "gen_ai.operation.name": operation}).kind == "call"


def test_plain_web_span_is_nothing() -> None:
    """A web request has nothing to do with an LLM."""
    assert describe(span({"http.request.method": "POST", "server.address": "api.openai.com"})) is None
