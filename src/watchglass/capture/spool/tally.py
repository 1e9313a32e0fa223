"""What was dropped, by reason: nothing is lost without being counted, and the count outlives the process."""

from __future__ import annotations

import os
import threading
from collections import Counter
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

Reason: TypeAlias = Literal["limit", "memory", "too_large", "damaged", "unencodable", "refused", "rejected"]
"""Why a record was dropped.

limit        the oldest, when the spool was full
memory       the oldest, when there was no disk to write to and the memory for that was full
too_large    larger than a record may be
damaged      its bytes in the spool are not those that were written
unencodable  it cannot be turned into a request
refused      the server refuses it alone (400, 413, 422)
rejected     the server took its batch and named it as rejected
"""

_FILE = "dropped.json"


class Tally:
    """Drops of this process; `save` adds what is new to the spool's own count."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self._saved: Counter[str] = Counter()
        self._lock = threading.RLock()

    def drop(self, reason: Reason, records: int = 1) -> None:
        """Count records that nobody will see."""
        if records > 0:
            with self._lock:
                self.dropped[reason] += records

    def forget(self) -> None:
        """Start from nothing: in a forked child the counts are the parent's."""
        self._lock = threading.RLock()
        self.dropped.clear()
        self._saved.clear()

    def save(self, spool: Path) -> None:
        """Add what was not saved yet to `dropped.json`. Raises `OSError`."""
        with self._lock:
            now = Counter(self.dropped)
        fresh = now - self._saved
        if fresh:
            _add(spool / _FILE, fresh)
            self._saved = now


def saved(spool: Path) -> dict[str, int]:
    """What all processes ever dropped from this spool, by reason."""
    try:
        return _parsed((spool / _FILE).read_bytes())
    except OSError:
        return {}


def _add(path: Path, fresh: Counter[str]) -> None:
    """In place, by one small write: whoever is killed leaves the count as it was or as it should be."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if fcntl is not None:
            fcntl.flock(fd, fcntl.LOCK_EX)
        total = Counter(_parsed(os.pread(fd, 1 << 16, 0))) + fresh
        # Counts only grow, so what is written is never shorter than what it replaces.
        os.pwrite(fd, msgspec.json.encode(dict(sorted(total.items()))), 0)
    finally:
        os.close(fd)


def _parsed(text: bytes) -> dict[str, int]:
    try:
        return msgspec.json.decode(text, type=dict[str, int])
    except msgspec.MsgspecError:
        return {}
