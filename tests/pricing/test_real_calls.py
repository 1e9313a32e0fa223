"""The dated book against 3,048 costs that a real client recorded when it made the calls."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from watchglass.model import Usage
from watchglass.pricing.book import Layers, PriceBook, PriceRequest
from watchglass.pricing.differences import Difference, Explainer
from watchglass.pricing.provider import detect
from watchglass.surfaces.price_book import read_facts


def calls() -> Iterator[dict[str, Any]]:
    """Calls with a recorded cost that name their model, or skip."""
    shared = os.environ.get("WATCHGLASS_SHARED") or Path(__file__).resolve().parents[3] / "shared"
    file = Path(shared) / "data" / "aider_usage" / "calls.jsonl.gz"
    if not file.is_file():
        pytest.skip("the client's calls are not on this machine (WATCHGLASS_SHARED)")
    for line in gzip.decompress(file.read_bytes()).splitlines():
        row = json.loads(line, parse_float=Decimal)
        if row["model"] not in (None, "None") and not row["model"].endswith("/REDACTED"):
            yield row


@pytest.fixture(scope="module")
def explained() -> list[tuple[str, Difference]]:
    """The model of each call with what became of its cost."""
    book = PriceBook(Layers(facts=read_facts()))
    explainer = Explainer(book)
    found: list[tuple[str, Difference]] = []
    for row in calls():
        model = row["model"]
        provider, _ = detect(label=None, server_address=None, request_model=model, response_model=None)
        usage = Usage(input_tokens=row["prompt_tokens"], output_tokens=row["completion_tokens"])
        request = PriceRequest(
            provider=provider,
            request_model=model,
            response_model=None,
            at_ns=row["time"] * 10**9,
            usage=usage,
        )
        found.append((model, explainer.explain(request, Decimal(row["cost_usd"]))))
    return found


def test_dated_prices_reproduce_what_was_recorded(explained: list[tuple[str, Difference]]) -> None:
    """Over 96 in 100 come out at the price in force, over 98 at a published price of the model.

    97 at the price in force cannot be had from published prices: 42 calls of Claude 3.5 Haiku were
    recorded at $1/$5 after Anthropic's announcement of 2024-12-03 had made it $0.80/$4.
    """
    total = len(explained)
    same = sum(each.kind == "same" for _, each in explained)
    published = same + sum(each.kind == "stale_list" and each.cached is None for _, each in explained)
    assert same / total > 0.96
    assert published / total > 0.98
    haiku = sum(
        each.kind == "stale_list" for model, each in explained if model == "claude-3-5-haiku-20241022"
    )
    assert (same + haiku) / total > 0.97


def test_every_other_call_has_a_class_and_its_evidence(explained: list[tuple[str, Difference]]) -> None:
    """Nothing is left unexplained, and each explanation says from what it was concluded."""
    others = [each for _, each in explained if each.kind != "same"]
    assert all(each.evidence for each in others)
    assert Counter(each.kind for each in others) == {
        "stale_list": 62,
        "caching_not_on_record": 35,
        "other_models_price": 8,
        "price_unknown": 6,
        "client_had_no_price": 5,
    }


def test_what_deepseek_cached_comes_in_its_blocks(explained: list[tuple[str, Difference]]) -> None:
    """The supposed cached reads of DeepSeek's calls are multiples of 64, the block that it caches by."""
    reads = [
        each.cached.read
        for model, each in explained
        if model.startswith("deepseek/") and each.cached is not None
    ]
    assert len(reads) == 14
    assert not any(read % 64 for read in reads)
