"""Promise: `watchglass import` takes 50,000 rows a second and more, priced and durable.

    python bench/imports.py [--rows 1000000] [--rounds 3]

The command as a whole, from its start to its end, on a file of calls whose every row differs: JSON lines and
CSV into an empty store (`--data`), JSON lines into a server, and the JSON lines once more into the store
that has them. The anchor reads the same file as JSON and does nothing else, before each round.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from served import served

GOAL = 50_000
MODELS = (
    *(
        "gpt-4o-2024-08-06",
        "gpt-4o-mini",
        "claude-3-5-sonnet-20241022",
        "anthropic/claude-3-7-sonnet-20250219",
    ),
    *("gemini-1.5-pro", "deepseek/deepseek-chat", "o3-mini"),
)
COLUMNS = (
    *("time", "request_model", "input_tokens", "output_tokens", "cache_read_tokens", "reported_cost_usd"),
    *("duration_ms", "success", "tenant", "feature", "flow", "session", "edit_format", "version"),
)
_PROGRAM = Path(sys.executable).with_name("watchglass")


def make(folder: Path, rows: int) -> tuple[Path, Path]:
    """The same calls as JSON lines and as CSV, two a second."""
    rnd = random.Random(3)
    lines, table = folder / "calls.jsonl", folder / "calls.csv"
    encode = msgspec.json.Encoder().encode
    with lines.open("wb") as jsonl, table.open("w") as csv:
        csv.write(",".join(COLUMNS) + "\n")
        for number in range(rows):
            row = (
                *(1_735_689_600_000 + number * 500, rnd.choice(MODELS), 2000 + rnd.randrange(9000)),
                *(rnd.randrange(900), rnd.randrange(2000), rnd.randrange(1_000_000) / 1e7),
                *(
                    rnd.randrange(20_000),
                    rnd.random() < 0.98,
                    f"tenant-{number % 17}",
                    f"feature-{number % 5}",
                ),
                *(rnd.randbytes(16).hex(), f"session-{number // 40}", "diff", "1.2.3"),
            )
            jsonl.write(encode(dict(zip(COLUMNS, row, strict=True))) + b"\n")
            csv.write(",".join(map(str, row)) + "\n")
    return lines, table


def anchor(file: Path) -> float:
    """Seconds to decode the file as JSON, in this process."""
    decoder = msgspec.json.Decoder()
    begun = time.perf_counter()
    with file.open("rb") as lines:
        for line in lines:
            decoder.decode(line)
    return time.perf_counter() - begun


def imported(file: Path, rows: int, new: int, *options: str) -> float:
    """Seconds that the command takes; ends the program if it did not do what it should."""
    begun = time.perf_counter()
    command = [_PROGRAM, "import", file, "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=file.parent)
    took = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(f"the import failed:\n{done.stderr}")
    tally = json.loads(done.stdout)[str(file)]
    if (tally["rows"], tally["new"]) != (rows, new) or tally["priced"] < rows:
        raise SystemExit(f"not all rows were imported and priced: {tally}")
    return took


def _processor_s() -> float:
    """Seconds that this process and its ended children kept a core busy; neighbours hardly move it."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in spent)


def one_round(figures: dict[str, list[float]], lines: Path, table: Path, rows: int) -> None:
    """Each way once, each into a store of its own."""

    def note(name: str, measure: Callable[[], float]) -> None:
        before = _processor_s()
        took = measure()
        busy = (_processor_s() - before) / rows * 1e6
        figures[name].append(rows / took)
        figures[f"{name}: processor"].append(busy)
        print(f"  {name}: {rows / took:,.0f} rows/s, {busy:.1f} µs of processor a row", file=sys.stderr)

    note("anchor: decode the JSON lines", lambda: anchor(lines))
    with TemporaryDirectory(prefix="watchglass-bench-") as folder:
        data = ("--data", str(Path(folder) / "data"))
        note("JSON lines into a store", lambda: imported(lines, rows, rows, *data))
        note("the same again, nothing new", lambda: imported(lines, rows, 0, *data))
    with TemporaryDirectory(prefix="watchglass-bench-") as folder:
        data = ("--data", str(Path(folder) / "data"))
        note("CSV into a store", lambda: imported(table, rows, rows, *data))
    with served() as server:
        note(
            "JSON lines into a server (its own processor apart)",
            lambda: imported(lines, rows, rows, "--url", server.url),
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    figures: dict[str, list[float]] = defaultdict(list)
    with TemporaryDirectory(prefix="watchglass-bench-") as folder:
        lines, table = make(Path(folder), given.rows)
        for number in range(given.rounds):
            print(f"round {number + 1} of {given.rounds} …", file=sys.stderr)
            one_round(figures, lines, table, given.rows)
    print(f"{given.rows:,} rows, {given.rounds} rounds; goal: {GOAL:,} rows/s into a store")
    for name, rates in figures.items():
        if name.endswith(": processor"):
            spread = f"{min(rates):.1f} to {max(rates):.1f}"
            print(f"    {statistics.median(rates):.1f} µs of processor a row ({spread})")
            continue
        spread = f"{min(rates):,.0f} to {max(rates):,.0f}"
        print(f"{name}: median {statistics.median(rates):,.0f} rows/s ({spread})")


if __name__ == "__main__":
    main()
