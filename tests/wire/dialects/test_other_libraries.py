"""Libraries that write the conventions in words of their own, as their documentation has it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.dialects.made import CLIENT, INTERNAL, described, span
from watchglass.wire.dialects import describe

SERVER = 2

CALLS: dict[str, tuple[dict[str, Any], int, tuple[str, str | None, str | None, int | None, int | None]]] = {
    "Spring AI chat model": (
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "ollama",
            "gen_ai.request.model": "llama3.2",
            "gen_ai.response.model": "none",
            "gen_ai.usage.input_tokens": "31",
            "gen_ai.usage.output_tokens": "7",
            "gen_ai.usage.total_tokens": "38",
        },
        CLIENT,
        ("chat", "ollama", "llama3.2", 31, 7),
    ),
    "Semantic Kernel": (
        {
            "gen_ai.operation.name": "chat.completions",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.prompt_tokens": 20,
            "gen_ai.response.completion_tokens": 5,
        },
        CLIENT,
        ("chat", "openai", "gpt-4o", 20, 5),
    ),
    "Azure AI inference": (
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "az.ai.inference",
            "gen_ai.request.model": "Phi-4",
            "server.address": "x.services.ai.azure.com",
            "gen_ai.usage.input_tokens": 12,
            "gen_ai.usage.output_tokens": 3,
        },
        CLIENT,
        ("chat", "az.ai.inference", "Phi-4", 12, 3),
    ),
    "vLLM's server side": (
        {
            "gen_ai.response.model": "meta-llama/Llama-3.1-8B",
            "gen_ai.usage.prompt_tokens": 9,
            "gen_ai.usage.completion_tokens": 4,
            "gen_ai.latency.time_to_first_token": 0.05,
        },
        SERVER,
        ("chat", None, "meta-llama/Llama-3.1-8B", 9, 4),
    ),
    "OpenLIT": (
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "mistral_ai",
            "gen_ai.request.model": "mistral-large-latest",
            "gen_ai.usage.input_tokens": 50,
            "gen_ai.usage.output_tokens": 10,
            "gen_ai.usage.cost": 0.0002,
        },
        CLIENT,
        ("chat", "mistral_ai", "mistral-large-latest", 50, 10),
    ),
    "OpenLLMetry for Cohere's rerank": (
        {"gen_ai.system": "Cohere", "llm.request.type": "rerank", "gen_ai.request.model": "rerank-v3.5"},
        CLIENT,
        ("rerank", "Cohere", "rerank-v3.5", None, None),
    ),
    "OpenLLMetry for LlamaIndex, on a task span": (
        {
            "traceloop.span.kind": "task",
            "llm.request.type": "chat",
            "gen_ai.system": "LlamaIndex",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.prompt_tokens": 8,
            "gen_ai.usage.completion_tokens": 2,
        },
        INTERNAL,
        ("chat", "LlamaIndex", "gpt-4o", 8, 2),
    ),
    "hand-written, with the least": (
        {
            "gen_ai.request.model": "gpt-4",
            "gen_ai.usage.prompt_tokens": 150,
            "gen_ai.usage.completion_tokens": 50,
        },
        INTERNAL,
        ("chat", None, "gpt-4", 150, 50),
    ),
    "an operation that nobody else has": (
        {
            "gen_ai.operation.name": "ocr",
            "gen_ai.request.model": "mistral-ocr",
            "gen_ai.provider.name": "mistral",
        },
        CLIENT,
        ("ocr", "mistral", "mistral-ocr", None, None),
    ),
}


@pytest.mark.parametrize("library", CALLS)
def test_a_call(library: str) -> None:
    """One request, with the operation, label, model and tokens that the library says."""
    attributes, kind, expected = CALLS[library]
    found = described(attributes, kind=kind, name="some name")
    model = found.response_model or found.request_model
    assert found.kind == "call"
    assert (
        found.operation,
        found.provider_label,
        model,
        found.usage.input_tokens,
        found.usage.output_tokens,
    ) == expected


NOT_CALLS: dict[str, dict[str, Any]] = {
    "Spring AI's chat client": {"gen_ai.operation.name": "framework", "gen_ai.system": "spring_ai"},
    "Microsoft.Extensions.AI's tool loop": {"gen_ai.operation.name": "orchestrate_tools"},
    "Azure AI agents": {"gen_ai.operation.name": "create_thread", "gen_ai.system": "az.ai.agents"},
    "AutoGen's runtime": {"gen_ai.operation.name": "invoke_agent", "gen_ai.system": "autogen"},
    "a vector store": {"gen_ai.operation.name": "vectordb", "gen_ai.request.model": "m"},
    "an MCP server's tool": {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"},
    "an evaluation": {"gen_ai.operation.name": "evaluate", "gen_ai.request.model": "m"},
    "a prompt template": {"gen_ai.operation.name": "format_prompt", "gen_ai.request.model": "m"},
    "a retriever": {"gen_ai.operation.name": "retrieve", "gen_ai.request.model": "m"},
}


@pytest.mark.parametrize("library", NOT_CALLS)
def test_no_call(library: str) -> None:
    """Steps around requests are no requests, even on a client's span that names a model."""
    assert describe(span(NOT_CALLS[library], kind=CLIENT, name="some name")) is None
