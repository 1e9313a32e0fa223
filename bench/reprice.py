"""How long it takes to price a million and ten million calls anew, and to say beforehand what would change.

    python bench/reprice.py [--calls 1000000,10000000] [--data DIRECTORY] [--rounds 3] [--quick]

Grows a store of calls (`grown.py`) whose prices are nobody's, so that the first run changes every row that
has a price: the dearest case. Then the price of one model in eight changes, which is what happens. After
each run a sample of the rows is priced by the book in Python and must have that cost, and the sum of all
costs must be what the run says. A store in `--data` is kept and used again. Replaces its own part of
bench/RESULTS.md. `--quick` is for trying the benchmark itself: few calls, nothing written.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
from answers import merged
from grown import grow
from run import Figures, Promise, anchor, machine, replace_part, table

from watchglass.clock import SystemClock
from watchglass.config import Settings
from watchglass.ledger.reprice import Repricing
from watchglass.ledger.reprice_plan import Asked
from watchglass.model import Usage
from watchglass.pricing.book import PriceBook, PriceRequest
from watchglass.pricing.listed import ListedPrice
from watchglass.store import Store, open_store
from watchglass.store.reprice_runs import RepriceRuns
from watchglass.surfaces.price_book import open_book

TITLE = "## Prices anew"
SAMPLE = 100_000
GOALS = {1_000_000: 5.0, 10_000_000: 60.0}
LOOK_S = 2.0
_TOKENS = tuple(name for name in Usage.__struct_fields__ if name != "total_tokens")
_MODEL = "gpt-4o-2024-08-06"


def promises(sizes: list[int]) -> dict[str, Promise]:
    """The figures and what they must reach, in the order of the page."""
    made: dict[str, Promise] = {}
    for size in sizes:
        of = f"{size:,} calls"
        goal = GOALS.get(size)
        look = LOOK_S if size == 10_000_000 else None
        made[f"look.{size}"] = Promise(
            f"{of}: what would change, every price being another", "s", at_most=look
        )
        made[f"all.{size}"] = Promise(f"{of}: priced anew, every price being another", "s", at_most=goal)
        made[f"none.{size}"] = Promise(f"{of}: what would change, none being another", "s", at_most=look)
        made[f"some.look.{size}"] = Promise(f"{of}: what would change, one model in eight", "s", at_most=look)
        made[f"some.{size}"] = Promise(f"{of}: priced anew, one model in eight", "s", at_most=goal)
        made[f"wrong.{size}"] = Promise(
            f"{of}: sampled rows whose cost is not the book's, and sums that disagree", "rows", at_most=0,
            by_worst=True,
        )  # fmt: skip
    made["anchor"] = Promise("anchor: a loop of 10 million additions in the interpreter", "s")
    return made


def dearer(book: PriceBook) -> PriceBook:
    """The same book with another price of one model."""
    price = ListedPrice(provider="openai", model=_MODEL, input=Decimal("2.75"), output=Decimal(11))
    return PriceBook(msgspec.structs.replace(book.layers, overrides=(price, *book.layers.overrides)))


def wrong(store: Store, book: PriceBook, calls: int) -> int:
    """Of a sample of rows, how many have another cost than the book gives them in Python."""
    columns = ("provider", "request_model", "response_model", "service_tier", "success", "cost_usd", *_TOKENS)
    rows = store.engine.execute(
        f"""
        SELECT {", ".join(columns)}, toUnixTimestamp64Nano(time) AS at_ns
        FROM store.calls FINAL
        WHERE sipHash64(call_id) % {max(1, calls // SAMPLE)} = 0
        """
    ).to_pylist()
    asked = [
        PriceRequest(
            provider=row["provider"],
            request_model=row["request_model"],
            response_model=row["response_model"],
            at_ns=row["at_ns"],
            usage=Usage(**{name: row[name] for name in _TOKENS}),
            service_tier=row["service_tier"],
            success=row["success"],
        )
        for row in rows
    ]
    priced = book.price(asked)
    return sum(each.cost_usd != row["cost_usd"] for each, row in zip(priced, rows, strict=True))


def total(store: Store) -> Decimal:
    """What all counted calls cost."""
    found = store.engine.execute("SELECT sum(cost_usd) AS cost FROM store.calls FINAL WHERE counted")
    return found["cost"][0].as_py()


def look(repricing: Repricing, book: PriceBook, figures: Figures, name: str, rounds: int) -> None:
    """What would change, several times."""
    for _ in range(rounds):
        begun = time.perf_counter()
        changes = repricing.look(Asked(), book)
        figures[name].append(time.perf_counter() - begun)
    print(f"{name}: {changes.totals.rows:,} rows, {figures[name]}", file=sys.stderr)


def reprice(
    store: Store, repricing: Repricing, book: PriceBook, figures: Figures, name: str, calls: int
) -> None:
    """One run, and whether it is right."""
    before = total(store)
    begun = time.perf_counter()
    run = repricing.go(repricing.begin(Asked(), book, who="bench"), book)
    figures[name].append(time.perf_counter() - begun)
    did = repricing.progress(run).did
    print(f"{name}: {run.state}, {did.changed:,} rows, {figures[name]}", file=sys.stderr)
    disagree = (run.state != "done") + (total(store) - before != did.after_usd - did.before_usd)
    figures[f"wrong.{calls}"].append(wrong(store, book, calls) + disagree)


def measured(data: Path, calls: int, rounds: int, figures: Figures) -> None:
    """One store."""
    fresh = not data.exists()
    with open_store(data) as store:
        if fresh:
            grow(store, calls, time.time_ns(), only_calls=True)
            merged(store)
        clock = SystemClock()
        repricing = Repricing(store.engine, RepriceRuns(store.control, clock), store.versions, clock)
        book = open_book(Settings())
        figures["anchor"].append(anchor())
        look(repricing, book, figures, f"look.{calls}", rounds)
        reprice(store, repricing, book, figures, f"all.{calls}", calls)
        merged(store)
        look(repricing, book, figures, f"none.{calls}", rounds)
        other = dearer(book)
        look(repricing, other, figures, f"some.look.{calls}", rounds)
        reprice(store, repricing, other, figures, f"some.{calls}", calls)
        figures["anchor"].append(anchor())


def main() -> None:
    """Measure, and write or print the part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", default="1000000,10000000")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    sizes = [100_000] if given.quick else [int(each) for each in given.calls.split(",")]
    figures: Figures = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="watchglass-bench-") as folder:
        for size in sizes:
            measured((given.data or Path(folder)) / str(size), size, given.rounds, figures)
    part = "\n".join(
        [
            TITLE,
            "",
            f"By `python bench/reprice.py` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC: calls of 30 days, half"
            " of them with cached or reasoning tokens, with second versions and duplicates; looking at what"
            f" would change {given.rounds} times, writing once.",
            "",
            *machine(),
            "",
            *table(promises(sizes), figures),
            "",
        ]
    )
    print(part)
    if not given.quick:
        replace_part(TITLE, part)


if __name__ == "__main__":
    main()
