"""Too many senders: what gets through, how much memory it takes, and what those hear who are sent away.

    python bench/overload.py [--seconds 10] [--batch 500] [--fair]

For each number of connections a server of its own on an empty directory. Bodies are made before, and
each connection sends one after the other without a pause, refused or not: harsher than an exporter,
which waits for as long as `Retry-After` says. Goodput is spans acknowledged; it must not fall below 80 %
of the best when the connections are more than the server can serve. `--fair` instead measures one polite
sender, alone and beside 64 connections of another key.
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from load import Bodies
from served import PROGRAM, Served, Watch, served

CONNECTIONS = (1, 4, 8, 16, 32, 64)
MB = 1_000_000
MADE = 24
WARM_S = 4.0
"""Decoding processes start with the first large bodies."""


@dataclass
class Seen:
    """What the connections of one run saw."""

    acknowledged: int = 0
    answers_s: list[float] = field(default_factory=list[float])
    refused: Counter[int] = field(default_factory=Counter[int])
    without_retry: int = 0
    broken: int = 0


def press(
    server: Served,
    bodies: list[bytes],
    batch: int,
    connections: int,
    seconds: float,
    key: str = "",
    pause_s: float = 0,
) -> Seen:
    """Send from all connections at once for `seconds`."""
    where, seen, lock = urlsplit(server.url), Seen(), threading.Lock()
    end = time.monotonic() + seconds
    headers = {"Content-Type": "application/x-protobuf"} | ({"Authorization": f"Bearer {key}"} if key else {})

    def work(number: int) -> None:
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        while (begun := time.monotonic()) < end:
            try:
                connection.request("POST", "/v1/traces", bodies[number % len(bodies)], headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                # An answer while the body is still on its way is closed after by us or by them.
                connection.close()
                with lock:
                    seen.broken += 1
                continue
            number += 1
            took = time.monotonic() - begun
            with lock:
                if answer.status == 200:
                    seen.acknowledged += batch
                    seen.answers_s.append(took)
                else:
                    seen.refused[answer.status] += 1
                    seen.without_retry += answer.headers.get("Retry-After") is None
            if pause_s:
                time.sleep(max(0.0, pause_s - took))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def overload(bodies: list[bytes], batch: int, seconds: float) -> int:
    """One row for each number of connections; 1 when goodput falls off."""
    print(f"{len(bodies[0]):,} bytes and {batch} spans a body")
    print(
        "connections  spans/s  p50 s  p99 s  max s  refused  no Retry-After  broken  memory MB  anonymous MB"
    )
    rates: dict[int, float] = {}
    for connections in CONNECTIONS:
        with served() as server:
            press(server, bodies, batch, min(4, connections), WARM_S)
            begun = time.monotonic()
            with Watch(server) as watch:
                seen = press(server, bodies, batch, connections, seconds)
            took = time.monotonic() - begun
        rates[connections] = seen.acknowledged / took
        answers = np.array(seen.answers_s or [0.0])
        p50, p99 = np.quantile(answers, [0.5, 0.99])
        print(
            f"{connections:11} {rates[connections]:8,.0f} {p50:6.2f} {p99:6.2f} {answers.max():6.2f}"
            f" {sum(seen.refused.values()):8} {seen.without_retry:15} {seen.broken:7}"
            f" {watch.total / MB:10,.0f} {watch.anonymous / MB:13,.0f}",
            flush=True,
        )
    share = rates[max(CONNECTIONS)] / max(rates.values())
    print(f"goodput at {max(CONNECTIONS)} connections: {share:.0%} of the best (goal: 80 %)")
    return int(share < 0.8)


def fair(bodies: list[bytes], batch: int, seconds: float) -> int:
    """A polite key's answers alone and beside a noisy one."""
    polite_bodies = [Bodies("full", 20, seed).next() for seed in range(MADE)]
    with served() as server:
        noisy, polite = (_key(server.data, name) for name in ("noisy", "polite"))
        press(server, bodies, batch, 4, WARM_S, noisy)
        alone = press(server, polite_bodies, 20, 1, seconds, polite, 0.2)
        result: list[Seen] = []
        beside = threading.Thread(
            target=lambda: result.append(press(server, bodies, batch, 64, seconds + 2, noisy))
        )
        beside.start()
        time.sleep(1)
        with_noise = press(server, polite_bodies, 20, 1, seconds, polite, 0.2)
        beside.join()
    for name, seen in (("alone", alone), ("beside 64 connections of another key", with_noise)):
        p50, p95 = np.quantile(np.array(seen.answers_s or [0.0]), [0.5, 0.95])
        print(
            f"polite key {name}: {seen.acknowledged / seconds:,.0f} spans/s, p50 {p50:.2f}, p95 {p95:.2f} s,"
            f" refused {sum(seen.refused.values())}"
        )
    print(
        f"noisy key: {result[0].acknowledged / (seconds + 2):,.0f} spans/s,"
        f" refused {dict(result[0].refused)}, without Retry-After {result[0].without_retry}"
    )
    return 0


def _key(data: Path, name: str) -> str:
    command = [PROGRAM, "keys", "create", "--role", "ingest", "--name", name, "--data", data, "--json"]
    return str(json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["key"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--fair", action="store_true")
    given = parser.parse_args()
    maker = Bodies("full", given.batch, 1)
    bodies = [maker.next() for _ in range(MADE)]
    sys.exit((fair if given.fair else overload)(bodies, given.batch, given.seconds))


if __name__ == "__main__":
    main()
