"""The side of the spool that the application's threads use: append, and go on to the next segment.

A next segment is made ahead (`prepare`, on the spool's own thread), so that going on costs nothing. Where a
burst is faster than that, callers wait for it (some 0.1 ms), but not for long: a disk that stalls must not
stall the application, so then the records go to a segment in memory, which is not safe against `kill -9`,
until a file is ready. The same when there is no disk to write to at all.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from watchglass.capture import boundary
from watchglass.capture.spool import owner, place
from watchglass.capture.spool.owner import Folder
from watchglass.capture.spool.segment import Segment, head
from watchglass.capture.spool.tally import Tally

NEVER = 1 << 62
RECORD_BYTES = 16 << 20
"""The largest record that is kept."""
QUICK_S = 1.0
"""Longest that callers wait for a next segment, once; and after one that took longer they do not wait at all.
Less would be no sign of a slow disk: among busy threads, getting the interpreter lock back takes 5 ms each
time that it was given up."""
_PATIENCE_S = 1.0
"""Longest that a caller waits for the lock, which is held for microseconds."""
SET_ASIDE = 1000
"""Most records kept for who holds the lock."""


class Writer:
    """This process's segments, oldest first; the last one is written to."""

    def __init__(
        self, directory: Path, about: bytes, segment_bytes: int, memory_bytes: int, tally: Tally
    ) -> None:
        self.directory = directory
        self.lock = threading.RLock()
        self._ready = threading.Condition(self.lock)
        """Notified when there is a spare, or when none can be expected."""
        self.kept = False
        """Whether a thread is there that calls `prepare` when asked; without, callers make their segments."""
        self._making = threading.Lock()
        self.segments: deque[Segment] = deque()
        self.folder: Folder | None = None
        self.appended = 0
        self.appended_bytes = 0
        self.fault: str | None = None
        """Why there is no disk to write to; None when there is."""
        self.unread = 0
        """Bytes appended since the reader last asked to be rung."""
        self.ring_at = NEVER
        self.ring: Callable[[], None] = _nobody
        self.on_first: Callable[[], None] = _nobody
        """Called before the first segment is begun, in a forked child too."""
        self.wanted: SimpleQueue[None] = SimpleQueue()
        """Has something in it when `prepare` should be called."""
        self.about = about
        self._segment_bytes = max(segment_bytes, 2 * head(about))
        self._memory_bytes = memory_bytes
        self._tally = tally
        self._current: Segment | None = None
        self._spare: Segment | None = None
        self._slow = False
        """The disk stalls: nobody waits for it."""
        self._spare_bytes = self._segment_bytes
        """How large the next spare has to be."""
        self._aside: deque[bytes] = deque()

    def append(self, payload: bytes) -> bool:
        """Keep a record; False when it is dropped. Some 2 µs."""
        if self._is_held() or not self.lock.acquire(True, _PATIENCE_S):
            return self._set_aside(payload)
        try:
            kept = self._append(payload)
            if self._aside:
                self._take_back()
        finally:
            self.lock.release()
        return kept

    def settle(self) -> None:
        """Append what was set aside while the lock was held."""
        if self._aside and not self._is_held():
            with self.lock:
                self._take_back()

    def keep(self, kept: bool) -> None:
        """Say whether there is a thread that calls `prepare`."""
        with self.lock:
            self.kept = kept
            self._ready.notify_all()

    def prepare(self) -> int:
        """Have a next segment ready, and a file in the place of one in memory if there can be one again.

        How many bytes that took.
        """
        made = 0
        try:
            self._hold()
        except OSError as fault:
            self._failed(fault)
            return 0
        if self._spare is None:
            spare = self._created(self._spare_bytes, ahead=True)
            if spare is None:
                return 0
            spare.populate()
            made = spare.size
        current = self._current
        if current is not None and not current.populated:
            current.populate()
        with self.lock:
            if self._current is not None and self._current.path is None and self._spare is not None:
                self._use(self._spare)
                self._spare = None
                self.wanted.put(None)
            sealed = [each for each in self.segments if each.sealed and not each.rested]
        for each in sealed:
            each.rest()
        self.settle()
        return made

    def close(self) -> None:
        """Write no more; what is not delivered stays for the next process. Raises `OSError`."""
        with self.lock:
            if self._current is not None:
                self._take_back()
                self._current.sealed = True
            self._tally.drop("memory", len(self._aside))
            self._aside.clear()
            self._current = None
            spare, self._spare = self._spare, None
        if spare is not None:
            spare.remove()

    def forget(self) -> None:
        """In a forked child: all of it is the parent's; locks may be held by threads that are not here."""
        if self.folder is not None:
            self.folder.release()
        on_first = self.on_first
        self.__init__(self.directory, self.about, self._segment_bytes, self._memory_bytes, self._tally)
        self.on_first = on_first

    def _is_held(self) -> bool:
        """Whether a signal handler, or a destructor, that records something interrupted this very thread."""
        return self.lock._is_owned()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType] - no public way

    def _append(self, payload: bytes) -> bool:
        current = self._current
        if (current is None or not current.append(payload)) and not self._append_to_next(payload):
            return False
        size = len(payload)
        self.appended += 1
        self.appended_bytes += size
        self.unread += size
        if self.unread >= self.ring_at:
            self.ring_at = NEVER
            self.ring()
        return True

    def _set_aside(self, payload: bytes) -> bool:
        if len(self._aside) >= SET_ASIDE:
            self._tally.drop("memory")
            return False
        self._aside.append(payload)
        return True

    def _take_back(self) -> None:
        while self._aside:
            self._append(self._aside.popleft())

    def _hold(self) -> None:
        """Take the lock on the folder again if the application closed it; a new folder if another did.

        What is written so far is then delivered by both, which the server counts once. Raises `OSError`.
        """
        folder = self.folder
        if folder is None or folder.held:
            return
        again = owner.take_over(folder.path) if folder.path.is_dir() else None
        with self.lock:
            # Their mappings hold descriptors that were closed, too: freed, they would close somebody's file.
            _never_freed.extend(self.segments)
            self.folder = again
            if again is None:
                if self._spare is not None:
                    _never_freed.append(self._spare)
                    self._use(self._spare)
                    self._spare = None
                if self._current is not None:
                    self._current.sealed = True
                    self._current = None

    def _append_to_next(self, payload: bytes) -> bool:
        if len(payload) > RECORD_BYTES:
            self._tally.drop("too_large")
            return False
        if self._current is None:
            self.on_first()
        needed = head(self.about) + len(payload) + 16
        if needed > self._memory_bytes and self.fault is not None:
            self._tally.drop("memory")
            return False
        deadline = time.monotonic() + QUICK_S
        while not self._appended_to_spare(payload, needed):
            if not self._await_spare(needed, deadline):
                self._use(self._made(max(needed, self._segment_bytes)))
                self.wanted.put(None)
                return self.segments[-1].append(payload)
        return True

    def _appended_to_spare(self, payload: bytes, needed: int) -> bool:
        """Append to the current segment, where others went on meanwhile, or else to a spare that is there."""
        if self._current is not None and self._current.append(payload):
            return True
        spare = self._spare
        if spare is None:
            return False
        # One that is too small ends at once, so that files are named in order.
        self._use(spare)
        self._spare = None
        self.wanted.put(None)
        return spare.append(payload)

    def _await_spare(self, size: int, deadline: float) -> bool:
        """Wait, without the lock, for what the thread makes; False where there is nothing to wait for."""
        if not self.kept or self._slow or self.fault is not None:
            return False
        left = deadline - time.monotonic()
        self._slow = left <= 0
        if not self._slow:
            self._spare_bytes = max(self._spare_bytes, size)
            self.wanted.put(None)
            self._ready.wait(left)
        return not self._slow

    def _use(self, segment: Segment) -> None:
        if self._current is not None:
            self._current.sealed = True
        segment.order = max(segment.order, self.segments[-1].order + 1) if self.segments else segment.order
        self.segments.append(segment)
        self._current = segment
        self._ready.notify_all()

    def _made(self, size: int) -> Segment:
        """A segment at once: in memory, unless no thread is there to make files."""
        if not self.kept and self.fault is None and not self._slow:
            made = self._created(size, QUICK_S)
            if made is not None:
                return made
        self._bound_memory(size)
        return Segment.in_memory(size, self.about, self.folder.salt if self.folder else 0)

    def _bound_memory(self, size: int) -> None:
        """Drop the oldest segments in memory until another of `size` fits."""
        held = [each for each in self.segments if each.path is None]
        taken = sum(each.size for each in held)
        for each in held:
            if taken + size <= self._memory_bytes:
                return
            taken -= each.size
            each.gone = True
            self.segments.remove(each)
            self._tally.drop("memory", each.count)

    def _created(self, size: int, patience_s: float = -1, *, ahead: bool = False) -> Segment | None:
        """A segment with a file; None if there can be none, or somebody else is making one for too long.

        Segments are used in the order in which they are made, which is that of their names: one that is made
        `ahead` is there for the taking before anybody can make another.
        """
        if not self._making.acquire(timeout=patience_s):
            return None
        began = time.perf_counter_ns()
        try:
            spare = self._spare
            if spare is not None and not ahead and spare.size >= size:
                self._spare = None
                return spare
            made = self._in_folder(size)
            if ahead:
                self._offer(made)
            return made
        except OSError as fault:
            self._failed(fault)
            return None
        finally:
            self._slow = time.perf_counter_ns() - began > QUICK_S * 1e9
            self._making.release()

    def _offer(self, spare: Segment) -> None:
        with self.lock:
            self._spare, self._spare_bytes = spare, self._segment_bytes
            self.fault = None
            self._ready.notify_all()

    def _in_folder(self, size: int) -> Segment:
        """A segment in this process's folder, which is made if it is not there, or not any more."""
        if self.folder is not None:
            try:
                return Segment.create(self.folder.path, size, self.about, self.folder.salt)
            except FileNotFoundError:  # somebody has deleted it
                self.folder.release()
                self.folder = None
        place.make_private(self.directory)
        self.folder = owner.create(self.directory)
        return Segment.create(self.folder.path, size, self.about, self.folder.salt)

    def _failed(self, fault: OSError) -> None:
        told = f"{fault.strerror or fault} ({self.directory})"
        boundary.once(
            "spool.disk",
            "watchglass: cannot write to the spool (%s); records are kept in memory and die with the process",
            told,
        )
        with self.lock:
            self.fault = told
            self._ready.notify_all()


def _nobody() -> None:
    return


_never_freed: list[Segment] = []
