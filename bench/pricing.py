"""What pricing costs of ingest: `PriceBook.price` against the whole of `prepare`, on the same calls.

    python bench/pricing.py [BODIES]

The promise is at most 5 % of ingest throughput. Two ways to see it: the time inside `PriceBook.price`, and
the same bodies prepared by a book that prices nothing, in turn with a real one, so that a noisy neighbour
disturbs both alike. What is left of ingest (the insert) costs the same either way, so its share is less.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from load import Bodies

from watchglass.config import Settings
from watchglass.ingest.prepare import prepare
from watchglass.pricing.book import UNKNOWN_MODEL, PriceBook, Priced, PriceRequest
from watchglass.surfaces.price_book import open_book

PROMISED = 0.05


class Timed(PriceBook):
    """Adds up the time it spends on pricing, and how much it priced."""

    spent_ns = 0
    calls = 0

    def price(self, requests: Sequence[PriceRequest]) -> list[Priced]:
        """As the book does."""
        began = time.perf_counter_ns()
        found = super().price(requests)
        self.spent_ns += time.perf_counter_ns() - began
        self.calls += len(found)
        return found


def measure(bodies: Sequence[bytes]) -> dict[str, Any]:
    """Microseconds a call and the share of pricing, after a first round that loads the lists."""
    book = Timed(open_book(Settings()).layers)
    prepare("traces", bodies[0], "protobuf", book, time.time_ns())
    book.spent_ns = book.calls = 0
    began = time.perf_counter_ns()
    for body in bodies:
        prepare("traces", body, "protobuf", book, time.time_ns())
    whole = time.perf_counter_ns() - began
    return {
        "calls": book.calls,
        "pricing µs a call": book.spent_ns / book.calls / 1000,
        "prepare µs a call": whole / book.calls / 1000,
        "share": book.spent_ns / whole,
    }


class Unpriced(PriceBook):
    """Has the same answer for every call."""

    def price(self, requests: Sequence[PriceRequest]) -> list[Priced]:
        """No price."""
        return [UNKNOWN_MODEL] * len(requests)


def compared(bodies: Sequence[bytes]) -> float:
    """The share of prices in preparing: of each body the quicker of two goes with and without, added up."""
    books = open_book(Settings()), Unpriced()
    for book in books:
        prepare("traces", bodies[0], "protobuf", book, time.time_ns())
    spent = [0, 0]
    for body in bodies:
        goes: tuple[list[int], list[int]] = ([], [])
        for which in (0, 1, 1, 0):
            began = time.process_time_ns()
            prepare("traces", body, "protobuf", books[which], time.time_ns())
            goes[which].append(time.process_time_ns() - began)
        spent = [sofar + min(each) for sofar, each in zip(spent, goes, strict=True)]
    return (spent[0] - spent[1]) / spent[0]


def main() -> None:
    """Print the figures; exit code 1 where the promise is not kept."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    maker = Bodies("full", 100, seed=1)
    bodies = [maker.next() for _ in range(count)]
    found = measure(bodies) | {"share, compared": compared(bodies)}
    for name, value in found.items():
        print(f"{name:20}{value:12,.4f}")
    sys.exit(max(found["share"], found["share, compared"]) > PROMISED)


if __name__ == "__main__":
    main()
