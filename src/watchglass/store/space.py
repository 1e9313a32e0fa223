"""Whether there is room for more: nothing is taken in below a floor, so that what is there goes on working.

A disk that is full to the last byte also stops merges (which free space), settling, deletion and
the control database. So intake stops a little earlier, and begins again a little later, or it would
flicker with each merge.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from watchglass.errors import StoreFull

FLOOR_BYTES = 512 << 20
"""Two merges of small parts, a group of writes and the control database's log fit into it many times over."""

_RESUME = 1.125
"""Times the floor: as much must be free before intake begins again."""


@dataclass(frozen=True, slots=True)
class Room:
    """What is free at one moment; `state` is 'ok' or 'low', with the reason for a person."""

    state: str
    free_bytes: int
    floor_bytes: int
    reason: str | None


class Space:
    """The disk under one data directory. `free` is asked anew each time; it costs microseconds."""

    def __init__(
        self, directory: Path, floor_bytes: int = FLOOR_BYTES, *, free: Callable[[Path], int] | None = None
    ) -> None:
        self._directory = directory
        self._floor = floor_bytes
        self._free = free or free_bytes
        self._low = False

    def look(self) -> Room:
        """How it is now."""
        free = self._free(self._directory)
        self._low = free < self._floor * (_RESUME if self._low else 1)
        reason = None
        if self._low:
            reason = (
                f"{free >> 20} MiB are free on the disk of the data directory, and {self._floor >> 20} MiB "
                "(setting free_bytes) are kept for what is there already; make room, then send again"
            )
        return Room("low" if self._low else "ok", free, self._floor, reason)

    def check(self) -> None:
        """Raise `StoreFull` when nothing more should be taken in."""
        room = self.look()
        if room.reason is not None:
            raise StoreFull(room.reason)


def free_bytes(directory: Path) -> int:
    """What this user may still write on the disk of `directory`."""
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize
