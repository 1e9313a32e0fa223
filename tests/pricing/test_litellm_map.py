"""LiteLLM's map as the last layer: exact, marked undated, and silent where it knows nothing."""

from __future__ import annotations

import json
import pickle
from decimal import Decimal

import pytest

from watchglass.model import Usage
from watchglass.pricing.book import Layers, PriceBook, Priced, PriceRequest

MILLION = 10**6
MAP = {
    "sample_spec": {"litellm_provider": "one of https://docs.litellm.ai/docs/providers"},
    "acmeish": {"litellm_provider": "no provider of ours", "mode": "chat", "input_cost_per_token": 1e-6},
    "deepseek/deepseek-new": {
        "litellm_provider": "deepseek",
        "mode": "chat",
        "input_cost_per_token": 1.5e-07,
        "output_cost_per_token": 6e-07,
        "input_cost_per_token_above_200k_tokens": 3e-07,
        "input_cost_per_token_batches": 7.5e-08,
        "cache_read_input_token_cost": 1.5e-08,
    },
    "vertex_ai/drawing-1": {
        "litellm_provider": "vertex_ai-image-models",
        "mode": "image_generation",
        "input_cost_per_token": 1e-6,
        "output_cost_per_image": 0.04,
    },
    "ollama/free": {"litellm_provider": "ollama", "mode": "chat", "input_cost_per_token": 0.0},
    "openai/broken": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": "much"},
}
BOOK = PriceBook(Layers(litellm=json.dumps(MAP).encode()))


def ask(model: str, provider: str, usage: Usage | None = None, tier: str | None = None) -> Priced:
    """Price one request today."""
    request = PriceRequest(
        provider=provider, request_model=model, response_model=None, at_ns=1_790_000_000 * 10**9,
        usage=usage or Usage(MILLION // 10, 0), service_tier=tier,
    )  # fmt: skip
    return BOOK.price([request])[0]


def test_a_model_that_only_litellm_knows_is_priced_and_marked_undated() -> None:
    """The last layer prices it to the last digit; the id of the price says that it has no date."""
    for name in ("deepseek-new", "deepseek/deepseek-new", "DeepSeek-New"):
        assert ask(name, "deepseek") == Priced(
            Decimal("0.015"), "litellm", "litellm:deepseek/deepseek-new@undated", None
        )


def test_tiers_and_thresholds_of_the_map_are_kept() -> None:
    """A batch has its own price, a long request the dearer one, a cached read the cheaper one."""
    assert ask("deepseek-new", "deepseek", tier="batch").cost_usd == Decimal("0.0075")
    assert ask("deepseek-new", "deepseek", tier="flex").unpriced_reason == "tier_unknown"
    assert ask("deepseek-new", "deepseek", Usage(200_001, 0)).cost_usd == Decimal("0.0600003")
    read = Usage(MILLION // 10, 0, cache_read_tokens=MILLION // 10)
    assert ask("deepseek-new", "deepseek", read).cost_usd == Decimal("0.0015")


@pytest.mark.parametrize(
    ("model", "provider", "reason"),
    [
        ("drawing-1", "google_vertex_ai", "tier_unknown"),
        ("free", "ollama", "unknown_model"),
        ("broken", "openai", "unknown_model"),
        ("acmeish", "openai", "unknown_model"),
        ("sample_spec", "openai", "unknown_model"),
    ],
)
def test_what_the_map_does_not_really_price_stays_unpriced(model: str, provider: str, reason: str) -> None:
    """Charged by the image, all zero, no number, no provider of ours, no model: never a cost."""
    assert ask(model, provider).unpriced_reason == reason


def test_a_dated_layer_wins_over_the_map() -> None:
    """What genai-prices knows is not asked of LiteLLM."""
    assert ask("gpt-4o", "openai").price_source == "genai-prices"


def test_a_book_with_the_map_travels_to_another_process() -> None:
    """A pickled book has all its layers."""
    twin = pickle.loads(pickle.dumps(BOOK))
    assert [layer.name for layer in twin.sources] == [layer.name for layer in BOOK.sources]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": ', b"\xff"])
def test_what_is_no_map_is_refused_with_a_reason(content: bytes) -> None:
    """A file that is something else is a `ValueError`, not an empty layer."""
    with pytest.raises(ValueError, match="LiteLLM's map"):
        PriceBook(Layers(litellm=content))
