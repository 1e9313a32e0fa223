"""Time as an argument: nanoseconds since 1970-01-01 UTC, as an int."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Something that knows the time. MUST never run backwards by itself; MUST NOT sleep."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch, UTC."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now_ns(self) -> int:
        """See `Clock.now_ns`."""
        return time.time_ns()


class ManualClock:
    """A clock that a test moves by hand."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """See `Clock.now_ns`."""
        return self._now_ns

    def advance_ns(self, by_ns: int) -> None:
        """Let `by_ns` nanoseconds pass."""
        self._now_ns += by_ns
