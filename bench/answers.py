"""How fast answers come from a store of ten million spans, idle and while 5,000 spans a second come in.

    python bench/answers.py [--spans 10000000] [--data DIRECTORY] [--rounds 30] [--quick]

Grows a store (`grown.py`), sums it up once from nothing, waits for its merges, then asks a server over it
through its HTTP API. Every figure is of whole answers, read to the end. Without `--data` the store is thrown
away after; with it, it is grown only when the directory is empty. Replaces its own part of bench/RESULTS.md.
`--quick` is for trying the benchmark itself: a small store, nothing written.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from grown import A_TRACE, grow
from run import Figures, Promise, anchor, machine, replace_part, table
from served import Served, served

from watchglass.store import RollupKeeper, Store, open_store

HERE = Path(__file__).parent
RATE = 5_000
WARM_UP_S = 20
MERGES_S = 300
TITLE = "## Answers at ten million spans"

QUESTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "cost per model per hour over 30 days": (
        "/api/v1/usage",
        {"by": "model,hour", "since": "30d", "durations": "no"},
    ),
    "the same with mean and p95 of durations": ("/api/v1/usage", {"by": "model,hour", "since": "30d"}),
    "totals per tenant, model and day over 30 days": (
        "/api/v1/usage",
        {"by": "tenant,model,day", "since": "30d", "durations": "no"},
    ),
    "p95 per model per day over 30 days": ("/api/v1/usage", {"by": "model,day", "since": "30d"}),
    "ten most expensive calls of 30 days": ("/api/v1/calls", {"sort": "cost", "limit": "10", "since": "30d"}),
    "error rate over 24 hours": ("/api/v1/usage", {"by": "", "since": "24h"}),
    "a trace by its id": ("/api/v1/traces/{trace}", {}),
}
UNJUDGED = "the same with mean and p95 of durations"
LOADED = f"while {RATE:,} spans/s come in"


def promises() -> dict[str, Promise]:
    """The figures and what they must reach, in the order of the page."""
    made: dict[str, Promise] = {}
    for when, general in (("idle", 100.0), (LOADED, 300.0)):
        for name in QUESTIONS:
            goal = None if name == UNJUDGED else 50.0 if name.startswith("a trace") else general
            made[f"{name}, {when}"] = Promise(f"{name}: median answer, {when}", "ms", at_most=goal)
            made[f"{name}, {when}, 95"] = Promise(f"{name}: 95 of 100 answers within, {when}", "ms")
    made["rate"] = Promise("spans that came in meanwhile", "spans/s", at_least=0.95 * RATE)
    made["ready"] = Promise("start to ready", "s", at_most=4)
    made["rebuilt"] = Promise("the rollup of all hours, from nothing, on one thread", "s")
    made["memory"] = Promise("memory after the questions, idle", "MB")
    made["anchor"] = Promise("anchor: a loop of 10 million additions in the interpreter", "s")
    return made


def prepared(data: Path, spans: int, figures: Figures) -> list[str]:
    """Grow the store if it is empty, sum it up; returns ids of some of its traces."""
    fresh = not data.exists()
    with open_store(data) as store:
        if fresh:
            grow(store, spans, time.time_ns())
        print("summing up …", file=sys.stderr)
        begun = time.perf_counter()
        keeper = RollupKeeper(store.engine, store.engine.rollup)
        while keeper.step():
            pass
        if fresh:
            figures["rebuilt"].append(time.perf_counter() - begun)
            merged(store)
        # Nothing has come since; merges only make it look so.
        store.control.put("settled_until_ns", str(time.time_ns()))
        found = store.engine.execute(
            "SELECT trace_id FROM store.spans WHERE cityHash64(trace_id) % 1000 = 7"
            f" GROUP BY trace_id HAVING uniqExact(span_id) = {A_TRACE} LIMIT 1000"
        )
        return found["trace_id"].to_pylist()


def merged(store: Store) -> None:
    """Wait for the merges that growing leaves: a store of thirty days has had its own long ago."""
    print("waiting for merges …", file=sys.stderr)
    until = time.monotonic() + MERGES_S
    while time.monotonic() < until:
        if not store.engine.execute("SELECT count() AS n FROM system.merges")["n"][0].as_py():
            return
        time.sleep(2)


def asked(server: Served, figures: Figures, traces: list[str], when: str, rounds: int) -> None:
    """Each question in turn, `rounds` times: what one leaves in a cache does not favour itself."""
    times: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    for number in range(rounds + 1):
        for name, (path, query) in QUESTIONS.items():
            path = path.replace("{trace}", random.choice(traces))
            begun = time.perf_counter()
            server.get(path, **query)
            if number:  # the first round opens files
                times[name].append((time.perf_counter() - begun) * 1000)
    for name, each in times.items():
        figures[f"{name}, {when}"].append(statistics.median(each))
        figures[f"{name}, {when}, 95"].append(sorted(each)[int(len(each) * 0.95)])


@contextmanager
def loading(server: Served, figures: Figures, seconds: int) -> Generator[None]:
    """Spans come in, as many a second as promised, while the block runs."""
    command = [sys.executable, HERE / "load.py", "--url", server.url, "--kind", "light", "--connections", "4"]
    command += ["--batch", "500", "--rate", str(RATE), "--spans", str(RATE * seconds)]
    load = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(WARM_UP_S)
        yield
    finally:
        if load.poll() is not None:
            print("the load ended before the questions; give it more seconds", file=sys.stderr)
        assert load.stdout is not None
        said = json.loads(load.stdout.read())
        load.wait()
        figures["rate"].append(said["spans_per_s"])


def measured(data: Path, spans: int, rounds: int, seconds: int, figures: Figures) -> None:
    """One whole run."""
    traces = prepared(data, spans, figures)
    figures["anchor"].append(anchor())
    for _ in range(3):
        with served(data) as server:
            figures["ready"].append(server.ready_s)
    print("asking …", file=sys.stderr)
    with served(data) as server:
        asked(server, figures, traces, "idle", rounds)
        figures["memory"].append(server.memory().total / 1e6)
        print(f"asking {LOADED} …", file=sys.stderr)
        with loading(server, figures, seconds):
            asked(server, figures, traces, LOADED, rounds)
    figures["anchor"].append(anchor())


def main() -> None:
    """Measure, and write or print the part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spans", type=int, default=10_000_000)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seconds", type=int, default=120, help="how long spans come in")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    spans = 200_000 if given.quick else given.spans
    figures: Figures = {name: [] for name in promises()}
    with tempfile.TemporaryDirectory(prefix="watchglass-bench-") as folder:
        data = given.data or Path(folder) / "data"
        measured(
            data, spans, 3 if given.quick else given.rounds, 30 if given.quick else given.seconds, figures
        )
    part = "\n".join(
        [
            TITLE,
            "",
            f"By `python bench/answers.py` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC: {spans:,} spans, each a"
            " call, over 30 days, with second versions and duplicates; each question asked"
            f" {given.rounds} times in turn through the HTTP API of a server process; spans that came in"
            " meanwhile were light ones from a process on the same machine.",
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
