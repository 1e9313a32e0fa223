"""LangSmith: the run's type decides; the answer and the metadata have what the attributes leave out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wire.dialects.made import described, span, tokens
from watchglass.wire.dialects import describe

M = "langsmith.metadata."


def run(details: dict[str, Any], completion: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An llm run in LangSmith's attributes."""
    return {
        "langsmith.span.kind": "llm",
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "langchain",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 1558,
        "gen_ai.usage.output_tokens": 17,
        M + "ls_provider": "openai",
        M + "usage_metadata": json.dumps({"input_tokens": 1558, "output_tokens": 17, **details}),
        "gen_ai.prompt": '{"messages": [[{"lc": 1, "kwargs": {"type": "human", "content": "When?"}}]]}',
        "gen_ai.completion": json.dumps(completion),
        **more,
    }


def test_a_langchain_run() -> None:
    """Provider, cached tokens, answered model and id come out of metadata and result."""
    metadata = {"id": "chatcmpl-1", "model_name": "gpt-4o-2024-08-06", "finish_reason": "stop"}
    message = {"kwargs": {"type": "ai", "id": "run-1", "content": "Tuesday.", "response_metadata": metadata}}
    found = described(
        run(
            {"total_tokens": 1575, "input_token_details": {"cache_read": 1024}},
            {"generations": [[{"text": "Tuesday.", "message": message}]]},
        ),
        scope="langsmith",
        name="ChatOpenAI",
    )
    assert tokens(found) == (1558, 17, 1024, None, None)
    assert (found.provider_label, found.response_id) == ("openai", "chatcmpl-1")
    assert (found.request_model, found.response_model) == ("gpt-4o", "gpt-4o-2024-08-06")
    assert found.finish_reasons == ("stop",)
    assert [each.content for each in (*found.input_messages, *found.output_messages)] == [
        '{"parts":[{"content":"When?","type":"text"}],"role":"user"}',
        '{"parts":[{"content":"Tuesday.","type":"text"}],"role":"assistant"}',
    ]


def test_a_wrapped_clients_run() -> None:
    """A wrapped client leaves the provider's answer itself."""
    answer = {
        "id": "chatcmpl-2",
        "model": "gpt-4o-2024-08-06",
        "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "Tuesday."}}],
    }
    found = described(run({}, answer))
    assert (found.response_id, found.response_model) == ("chatcmpl-2", "gpt-4o-2024-08-06")
    assert len(found.output_messages) == 1


def test_writes_by_their_life() -> None:
    """LangChain tells Anthropic's writes apart by life, and then says 0 for all of them together."""
    details = {"cache_creation": 0, "ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 600}
    found = described(run({"input_token_details": details}, {}))
    assert tokens(found) == (1558, 17, None, 1000, None)
    assert found.usage.cache_write_1h_tokens == 600


@pytest.mark.parametrize("kind", ["prompt", "chain", "parser", "tool", "retriever"])
def test_other_runs_are_nothing(kind: str) -> None:
    """`gen_ai.operation.name` says chat on prompt templates too."""
    attributes = {"langsmith.span.kind": kind, "gen_ai.operation.name": "chat", "gen_ai.prompt": "{}"}
    assert describe(span(attributes)) is None
