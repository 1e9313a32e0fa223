"""Who really served a call: from the host that answered before the label that a library chose."""

from __future__ import annotations

from functools import lru_cache

from watchglass.pricing.hosts import STRANGER, by_host
from watchglass.pricing.labels import aliases, canonical
from watchglass.pricing.models import by_family, by_prefix, is_open
from watchglass.pricing.providers import GENERIC_LABELS

__all__ = ["aliases", "canonical", "detect"]


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

    Such a generic label is not believed for open weights (`owner/model`, `qwen3:8b`, `gpt-oss-…`),
    which its bearer does not serve, nor at a public host that nobody here knows. That host may be
    a company's proxy before OpenAI or another seller with OpenAI's protocol: only a model that
    OpenAI alone makes tells them apart, and any other has no provider rather than a guessed one.
    """
    named = canonical(hidden_provider)
    if named is not None:
        return named, "hidden_params"
    host = by_host(server_address)
    if host not in (None, STRANGER):
        return host, "host"
    named = canonical(label)
    if named is not None and named not in GENERIC_LABELS:
        return named, "label"
    models = [model.strip().lower() for model in (request_model, response_model) if model]
    if (prefixed := next(filter(None, map(by_prefix, models)), None)) is not None:
        return prefixed, "model_prefix"
    family = next(filter(None, map(by_family, models)), None)
    if host == STRANGER and named is not None:
        return (named, "model_name") if family == named else (None, None)
    if family is not None:
        return family, "label" if family == named else "model_name"
    return (named, "label") if named is not None and not any(map(is_open, models)) else (None, None)
