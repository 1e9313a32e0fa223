"""How long a search may go on: a page that is late is worth less than one that says where it stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from watchglass.errors import QueryLimit
from watchglass.store import Limits

LEAST_S = 0.05


class Patience:
    """So many seconds from now on."""

    def __init__(self, seconds: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._end_s = now_s() + seconds

    @property
    def left_s(self) -> float:
        """Seconds that are left, at least 0."""
        return max(0.0, self._end_s - self._now_s())

    @property
    def over(self) -> bool:
        """Whether to stop."""
        return self.left_s < LEAST_S

    def limits(self, limits: Limits) -> Limits:
        """The same limits, but no longer than that. Raises `QueryLimit` when there is no time at all."""
        if self.over:
            raise QueryLimit("there was no time left to look")
        left_s = self.left_s
        return replace(limits, time_s=left_s if limits.time_s is None else min(limits.time_s, left_s))
