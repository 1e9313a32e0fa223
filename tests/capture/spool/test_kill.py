"""`kill -9` of a process while it appends: every record whose append had returned is there, once."""

from __future__ import annotations

import mmap
import os
import random
import signal
import threading
from pathlib import Path

import pytest

from tests.capture.spool.test_spool import drained
from watchglass.capture.spool import Spool

pytestmark = pytest.mark.usefixtures("waiting")

THREADS = 2


def append_for_ever(directory: Path, progress: mmap.mmap, ready: int, notice_at: int, chance: int) -> None:
    """Append numbered records from several threads, and note in `progress` what has returned."""
    spool = Spool(directory, about=b"", segment_bytes=32768)
    returned = memoryview(progress).cast("Q")

    def work(number: int) -> None:
        sizes = random.Random(chance + number)
        count = 0
        while True:
            filling = b"x" * sizes.randrange(20, 3000)
            spool.append(b"%d %d %d " % (number, count, len(filling)) + filling)
            count += 1
            returned[number] = count
            if number == 0 and count == notice_at:
                os.write(ready, b"!")

    for number in range(1, THREADS):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    work(0)


def kill_round(directory: Path, chance: random.Random) -> None:
    """One process that is killed at some moment; checks what it left."""
    progress = mmap.mmap(-1, 4096)
    ready, writable = os.pipe()
    notice_at, seed = chance.randrange(1, 400), chance.randrange(1 << 30)
    child = os.fork()
    if child == 0:
        try:
            append_for_ever(directory, progress, writable, notice_at, seed)
        finally:
            os._exit(1)
    assert os.read(ready, 1) == b"!"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ready)
    os.close(writable)
    returned = memoryview(progress).cast("Q")
    heir = Spool(directory, about=b"")
    heir.adopt()
    seen: list[list[int]] = [[] for _ in range(THREADS)]
    for payload in drained(heir):
        number, count, size, filling = payload.split(b" ", 3)
        assert len(filling) == int(size)
        seen[int(number)].append(int(count))
    for number, counts in enumerate(seen):
        # At most the one append that was under way may be there beyond those that had returned.
        assert counts == list(range(len(counts))), (returned[number], counts)
        assert returned[number] <= len(counts) <= returned[number] + 1, (returned[number], len(counts))
    assert not heir.stats().dropped
    heir.close()
    assert not [each for each in directory.iterdir() if each.is_dir()]


def test_killed(tmp_path: Path) -> None:
    """Killed at some moment, ten times over: nothing is missing, twice there, or half there."""
    chance = random.Random(4)
    for _ in range(10):
        kill_round(tmp_path, chance)


@pytest.mark.long
def test_killed_often(tmp_path: Path) -> None:
    """The same five hundred times."""
    chance = random.Random()
    for _ in range(500):
        kill_round(tmp_path, chance)
