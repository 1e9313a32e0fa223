"""What the tests ask of a model, and of whom."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest

from tests.capture.provider import Provider

Run = Callable[[Any], Any]

ASKED = [{"role": "user", "content": "What is two and two?"}]

needs_proxy = pytest.mark.skipif(
    not all(find_spec(name) for name in ("mcp", "orjson", "soundfile")),
    reason="LiteLLM 1.106 imports its proxy for tools, responses and its cache: pip install 'litellm[proxy]'",
)


needs_tenacity = pytest.mark.skipif(
    find_spec("tenacity") is None, reason="LiteLLM's own retries need tenacity, which it does not bring"
)


def openai(provider: Provider, **more: Any) -> dict[str, Any]:
    """A chat with a model of OpenAI's."""
    return {
        "model": "openai/gpt-4o-mini",
        "messages": ASKED,
        "api_base": f"{provider.url}/v1",
        "api_key": "sk-test",
        **more,
    }


def anthropic(provider: Provider, **more: Any) -> dict[str, Any]:
    """A chat with a model of Anthropic's."""
    named = {"model": "anthropic/claude-sonnet-4-5", "api_base": provider.url}
    return {**openai(provider), **named, **more}
