"""How fast the answers of the pages Overview and Costs come from a store of ten million spans.

    python bench/app_pages.py [--spans 10000000] [--data DIRECTORY] [--rounds 30] [--quick]

Grows a store (`grown.py`), sums it up, waits for its merges, then asks a server over it through its HTTP
API, each question in turn, whole answers read to the end. Without `--data` the store is thrown away after;
with it, it is grown only when the directory is empty. Replaces its own part of bench/RESULTS.md. `--quick` is
for trying the benchmark itself: a small store, nothing written.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from answers import prepared
from run import Figures, Promise, anchor, machine, replace_part, table
from served import Served, served

TITLE = "## Overview and Costs at ten million spans"
GOAL_MS = 1000.0

QUESTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "Overview, an hour (by the minute, from calls)": ("/api/v1/overview", {"since": "1h"}),
    "Overview, 24 hours": ("/api/v1/overview", {"since": "24h"}),
    "Overview, 7 days": ("/api/v1/overview", {"since": "7d"}),
    "Overview, 15 days against the 15 before": ("/api/v1/overview", {"since": "15d"}),
    "Overview, 30 days": ("/api/v1/overview", {"since": "30d"}),
    "Overview, 7 days of one tenant": ("/api/v1/overview", {"since": "7d", "tenant": "tenant-3"}),
    "Costs by model, 30 days": ("/api/v1/costs", {"since": "30d", "by": "model"}),
    "Costs by tenant and model, 30 days": ("/api/v1/costs", {"since": "30d", "by": "tenant,model"}),
    "Costs by agent, 7 days": ("/api/v1/costs", {"since": "7d", "by": "agent"}),
    "unit costs, 7 days (sessions are in calls)": ("/api/v1/costs/units", {"since": "7d"}),
}
UNJUDGED = "unit costs, 7 days (sessions are in calls)"


def promises() -> dict[str, Promise]:
    """The figures and what they must reach, in the order of the page."""
    made: dict[str, Promise] = {}
    for name in QUESTIONS:
        made[name] = Promise(f"{name}: median answer", "ms", at_most=None if name == UNJUDGED else GOAL_MS)
        made[f"{name}, 95"] = Promise(f"{name}: 95 of 100 answers within", "ms")
    made["anchor"] = Promise("anchor: a loop of 10 million additions in the interpreter", "s")
    return made


def asked(server: Served, figures: Figures, rounds: int) -> None:
    """Each question in turn, `rounds` times: what one leaves in a cache does not favour itself."""
    times: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    for number in range(rounds + 1):
        for name, (path, query) in QUESTIONS.items():
            begun = time.perf_counter()
            server.get(path, **query)
            if number:  # the first round opens files
                times[name].append((time.perf_counter() - begun) * 1000)
    for name, each in times.items():
        figures[name].append(statistics.median(each))
        figures[f"{name}, 95"].append(sorted(each)[int(len(each) * 0.95)])


def main() -> None:
    """Measure, and write or print the part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spans", type=int, default=10_000_000)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    spans = 200_000 if given.quick else given.spans
    rounds = 3 if given.quick else given.rounds
    figures: Figures = {name: [] for name in promises()}
    with tempfile.TemporaryDirectory(prefix="watchglass-bench-") as folder:
        data = given.data or Path(folder) / "data"
        prepared(data, spans, {**figures, "rebuilt": []})
        figures["anchor"].append(anchor())
        with served(data) as server:
            asked(server, figures, rounds)
        figures["anchor"].append(anchor())
    part = "\n".join(
        [
            TITLE,
            "",
            f"By `python bench/app_pages.py` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC: {spans:,} spans, each"
            " a call, over 30 days, with second versions and duplicates; each question asked"
            f" {rounds} times in turn through the HTTP API of a server process.",
            "",
            *machine(),
            "",
            *table(promises(), figures),
            "",
        ]
    )
    print(part)
    if not given.quick:
        replace_part(TITLE, part)


if __name__ == "__main__":
    main()
