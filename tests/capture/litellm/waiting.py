"""Waiting for what LiteLLM does in threads and tasks of its own.

It tells nobody when that is done, so it is looked for again and again, at most a minute.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

LONGEST_S = 60
AGAIN_S = 0.005


def until(fact: Callable[[], object]) -> None:
    """Returns once `fact` is true. Fails after a minute."""
    deadline = time.monotonic() + LONGEST_S
    while not fact() and time.monotonic() < deadline:
        time.sleep(AGAIN_S)
    assert fact()


async def until_later(fact: Callable[[], object]) -> None:
    """Likewise on an event loop, which goes on meanwhile."""
    deadline = time.monotonic() + LONGEST_S
    while not fact() and time.monotonic() < deadline:
        await asyncio.sleep(AGAIN_S)
    assert fact()
