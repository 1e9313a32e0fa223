"""Our dated prices against the changes that somebody's list of prices went through in 19 months.

The list changed when its keepers changed it, and many changes mend a wrong entry. So each is read as
what it says of the provider: a real change, whose prices before and after must both be in the book,
each at some time; a correction, whose later price must be; or no price of a token at all.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from watchglass.model import Usage
from watchglass.pricing.book import Layers, PriceBook, PriceRequest
from watchglass.pricing.provider import detect
from watchglass.pricing.rates import Rates
from watchglass.surfaces.price_book import read_facts

BY_TOKEN = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "input_cost_per_token_cache_hit": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "input_audio",
    "input_cost_per_token_above_128k_tokens": "input",
    "output_cost_per_token_above_128k_tokens": "output",
}
MENDED = {
    "no price before, only none on the list": lambda change: change.old == 0 and "-exp" not in change.model,
    "a price of an experimental model, which we hold to be free (doubtful: this list alone has one)": (
        lambda change: change.old == 0 and "-exp" in change.model
    ),
    "said by this list alone (see the fact's source)": (
        lambda change: "gemini-2.5-flash-preview-05-20" in change.model
    ),
    "billed by the character (https://cloud.google.com/vertex-ai/generative-ai/pricing until 2025)": (
        lambda change: change.model.startswith(("gemini-1.", "gemini-pro", "text"))
    ),
    "converted from the provider's own unit": lambda change: change.model.startswith("databricks/"),
    "ten to a million times too much or too little": lambda change: change.model.startswith(
        ("openrouter/bytedance/", "openrouter/qwen/", "sambanova/", "vertex_ai/claude-3-opus", "perplexity/")
    ),
    "the price of Command before 2023-06, the alias of another Command R": (
        lambda change: change.model.startswith("command")
    ),
    "a region's price, or another model's": lambda change: change.model.startswith(
        (
            "azure/",
            "eu.",
            "vertex_ai/mistral-nemo",
            "groq/llama-3.1-8b",
            "gemini/gemini-1.5-pro",
        )
    ),
    "a digit slipped": lambda change: (
        change.field == "cache_read_input_token_cost" and change.model == "claude-3-5-haiku-20241022"
    ),
    "charged for a free model": lambda change: change.new == 0,
    "converted from euros, in which Mistral charged until 2024-02-26 (its docs' 05-pricing.md)": (
        lambda change: (
            change.model
            in (
                "mistral/mistral-small",
                "mistral/mistral-medium",
                "mistral/mistral-tiny",
                "mistral/mistral-embed",
            )
        )
    ),
    "another price than Mistral's list": lambda change: change.model == "mistral/open-mixtral-8x7b",
    "an audio price": lambda change: change.field == "input_cost_per_audio_token",
}
"""What a change says that no provider's price did, by why."""

PROVIDERS = {"command": "cohere", "meta.": "aws_bedrock", "anthropic.": "aws_bedrock", "us.": "aws_bedrock"}
PROVIDERS |= {"eu.": "aws_bedrock", "gemini-": "google_vertex_ai", "text-": "google_vertex_ai"}


class Change(msgspec.Struct, frozen=True):
    """One row: dollars a token."""

    model: str
    field: str
    old: Decimal
    new: Decimal


def changes() -> Iterator[Change]:
    """Every change of the list, or skip."""
    shared = os.environ.get("WATCHGLASS_SHARED") or Path(__file__).resolve().parents[3] / "shared"
    file = Path(shared) / "data" / "tokencost_history" / "price_changes.csv"
    if not file.is_file():
        pytest.skip("the list's history is not on this machine (WATCHGLASS_SHARED)")
    with file.open(newline="") as lines:
        for row in csv.DictReader(lines):
            yield Change(row["model"], row["field"], Decimal(row["old"]), Decimal(row["new"]))


def known(book: PriceBook, model: str, field: str) -> set[Decimal]:
    """Dollars a token that the book has for the model at any time."""
    named = next((ours for start, ours in PROVIDERS.items() if model.startswith(start)), None)
    found = detect(label=named, server_address=None, request_model=model, response_model=None)[0]
    asked = PriceRequest(provider=found, request_model=model, response_model=None, at_ns=0, usage=Usage(1, 1))
    return {
        price
        for _, schedule in book.schedules(asked)
        for period in schedule.periods
        for price in _dollars(period.rates, field)
    }


def _dollars(rates: Rates, field: str) -> Iterator[Decimal]:
    long = "above" in field
    for prices in [each for _, each in rates.above] if long else [rates.prices]:
        yield rates.dollars(getattr(prices, BY_TOKEN[field]))


def verdict(book: PriceBook, change: Change) -> str:
    """What a change is, and whether the book has its prices."""
    if change.field not in BY_TOKEN:
        return "no price of a token"
    prices = known(book, change.model, change.field)
    before, after = change.old in prices, change.new in prices
    if before and after:
        return "both in the book"
    if any(mends(change) for mends in MENDED.values()):
        return "the list was mended"
    return "the later in the book" if after else "not in the book"


def test_each_change_of_the_list_is_accounted_for() -> None:
    """All 434 have a verdict; what the widely used providers changed is in the book, before and after."""
    book = PriceBook(Layers(facts=read_facts()))
    found = [(change, verdict(book, change)) for change in changes()]
    assert Counter(said for _, said in found) == {
        "both in the book": 77,
        "the later in the book": 11,
        "the list was mended": 247,
        "no price of a token": 67,
        "not in the book": 32,
    }
    # DeepInfra, Groq and AWS publish no history of their prices; NLP Cloud is in no list here.
    names = {change.model.split("/")[0] for change, said in found if said == "not in the book"}
    assert names == {
        *("deepinfra", "dolphin", "chatdolphin", "openrouter"),
        "meta.llama3-1-70b-instruct-v1:0",
    }
    later = {change.model.split("/")[0] for change, said in found if said == "the later in the book"}
    assert later == {
        "groq",
        "meta.llama3-8b-instruct-v1:0",
        "meta.llama3-1-8b-instruct-v1:0",
    }


def test_no_change_of_a_widely_used_provider_is_missing() -> None:
    """What OpenAI, Anthropic, Google, Mistral and DeepSeek changed has both prices, each at its time."""
    book = PriceBook(Layers(facts=read_facts()))
    both = {change.model for change in changes() if verdict(book, change) == "both in the book"}
    assert both >= {
        *("o3", "openai/o3", "azure/o3", "o1-mini", "gpt-4o", "openrouter/openai/gpt-4o"),
        *(
            "claude-3-5-haiku-20241022",
            "us.anthropic.claude-3-5-haiku-20241022-v1:0",
            "anthropic.claude-instant-v1",
        ),
        *("gemini/gemini-1.5-flash", "ft:gpt-3.5-turbo", "deepseek/deepseek-chat"),
        *("mistral/mistral-large-latest", "mistral/mistral-small-latest", "mistral/mistral-medium-latest"),
        *("vertex_ai/codestral@2405", "vertex_ai/mistral-large@2407"),
    }
