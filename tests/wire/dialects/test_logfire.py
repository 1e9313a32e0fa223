"""logfire and pydantic-ai: streams in two spans, copied models, sums under other names."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from tests.wire.dialects.made import INTERNAL, described, span, tokens
from watchglass.wire.dialects import describe

LOGFIRE = "logfire.openai"
ASKED = '[{"role": "user", "parts": [{"type": "text", "content": "When?"}]}]'
ANSWERED = '[{"role": "assistant", "parts": [{"type": "text", "content": "Tuesday."}]}]'


def request(**more: Any) -> dict[str, Any]:
    """A request's attributes as logfire 5 writes them."""
    return {
        "request_data": '{"model": "gpt-4o"}',
        "gen_ai.system": "openai",
        "gen_ai.provider.name": "openai",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.input.messages": ASKED,
        "logfire.msg_template": "Chat Completion with {request_data[model]!r}",
        "logfire.span_type": "span",
        **more,
    }


def test_the_raw_usage_has_every_part() -> None:
    """The conventions' names have the totals only; `gen_ai.usage.raw` is the provider's own."""
    raw = {
        "prompt_tokens": 1512,
        "completion_tokens": 145,
        "prompt_tokens_details": {"cached_tokens": 1024},
        "completion_tokens_details": {"reasoning_tokens": 128},
    }
    found = described(
        request(
            **{
                "gen_ai.response.model": "gpt-4o-2024-08-06",
                "gen_ai.response.id": "chatcmpl-1",
                "gen_ai.usage.input_tokens": 1512,
                "gen_ai.usage.output_tokens": 145,
                "gen_ai.usage.raw": json.dumps(raw),
                "gen_ai.output.messages": ANSWERED,
                "operation.cost": 0.005,
            }
        ),
        scope=LOGFIRE,
    )
    assert (found.dialect, found.kind, tokens(found)) == ("logfire", "call", (1512, 145, 1024, None, 128))
    assert (found.response_model, found.response_id) == ("gpt-4o-2024-08-06", "chatcmpl-1")
    assert found.reported_cost_usd == Decimal("0.005")


def test_a_stream_is_a_request_and_a_supplement() -> None:
    """The first span is the call; the zero-length one at the end brings usage and answer to it."""
    opened = described(request(**{"gen_ai.response.model": "gpt-4o"}), scope=LOGFIRE)
    ended = described(
        request(
            **{
                "logfire.span_type": "log",
                "logfire.msg_template": "streaming response from {request_data[model]!r}",
                "duration": 0.32,
                "gen_ai.response.model": "gpt-4o",
                "gen_ai.output.messages": ANSWERED,
                "gen_ai.usage.input_tokens": 27,
                "gen_ai.usage.output_tokens": 17,
            }
        ),
        scope=LOGFIRE,
        kind=INTERNAL,
    )
    assert (opened.kind, opened.response_model, opened.usage.known) == ("call", None, False)
    assert (ended.kind, ended.streaming, tokens(ended)) == ("supplement", True, (27, 17, None, None, None))
    assert len(ended.output_messages) == 1


def test_earlier_versions_have_only_the_bodies() -> None:
    """Before the conventions' names there were `request_data` and `response_data`."""
    data = {"model": "gpt-4o", "stream": False, "messages": [{"role": "user", "content": "When?"}]}
    answer = {
        "message": {"role": "assistant", "content": "Tuesday."},
        "usage": {"prompt_tokens": 27, "completion_tokens": 17},
    }
    found = described(
        {
            "request_data": json.dumps(data),
            "response_data": json.dumps(answer),
            "logfire.msg_template": "Chat Completion with {request_data[model]!r}",
            "logfire.span_type": "span",
        },
        scope=LOGFIRE,
    )
    assert (found.request_model, found.operation) == ("gpt-4o", "chat")
    assert tokens(found) == (27, 17, None, None, None)
    assert [each.role for each in (*found.input_messages, *found.output_messages)] == ["user", "assistant"]
    assert found.content_keys == ("request_data", "response_data")


def test_logfires_other_spans_are_nothing() -> None:
    """Most of logfire's spans are the application's own."""
    made = {"logfire.msg_template": "order flow {user}", "logfire.span_type": "span", "user": "u"}
    assert describe(span(made, scope="logfire")) is None
    assert describe(span({**made, "request_data": '{"url": "/v1/files"}'}, scope=LOGFIRE)) is None


def test_pydantic_ais_request() -> None:
    """pydantic-ai's names are the conventions', with cost, parts and first chunk beside."""
    found = described(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.response.model": "claude-sonnet-4-5-20250929",
            "gen_ai.response.id": "msg_1",
            "server.address": "api.anthropic.com",
            "gen_ai.usage.input_tokens": 3128,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.details.cache_write_tokens": 2048,
            "gen_ai.usage.details.cache_read_tokens": 1024,
            "gen_ai.usage.details.reasoning_tokens": 5,
            "gen_ai.client.operation.time_to_first_chunk": 0.25,
            "operation.cost": 0.0084,
        },
        scope="pydantic-ai",
    )
    assert (found.dialect, tokens(found)) == ("pydantic-ai", (3128, 17, 1024, 2048, 5))
    assert (found.server_address, found.ttft_ns) == ("api.anthropic.com", 250_000_000)
    assert found.reported_cost_usd == Decimal("0.0084")


def test_pydantic_ais_agents_repeat() -> None:
    """An agent's sum has names of its own, and before had the names of the requests."""
    newer = described(
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "order_agent",
            "model_name": "gpt-4o",
            "gen_ai.aggregated_usage.input_tokens": 3238,
            "gen_ai.aggregated_usage.output_tokens": 37,
            "gen_ai.aggregated_usage.details.reasoning_tokens": 9,
        },
        scope="pydantic-ai",
    )
    older = described(
        {
            "model_name": "gpt-4o",
            "agent_name": "order_agent",
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.usage.input_tokens": 3238,
            "gen_ai.usage.output_tokens": 37,
        },
        scope="pydantic-ai",
        name="agent run",
    )
    assert (newer.kind, tokens(newer)) == ("aggregate", (3238, 37, None, None, 9))
    assert (older.kind, tokens(older)) == ("aggregate", (3238, 37, None, None, None))


def test_pydantic_ais_events_of_the_first_version() -> None:
    """Its first instrumentation version kept messages as one JSON list of events."""
    events = [
        {"event.name": "gen_ai.user.message", "role": "user", "content": "When?"},
        {"event.name": "gen_ai.choice", "message": {"role": "assistant", "content": "Tuesday."}},
    ]
    found = described(
        {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "events": json.dumps(events)},
        scope="pydantic-ai",
    )
    assert [each.role for each in (*found.input_messages, *found.output_messages)] == ["user", "assistant"]
    assert found.content_keys == ("events",)
