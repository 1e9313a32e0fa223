"""Who really served a call: from the host that answered before the label that a library chose."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from watchglass.pricing.providers import (
    ALIASES,
    FAMILIES,
    GENERIC_LABELS,
    HOSTS,
    LOCAL,
    OWNERS,
    SILENT_LABELS,
)

_CANONICAL: dict[str, str] = {
    name: canonical for canonical, names in ALIASES.items() for name in (canonical, *names)
}
_OLLAMA_PORT = 11434


@lru_cache(maxsize=16_384)
def detect(
    *,
    label: str | None,
    server_address: str | None,
    request_model: str | None,
    response_model: str | None,
    hidden_provider: str | None = None,
) -> tuple[str | None, str | None]:
    """(provider id, how it was found); (None, None) where nothing says.

    In order: what LiteLLM itself resolved (`hidden_params`), the host that was asked (`host`), a
    label that names a provider (`label`), a provider before `/` in the model (`model_prefix`),
    the family of the model's name (`model_name`), and last a label that many others claim too.
    """
    named = canonical(hidden_provider)
    if named is not None:
        return named, "hidden_params"
    if (found := _by_host(server_address)) is not None:
        return found, "host"
    named = canonical(label)
    if named is not None and named not in GENERIC_LABELS:
        return named, "label"
    models = [model.strip().lower() for model in (request_model, response_model) if model]
    prefixed = next(filter(None, map(_by_prefix, models)), None)
    if prefixed is not None:
        return prefixed, "model_prefix"
    family = next(filter(None, map(_by_family, models)), None)
    if family is not None:
        return family, "label" if family == named else "model_name"
    return (named, "label") if named is not None else (None, None)


def canonical(label: str | None) -> str | None:
    """Our id for a provider by any of its names; None for a framework's name or an unknown one.

    `openai.chat`, `Azure AI OpenAI` and `gcp.vertex_ai` are read with all separators alike, and
    by their first word where the whole says nothing.
    """
    if not label:
        return None
    plain = "_".join(part for part in _separated(label.strip().lower()).split("_") if part)
    if not plain or plain in SILENT_LABELS:
        return None
    if plain in _CANONICAL:
        return _CANONICAL[plain]
    head, _, _ = plain.rpartition("_")
    while head:
        if head in _CANONICAL:
            return _CANONICAL[head]
        head, _, _ = head.rpartition("_")
    return None


def aliases(provider: str) -> tuple[str, ...]:
    """Every name that means this provider, its own first."""
    named = canonical(provider)
    return (named, *ALIASES[named]) if named is not None else (provider,)


def _separated(label: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in label)


def _by_host(address: str | None) -> str | None:
    if not address:
        return None
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return None
    if host.startswith(("bedrock-runtime", "bedrock.", "bedrock-agent")) and "amazonaws" in host:
        return "aws_bedrock"
    if host.startswith("runtime.sagemaker") and "amazonaws" in host:
        return "aws_sagemaker"
    for suffix, provider in HOSTS:
        if host == suffix or host.endswith((f".{suffix}", f"-{suffix}")):
            return provider
    if _is_local(host):
        return "ollama" if port == _OLLAMA_PORT else LOCAL
    return None


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith((".local", ".localhost", ".internal", ".svc", ".lan")):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private or address.is_loopback or address.is_link_local


def _by_prefix(model: str) -> str | None:
    head, slash, rest = model.partition("/")
    if not slash or not rest:
        return None
    if head in OWNERS:
        return None  # the owner of the weights, judged below
    return canonical(head)


def _by_family(model: str) -> str | None:
    head, slash, rest = model.partition("/")
    if slash and head in OWNERS:
        return OWNERS[head]
    if slash and rest:
        return None
    for start, provider in FAMILIES:
        if model.startswith(start):
            return provider or None
    return None
