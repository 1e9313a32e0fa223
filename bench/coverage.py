"""How long coverage takes over ten million calls from two thousand lines of code.

    python bench/coverage.py [--calls 10000000] [--data DIRECTORY] [--rounds 10] [--quick]

Grows a store of calls (`grown.py`) whose lines are drawn unevenly from 2,000, in 200 files, and writes a
project with the same call sites. Then asks a server over it for what ran where, and runs `watchglass
coverage` on the project as a user would: start of the command, reading of the code and the answer included.
Without `--data` the store is thrown away after; with it, it is grown only when the directory is empty.
Replaces its own part of bench/RESULTS.md.
`--quick` is for trying the benchmark itself: a small store, nothing written.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from answers import merged
from grown import grow
from run import Figures, Promise, anchor, machine, replace_part, table
from served import PROGRAM, Served, served

from watchglass.store import RollupKeeper, Store, open_store

TITLE = "## Coverage at ten million calls"
TICKS = os.sysconf("SC_CLK_TCK")

SITES = 2_000
FILES = 200
EACH = SITES // FILES
LINES_APART = 20

# The number of a call's site: a few sites make most calls, as they do.
_SITE = f"toUInt32({SITES} * pow(sipHash64(span_id, 7) / 18446744073709551616., 3))"
ASSIGNED = f"""
    code_file = concat('/srv/app/shop/part_', leftPad(toString(intDiv({_SITE}, {EACH})), 3, '0'), '.py'),
    code_line = ({_SITE} % {EACH}) * {LINES_APART} + 9,
    code_function = concat('ask_', toString({_SITE} % {EACH}))
    WHERE 1
"""


def promises() -> dict[str, Promise]:
    """The figures and what they must reach, in the order of the page."""
    return {
        "asked": Promise("which lines made calls, of 30 days, through the API: answer", "s", at_most=2),
        "cpu": Promise("processor time of the server for it", "s"),
        "command": Promise("`watchglass coverage`, start and reading the code included", "s", at_most=2),
        "command cpu": Promise("processor time of the command and the server for it", "s"),
        "summing": Promise(
            "processor time to sum a day of a thirtieth of the calls up by line, once it is over", "s"
        ),
        "anchor": Promise("anchor: a loop of 10 million additions in the interpreter", "s"),
    }


def write_project(folder: Path) -> None:
    """Files in which call number `n` of a part stands at line `n * LINES_APART + 9`."""
    package = folder / "src" / "shop"
    package.mkdir(parents=True)
    for number in range(FILES):
        lines = ["import litellm", *[""] * (EACH * LINES_APART)]
        for site in range(EACH):
            at = site * LINES_APART + 7
            lines[at] = f"def ask_{site}(question):"
            lines[at + 1] = '    return litellm.completion(model="openai/gpt-4o", messages=[question])'
        (package / f"part_{number:03}.py").write_text("\n".join(lines) + "\n", "utf-8")


def processor_s(server: Served) -> float:
    """Processor time of the server so far."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def children_s() -> float:
    """Processor time of the commands that have run so far."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def asked(server: Served, project: Path, figures: Figures, rounds: int) -> None:
    """Each question in turn."""
    for number in range(rounds + 1):
        spent, begun = processor_s(server), time.perf_counter()
        sites = server.get("/api/v1/coverage/sites", since="31d")["sites"]
        took, spent = time.perf_counter() - begun, processor_s(server) - spent
        command = [PROGRAM, "coverage", "src", "--url", server.url, "--since", "31d", "--json"]
        together, begun = children_s() + processor_s(server), time.perf_counter()
        said = subprocess.run(command, cwd=project, stdout=subprocess.PIPE, check=True).stdout
        whole, together = time.perf_counter() - begun, children_s() + processor_s(server) - together
        found = json.loads(said)
        assert len(sites) == len(found["seen"]) == found["sites"] == SITES, (len(sites), found["sites"])
        assert all(site["matched"] == "line" for site in found["seen"])
        if number:  # the first round opens files
            told = {"asked": took, "cpu": spent, "command": whole, "command cpu": together}
            for name, each in told.items():
                figures[name].append(each)


def summed_up(store: Store, figures: Figures) -> None:
    """As a server has done it by the time that a day is over."""
    print("summing up …", file=sys.stderr)
    keeper, sites = RollupKeeper(store.engine, store.engine.rollup), store.engine.rollup.sites
    more = True
    while more:
        known, begun = len(sites.kept()), time.process_time()
        more = keeper.step()
        if len(sites.kept()) > known:
            figures["summing"].append(time.process_time() - begun)


def measured(data: Path, calls: int, rounds: int, figures: Figures) -> None:
    """One whole run."""
    fresh = not data.exists()
    with open_store(data) as store:
        if fresh:
            grow(store, calls, time.time_ns(), only_calls=True, assigned=ASSIGNED)
            merged(store)
        summed_up(store, figures)
        store.control.put("settled_until_ns", str(time.time_ns()))
    with tempfile.TemporaryDirectory(prefix="watchglass-bench-") as folder, served(data) as server:
        write_project(Path(folder))
        figures["anchor"].append(anchor())
        asked(server, Path(folder), figures, rounds)
        figures["anchor"].append(anchor())


def main() -> None:
    """Measure, and write or print the part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=10_000_000)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    calls = 100_000 if given.quick else given.calls
    rounds = 2 if given.quick else given.rounds
    figures: Figures = {name: [] for name in promises()}
    with tempfile.TemporaryDirectory(prefix="watchglass-bench-") as folder:
        measured(given.data or Path(folder) / "data", calls, rounds, figures)
    part = "\n".join(
        [
            TITLE,
            "",
            f"By `python bench/coverage.py` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC: {calls:,} calls "
            f"over 30 days"
            f" from {SITES:,} lines in {FILES} files, with second versions and duplicates; asked {rounds} "
            f"times"
            " through the HTTP API of a server process; every line is found at its call site.",
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
