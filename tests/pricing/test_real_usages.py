"""The whole book against thousands of costs that its publisher worked out from real answers."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from genai_prices.data import providers
from genai_prices.types import ModelInfo, Provider
from genai_prices.types import Usage as TheirUsage

from watchglass.model import Usage
from watchglass.pricing.book import PriceBook, PriceRequest
from watchglass.pricing.genai import PROVIDERS

OURS = {theirs: ours for ours, theirs in PROVIDERS.items()}
OURS |= {"google": "google_ai_studio", "azure": "azure_openai"}
FIELDS = {name: name for name in Usage.__struct_fields__} | {"output_reasoning_tokens": "reasoning_tokens"}
DAY = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)

Extraction = tuple[str, str, dict[str, int], Decimal]
"""(their provider, model, usage, dollars)."""


def usages_file() -> Path:
    """Where the publisher's extractions are, or skip."""
    shared = os.environ.get("WATCHGLASS_SHARED") or Path(__file__).resolve().parents[3] / "shared"
    file = Path(shared) / "data" / "genai_prices_usages" / "usages.jsonl.gz"
    if not file.is_file():
        pytest.skip("the publisher's usages are not on this machine (WATCHGLASS_SHARED)")
    return file


def extractions(file: Path) -> Iterator[Extraction]:
    """Every extraction that has a price."""
    for line in gzip.decompress(file.read_bytes()).splitlines():
        row = json.loads(line)
        for extracted in row["extracted"]:
            for by in extracted["extractors"]:
                parts = [by[name] for name in ("input_price", "output_price") if name in by]
                if parts or "total_price" in by:
                    total = by.get("total_price") or sum(map(Decimal, parts))
                    yield by["provider_id"], row["model"], extracted["usage"], Decimal(total)


def why_not_theirs(each: Extraction, reason: str | None, cost: Decimal | None) -> str:
    """The named class of a difference; the test fails on one that has none."""
    seller, name, usage, _ = each
    provider, model = their_model(seller, name)
    if reason == "tokens_missing" and not {"input_tokens", "output_tokens"} <= usage.keys():
        return "one half missing"
    if usage.get("web_searches"):
        return "charged by the search"
    prices = {key for key, price in vars(model.get_prices(DAY)).items() if price is not None}
    if reason == "tier_unknown" and not prices:
        return "no price"
    if reason == "tier_unknown" and prices & {"output_image_mtok", "cache_audio_read_mtok"}:
        return "not told apart"
    now = model.calc_price(TheirUsage(**usage), provider, genai_request_timestamp=DAY).total_price
    return "price changed since" if now == cost else f"unexplained: {each}, {reason}, {cost}, now {now}"


def their_model(seller: str, name: str) -> tuple[Provider, ModelInfo]:
    """As the installed package has them."""
    provider = next(each for each in providers if each.id == seller)
    model = provider.find_model(name, all_providers=providers)
    assert model is not None
    return provider, model


def test_every_real_usage_costs_what_its_publisher_says_or_differs_for_a_named_reason() -> None:
    """More than 95 in 100 of the usages that can be priced agree to the last digit; the rest is explained."""
    asked = list(extractions(usages_file()))
    found = PriceBook().price([request(*each[:3]) for each in asked])
    classes = Counter(
        "exact"
        if priced.cost_usd == each[3]
        else why_not_theirs(each, priced.unpriced_reason, priced.cost_usd)
        for each, priced in zip(asked, found, strict=True)
    )
    assert set(classes) == {
        *("exact", "one half missing", "charged by the search", "not told apart"),
        *("no price", "price changed since"),
    }
    assert classes["exact"] + classes["price changed since"] > 1550
    assert classes["exact"] / (classes["exact"] + classes["price changed since"]) > 0.95


def request(seller: str, model: str, usage: dict[str, Any]) -> PriceRequest:
    """What the book is asked."""
    known = {FIELDS[name]: count for name, count in usage.items() if name in FIELDS}
    return PriceRequest(
        provider=OURS.get(seller, seller), request_model=model, response_model=None,
        at_ns=int(DAY.timestamp()) * 10**9, usage=Usage(**known),
    )  # fmt: skip
