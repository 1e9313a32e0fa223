"""Child processes of `multiprocessing` and its pools take the context along, however they are started.

What travels is picklable: a forked child has it anyway, a spawned one unpickles it with its `Process`. With
it goes what starts recording there (`begin`), since a spawned child has nothing of its parent's.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.pool import Pool
from multiprocessing.process import BaseProcess
from typing import Any

from watchglass.capture import boundary
from watchglass.capture.propagation import patches
from watchglass.capture.propagation.carrying import Carried, packed
from watchglass.capture.propagation.threads import pooling, submitting

POOL_METHODS = ("apply_async", "map", "map_async", "starmap", "starmap_async", "imap", "imap_unordered")
"""Methods of `Pool`, and so of `ThreadPool`, whose first argument is run elsewhere (`apply` calls one)."""


begin: Callable[[], object] | None = None
"""What a child calls before it runs; picklable, and MUST NOT raise. Set by `init`."""


def install() -> None:
    """Let `Process`, `Pool`, `ThreadPool` and `ProcessPoolExecutor` carry the context."""
    patches.replace(BaseProcess, "start", _starting)
    patches.replace(ProcessPoolExecutor, "submit", submitting)
    for name in POOL_METHODS:
        patches.replace(Pool, name, pooling)


def _starting(start: Callable[..., None]) -> Callable[..., None]:
    def started(self: BaseProcess, *args: Any, **kwargs: Any) -> None:
        before = vars(self).copy()
        _dress(self)
        try:
            start(self, *args, **kwargs)
        finally:
            _undress(self, before)

    return started


@boundary.guarded("process.start")
def _dress(process: BaseProcess) -> None:
    """Replace `run` on the instance while it is forked or pickled.

    The bound method in there pickles as "the attribute `run` of this process", which in the child is looked
    up before the instance has its attributes, and so is the class's.
    """
    run = Carried(process.run, packed())
    process.run = run if begin is None else Begun(begin, run)


@boundary.guarded("process.start")
def _undress(process: BaseProcess, before: dict[str, object]) -> None:
    vars(process).pop("run", None)
    if "run" in before:
        vars(process)["run"] = before["run"]


class Begun:
    """A child's work, with recording begun before it."""

    __slots__ = ("begin", "run")

    def __init__(self, begin: Callable[[], object], run: Callable[[], None]) -> None:
        self.begin = begin
        self.run = run

    def __call__(self) -> None:
        """What the child runs."""
        self.begin()
        self.run()
