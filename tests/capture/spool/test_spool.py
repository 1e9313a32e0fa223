"""A spool: what is appended is read in order, once, by this process or the next."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from watchglass.capture.spool import Spool, owner, tally, writing

pytestmark = pytest.mark.usefixtures("waiting")


def drained(spool: Spool, **limits: int) -> list[bytes]:
    """Everything in it, acknowledged."""
    found: list[bytes] = []
    while (batch := spool.read(**limits)) is not None:
        found += batch.payloads
        spool.acknowledge(batch, len(batch.payloads))
    return found


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool", about=b"me", segment_bytes=4096)
    yield made
    made.close()


def test_order(spool: Spool) -> None:
    """Records come out as they went in, across segments, whatever the size of batches."""
    payloads = [os.urandom(number % 700) for number in range(1000)]
    assert all(spool.append(each) for each in payloads)
    assert drained(spool, max_bytes=3000, max_records=7) == payloads
    assert spool.read() is None
    assert spool.stats().delivered == 1000


def test_unacknowledged(spool: Spool) -> None:
    """What is read and not acknowledged is read again."""
    spool.append(b"one")
    first, again = spool.read(), spool.read()
    assert first and again and first.payloads == again.payloads == [b"one"]
    assert first.about == b"me"


def test_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a signal handler records while its own thread is appending waits for nobody and is kept."""
    monkeypatch.setattr(writing, "_PATIENCE_S", 3600)  # who waited would do so until the test is given up
    spool = Spool(tmp_path, about=b"")
    inner: list[bool] = []
    spool.ring(lambda: inner.append(spool.append(b"inner")))  # called where the thread holds the lock
    spool.append(b"outer")
    assert inner == [True]
    assert drained(spool) == [b"outer", b"inner"]
    spool.close()


def test_set_aside(tmp_path: Path) -> None:
    """Records that find the spool held stay, up to a bound, when it closes; those beyond it are counted."""
    spool = Spool(tmp_path, about=b"", segment_bytes=1 << 20)
    spool.append(b"first")
    kept: list[bool] = []
    with spool._writer.lock:  # as a signal handler finds it
        kept += [spool.append(b"%d" % number) for number in range(writing.SET_ASIDE + 5)]
    assert kept.count(False) == 5
    spool.close()
    assert spool.stats().dropped == {"memory": 5}
    heir = Spool(tmp_path, about=b"")
    heir.adopt()
    assert len(drained(heir)) == 1 + writing.SET_ASIDE
    heir.close()


def test_large(spool: Spool) -> None:
    """A record larger than a segment has one of its own; beyond the bound it is dropped and counted."""
    payloads = [b"before", os.urandom(3 << 20), b"after"]
    assert all(spool.append(each) for each in payloads)
    assert not spool.append(bytes((16 << 20) + 1))
    assert drained(spool) == payloads
    assert spool.stats().dropped == {"too_large": 1}


def test_next_process(tmp_path: Path) -> None:
    """What a closed spool leaves is read by whoever comes next, with the `about` of who wrote it, once."""
    first = Spool(tmp_path, about=b"first")
    first.append(b"left")
    first.close()
    second, third = Spool(tmp_path, about=b"second"), Spool(tmp_path, about=b"third")
    assert second.adopt() and not third.adopt()
    batch = second.read()
    assert batch and (batch.about, batch.payloads) == (b"first", [b"left"])
    second.acknowledge(batch, 1)
    assert second.read() is None
    second.close()
    assert not [each for each in tmp_path.iterdir() if each.is_dir()]


def test_what_is_no_segment(tmp_path: Path) -> None:
    """A file that was cut to nothing is counted and removed; its neighbours are read."""
    left = Spool(tmp_path, about=b"", segment_bytes=4096)
    payloads = [b"%d" % number * 100 for number in range(100)]
    for each in payloads:
        left.append(each)
    left.close()
    first = owner.segments(owner.folders(tmp_path)[0])[0]
    os.truncate(first, 5)
    heir = Spool(tmp_path, about=b"")
    heir.adopt()
    found = drained(heir)
    assert 0 < len(found) < 100 and found == payloads[-len(found) :]
    assert heir.stats().dropped == {"damaged": 1}
    heir.close()
    assert not owner.folders(tmp_path)


def test_fork(spool: Spool, tmp_path: Path) -> None:
    """A forked child writes a folder of its own, taken over when it dies; its parent's stays its own."""
    spool.append(b"parent")
    child = os.fork()
    if child == 0:
        fine = spool.stats().appended == 0 and spool.read() is None and spool.append(b"child")
        os._exit(0 if fine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    other = Spool(tmp_path / "spool", about=b"other")
    other.adopt()
    # The parent's own thread may have been there first.
    assert sorted(drained(other) + drained(spool)) == [b"child", b"parent"]


@pytest.mark.parametrize("arrives", [True, False])
def test_dropped_on_its_way(tmp_path: Path, arrives: bool) -> None:
    """A batch whose segment is dropped while it is sent counts as delivered if it arrives, else dropped."""
    spool = Spool(tmp_path, about=b"", segment_bytes=4096, limit_bytes=40960)
    payloads = [number.to_bytes(8, "big") * 64 for number in range(200)]
    spool.append(payloads[0])
    spool.append(payloads[1])
    batch = spool.read(max_records=1)
    assert batch is not None and batch.payloads == payloads[:1]
    for each in payloads[2:]:
        spool.append(each)
        spool.tend()
    assert batch.stale
    if arrives:
        spool.acknowledge(batch, 1)
    kept = drained(spool)
    stats = spool.stats()
    assert stats.dropped == {"limit": 200 - len(kept) - arrives}
    assert stats.delivered == len(kept) + arrives
    spool.close()


def resident(folder: Path) -> int:
    """MiB of the files below a folder that are mapped and in memory. Of the whole process that is no figure:
    what other tests have started maps its own files, and reads on in them."""
    found, of_ours = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        words = line.split(maxsplit=5)
        if "-" in words[0]:  # where a mapping is, and of what
            of_ours = len(words) == 6 and words[5].startswith(str(folder))
        elif of_ours and words[0] == "Rss:":
            found += int(words[1])
    return found >> 10


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells how much memory is mapped")
def test_memory(tmp_path: Path) -> None:
    """What waits is on the disk, not in the process's memory, and is read from there."""
    spool = Spool(tmp_path, about=b"")
    payloads = [os.urandom(100_000) for _ in range(400)]
    for each in payloads:
        spool.append(each)
    spool.tend()
    assert resident(tmp_path) < 10
    assert drained(spool) == payloads
    spool.close()


def test_limit(tmp_path: Path) -> None:
    """Beyond its limit a spool drops the oldest, and counts every record that it drops, on disk too."""
    spool = Spool(tmp_path, about=b"", segment_bytes=4096, limit_bytes=40960)
    payloads = [number.to_bytes(8, "big") * 64 for number in range(200)]
    for each in payloads:
        spool.append(each)
        spool.tend()
    kept = drained(spool)
    dropped = spool.stats().dropped["limit"]
    assert 0 < dropped == len(payloads) - len(kept)
    assert kept == payloads[dropped:]
    spool.close()
    assert tally.saved(tmp_path) == {"limit": dropped}


def test_no_disk(tmp_path: Path) -> None:
    """Where nothing can be written, records are kept in memory up to a bound; the oldest go, counted."""
    (tmp_path / "file").write_text("in the way")
    spool = Spool(tmp_path / "file" / "spool", about=b"", segment_bytes=4096, memory_bytes=40960)
    payloads = [number.to_bytes(8, "big") * 64 for number in range(200)]
    assert all(spool.append(each) for each in payloads)
    stats = spool.stats()
    assert stats.fault and "Not a directory" in stats.fault
    kept = drained(spool)
    assert kept == payloads[stats.dropped["memory"] :]
    assert len(kept) >= 40
    spool.close()
