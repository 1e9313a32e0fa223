"""Who served a call, from what a span says."""

from __future__ import annotations

import pytest

from watchglass.pricing.provider import aliases, canonical, detect
from watchglass.pricing.providers import ALIASES, FAMILIES, HOSTS, OWNERS


def found(
    label: str | None = None, host: str | None = None, model: str | None = None, hidden: str | None = None
) -> str | None:
    """The provider alone."""
    return detect(
        label=label, server_address=host, request_model=model, response_model=None, hidden_provider=hidden
    )[0]


@pytest.mark.parametrize(
    ("label", "host", "model", "provider"),
    [
        ("openai", "api.openai.com", "gpt-4o", "openai"),
        ("openai", "https://api.groq.com/openai/v1", "llama-3.3-70b-versatile", "groq"),
        ("openai", "api.deepinfra.com", "meta-llama/Llama-3.3-70B-Instruct", "deepinfra"),
        ("openai", "acme.openai.azure.com:443", "my-deployment", "azure_openai"),
        ("openai", "127.0.0.1:8000", "qwen3:8b", "openai_compatible_local"),
        ("openai", "http://localhost:11434/v1", "qwen3:8b", "ollama"),
        ("openai", "10.2.3.4", "x", "openai_compatible_local"),
        ("aws.bedrock", "bedrock-runtime.eu-west-1.amazonaws.com", "anthropic.claude-3", "aws_bedrock"),
        ("gcp.gemini", "generativelanguage.googleapis.com", "gemini-2.5-flash", "google_ai_studio"),
        (None, "europe-west4-aiplatform.googleapis.com", "gemini-2.5-pro", "google_vertex_ai"),
        ("openai.chat", None, "gpt-4o", "openai"),
        ("deepseek.chat", None, "deepseek-chat", "deepseek"),
        ("az.ai.openai", None, "x", "azure_openai"),
        ("Anthropic", None, "claude-sonnet-4-5", "anthropic"),
        ("langchain", None, "gpt-4o-mini", "openai"),
        ("crewai", None, "gpt-4o", "openai"),
        (None, None, "openrouter/anthropic/claude-3.5-sonnet", "openrouter"),
        (None, None, "bedrock/anthropic.claude-3-5-sonnet-20240620-v1:0", "aws_bedrock"),
        (None, None, "us.anthropic.claude-3-7-sonnet-20250219-v1:0", "aws_bedrock"),
        (None, None, "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8", "deepinfra"),
        (None, None, "google/gemma-3-4b-it", "deepinfra"),
        (None, None, "mistralai/Mistral-7B-Instruct", "deepinfra"),
        (None, None, "gpt-4o", "openai"),
        (None, None, "o3-mini", "openai"),
        (None, None, "claude-3-5-haiku-latest", "anthropic"),
        ("openai", None, "claude-sonnet-4-5", "anthropic"),
        ("openai", None, "text-embedding-3-small", "openai"),
        ("openai", None, "my-own-model", "openai"),
        (None, None, "my-own-model", None),
        (None, None, "gpt-oss-120b", None),
        ("openai", "not a host [", "gpt-4o", "openai"),
    ],
)
def test_the_provider_is_who_answered(
    label: str | None, host: str | None, model: str | None, provider: str | None
) -> None:
    """The host beats the label, a specific label beats the model's name, a framework's label says nothing."""
    assert found(label, host, model) == provider


def test_what_litellm_resolved_wins() -> None:
    """LiteLLM's own word for the provider beats host, label and model."""
    assert found("openai", "api.openai.com", "gpt-4o", "deepinfra") == "deepinfra"


def test_every_alias_leads_to_one_provider() -> None:
    """No alias belongs to two providers, and every provider in the tables has an entry."""
    names = [name for canonical_id, others in ALIASES.items() for name in (canonical_id, *others)]
    assert len(names) == len(set(names))
    used = {provider for _, provider in (*HOSTS, *FAMILIES, *OWNERS.items()) if provider}
    assert used <= set(ALIASES)


def test_aliases_go_both_ways() -> None:
    """`bedrock` and `aws.bedrock` are the same provider, and it lists both."""
    assert canonical("bedrock") == canonical("aws.bedrock") == "aws_bedrock"
    assert "bedrock" in aliases("aws_bedrock")
