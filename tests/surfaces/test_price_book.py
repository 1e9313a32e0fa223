"""The book as the surfaces put it together: our facts ship with it, LiteLLM's map where it is named."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from watchglass.config import Settings
from watchglass.errors import ConfigError
from watchglass.model import Usage
from watchglass.pricing.book import Layers, PriceBook, PriceRequest
from watchglass.surfaces.price_book import open_book, read_facts

MILLION = 10**6
SECOND = 10**9


def priced(provider: str, model: str, at_s: int) -> tuple[str | None, Decimal | None]:
    """Source and cost of a million tokens each way, by our facts and what follows them."""
    request = PriceRequest(
        provider=provider, request_model=model, response_model=None, at_ns=at_s * SECOND,
        usage=Usage(MILLION, MILLION),
    )  # fmt: skip
    found = PriceBook(Layers(facts=read_facts())).price([request])[0]
    return found.price_source, found.cost_usd


def test_every_fact_has_a_source_and_a_first_day() -> None:
    """No price of ours is without the place where it stands and the day from which it holds."""
    facts = read_facts()
    assert len(facts) > 50
    for fact in facts:
        assert fact.citation, fact
        assert fact.since_ns is not None, fact


def test_no_two_facts_claim_the_same_moment() -> None:
    """Of one name in one tier and one daily window, a fact ends before the next begins."""
    named: dict[object, list[tuple[int, int | None]]] = {}
    for fact in read_facts():
        key = (fact.provider, fact.model, fact.tier, fact.daily)
        named.setdefault(key, []).append((fact.since_ns or 0, fact.until_ns))
    for key, spans in named.items():
        for (_, end), (begin, _) in pairwise(sorted(spans)):
            assert end is not None, key
            assert end <= begin, key


@pytest.mark.parametrize(
    ("provider", "model", "at_s", "dollars"),
    [
        ("deepseek", "deepseek-chat", 1_739_030_399, "0.42"),  # 2025-02-08T15:59:59Z
        ("deepseek", "deepseek-chat", 1_739_030_400, "1.37"),
        ("deepseek", "deepseek/deepseek-reasoner", 1_740_587_399, "2.74"),  # 2025-02-26T16:29:59Z
        ("deepseek", "deepseek/deepseek-reasoner", 1_740_587_400, "0.685"),
        ("deepseek", "deepseek/deepseek-reasoner", 1_740_616_199, "0.685"),  # 2025-02-27T00:29:59Z
        ("deepseek", "deepseek/deepseek-reasoner", 1_740_616_200, "2.74"),
        ("anthropic", "claude-3-5-haiku-20241022", 1_733_183_999, "6"),  # 2024-12-02T23:59:59Z
        ("anthropic", "claude-3-5-haiku-20241022", 1_733_184_000, "4.8"),
        ("google_ai_studio", "gemini-1.5-pro-002", 1_727_740_799, "28"),  # 2024-09-30, over 128,000 tokens
        ("google_ai_studio", "gemini-1.5-pro-exp-0801", 1_732_700_000, "0"),
    ],
)
def test_a_fact_holds_to_the_second(provider: str, model: str, at_s: int, dollars: str) -> None:
    """Price changes happen at their moment, hours of the day and long requests included."""
    assert priced(provider, model, at_s) == ("watchglass", Decimal(dollars))


def test_litellms_map_is_read_from_the_file_that_is_named(tmp_path: Path) -> None:
    """The setting names it; what is there is the book's last layer."""
    file = tmp_path / "map.json"
    file.write_text(
        '{"openai/own": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-6}}'
    )
    book = open_book(Settings(litellm_prices=str(file)))
    assert [layer.name for layer in book.sources] == ["override", "watchglass", "genai-prices", "litellm"]


@pytest.mark.parametrize("content", [None, "no map"])
def test_a_map_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    """Missing or something else: the error names the file and the setting."""
    file = tmp_path / "map.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError, match=r"map\.json.*--litellm-prices"):
        open_book(Settings(litellm_prices=str(file)))
