"""Row versions: the one that was written last has the highest."""

from __future__ import annotations

import threading

from watchglass.clock import Clock


class VersionClock:
    """Strictly increasing integers that follow a clock's nanoseconds.

    Never twice the same and never backwards, even when the machine's clock is set back: then it
    counts up by one until the clock has caught up. Thread-safe.
    """

    def __init__(self, clock: Clock, *, floor: int = 0) -> None:
        """`floor` is the highest version that may already be in the store."""
        self._clock = clock
        self._last = floor
        self._lock = threading.Lock()

    def next(self) -> int:
        """A version above every earlier one."""
        with self._lock:
            self._last = max(self._last + 1, self._clock.now_ns())
            return self._last
