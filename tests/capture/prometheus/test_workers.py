"""Several worker processes of one application: their figures together, and what a death changes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.capture.prometheus.scrape import Samples, at, scraped

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="workers find each other by POSIX locks")

ROOT = Path(__file__).parents[3]


class Worker:
    """A worker process, told what to do line by line."""

    def __init__(self, folder: Path, port: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.capture.prometheus.worker", str(folder), str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.port = self.heard()

    def heard(self) -> int | None:
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()
        assert words, "the worker died"
        return int(words[1]) if words[1:] and words[1].isdigit() else None

    def tell(self, line: str) -> int | None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.heard()

    def die(self, how: int = signal.SIGKILL) -> None:
        self.process.send_signal(how)
        self.process.wait(60)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def port() -> Iterator[int]:
    """A port that is free, and given to nobody else meanwhile: held, though nobody listens at it."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def workers(tmp_path: Path, port: int) -> Iterator[list[Worker]]:
    """Three workers that share a folder and a port."""
    made = [Worker(tmp_path, port) for _ in range(3)]
    yield made
    for each in made:
        if each.process.poll() is None:
            each.die()


def calls(samples: Samples, provider: str = "p") -> float | None:
    return at(samples, "watchglass_llm_calls_total", provider=provider, model="m", status="success")


def test_one_port_tells_of_all_workers(workers: list[Worker], port: int) -> None:
    """Whoever answers, counters, histograms and gauges are those of all workers together."""
    assert [each.port for each in workers] == [port, None, None]
    for number, each in enumerate(workers, 1):
        each.tell(f"call p {number}")
        each.tell(f"level events {number}")
    found = scraped(port)
    assert calls(found) == 3
    assert at(found, "watchglass_llm_duration_seconds_sum", provider="p", model="m") == 6
    assert at(found, "watchglass_llm_duration_seconds_bucket", provider="p", model="m", le="2.0") == 2
    assert at(found, "watchglass_queue_depth", queue="events") == 6
    assert at(found, "watchglass_worker_processes") == 3


def test_a_killed_worker_keeps_its_counts_and_loses_its_gauges(
    workers: list[Worker], port: int, tmp_path: Path
) -> None:
    """After `kill -9` of a worker no counter falls, its gauges are gone, and so are its files."""
    for each in workers:
        each.tell("call p 1")
        each.tell("level events 5")
    workers[2].die()
    for _ in range(2):
        found = scraped(port)
        assert calls(found) == 3
        assert at(found, "watchglass_llm_duration_seconds_count", provider="p", model="m") == 3
        assert at(found, "watchglass_queue_depth", queue="events") == 10
        assert at(found, "watchglass_worker_processes") == 2
    assert len(list(tmp_path.glob("*.cells"))) == 2


def test_another_worker_takes_the_port_over(workers: list[Worker], port: int, tmp_path: Path) -> None:
    """When the worker that answers is killed, another answers at the same port, with all that was counted."""
    for each in workers:
        each.tell("call p 1")
    workers[0].die()
    # Which of the two the kernel wakes is its choice: a fourth comes, and one of all answers.
    newcomer = Worker(tmp_path, port)
    try:
        newcomer.tell("call p 1")
        found = scraped_from_any(port)
        assert calls(found) == 4
        assert at(found, "watchglass_worker_processes") == 3
    finally:
        newcomer.die()


def scraped_from_any(port: int) -> Samples:
    """A scrape, as soon as somebody listens: the port is taken over by a thread of another process."""
    while True:
        try:
            return scraped(port)
        except OSError:
            os.sched_yield()


def test_a_new_application_begins_at_zero(workers: list[Worker], port: int, tmp_path: Path) -> None:
    """When no worker is left, the next one to start does not go on with their figures."""
    for each in workers:
        each.tell("call p 1")
        each.die()
    later = Worker(tmp_path, port)
    try:
        later.tell("call p 1")
        assert calls(scraped(port)) == 1
    finally:
        later.die()


def test_a_forked_child_counts_for_itself(workers: list[Worker], port: int) -> None:
    """A handle that was made before a fork counts in parent and child, and the sum has each once."""
    workers[0].tell("fork")
    found = scraped(port)
    assert calls(found, "forked") == 11
    assert at(found, "watchglass_worker_processes") == 4
    workers[0].tell("")  # the child ends
    workers[0].tell("call p 1")
    found = scraped(port)
    assert (calls(found, "forked"), calls(found)) == (11, 1)
    assert at(found, "watchglass_worker_processes") == 3


def test_a_torn_file_of_a_dead_worker_costs_its_figures_only(
    workers: list[Worker], port: int, tmp_path: Path
) -> None:
    """Garbage where a dead worker's files should be leaves the figures of the others."""
    for each in workers:
        each.tell("call p 1")
    workers[2].die()
    (tmp_path / "1-dead.cells").write_bytes(b"half")
    (tmp_path / "1-dead.names").write_bytes(b'[{"name": "x"}, \n\xff\n[]\nhalf a line')
    assert calls(scraped(port)) == 3
    assert not (tmp_path / "1-dead.cells").exists()
