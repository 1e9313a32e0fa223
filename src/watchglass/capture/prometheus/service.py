"""All of it in one: what `init` starts and `shutdown` stops."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from watchglass.capture.prometheus import own, runtime
from watchglass.capture.prometheus.feed import Feed
from watchglass.capture.records import Record


class Service:
    """Metrics from records, of the SDK itself, and where they are served."""

    def __init__(self, metrics: runtime.Metrics, feed: Feed, unmeasure: Callable[[], None]) -> None:
        self.metrics, self._feed, self._unmeasure = metrics, feed, unmeasure

    def observe(self, record: Record) -> None:
        """The recorder's observer: `recorder.install(spool, service.observe)`. A fraction of 1 µs."""
        self._feed.put(record)

    def stop(self) -> None:
        """Count what waits, leave the port to other workers."""
        self._feed.stop()
        self._unmeasure()
        runtime.stop()


def start(
    service: str,
    *,
    namespace: str = "watchglass",
    port: int | None = 9464,
    address: str = "127.0.0.1",
    folder: Path | None = None,
    spool: Callable[[], own.SpoolFigures] | None = None,
    state: Callable[[], str] | None = None,
    sent_bytes: Callable[[], int] | None = None,
) -> Service:
    """Start, once; see `runtime.start` for the first ones, `own.measure` for the others.

    Raises `ConfigError` for a namespace that cannot begin a metric's name.
    """
    metrics = runtime.start(service, namespace=namespace, port=port, address=address, folder=folder)
    return Service(metrics, Feed(), own.measure(spool, state, sent_bytes))
