"""How many of the costs that a real client recorded the dated prices reproduce, and why the others differ.

    python bench/aider.py [../shared/data/aider_usage/calls.jsonl.gz] [--rows]

The classes are those of `pricing/differences.py`; a row that hides its model is not counted.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from watchglass.model import Usage
from watchglass.pricing.book import Layers, PriceBook, PriceRequest
from watchglass.pricing.differences import Difference, Explainer
from watchglass.pricing.provider import detect
from watchglass.pricing.unlisted import with_unlisted
from watchglass.surfaces.price_book import read_facts

CALLS = Path(__file__).resolve().parents[2] / "shared/data/aider_usage/calls.jsonl.gz"

Row = dict[str, Any]


def rows(file: Path) -> Iterator[Row]:
    """Calls with a recorded cost whose model is named, decimals as written."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line, parse_float=Decimal)
            model = row["model"]
            if (
                row["cost_usd"] is not None
                and model not in (None, "None")
                and not model.endswith("/REDACTED")
            ):
                yield row


def request(row: Row) -> PriceRequest:
    """What the book is asked: all that the record says."""
    model = row["model"]
    provider, _ = detect(label=None, server_address=None, request_model=model, response_model=None)
    return PriceRequest(
        provider=provider, request_model=model, response_model=None, at_ns=row["time"] * 10**9,
        usage=Usage(input_tokens=row["prompt_tokens"], output_tokens=row["completion_tokens"]),
    )  # fmt: skip


def explained(file: Path, facts: bool = True) -> list[tuple[Row, Difference]]:
    """Each row with its class, by the shipped book, or by `genai-prices` alone."""
    book = PriceBook(Layers(facts=read_facts() if facts else ()))
    explainer, known = Explainer(book), list(rows(file))
    requests = [request(row) for row in known]
    alone = [
        (asked, explainer.explain(asked, Decimal(row["cost_usd"]), priced))
        for row, asked, priced in zip(known, requests, book.price(requests), strict=True)
    ]
    return list(zip(known, with_unlisted(alone), strict=True))


def show(found: Sequence[tuple[Row, Difference]], each_row: bool) -> None:
    """Counts by class and model, and with `each_row` the evidence of each."""
    classes = Counter(difference.kind for _, difference in found)
    for kind, count in classes.most_common():
        print(f"{kind:24}{count:6,}{count / len(found):9.2%}")
        models: dict[str, list[tuple[Row, Difference]]] = defaultdict(list)
        for row, difference in found:
            if difference.kind == kind != "same":
                models[row["model"]].append((row, difference))
        for model, of_model in sorted(models.items(), key=lambda item: -len(item[1])):
            print(f"    {len(of_model):4} {model}: {of_model[0][1].evidence}")
            for row, difference in of_model if each_row else ():
                print(
                    f"         {row['time_utc']} {row['prompt_tokens']}+{row['completion_tokens']}: recorded "
                    f"{row['cost_usd']}, computed {difference.computed_usd}: {difference.evidence}"
                )


def main() -> None:
    """Print the classes with counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=CALLS)
    parser.add_argument("--rows", action="store_true", help="every row that differs, with its evidence")
    asked = parser.parse_args()
    found = explained(asked.file)
    show(found, asked.rows)
    alone = [difference.kind for _, difference in explained(asked.file, facts=False)].count("same")
    dated = sum(each.kind in ("same", "stale_list") and each.cached is None for _, each in found)
    print(
        f"\nof {len(found):,} rows: at the price in force {sum(each.kind == 'same' for _, each in found):,}"
    )
    print(f"    with genai-prices alone {alone:,} ({alone / len(found):.2%})")
    print(f"    at some published price of the model {dated:,} ({dated / len(found):.2%})")


if __name__ == "__main__":
    main()
