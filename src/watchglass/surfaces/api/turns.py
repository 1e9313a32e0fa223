"""Questions take turns: a few at a time, going round by key, and in threads: the event loop never waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread

from watchglass.errors import Overloaded, TooMany
from watchglass.ingest.shares import Turns as Rounds
from watchglass.ingest.shares import is_greedy
from watchglass.surfaces.access import current_sender

AT_ONCE = 3
"""Questions in the engine at a time. Its connections are shared with ingest, which must always find one."""

WAITING = 64
"""Questions that may wait for their turn; further ones are told to come back."""

P = ParamSpec("P")
T = TypeVar("T")


class Turns:
    """For one event loop, and one store: whoever asks it takes a turn of the same ones."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()
        self._rounds = Rounds(AT_ONCE)
        self._turns: anyio.CapacityLimiter | None = None  # made in the event loop that it belongs to

    async def ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a question that blocks. Raises `Overloaded` when too many wait, of all or of one key's."""
        sender = current_sender()
        if sender and is_greedy(self._asked[sender], 1, AT_ONCE + WAITING - self._asked.total()):
            raise TooMany("many questions of this key are waiting already; ask again in a few seconds")
        if self._asked.total() >= AT_ONCE + WAITING:
            raise Overloaded(
                f"{WAITING} questions are waiting already; ask again in a few seconds", retry_after_s=5
            )
        turns = self._turns = self._turns or anyio.CapacityLimiter(AT_ONCE)
        # Counted here: the limiter itself notices a burst only after all of it has passed this point.
        self._asked[sender] += 1
        try:
            async with self._rounds.turn(sender):
                return await anyio.to_thread.run_sync(lambda: question(*args, **kwargs), limiter=turns)
        finally:
            self._asked[sender] -= 1
            if not self._asked[sender]:
                del self._asked[sender]
