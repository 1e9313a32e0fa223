"""Work on a stream of items in other processes, with the results in order and little of it in memory."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from threading import Thread
from typing import Any, TypeVar

from watchglass.errors import WatchglassError

Item = TypeVar("Item")
Done = TypeVar("Done")

ALONE = 4
"""A stream of fewer items is worked on here: a process takes a second to start."""


def in_order(
    work: Callable[[Item], Done], items: Iterable[Item], processes: int | None = None
) -> Generator[Done]:
    """`work(item)` of each, in order. `work` is pickled, once a process; it MUST be pure.

    Raises `WatchglassError` when a process died, and whatever `work` or `items` raise.
    """
    stream = iter(items)
    first = list(islice(stream, ALONE))
    yield from map(work, first)
    if len(first) == ALONE and (following := list(islice(stream, 1))):
        workers = processes or max(1, min(4, os.cpu_count() or 1))
        yield from _by_processes(work, _chained(following, stream), workers)


def _chained(first: list[Item], rest: Iterable[Item]) -> Generator[Item]:
    yield from first
    yield from rest


def _by_processes(work: Callable[[Item], Done], items: Iterable[Item], workers: int) -> Generator[Done]:
    # Spawned: a forked child of a process that has the engine open hangs.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin, (work,))
    under_way: deque[Future[Done]] = deque()
    try:
        for item in items:
            under_way.append(pool.submit(_do, item))
            if len(under_way) > 2 * workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    except BrokenProcessPool as fault:
        raise WatchglassError(
            "a process that read the file died (no memory?); run the same command again, it goes on"
        ) from fault
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


_work: Callable[[Any], Any] | None = None


def _do(item: Any) -> Any:
    assert _work is not None
    return _work(item)


def _begin(work: Callable[[Any], Any]) -> None:
    global _work  # one a process, set once before its first item
    _work = work
    # Records are many, short-lived and without cycles: looking for some costs a fifth of the time.
    gc.freeze()
    gc.set_threshold(500_000)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command, which then stops these
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker holds both ends of its queue, so it would wait forever for a parent that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
