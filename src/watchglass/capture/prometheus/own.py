"""The SDK's metrics of itself and of its process: read off when somebody wants to know."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from watchglass import __version__
from watchglass.capture import boundary
from watchglass.capture.prometheus.runtime import metric, on_refresh

STATES = ("delivering", "idle", "waiting", "refused", "off")
"""States that delivery may be in; any other word becomes a series too."""


class SpoolFigures(Protocol):
    """What a spool says of itself (`Spool.stats()`)."""

    @property
    def delivered(self) -> int:
        """Records that were acknowledged."""
        ...

    @property
    def dropped(self) -> Mapping[str, int]:
        """Records that were lost, by reason."""
        ...

    @property
    def waiting(self) -> int:
        """Records that wait."""
        ...

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait."""
        ...


class Growing:
    """A counter from a figure that is read as a whole; one that fell began anew (after a fork)."""

    def __init__(self, name: str, label: str | None = None) -> None:
        self._name, self._label = name, label
        self._last: dict[str, float] = {}

    def reached(self, value: float, label: str = "") -> None:
        """The figure is at `value`."""
        last = self._last.get(label, 0)
        grown = value - last if value >= last else value
        self._last[label] = value
        if grown:
            metric(self._name, **({self._label: label} if self._label else {})).inc(grown)


class Own:
    """Reads the figures of the process, the boundary, the spool and delivery; `read` on each refresh."""

    def __init__(
        self,
        spool: Callable[[], SpoolFigures] | None = None,
        state: Callable[[], str] | None = None,
        sent_bytes: Callable[[], int] | None = None,
    ) -> None:
        self._spool, self._state, self._sent_bytes = spool, state, sent_bytes
        self._cpu = Growing("process_cpu_seconds_total")
        self._failures = Growing("sdk_failures_total", "place")
        self._dropped = Growing("sdk_records_dropped_total", "reason")
        self._delivered = Growing("sdk_records_delivered_total")
        self._sent = Growing("sdk_sent_bytes_total")
        self._states: set[str] = set(STATES)

    def read(self) -> None:
        """Bring all of them up to date."""
        metric("sdk_info", version=__version__).set(1)
        self._process()
        for place, count in Counter(boundary.failures).items():
            self._failures.reached(count, place)
        if self._spool is not None:
            self._read_spool(self._spool())
        if self._sent_bytes is not None:
            self._sent.reached(self._sent_bytes())
        if self._state is not None:
            now = self._state()
            self._states.add(now)
            for state in self._states:
                metric("sdk_delivery_state", state=state).set(state == now)

    def _process(self) -> None:
        times = os.times()
        self._cpu.reached(times.user + times.system)
        try:
            pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        except OSError:  # no Linux
            return
        metric("process_memory_bytes").set(pages * os.sysconf("SC_PAGE_SIZE"))

    def _read_spool(self, figures: SpoolFigures) -> None:
        self._delivered.reached(figures.delivered)
        for reason, count in figures.dropped.items():
            self._dropped.reached(count, reason)
        metric("sdk_queue_records").set(figures.waiting)
        metric("sdk_queue_bytes").set(figures.waiting_bytes)


def caller_time(place: str, nanoseconds: int) -> None:
    """Count how long something of ours held the caller up; our own threads hold up nobody."""
    if place.startswith("metrics.") or threading.current_thread().name.startswith("watchglass-"):
        return
    metric("sdk_caller_seconds", place=place).observe(nanoseconds / 1e9)


def measure(
    spool: Callable[[], SpoolFigures] | None = None,
    state: Callable[[], str] | None = None,
    sent_bytes: Callable[[], int] | None = None,
) -> Callable[[], None]:
    """Measure the SDK from now on, with what these say; returns how to stop."""
    remove = on_refresh(Own(spool, state, sent_bytes).read)
    boundary.timed = caller_time

    def stop() -> None:
        boundary.timed = None
        remove()

    return stop
