"""What each sender may take of a server that all share: rates by key, and turns that go round.

Rates are token buckets that may go into debt by one request, since nobody knows how large a body is
before it has come; the debt is waited off, so that on average the rate holds exactly.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

BURST_S = 2.0
"""A sender that has been silent may send this many seconds' worth at once: exporters send in bursts."""


def is_greedy(held: int, more: int, free: int) -> bool:
    """Whether a sender that holds so much of a shared thing may not have more, with so much of it free.

    Nobody may hold more than is left for others: one sender gets half, a second half of the rest, and
    as they hand back, all come to the same; whoever comes next finds room (A. K. Choudhury, E. L. Hahne,
    "Dynamic queue length thresholds for shared-memory packet switches", 1998, with their alpha of 1).
    """
    return held + more > free - more


class Bucket:
    """A rate of something per second. Times are seconds of any clock that only goes forward."""

    def __init__(self, per_s: float, now_s: float) -> None:
        self.per_s = per_s
        self._most = max(1.0, per_s * BURST_S)
        self._level = self._most
        self._at_s = now_s

    def wait_s(self, now_s: float) -> int:
        """Whole seconds until more may come, 0 if it may come now."""
        self._fill(now_s)
        return 0 if self._level > 0 else max(1, math.ceil(-self._level / self.per_s))

    def spend(self, amount: float, now_s: float) -> None:
        """Something came."""
        self._fill(now_s)
        self._level -= amount

    def _fill(self, now_s: float) -> None:
        self._level = min(self._most, self._level + max(0.0, now_s - self._at_s) * self.per_s)
        self._at_s = now_s


class Turns:
    """At most `at_once` at a time; those who wait go round by sender, not by arrival.

    So whoever sends a hundred bodies at once has one of the next places like anybody else, and who
    sends one now and then waits for one at most of each other sender. For one event loop.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    @asynccontextmanager
    async def turn(self, sender: str) -> AsyncGenerator[None]:
        """Wait for a place, and hold it."""
        await self._enter(sender)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, sender: str) -> None:
        if self._free:
            self._free -= 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(sender, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._leave()  # the place was given just when its sender hung up
            raise

    def _leave(self) -> None:
        while self._waiting:
            sender, queue = self._waiting.popitem(last=False)
            place = queue.popleft()
            if queue:
                self._waiting[sender] = queue  # at the end of the round
            if not place.done():
                place.set_result(None)
                return
        self._free += 1
