"""A spool as the SDK uses it: what is appended survives the process, and is read in order."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from watchglass.capture import boundary
from watchglass.capture.spool import owner
from watchglass.capture.spool.reading import Batch, Mark, Reader
from watchglass.capture.spool.tally import Reason, Tally
from watchglass.capture.spool.writing import Writer
from watchglass.errors import ConfigError

__all__ = ["Batch", "Mark", "Spool", "SpoolStats"]

SEGMENT_BYTES = 1 << 20
LIMIT_BYTES = 256 << 20
MEMORY_BYTES = 8 << 20
_SMALLEST_SEGMENT = 4096
_SEGMENTS_AT_LEAST = 4
_TEND_EVERY_S = 5.0
_LOOK_EVERY_S = 1.0
"""Whether the lock on the folder is still there, and the disk again: two system calls."""
_PATIENCE_S = 2.0
"""Longest that closing waits for the spool's thread, which may be waiting for a disk."""


@dataclass(frozen=True, slots=True)
class SpoolStats:
    """A spool in figures, of this process unless said otherwise."""

    appended: int
    appended_bytes: int
    delivered: int
    """Of dead processes too."""
    dropped: dict[str, int]
    """By reason, see `tally.Reason`; of dead processes too."""
    waiting: int
    waiting_bytes: int
    """With what dead processes left and this one has taken over."""
    fault: str | None
    """Why records are only in memory; None if they are safe in the spool."""


class Spool:
    """Records of this process, and those that dead ones left, in `directory` (made when first needed).

    `about` says whose records they are (the msgpack'd resource) and is given back with each batch.
    `limit_bytes` bounds what all processes together leave in `directory`; beyond it the oldest of this and of
    dead processes are dropped and counted. Each living process has up to two segments whatever the limit.
    Fork-safe: a child starts with nothing and makes a folder of its own. A closed spool opens again with the
    next record.

    Raises `ConfigError` for sizes that make no sense.
    """

    def __init__(
        self,
        directory: Path,
        *,
        about: bytes,
        segment_bytes: int = SEGMENT_BYTES,
        limit_bytes: int = LIMIT_BYTES,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        if limit_bytes < _SEGMENTS_AT_LEAST * _SMALLEST_SEGMENT:
            raise ConfigError(
                f"the spool's limit is {limit_bytes} bytes; give it at least 16 KiB, better 256 MiB"
            )
        self.directory = directory
        self._limit_bytes = limit_bytes
        self._tally = Tally()
        size = max(_SMALLEST_SEGMENT, min(segment_bytes, limit_bytes // _SEGMENTS_AT_LEAST))
        self._writer = Writer(directory, about, size, memory_bytes, self._tally)
        self._writer.on_first = self.start
        self._reader = Reader(self._writer, self._tally)
        self.on_start: Callable[[], None] | None = None
        """Called with the first record, and again with the first in a forked child: starts what delivers."""
        self._taken = 0
        """Bytes that all processes have taken, at most, but for what others took in the last seconds."""
        self._keeper: threading.Thread | None = None
        self._tending = threading.Lock()
        self._starting = threading.Lock()
        """Held from the start of the keeper to its end: several threads may append first."""
        _spools.add(self)

    def describe(self, about: bytes) -> None:
        """Say otherwise whose records they are, from the next segment on: a forked child's are its own."""
        self._writer.about = about

    def append(self, payload: bytes) -> bool:
        """Keep a record; False when it is dropped (and counted). Never raises.

        A disk that stalls is waited for a second, once; then records go to memory until it is back.
        """
        return self._writer.append(payload)

    def start(self) -> None:
        """Start the thread that makes segments ahead and takes over what dead processes left."""
        if self._keeper is None and self._starting.acquire(blocking=False):
            self._keeper = threading.Thread(
                target=self._keep, args=(self._writer.wanted,), name="watchglass-spool", daemon=True
            )
            try:
                self._keeper.start()
            except RuntimeError:  # the interpreter is ending: callers make their segments themselves
                return
            self._writer.keep(True)
            if self.on_start is not None:
                self.on_start()

    def tend(self) -> None:
        """What the spool's thread does all few seconds, once."""
        self._tend(self._writer.wanted)

    @boundary.guarded("spool.adopt")
    def adopt(self) -> int:
        """Take over what dead processes left, at once; how many segments that were."""
        return self._reader.adopt()

    def read(self, max_bytes: int = 1 << 18, max_records: int = 256) -> Batch | None:
        """The oldest records that are not acknowledged, all of one process; None when there are none."""
        return self._reader.read(max_bytes, max_records)

    def acknowledge(self, batch: Batch, delivered: int) -> None:
        """So many records of this batch are delivered and the others dropped: none is needed any more."""
        self._reader.acknowledge(batch, delivered)

    def drop(self, reason: Reason, records: int = 1) -> None:
        """Count records that are given up."""
        self._tally.drop(reason, records)

    def mark(self) -> Mark:
        """Where the spool ends now."""
        self._writer.settle()
        return self._reader.mark()

    def passed(self, mark: Mark) -> bool:
        """Whether everything before `mark` has left the spool."""
        return self._reader.passed(mark)

    def ring(self, bell: Callable[[], None], after_bytes: int = 1) -> None:
        """Call `bell` once, from the caller's thread, when so many bytes are appended from now on.

        It must be quick and usable in a signal handler (`SimpleQueue.put` is).
        """
        self._writer.unread = 0
        self._writer.ring = bell
        self._writer.ring_at = after_bytes

    def stats(self) -> SpoolStats:
        """Where it stands."""
        waiting, waiting_bytes = self._reader.waiting()
        return SpoolStats(
            appended=self._writer.appended,
            appended_bytes=self._writer.appended_bytes,
            delivered=self._reader.delivered,
            dropped=dict(self._tally.dropped),
            waiting=waiting,
            waiting_bytes=waiting_bytes,
            fault=self._writer.fault,
        )

    @boundary.guarded("spool.close")
    def close(self) -> None:
        """Leave what is not delivered to the next process."""
        self._writer.settle()
        self._stop_keeper()
        held = self._tending.acquire(timeout=_PATIENCE_S)
        try:
            self._writer.close()
            self._reader.close()
            self._save()
        finally:
            if held:
                self._tending.release()

    def _keep(self, wanted: SimpleQueue[None]) -> None:
        """The spool's thread: woken when a segment is used up, else all few seconds."""
        due = time.monotonic()
        while wanted is self._writer.wanted:
            if time.monotonic() >= due:
                self._tend(wanted)
                due = time.monotonic() + _TEND_EVERY_S
            else:  # callers may be waiting: what is not urgent waits for its time
                self._prepare(wanted)
            with suppress(Empty):
                wanted.get(timeout=min(_LOOK_EVERY_S, max(0.0, due - time.monotonic())))

    @boundary.guarded("spool.tend")
    def _tend(self, wanted: SimpleQueue[None]) -> None:
        with self._tending:
            if wanted is not self._writer.wanted:  # closed meanwhile
                return
            self._writer.prepare()
            self._taken = self._limit_bytes
            self._make_room(0)
            if self._reader.adopt():
                self._writer.ring()
            self._save()

    @boundary.guarded("spool.prepare")
    def _prepare(self, wanted: SimpleQueue[None]) -> None:
        with self._tending:
            if wanted is self._writer.wanted:
                self._make_room(self._writer.prepare())

    def _stop_keeper(self) -> None:
        if self._keeper is not None:
            self._keeper = None
            self._starting = threading.Lock()
        self._writer.keep(False)
        wanted = self._writer.wanted
        self._writer.wanted = SimpleQueue()
        wanted.put(None)

    def _make_room(self, made: int) -> None:
        """Drop the oldest until what there is, after so many bytes more, is within the limit."""
        # Looking at every file is for when it may be too much: each look may wait 5 ms for the interpreter.
        self._taken += made
        if self._taken < self._limit_bytes:
            return
        self._taken = owner.taken(self.directory)
        while self._taken > self._limit_bytes:
            freed = self._reader.drop_oldest()
            if freed == 0:
                return
            self._taken -= freed

    def _save(self) -> None:
        if self.directory.is_dir():
            self._tally.save(self.directory)

    def _forget(self) -> None:
        self._tally.forget()
        self._writer.forget()
        self._reader.forget()
        self._keeper = None
        self._tending = threading.Lock()
        self._starting = threading.Lock()


_spools: weakref.WeakSet[Spool] = weakref.WeakSet()


def _after_fork() -> None:
    for each in list(_spools):
        each._forget()  # pyright: ignore[reportPrivateUsage] - this function is the class's own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
