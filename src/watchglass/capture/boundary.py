"""The SDK's one boundary: nothing that it does raises into the application.

Whatever the application's thread runs of ours goes through `guarded`. What is caught is counted by place
and logged once a place, so that a fault that comes with every call does not flood the log.
"""

from __future__ import annotations

import functools
import itertools
import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger("watchglass")

failures: Counter[str] = Counter()
"""How often something of ours failed, by place; shown by the SDK's own metrics and `selfcheck`."""

MEASURED = 61
"""One call in so many is measured: a prime, so that the places of one request take turns."""

timed: Callable[[str, int], None] | None = None
"""Told the place and the nanoseconds of each call that is measured; MUST NOT raise."""

_ticks = itertools.count(1)

_told: set[str] = set()


def guarded(place: str) -> Callable[[Callable[P, T]], Callable[P, T | None]]:
    """Make a function of ours safe to call from the application: on any error it returns None.

    `place` names it in logs, metrics and `selfcheck` (`litellm.begin`). Only `Exception` is held back:
    what ends the process or cancels the task passes.
    """

    def wrap(function: Callable[P, T]) -> Callable[P, T | None]:
        @functools.wraps(function)
        def safe(*args: P.args, **kwargs: P.kwargs) -> T | None:
            try:
                if timed is None or next(_ticks) % MEASURED:
                    return function(*args, **kwargs)
                return _measured(place, function, args, kwargs)
            except Exception as fault:  # noqa: BLE001 - the SDK's one boundary
                failed(place, fault)
                return None

        return safe

    return wrap


def _measured(
    place: str, function: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]
) -> T:
    began = time.perf_counter_ns()
    try:
        return function(*args, **kwargs)
    finally:
        if timed is not None:
            timed(place, time.perf_counter_ns() - began)


def failed(place: str, fault: BaseException) -> None:
    """Count a failure of ours and say it once; never raises."""
    failures[place] += 1
    once(place, "watchglass: %s failed and is not recorded (%s: %s)", place, type(fault).__name__, fault)


def once(key: str, message: str, *values: object) -> None:
    """Log a warning the first time `key` comes up in this process: what is off is said once.

    Never raises: a handler that fails is the application's, and it did not ask to hear of us just now.
    """
    if key not in _told:
        _told.add(key)
        with suppress(Exception):
            log.warning(message, *values)


def forget() -> None:
    """Start counting and telling anew; for tests and for a child after a fork."""
    failures.clear()
    _told.clear()
