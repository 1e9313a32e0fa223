"""What a decision of a hard budget takes, over HTTP, from callers that ask at once; against a bare append.

    python bench/budgets.py [--seconds 10] [--quick]

Each caller reserves and settles again and again on a connection of its own: *together* as fast as it is
answered, and *paced*, each caller once in a tenth of a second, as ahead of calls that take longer than that.
An answer waits for the disk, so the anchor is a disk's answer in the same run: 4 KiB appended to a file and
synced, one after the other, while nobody asks. Writes the part "Budgets" of bench/RESULTS.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from run import Figures, Promise, machine, replace_part, table
from served import Served, served

CALLERS = (1, 8, 64)
PACE_S = 0.1
TITLE = "## Budgets"

PROMISES: dict[str, Promise] = {
    "anchor.p50": Promise("anchor: 4 KiB appended and synced: median", "ms"),
    "anchor.p99": Promise("anchor: 99 of 100 within", "ms"),
    **{
        f"{pace}.{callers}.{name}.{figure}": Promise(
            f"{name}, {callers} callers{', paced' if pace == 'paced' else ' together'}: {about}",
            "ms",
            at_most=5 if figure == "p99" and pace == "paced" else None,
        )
        for pace in ("paced", "together")
        for callers in CALLERS
        for name in ("reserve", "settle")
        for figure, about in (("p50", "median"), ("p99", "99 of 100 within"))
    },
    **{
        f"{pace}.{callers}.rate": Promise(
            f"{callers} callers{', paced' if pace == 'paced' else ' together'}: decisions", "/s"
        )
        for pace in ("paced", "together")
        for callers in CALLERS
    },
    **{
        f"{pace}.{callers}.processor": Promise(
            f"{callers} callers{', paced' if pace == 'paced' else ' together'}: processor a decision", "µs"
        )
        for pace in ("paced", "together")
        for callers in CALLERS
    },
    **{
        f"paced.{callers}.ratio": Promise(
            f"reserve, {callers} callers, paced: its 99th percentile in those of the anchor", "×"
        )
        for callers in CALLERS
    },
}


class Caller:
    """One connection, and how long its requests took."""

    def __init__(self, url: str, taken: dict[str, list[float]]) -> None:
        self._host, self._port = urlsplit(url).hostname or "", urlsplit(url).port or 0
        self._taken = taken

    async def run(self, until: float, pace_s: float, first_s: float) -> None:
        """Reserve and settle until it is time."""
        await asyncio.sleep(first_s)
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        while (began := time.perf_counter()) < until:
            made = await self._post("reserve", {"amount_usd": "0.01", "tenant": "acme", "feature": "chat"})
            assert made["admitted"], made
            await self._post("settle", {"reservation": made["reservation"], "actual_usd": "0.000001"})
            await asyncio.sleep(max(0.0, began + pace_s - time.perf_counter()))
        self._writer.close()

    async def _post(self, what: str, said: dict[str, str]) -> dict[str, str]:
        body = json.dumps(said).encode()
        head = f"POST /api/v1/budgets/{what} HTTP/1.1\r\nhost: {self._host}\r\n"
        head += f"content-length: {len(body)}\r\n\r\n"
        began = time.perf_counter()
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in answer.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        content = await self._reader.readexactly(length)
        self._taken[what].append(time.perf_counter() - began)
        assert answer.startswith(b"HTTP/1.1 200"), content
        return json.loads(content)


def anchor(folder: str, times: int = 300) -> list[float]:
    """Seconds of each append."""
    taken: list[float] = []
    with open(f"{folder}/anchor", "ab", buffering=0) as file:
        for _ in range(times):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    return taken


def processor(server: Served) -> float:
    """Seconds of processor that the server has used, which other programs on the machine change little."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def within(taken: list[float], share: float) -> float:
    """Milliseconds within which this share of them was."""
    return sorted(taken)[min(len(taken) - 1, int(len(taken) * share))] * 1000


async def ask(server: Served, callers: int, seconds: float, pace_s: float) -> dict[str, list[float]]:
    """Let them ask."""
    taken: dict[str, list[float]] = defaultdict(list)
    until = time.perf_counter() + seconds
    spread = pace_s / callers
    await asyncio.gather(
        *(Caller(server.url, taken).run(until, pace_s, number * spread) for number in range(callers))
    )
    return taken


def measure(figures: Figures, seconds: float, warm_s: float) -> None:
    """One server, and every number of callers in turn."""
    with TemporaryDirectory(prefix="watchglass-bench-") as folder, served() as server:
        for name, scope in {"a": {"tenant": "acme"}, "b": {"feature": "chat"}, "c": {}}.items():
            _make(server, {"name": name, "limit_usd": "1000000", "kind": "hard", "scope": scope})
        time.sleep(warm_s)  # after its start a server reads the price lists, once
        taken = anchor(folder)
        figures["anchor.p50"].append(within(taken, 0.5))
        figures["anchor.p99"].append(within(taken, 0.99))
        for pace, pace_s in (("paced", PACE_S), ("together", 0.0)):
            for callers in CALLERS:
                spent = processor(server)
                found = asyncio.run(ask(server, callers, seconds, pace_s))
                spent = processor(server) - spent
                figures[f"{pace}.{callers}.processor"].append(spent * 1e6 / sum(map(len, found.values())))
                for name, taken in found.items():
                    figures[f"{pace}.{callers}.{name}.p50"].append(statistics.median(taken) * 1000)
                    figures[f"{pace}.{callers}.{name}.p99"].append(within(taken, 0.99))
                figures[f"{pace}.{callers}.rate"].append(sum(map(len, found.values())) / seconds)
                if pace == "paced":
                    ratio = within(found["reserve"], 0.99) / figures["anchor.p99"][-1]
                    figures[f"paced.{callers}.ratio"].append(ratio)


def _make(server: Served, budget: dict[str, object]) -> None:
    import urllib.request

    body = json.dumps(budget).encode()
    with urllib.request.urlopen(f"{server.url}/api/v1/budgets", data=body) as answer:
        assert answer.status == 200


def main() -> None:
    """Measure, and write or print the part of the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="two seconds each, once, nothing written")
    given = parser.parse_args()
    figures: Figures = defaultdict(list)
    load = os.getloadavg()[0]
    for number in range(1 if given.quick else given.rounds):
        print(f"round {number + 1} …", file=sys.stderr)
        measure(figures, 2 if given.quick else given.seconds, 12)
    part = "\n".join(
        [
            TITLE,
            "",
            f"By `bench/budgets.py`: {len(figures['anchor.p50'])} rounds; callers reserve and settle of "
            "three hard budgets, each answer on disk before it is given. Paced: each caller once in a tenth "
            "of a second. The load generator is on the same machine, in Python too; when it began, the "
            f"machine's load average was {load:.1f} (of {os.cpu_count()} cores), which all figures but the "
            "processor's and the ratios suffer from.",
            "",
            *machine(),
            "",
            *table(PROMISES, figures),
        ]
    )
    print(part)
    if not given.quick:
        replace_part(TITLE, part)


if __name__ == "__main__":
    main()
