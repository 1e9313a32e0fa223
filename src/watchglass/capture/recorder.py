"""Where records go: one function that every part of the SDK calls, and the sink that is in force.

The sink is set by `init` (the spool) or by a test (`watchglass.testing`). Without one, records go nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from watchglass.capture import boundary
from watchglass.capture.records import Record, encode


class Sink(Protocol):
    """Takes encoded records. MUST keep the payload safe against the death of the process before it returns,
    MUST NOT block on a disk or a network, MUST be usable from any thread, and counts what it drops."""

    def append(self, payload: bytes) -> bool:
        """Keep one record; False when it had to be dropped."""
        ...


Observer = Callable[[Record], None]

_sink: Sink | None = None
_observers: tuple[Observer, ...] = ()


def install(sink: Sink | None, *observers: Observer) -> None:
    """Send records to `sink` from now on; None stops recording. `observers` see each record before it is
    encoded, in the caller's thread, and may take texts out of it; they MUST be quick."""
    global _sink, _observers
    _sink, _observers = sink, observers


def installed() -> tuple[Sink | None, tuple[Observer, ...]]:
    """What is in force, to put back with `install(sink, *observers)`."""
    return _sink, _observers


def recording() -> bool:
    """Whether there is anywhere for a record to go: callers need not make one otherwise."""
    return _sink is not None


@boundary.guarded("record")
def record(item: Record) -> None:
    """Keep a finished span or event: safe against the death of the process on return; never raises."""
    sink = _sink
    if sink is None:
        return
    for observe in _observers:
        _observed(observe, item)
    sink.append(encode(item))


@boundary.guarded("record.observe")
def _observed(observe: Observer, item: Record) -> None:
    """A fault of an observer costs the observer, not the record."""
    observe(item)
