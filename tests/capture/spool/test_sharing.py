"""Several processes share a spool: each record is read by exactly one of them, whoever lives and dies."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.capture.spool.test_spool import drained
from watchglass.capture.spool import Spool, tally

pytestmark = pytest.mark.usefixtures("waiting")

PROCESSES = 6


def child(work: Callable[[], object]) -> int:
    """A forked process that does `work` and ends without cleaning up."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return pid


def wait(children: list[int]) -> None:
    """Wait until they have ended well."""
    assert [os.waitstatus_to_exitcode(os.waitpid(each, 0)[1]) for each in children] == [0] * len(children)


def test_writers(tmp_path: Path) -> None:
    """What many processes wrote at once, and left, one heir reads whole."""

    def write() -> None:
        spool = Spool(tmp_path, about=str(os.getpid()).encode(), segment_bytes=8192)
        for number in range(500):
            spool.append(b"%d %d" % (os.getpid(), number))

    writers = [child(write) for _ in range(PROCESSES)]
    wait(writers)
    heir = Spool(tmp_path, about=b"heir")
    heir.adopt()
    found: list[bytes] = []
    while (batch := heir.read()) is not None:
        assert all(each.startswith(batch.about) for each in batch.payloads)
        found += batch.payloads
        heir.acknowledge(batch, len(batch.payloads))
    assert Counter(found) == Counter(
        b"%d %d" % (writer, number) for writer in writers for number in range(500)
    )
    heir.close()


def test_heirs(tmp_path: Path) -> None:
    """Of many processes that start at once, exactly one takes over each dead one's records."""
    for number in range(20):
        left = Spool(tmp_path, about=b"")
        left.append(b"%d" % number)
        left.close()
    ready, go = os.pipe()
    reader, writer = os.pipe()

    def inherit() -> None:
        os.read(ready, 1)
        heir = Spool(tmp_path, about=b"heir")
        heir.adopt()
        os.write(writer, b"".join(b"%s\n" % each for each in drained(heir)))

    heirs = [child(inherit) for _ in range(PROCESSES)]
    os.write(go, b"!" * PROCESSES)
    wait(heirs)
    os.close(writer)
    with os.fdopen(reader, "rb") as lines:
        assert sorted(int(line) for line in lines) == list(range(20))


def test_drops_are_added_up(tmp_path: Path) -> None:
    """What each process dropped is added to one count on disk."""

    def drop() -> None:
        spool = Spool(tmp_path, about=b"")
        for _ in range(50):
            spool.drop("refused")
            spool.tend()

    wait([child(drop) for _ in range(PROCESSES)])
    assert tally.saved(tmp_path) == {"refused": 50 * PROCESSES}


@pytest.mark.parametrize("adopted", [True, False])
def test_descriptors_closed(tmp_path: Path, adopted: bool) -> None:
    """A program that closes all that is open loses no record, also if another process was quicker."""

    def daemon() -> None:
        spool = Spool(tmp_path, about=b"")
        spool.append(b"before")
        spool.tend()
        with spool._tending:  # its own thread takes the folder back at once
            os.closerange(3, 65_536)
            if adopted:
                heir = Spool(tmp_path, about=b"heir")
                assert heir.adopt()
                assert drained(heir) == [b"before"]
        spool.tend()
        for number in range(50):
            spool.append(b"%d" % number)
        # Files of the application's own, under the numbers that were ours.
        mine = [os.open(os.devnull, os.O_RDONLY) for _ in range(50)]
        found = drained(spool) if adopted else []
        if adopted:
            assert found == [b"before", *(b"%d" % number for number in range(50))]
            spool.close()
            assert [os.fstat(each) for each in mine]
        os.kill(os.getpid(), 0 if adopted else signal.SIGKILL)

    status = os.waitpid(child(daemon), 0)[1]
    assert status == (0 if adopted else signal.SIGKILL)
    last = Spool(tmp_path, about=b"last")
    last.adopt()
    assert drained(last) == ([] if adopted else [b"before", *(b"%d" % number for number in range(50))])
    last.close()
