"""Promises of speed, memory and disk, each measured beside its goal; writes bench/RESULTS.md.

    python bench/run.py [--rounds 3] [--quick]

A server of its own on an empty directory for every round, load from `bench/load.py` in a process of
its own, all on one machine. An anchor (a fixed loop of the interpreter) runs before each round, so
that figures of different machines, or of one with noisy neighbours, can be told apart.
`--quick` is for trying the benchmark itself: less load, one round, printed and not written.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from served import Served, Watch, served

HERE = Path(__file__).parent
PACKAGES = ("watchglass", "chdb-core", "pyarrow", "protobuf", "msgspec", "uvicorn", "grpcio", "genai-prices")
AFTER_LOAD_S = 40
"""Decoding processes that have nothing to do end after half a minute."""

MB = 1_000_000


@dataclass(frozen=True)
class Promise:
    """A figure and what it must reach: by its median or, where one bad moment breaks it, by its worst."""

    name: str
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    by_worst: bool = False

    def kept(self, values: list[float]) -> bool | None:
        """Whether it is met; None for a figure without a goal."""
        if self.at_least is not None:
            return (min(values) if self.by_worst else statistics.median(values)) >= self.at_least
        if self.at_most is not None:
            return (max(values) if self.by_worst else statistics.median(values)) <= self.at_most
        return None

    @property
    def goal(self) -> str:
        """As a person reads it."""
        if self.at_least is None and self.at_most is None:
            return "–"
        return f"≥ {_shown(self.at_least)}" if self.at_least is not None else f"≤ {_shown(self.at_most or 0)}"


def _ingest(kind: str, about: str, floor: float) -> dict[str, Promise]:
    return {
        f"{kind}.rate": Promise(f"{about}: ingest, acknowledged and durable", "spans/s", at_least=floor),
        f"{kind}.p50": Promise(f"{about}: median answer", "ms"),
        f"{kind}.p99": Promise(f"{about}: 99 of 100 answers within", "ms"),
        f"{kind}.max": Promise(f"{about}: longest answer", "ms", at_most=1000, by_worst=True),
        f"{kind}.memory": Promise(
            f"{about}: highest memory, server and decoding processes", "MB", at_most=1000, by_worst=True
        ),
        f"{kind}.anonymous": Promise(f"{about}: of that without pages of files", "MB"),
        f"{kind}.refused": Promise(f"{about}: answers that asked to send again", "answers"),
        f"{kind}.missing": Promise(
            f"{about}: acknowledged spans that `spans` or `calls` lacks, or has too many",
            "spans",
            at_most=0,
            by_worst=True,
        ),
        f"{kind}.behind": Promise(f"{about}: settling still behind after the last answer", "s"),
    }


PROMISES: dict[str, Promise] = {
    **_ingest("full", "full spans", 15_000),
    **_ingest("light", "light spans", 30_000),
    "disk.end": Promise("disk per full span, right after the load", "bytes"),
    "disk.rest": Promise("disk per full span, after merges", "bytes", at_most=1000),
    "start": Promise("start to ready, empty store", "s", at_most=2.0),
    "idle": Promise("memory, idle, 3 s after start", "MB", at_most=250),
    "idle.after": Promise(f"memory, idle, {AFTER_LOAD_S} s after the load of full spans", "MB", at_most=250),
    "anchor": Promise("anchor: a loop of 10 million additions in the interpreter", "s"),
}

Figures = dict[str, list[float]]


def anchor() -> float:
    """Seconds for a fixed piece of work, on one core."""
    begun, total = time.perf_counter(), 0
    for number in range(10_000_000):
        total += number
    return time.perf_counter() - begun


def starts(figures: Figures, times: int) -> None:
    """Start on an empty store, again and again."""
    for _ in range(times):
        with served() as server:
            figures["start"].append(server.ready_s)
            time.sleep(3)
            figures["idle"].append(server.memory().total / MB)


def load(figures: Figures, kind: str, spans: int, server: Served) -> int:
    """Send `spans` spans; returns how many were acknowledged."""
    command = [sys.executable, HERE / "load.py", "--url", server.url, "--kind", kind, "--spans", str(spans)]
    with Watch(server) as watch:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the load generator failed:\n{done.stderr}")
    said = json.loads(done.stdout)
    ended = time.monotonic()
    while server.get("/health")["dependencies"]["ingest"]["unsettled_traces"]:
        time.sleep(0.2)
    got: dict[str, float] = {
        "rate": said["spans_per_s"],
        "p50": said["answer_p50_ms"],
        "p99": said["answer_p99_ms"],
        "max": said["answer_max_ms"],
        "memory": watch.total / MB,
        "anonymous": watch.anonymous / MB,
        "refused": said["retries"],
        "missing": max(abs(said["acknowledged"] - server.count(table)) for table in ("spans", "calls")),
        "behind": time.monotonic() - ended,
    }
    for name, value in got.items():
        figures[f"{kind}.{name}"].append(value)
    if said["acknowledged"] < spans:
        print(
            f"only {said['acknowledged']} of {spans} spans were taken: {said['first_error']}", file=sys.stderr
        )
    return said["acknowledged"]


def one_round(figures: Figures, spans: int) -> None:
    """Full and light spans, each into an empty store."""
    figures["anchor"].append(anchor())
    with served() as server:
        sent = load(figures, "full", spans, server)
        figures["disk.end"].append(server.disk() / sent)
        time.sleep(AFTER_LOAD_S)
        figures["idle.after"].append(server.memory().total / MB)
        figures["disk.rest"].append(server.disk_at_rest() / sent)
    with served() as server:
        load(figures, "light", spans, server)


def report(figures: Figures, spans: int, rounds: int) -> str:
    """The page."""
    lines = [
        "# What was measured",
        "",
        f"By `make bench` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC: {rounds} rounds of {spans:,} spans of"
        " each kind, 6 connections, 1,000 spans a request, server and load generator on the same machine. A"
        " full span has 2,000 characters of prompt and answer, a light one 12 attributes; every span has"
        " ids, times and text of its own. What must never happen (a slow answer, much memory, a lost span)"
        " is judged by its worst round, all else by the median.",
        "",
        *machine(),
        "",
        *table(PROMISES, figures),
        "",
    ]
    return "\n".join(lines)


def table(promises: dict[str, Promise], figures: Figures) -> list[str]:
    """Each figure beside its goal, and what falls short."""
    lines = ["| figure | median | lowest to highest | goal | |", "|---|---:|---:|---:|---|"]
    missed: list[str] = []
    for name, promise in promises.items():
        if not (values := figures[name]):
            continue
        kept = promise.kept(values)
        verdict = "" if kept is None else "met" if kept else "**missed**"
        if kept is False:
            missed.append(promise.name)
        spread = f"{_shown(min(values))} to {_shown(max(values))}"
        median = _shown(statistics.median(values))
        lines.append(f"| {promise.name} | {median} {promise.unit} | {spread} | {promise.goal} | {verdict} |")
    return [*lines, "", f"Missed: {'; '.join(missed)}." if missed else "Every goal is met."]


def replace_part(title: str, part: str) -> None:
    """Put `part`, which begins with the line `title`, into the page instead of the part that did."""
    page = HERE / "RESULTS.md"
    parts = re.split(r"(?m)^(?=## )", page.read_text())
    kept = [each.rstrip("\n") for each in parts if not each.startswith(title)]
    page.write_text("\n\n".join([*kept, part.rstrip("\n")]) + "\n")


def machine() -> list[str]:
    """What it ran on."""
    model = _first(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo")) or platform.processor() or "unknown"
    memory = int(_first(r"^MemTotal:\s+(\d+) kB", Path("/proc/meminfo")) or 0) * 1024
    kernel = f"{platform.system()} {platform.release()}"
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return [
        f"- machine: {os.cpu_count()} cores ({model}), {memory / 2**30:.0f} GiB of memory, {kernel}",
        f"- versions: Python {platform.python_version()}, {packages}",
    ]


def _first(pattern: str, file: Path) -> str | None:
    found = re.search(pattern, file.read_text(), re.M) if file.is_file() else None
    return found[1] if found else None


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def main() -> None:
    """Measure, and write or print the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true", help="50,000 spans, one round, nothing written")
    given = parser.parse_args()
    spans, rounds = (50_000, 1) if given.quick else (given.spans, given.rounds)
    figures: Figures = defaultdict(list)
    steps: list[Callable[[], None]] = [lambda: starts(figures, 5)]
    steps += [lambda: one_round(figures, spans)] * rounds
    for number, step in enumerate(steps):
        print(f"step {number + 1} of {len(steps)} …", file=sys.stderr)
        step()
    page = report(figures, spans, rounds)
    print(page)
    if not given.quick:
        others = re.split(r"(?m)^(?=## )", (HERE / "RESULTS.md").read_text())[1:]
        (HERE / "RESULTS.md").write_text("\n".join([page, *others]))


if __name__ == "__main__":
    main()
