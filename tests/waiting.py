"""Waiting for what threads, tasks and processes do that tell nobody when it is done.

It is looked for again and again, at most a minute: what is waited for is a fact, never a time.
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
