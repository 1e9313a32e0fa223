"""Who serves a model, as far as its name says."""

from __future__ import annotations

import re

from watchglass.pricing.labels import exactly
from watchglass.pricing.providers import FAMILIES, OWNERS, PREFIXES, SILENT_PREFIXES

_ARN = re.compile(r"arn:aws[a-z-]*:(bedrock|sagemaker)[a-z-]*:")
_LOCAL_TAG = re.compile(
    # Ollama's tags: latest, 7b, 1.5b-instruct-q4_K_M, 8x7b, e4b, 120b-cloud; not OpenRouter's :free
    # nor Bedrock's -v1:0.
    r"[^:/]+(/[^:/]+)?:(latest|(e|\d+x)?\d+(\.\d+)?[bm](-[\w.-]+)?|[\w.-]*(q\d_\w+|fp16|bf16))"
)


def by_prefix(model: str) -> str | None:
    """The provider before the first `/` of a lower-case name, as LiteLLM and OpenRouter write it."""
    if (arn := _ARN.match(model)) is not None:
        return f"aws_{arn[1]}"
    head, slash, rest = model.partition("/")
    if not slash or not rest:
        return None
    for start, provider in PREFIXES:
        if model.startswith(start):
            return provider or None
    return None if head in OWNERS else exactly(head)


def by_family(model: str) -> str | None:
    """The provider whose own models are named so; None for open weights, which many serve."""
    if _LOCAL_TAG.fullmatch(model):
        return None
    head, slash, rest = _bare(model).partition("/")
    if slash and rest:
        return OWNERS.get(head) or None
    return _family(head) or None


def is_open(model: str) -> bool:
    """Whether these are weights that many serve and OpenAI does not."""
    model = _bare(model)
    return "/" in model or _LOCAL_TAG.fullmatch(model) is not None or _family(model) == ""


def _bare(model: str) -> str:
    for start in SILENT_PREFIXES:
        model = model.removeprefix(start)
    return model


def _family(model: str) -> str | None:
    return next((provider for start, provider in FAMILIES if model.startswith(start)), None)
