"""How many extractions of genai-prices' own test set the book prices as that set says, halves and total.

    python bench/genai_usages.py [directory with usages.jsonl.gz and prices.json.gz] [--rows]

The set's prices are those of its price book when it was made, so each extraction is priced by that
edition (`prices.json.gz`, read as a layer). That file is in the format's first edition, which has
no prices of images, searches and the like apart; what has such counts is priced by the installed
package too, and either must be the set's figure. In this set a count that is not there is none.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import msgspec

from watchglass.model import Usage
from watchglass.pricing.book import Layers, PriceBook, PriceRequest
from watchglass.pricing.genai import PROVIDERS
from watchglass.surfaces.price_book import read_facts

DATA = Path(__file__).resolve().parents[2] / "shared/data/genai_prices_usages"
OURS = {theirs: ours for ours, theirs in PROVIDERS.items()}
OURS |= {"google": "google_ai_studio", "azure": "azure_openai"}
COUNTS = {f"{name}_tokens": f"{name}_tokens" for name in ("input", "output", "cache_read", "cache_write")}
COUNTS |= {"cache_write_1h_tokens": "cache_write_1h_tokens", "output_reasoning_tokens": "reasoning_tokens"}
COUNTS |= {"input_audio_tokens": "input_audio_tokens", "output_audio_tokens": "output_audio_tokens"}
DAY_NS = 86_400 * 10**9
NOON_NS = 20_454 * DAY_NS + DAY_NS // 2
"""Noon of 2026-01-01: the set's list is undated but for a few prices, which have begun by then."""


class Extraction(msgspec.Struct, frozen=True):
    """A usage, who would have sold it, and what the set says that it costs."""

    provider: str
    model: str
    usage: dict[str, int]
    input_usd: Decimal
    output_usd: Decimal
    total_usd: Decimal

    @property
    def request(self) -> PriceRequest:
        """What the book is asked."""
        said = {ours: self.usage.get(theirs) for theirs, ours in COUNTS.items()}
        said |= {name: said[name] or 0 for name in ("input_tokens", "output_tokens")}
        return PriceRequest(
            provider=OURS.get(self.provider, self.provider), request_model=self.model, response_model=None,
            at_ns=NOON_NS, usage=Usage(**said), counts=unit_counts(self.usage),
        )  # fmt: skip


def unit_counts(usage: Mapping[str, int]) -> dict[str, int]:
    """Counts by unit: `cache_audio_read_tokens` is `cache_audio_read`, searches keep their names."""
    return {name.removesuffix("_tokens"): count for name, count in usage.items()}


def extractions(directory: Path) -> Iterator[Extraction]:
    """Every extraction that the set has a price for."""
    for line in gzip.decompress((directory / "usages.jsonl.gz").read_bytes()).splitlines():
        row = json.loads(line)
        for extracted in row["extracted"]:
            for by in extracted["extractors"]:
                if "input_price" in by or "output_price" in by or "total_price" in by:
                    spent, made = Decimal(by.get("input_price", 0)), Decimal(by.get("output_price", 0))
                    total = Decimal(by.get("total_price", spent + made))
                    yield Extraction(by["provider_id"], row["model"], extracted["usage"], spent, made, total)


def agrees(book: PriceBook, asked: Extraction) -> str:
    """`exact`, or what the book says instead."""
    request = asked.request
    priced = book.price([request])[0]
    if priced.cost_usd is None:
        return str(priced.unpriced_reason)
    rates = next(found for _, each in book.schedules(request) if (found := each.at(request.at_ns)))
    same = rates.halves(request.usage, request.counts) == (asked.input_usd, asked.output_usd)
    same = same and priced.cost_usd == asked.total_usd
    return "exact" if same else f"{priced.cost_usd} for {asked.total_usd}"


def compared(directory: Path) -> list[tuple[Extraction, str]]:
    """Each extraction with its class."""
    edition = PriceBook(Layers(genai=gzip.decompress((directory / "prices.json.gz").read_bytes())))
    # Free by OpenRouter's own rule and the like: prices that the list leaves empty.
    installed = PriceBook(Layers(facts=read_facts()))
    return [(asked, _verdict(edition, installed, asked)) for asked in extractions(directory)]


def _verdict(edition: PriceBook, installed: PriceBook, asked: Extraction) -> str:
    verdict = agrees(edition, asked)
    if verdict == "exact" or agrees(installed, asked) != "exact":
        # The set adds nothing up to 0; here, what has no price has no cost.
        nothing = verdict == "tier_unknown" and not asked.total_usd
        return "no price in the list" if nothing else verdict
    return (
        "exact, of a model that the edition lacks" if verdict == "unknown_model" else "exact, by finer units"
    )


def main() -> None:
    """Print the classes with counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, nargs="?", default=DATA)
    parser.add_argument("--rows", action="store_true", help="every extraction that is not exact")
    asked = parser.parse_args()
    found = compared(asked.directory)
    for verdict, count in Counter(verdict for _, verdict in found).most_common():
        print(f"{count:6,}  {verdict}")
    for each, verdict in found if asked.rows else ():
        if verdict != "exact":
            print(f"    {each.provider}/{each.model} {each.usage}: {verdict}")
    exact = sum(verdict.startswith("exact") for _, verdict in found)
    print(f"{exact:,} of {len(found):,} ({exact / len(found):.2%})")


if __name__ == "__main__":
    main()
