"""A disk that is full costs the application nothing, and no record that memory can hold."""

from __future__ import annotations

import logging
import os
import resource
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.capture.spool.test_spool import drained
from watchglass.capture import boundary
from watchglass.capture.spool import Spool, owner, segment, writing

pytestmark = pytest.mark.usefixtures("waiting")

SEGMENT = 64 << 10


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    made = tmp_path / "disk"
    made.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", made], capture_output=True)
    if mount.returncode != 0:
        pytest.skip("only root may mount a small disk; test_no_room_for_a_segment covers the same path")
    yield made
    subprocess.run(["umount", "-l", made], check=True)


def test_full(small_disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    """On a full disk records go to memory, said once; the disk is used again when it can be."""
    boundary.forget()
    spool = Spool(small_disk / "spool", about=b"", segment_bytes=SEGMENT)
    payloads = [b"%d " % number + os.urandom(4000) for number in range(600)]
    with caplog.at_level(logging.WARNING):
        assert all(spool.append(each) for each in payloads)
    stats = spool.stats()
    assert stats.fault is not None and "No space left" in stats.fault
    assert len([each for each in caplog.records if "kept in memory" in each.message]) == 1
    assert drained(spool) == payloads
    spool.tend()
    assert spool.stats().fault is None
    assert not spool.stats().dropped
    spool.close()


def test_no_room_for_a_segment(tmp_path: Path) -> None:
    """A limit on file sizes, which fails each allocation, ends no process and loses no record."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            # Writing beyond it raises SIGXFSZ, which Python ignores; the allocation then fails with EFBIG.
            resource.setrlimit(resource.RLIMIT_FSIZE, (SEGMENT // 2, resource.RLIM_INFINITY))
            spool = Spool(tmp_path / "spool", about=b"", segment_bytes=SEGMENT)
            payloads = [b"%d" % number for number in range(1000)]
            assert all(spool.append(each) for each in payloads)
            assert spool.stats().fault
            assert drained(spool) == payloads
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            spool.append(b"first on disk")
            spool.tend()
            assert spool.stats().fault is None
            spool.append(b"on disk")
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    heir = Spool(tmp_path / "spool", about=b"")
    heir.adopt()
    assert b"on disk" in drained(heir)
    heir.close()


def test_stalls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk stalls callers wait once and then no more; nothing is lost, and files come back."""
    back, asked = threading.Event(), threading.Event()
    allocate = segment.allocate

    def stalling(fd: int, size: int) -> None:
        asked.set()
        assert back.wait(60)
        allocate(fd, size)

    spool = Spool(tmp_path, about=b"", segment_bytes=4096)
    spool.append(b"first")
    spool.tend()  # the next segment is ready
    monkeypatch.setattr(segment, "allocate", stalling)
    payloads = [number.to_bytes(8, "big") * 64 for number in range(100)]
    kept: list[bool] = []

    def append(some: list[bytes]) -> None:
        kept.extend(spool.append(each) for each in some)

    # Who waited again after the first half would do so until the test is given up.
    for some, quick_s in ((payloads[:50], 0.1), (payloads[50:], 3600)):
        monkeypatch.setattr(writing, "QUICK_S", quick_s)
        threads = [threading.Thread(target=append, args=(some[start::4],)) for start in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert asked.wait(60)
    assert kept == [True] * len(payloads)
    back.set()
    spool.tend()
    spool.append(b"on disk")
    found = [
        each.payload(frame)
        for path in owner.segments(owner.folders(tmp_path)[0])
        for each in [segment.Segment.load(path, owner.salt_of(path.parent), write=False)]
        for frame in each.records(each.acked, live=True)
    ]
    assert b"on disk" in found
    assert sorted(drained(spool)) == sorted([b"first", *payloads, b"on disk"])
    assert not spool.stats().dropped
    spool.close()


def test_the_directory_is_deleted(tmp_path: Path) -> None:
    """If somebody deletes the spool while it is used, records go on into a new one."""
    spool = Spool(tmp_path / "spool", about=b"", segment_bytes=4096)
    spool.append(b"before")
    spool.tend()
    subprocess.run(["rm", "-rf", tmp_path / "spool"], check=True)
    payloads = [b"%d" % number * 50 for number in range(200)]
    assert all(spool.append(each) for each in payloads)
    assert drained(spool) == [b"before", *payloads]
    assert spool.stats().fault is None
    spool.close()


def test_private(tmp_path: Path) -> None:
    """Nobody else may look into a spool."""
    spool = Spool(tmp_path / "deep" / "spool", about=b"")
    spool.append(b"secret")
    spool.close()  # its thread makes files meanwhile
    for each in [tmp_path / "deep" / "spool", *(tmp_path / "deep" / "spool").rglob("*")]:
        assert each.stat().st_mode & 0o077 == 0
