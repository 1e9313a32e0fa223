"""The numbers of one process: doubles in memory, mapped to a file that the other workers read.

Beside `<id>.cells` lies `<id>.names`, to which a line is appended for each series: which numbers are its own.
So a figure outlives `kill -9`, and a reader needs nothing of the writer but its two files. The writer holds a
lock on its cells while it lives; locks of POSIX end with their process and are not inherited by a fork.

The library's own multi-process mode was not taken: an environment variable switches it on for all metrics of
the application, it must be there before the first import, and files of dead workers are never folded.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
from io import FileIO
from pathlib import Path

import msgspec

from watchglass.names import Metric

try:
    import fcntl
except ImportError:  # Windows: every process stands for itself
    fcntl = None

COUNT = 1 << 18
"""Numbers that one process may have (2 MiB); a histogram takes as many as it has buckets, and two."""


class Named(msgspec.Struct, array_like=True, frozen=True):
    """A line of `<id>.names`: the series that begins at number `at`."""

    metric: Metric
    labels: tuple[str, ...]
    at: int


def width(metric: Metric) -> int:
    """How many numbers a series has: its value; a histogram's buckets, the one above them, and the sum."""
    return len(metric.buckets) + 2 if metric.kind == "histogram" else 1


class Cells:
    """`values` are the numbers. Without a folder they are this process's alone.

    Raises `OSError` when the files cannot be made; then nothing is left behind.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.id = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._folder = folder
        self._used = 0
        self._names: FileIO | None = None
        self._file: FileIO | None = None
        memory: mmap.mmap | bytearray
        if folder is None:
            memory = bytearray(COUNT * 8)
        else:
            try:
                memory = self._mapped(folder)
            except OSError:
                self.close(remove=True)
                raise
        self.values = memoryview(memory).cast("B").cast("d")

    def _mapped(self, folder: Path) -> mmap.mmap:
        self._file = (folder / f"{self.id}.cells").open("x+b", buffering=0)
        # Allocated now: a hole that the disk has no room for later would be a signal, not an error.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._file.fileno(), 0, COUNT * 8)
        else:
            self._file.truncate(COUNT * 8)
        hold(self._file.fileno())
        self._names = (folder / f"{self.id}.names").open("xb", buffering=0)
        return mmap.mmap(self._file.fileno(), COUNT * 8)

    def take(self, metric: Metric, labels: tuple[str, ...]) -> int | None:
        """Where the numbers of a new series begin; None when there is no room for it."""
        at = self._used
        if at + width(metric) > COUNT:
            return None
        if self._names is not None:
            with contextlib.suppress(OSError):  # the disk is full: only this process sees the series
                self._names.write(msgspec.json.encode(Named(metric, labels, at)) + b"\n")
        self._used = at + width(metric)
        return at

    def close(self, *, remove: bool = False) -> None:
        """Let go of the files: from now on the process is dead to the others. The numbers stay readable."""
        for file, suffix in ((self._file, "cells"), (self._names, "names")):
            if file is not None:
                file.close()
                if remove and self._folder is not None:
                    (self._folder / f"{self.id}.{suffix}").unlink(missing_ok=True)
        self._file = self._names = None


def hold(file: int, *, wait: bool = False) -> bool:
    """Take the lock on an open file, for as long as it is open; whether that worked.

    A process cannot lock itself out, and loses the lock when it closes *any* descriptor of that file.
    """
    if fcntl is None:
        return True
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (BlockingIOError, PermissionError):
        return False
    return True


def let_go(file: int) -> None:
    """Give the lock back."""
    if fcntl is not None:
        fcntl.lockf(file, fcntl.LOCK_UN)
