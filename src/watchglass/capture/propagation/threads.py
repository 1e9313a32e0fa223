"""Threads and pools of threads take the context along from where they are started or given work.

A thread has the context of who started it, a task in a pool that of who submitted it. asyncio's
`run_in_executor` submits to such a pool, so it is covered too. Threads that serve everybody have none
(`SERVING`): whoever happened to be first would be taken for all that come later.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from watchglass.capture import boundary
from watchglass.capture.propagation import patches
from watchglass.capture.propagation.carrying import carried, packed, take_off

SERVING = ("anyio", "concurrent.futures", "multiprocessing", "opentelemetry", "watchglass")
"""Packages whose threads outlive the work that they were started for, and do that of others: workers and
result handlers of pools, exporters. What they run for somebody is carried by itself."""

_BY_NAME = ("func", "callback", "error_callback")
"""What a `Pool` takes by name and runs elsewhere."""

_ABSENT = object()


def install() -> None:
    """Let `threading.Thread` and `ThreadPoolExecutor` carry the context."""
    patches.replace(threading.Thread, "start", _starting)
    patches.replace(ThreadPoolExecutor, "submit", submitting)


def submitting(submit: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a pool, whose first argument is what is to be run, with that carried."""

    def submitted(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args:
            args = (carried(args[0]), *args[1:])
        return submit(self, *args, **kwargs)

    return submitted


def pooling(submit: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a `Pool`, which also takes callbacks."""
    submitted = submitting(submit)

    def pooled(self: Any, *args: Any, **kwargs: Any) -> Any:
        for name in _BY_NAME:
            if kwargs.get(name) is not None:
                kwargs[name] = carried(kwargs[name])
        return submitted(self, *args, **kwargs)

    return pooled


def _starting(start: Callable[..., None]) -> Callable[..., None]:
    def started(self: threading.Thread, *args: Any, **kwargs: Any) -> None:
        before = vars(self).get("run", _ABSENT)
        _dress(self, before)
        try:
            start(self, *args, **kwargs)
        except BaseException:
            put_back(self, before)
            raise

    return started


@boundary.guarded("thread.start")
def _dress(thread: threading.Thread, before: object) -> None:
    """Replace `run` on the instance, so that subclasses which override it are carried too.

    It is put back when it is called, not when `start` returns: `start` waits for the thread, but not until
    it has looked up `run`.
    """
    if _serves(thread):
        return
    run, luggage = thread.run, packed()

    def carrying() -> None:
        put_back(thread, before)
        worn = luggage.put_on()
        try:
            run()
        finally:
            take_off(worn)

    thread.run = carrying


def _serves(thread: threading.Thread) -> bool:
    """Whether the code that the thread runs belongs to a package of `SERVING`."""
    code: Any = type(thread).run
    if code is threading.Thread.run:
        code = getattr(thread, "_target", None)
    while isinstance(code, functools.partial):
        code = code.func
    module = str(getattr(code, "__module__", None) or type(code).__module__)
    return any(module == name or module.startswith(name + ".") for name in SERVING)


def put_back(owner: object, run: object) -> None:
    """Make `run` of a thread or process what it was on the instance; without it, the class's again."""
    if run is _ABSENT:
        vars(owner).pop("run", None)
    else:
        vars(owner)["run"] = run
