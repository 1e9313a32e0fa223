"""A server of the benchmark's own on an empty directory, watched from outside for memory and disk."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PROGRAM = Path(sys.executable).with_name("watchglass")
_READY = re.compile(r"watchglass is ready: (http://\S+) ")


@dataclass(frozen=True)
class Memory:
    """Bytes resident in the server and its decoding processes, at one moment."""

    total: int
    """Resident sets added up: a page that two processes share counts twice."""
    anonymous: int
    """Without pages of files."""


class Served:
    """One running server."""

    def __init__(self, process: subprocess.Popen[str], data: Path, url: str, ready_s: float) -> None:
        self.process = process
        self.data = data
        self.url = url
        self.ready_s = ready_s

    def get(self, path: str, **query: str) -> Any:
        """A JSON document of the API."""
        where = f"{self.url}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(where, timeout=120) as answer:
            return json.load(answer)

    def count(self, table: str) -> int:
        """Rows that a reader sees."""
        return int(self.get("/api/v1/query", sql=f"SELECT count() AS n FROM {table}")[0]["n"])

    def memory(self) -> Memory:
        """What it and its children hold now."""
        kinds = [_resident(pid) for pid in _family(self.process.pid)]
        return Memory(sum(total for total, _ in kinds), sum(anonymous for _, anonymous in kinds))

    def disk(self) -> int:
        """Bytes that its directory takes on the disk, each file once however many names it has."""
        seen: dict[int, int] = {}
        for path in self.data.rglob("*"):
            try:
                about = path.lstat()
            except FileNotFoundError:  # a part that a merge has just replaced
                continue
            seen[about.st_ino] = about.st_blocks * 512
        return sum(seen.values())

    def disk_at_rest(self, longest_s: float = 120) -> int:
        """The same once merges have ended and replaced parts are gone: unchanged for 15 s."""
        since = begun = time.monotonic()
        last = self.disk()
        while time.monotonic() - since < 15 and time.monotonic() - begun < longest_s:
            time.sleep(3)
            if abs((now := self.disk()) - last) > last // 1000:
                since = time.monotonic()
            last = now
        return last


@contextmanager
def served(data: Path | None = None) -> Iterator[Served]:
    """A server over `data`, else over an empty temporary directory, on free ports, until the block ends."""
    with TemporaryDirectory(prefix="watchglass-bench-") as folder:
        data = data or Path(folder) / "data"
        begun = time.perf_counter()
        process = subprocess.Popen(
            [PROGRAM, "serve", "--data", data, "--port", "0", "--grpc-port", "0", "--log-level", "warning"],
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            # As a user has it: compiled once, not at every start.
            env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        )
        assert process.stdout is not None
        try:
            found = _READY.match(process.stdout.readline())
            if found is None:
                raise SystemExit("the server did not start; what it said stands above")
            yield Served(process, data, found[1], time.perf_counter() - begun)
        finally:
            process.terminate()
            process.wait(30)


class Watch:
    """The highest memory while the block runs, looked at every tenth of a second."""

    def __init__(self, server: Served) -> None:
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory")
        self.total = self.anonymous = 0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.1):
            now = self._server.memory()
            self.total, self.anonymous = max(self.total, now.total), max(self.anonymous, now.anonymous)


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in children.read_text().split()]
            except OSError:  # a thread that has just ended
                continue
    return found


def _resident(pid: int) -> tuple[int, int]:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has just ended
        return 0, 0
    kilobytes = {name: int(size) for name, size in re.findall(r"^(VmRSS|RssAnon):\s+(\d+) kB", status, re.M)}
    return kilobytes.get("VmRSS", 0) * 1024, kilobytes.get("RssAnon", 0) * 1024
