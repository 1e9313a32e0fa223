"""Who served a call, from what a span says."""

from __future__ import annotations

import pytest

from watchglass.pricing.provider import aliases, canonical, detect
from watchglass.pricing.providers import ALIASES, FAMILIES, HOSTS, OWNERS, PREFIXES


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


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("evil-openai.com", None),
        ("openai.com.evil.example", None),
        ("notgroq.com", None),
        ("bedrock-runtime.eu-west-1.evil-amazonaws.com", None),
        ("aiplatform.googleapis.com", "google_vertex_ai"),
        ("us-central1-aiplatform.googleapis.com", "google_vertex_ai"),
        ("evil-generativelanguage.googleapis.com", None),
        ("eu.api.openai.com.", "openai"),
        ("https://bedrock-runtime-fips.us-east-1.amazonaws.com", "aws_bedrock"),
        ("vpce-0a1.bedrock-runtime.us-east-1.vpce.amazonaws.com", "aws_bedrock"),
        ("bedrock-runtime.us-east-1.api.aws", "aws_bedrock"),
        ("runtime.sagemaker.eu-west-1.amazonaws.com", "aws_sagemaker"),
        ("s3.eu-west-1.amazonaws.com", None),
    ],
)
def test_a_host_is_a_providers_on_a_labels_boundary_only(host: str, provider: str | None) -> None:
    """Whoever registers a name that merely ends alike is a stranger."""
    assert found(host=host) == provider


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("ollama:11434", "ollama"),
        ("http://ollama", "ollama"),
        ("vllm:8000", "openai_compatible_local"),
        ("http://my_llm-server:8080/v1", "openai_compatible_local"),
        ("gpu-box", "openai_compatible_local"),
        ("vllm.models.svc.cluster.local:8000", "openai_compatible_local"),
        ("host.docker.internal:11434", "ollama"),
        ("fd00::1", "openai_compatible_local"),
        ("::1", "openai_compatible_local"),
        ("[fd00::1]:11434", "ollama"),
        ("http://[::1]:8000/v1", "openai_compatible_local"),
        ("fe80::1%eth0", "openai_compatible_local"),
        ("100.64.0.7:8000", "openai_compatible_local"),
        ("2606:4700::1111", None),
        ("8.8.8.8", None),
    ],
)
def test_private_addresses_and_names_without_a_dot_are_local(host: str, provider: str | None) -> None:
    """Containers, clusters and private networks serve their own models."""
    assert found("openai", host, "my-model") == provider


def test_a_proxy_in_the_same_network_says_nothing() -> None:
    """Behind a service called `litellm` may be anybody: the label and the model decide."""
    assert found("openai", "http://litellm:4000", "claude-sonnet-4-5") == "anthropic"
    assert found("openai", "litellm", "gpt-4o") == "openai"


@pytest.mark.parametrize(
    ("label", "model", "answer"),
    [
        ("openai", "gpt-4o", ("openai", "model_name")),
        ("openai", "text-embedding-3-small", ("openai", "model_name")),
        ("openai", "claude-sonnet-4-5", (None, None)),
        ("openai", "meta-llama/Llama-3.3-70B-Instruct", (None, None)),
        ("openai", "my-model", (None, None)),
        ("openai", "openrouter/openai/gpt-4o", ("openrouter", "model_prefix")),
        ("anthropic", "my-model", ("anthropic", "label")),
    ],
)
def test_a_public_host_that_nobody_knows(
    label: str, model: str, answer: tuple[str | None, str | None]
) -> None:
    """It may be a company's proxy: what OpenAI alone makes is OpenAI's, anything else nobody's we know."""
    host = "https://llm.example.com/v1"
    assert detect(label=label, server_address=host, request_model=model, response_model=None) == answer


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        (
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-x-v1:0",
            "aws_bedrock",
        ),
        ("arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/anthropic.claude-v2", "aws_bedrock"),
        ("arn:aws:sagemaker:eu-west-1:123456789012:endpoint/mine", "aws_sagemaker"),
        ("google/gemini-2.5-flash", "google_ai_studio"),
        ("google/gemma-3-4b-it", "deepinfra"),
        ("anthropic/claude-sonnet-4-5", "anthropic"),
        ("openai/gpt-4o", "openai"),
        ("openai/gpt-oss-120b", None),
        ("deepseek-ai/DeepSeek-V3", None),
        ("deepseek/deepseek-chat", "deepseek"),
        ("Qwen/Qwen3-32B", None),
        ("nvidia/Llama-3.1-Nemotron-70B", None),
        ("microsoft/phi-4", None),
        ("zai-org/GLM-4.6", None),
        ("google-bert/bert-base", None),
        ("acme/model", None),
        ("models/gemini-2.5-pro", "google_ai_studio"),
        ("litellm_proxy/gpt-4o", "openai"),
        ("projects/p/locations/l/publishers/google/models/gemini-2.5-pro", "google_vertex_ai"),
        ("deepseek-r1:7b", None),
        ("qwen3:8b", None),
        ("mistral:latest", None),
        ("mixtral:8x7b-instruct-v0.1-q4_K_M", None),
        ("gemma3n:e4b", None),
        ("gpt-oss:20b", None),
        ("gpt-oss-120b", None),
        ("llama-3.3-70b-versatile", None),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc123", "openai"),
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", "aws_bedrock"),
        ("claude-3.7-sonnet:thinking", "anthropic"),
    ],
)
def test_owners_of_open_weights_are_not_servers(model: str, provider: str | None) -> None:
    """The same with OpenAI's generic label as with none; a label or host of a provider's own decides."""
    assert found(None, None, model) == provider
    assert found("openai", None, model) == provider
    assert found("together_ai", None, model) == "together"


def test_what_litellm_resolved_wins() -> None:
    """LiteLLM's own word for the provider beats host, label and model."""
    assert found("openai", "api.openai.com", "gpt-4o", "deepinfra") == "deepinfra"


def test_every_alias_leads_to_one_provider() -> None:
    """No alias belongs to two providers, and every provider in the tables has an entry."""
    names = [name for canonical_id, others in ALIASES.items() for name in (canonical_id, *others)]
    assert len(names) == len(set(names))
    used = {provider for _, provider in (*HOSTS, *FAMILIES, *PREFIXES, *OWNERS.items()) if provider}
    assert used <= set(ALIASES)


def test_aliases_go_both_ways() -> None:
    """`bedrock` and `aws.bedrock` are the same provider, and it lists both."""
    assert canonical("bedrock") == canonical("aws.bedrock") == "aws_bedrock"
    assert "bedrock" in aliases("aws_bedrock")
