"""Answers that are still being read: recorded as abandoned when recording stops, for nobody reads them on."""

from __future__ import annotations

import os
from typing import Any, Protocol
from weakref import ref

from watchglass.capture import boundary


class Ending(Protocol):
    """Whatever follows an answer to its end."""

    @property
    def end(self) -> Any:
        """Takes how it ended; only the first end counts."""
        ...


_open: dict[int, ref[Ending]] = {}
"""By identity, not held: an answer that is dropped ends by itself. A plain dict, for several threads."""


def note(ending: Ending) -> None:
    """An answer begins to be read."""
    _open[id(ending)] = ref(ending)


def forget(ending: Ending) -> None:
    """It has ended, or is going away."""
    _open.pop(id(ending), None)


def end_all() -> None:
    """Nothing is recorded from now on."""
    for each in list(_open.values()):
        ending = each()
        if ending is not None:
            _end(ending)


@boundary.guarded("unfinished")
def _end(ending: Ending) -> None:
    ending.end("abandoned")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open.clear)  # the parent reads them, and records them
