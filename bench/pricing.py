"""What pricing costs of ingest: `PriceBook.price` against the whole of `prepare`, on the same calls.

    python bench/pricing.py [BODIES]

The promise is at most 5 % of ingest throughput.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from load import Bodies

from watchglass.config import Settings
from watchglass.ingest.prepare import prepare
from watchglass.pricing.book import PriceBook, Priced, PriceRequest
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


def main() -> None:
    """Print the figures; exit code 1 where the promise is not kept."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    maker = Bodies("full", 100, seed=1)
    found = measure([maker.next() for _ in range(count)])
    for name, value in found.items():
        print(f"{name:20}{value:12,.4f}")
    sys.exit(found["share"] > PROMISED)


if __name__ == "__main__":
    main()
