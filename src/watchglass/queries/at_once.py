"""Statements of one question that need nothing of each other, asked side by side.

Planning a statement takes the engine tens of milliseconds of one processor, whatever the statement reads; two
of them side by side take as long as one. Whoever asks goes on with the next statement meanwhile, and takes
over what no helper has begun: nothing ever waits for a helper to become free.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Generic, TypeVar

T = TypeVar("T")

HELPERS = 2
"""For all questions together: with those that are asked at a time they never take all of the engine's
connections, of which ingest must always find one."""

_helpers = ThreadPoolExecutor(HELPERS, thread_name_prefix="watchglass-question")


class Begun(Generic[T]):
    """A statement that a helper is at, or will be."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        # With the asker's context: whose rows it may see is in there.
        self._future: Future[T] = _helpers.submit(copy_context().run, ask)

    def answer(self) -> T:
        """What it said. Asks it here and now where no helper has begun it. Raises what it raised."""
        return self._ask() if self._future.cancel() else self._future.result()


def begin(ask: Callable[[], T]) -> Begun[T]:
    """Have a helper ask, while the caller asks other things."""
    return Begun(ask)
