"""The metrics of this process as a whole: one table from the first import on, served from `start` on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from watchglass import names
from watchglass.capture import boundary
from watchglass.capture.prometheus.cells import Cells
from watchglass.capture.prometheus.defining import checked
from watchglass.capture.prometheus.group import Figures, Group, add, add_table, folder_of
from watchglass.capture.prometheus.series import MAX_VALUE, Handle, Silent, Table, text
from watchglass.errors import ConfigError
from watchglass.names import Metric

table = Table(Cells())
"""Every series of this process. Counting works before `start`, and goes on after `stop`."""

_metrics: dict[str, Metric] = dict(names.METRICS)
_handles: dict[tuple[object, ...], Handle] = {}
_silent = Silent(table, Metric("", "gauge", ""), 0)
_refreshers: list[Callable[[], None]] = []
_running: Metrics | None = None


def metric(name: str, **labels: object) -> Handle:
    """The series of a metric with these labels: `.inc()`, `.set()`, `.observe()`, each well below 1 µs.

    A label that is not given is empty. A name or label that is not in the catalogue (see `define_metric`) is
    said once, and the handle then does nothing. Never raises.
    """
    try:
        return _handles[name, *labels, *labels.values()]
    except (KeyError, TypeError):
        return _look_up(name, labels) or _silent


@boundary.guarded("metric")
def _look_up(name: str, labels: dict[str, object]) -> Handle:
    known = _metrics.get(name)
    if known is None:
        boundary.once(f"metric {name}", "watchglass: no metric %r; see watchglass.define_metric", name)
        return _silent
    if not labels.keys() <= set(known.labels):
        has = ", ".join(known.labels) or "none"
        boundary.once(
            f"metric {name} labels", "watchglass: labels of %r are %s, not %s", name, has, [*labels]
        )
        return _silent
    handle, kept = table.series(known, tuple(labels.get(each) for each in known.labels))
    if kept and all(len(text(value)) < MAX_VALUE for value in labels.values()):
        with contextlib.suppress(TypeError):  # a value that has no hash is found by its text each time
            _handles[name, *labels, *labels.values()] = handle
    return handle


def define_metric(
    name: str,
    kind: str,
    help: str,
    *,
    labels: Sequence[str] = (),
    unit: str = "",
    buckets: Sequence[float] = (),
) -> None:
    """Add a metric of the application's own to those that `metric` knows; to say the same again is fine.

    Raises `ConfigError` for a name, kind, label or bucket that Prometheus would not take, and for a name that
    already means something else.
    """
    made = checked(name, kind, help, labels, unit, buckets)
    if _metrics.setdefault(name, made) != made:
        raise ConfigError(f"metric {name!r} is defined already, otherwise; take another name")


def on_refresh(read: Callable[[], None]) -> Callable[[], None]:
    """Have `read` set its gauges before this process's figures are read; it MUST be quick. Returns how to
    have it no longer."""
    safe = boundary.guarded("metrics.refresh")(read)
    _refreshers.append(safe)

    def remove() -> None:
        if safe in _refreshers:
            _refreshers.remove(safe)

    return remove


def refresh() -> None:
    """Bring up to date what is not counted as it happens: at each scrape, and each second by delivery, so
    that the figures of a worker that is not the one scraped are no older."""
    for read in list(_refreshers):
        read()


class Metrics:
    """The running exposition; `port` is where, or None if another worker answers, or none (`problem`)."""

    def __init__(
        self, service: str, namespace: str, port: int | None, address: str, folder: Path | None
    ) -> None:
        # Not at the top: what only counts need not load an HTTP server.
        from prometheus_client import CollectorRegistry

        from watchglass.capture.prometheus.exposition import Collector, Port

        self.namespace = namespace
        self._group: Group | None = None
        try:
            self._group = Group(folder or folder_of(service, namespace, port), table)
        except (OSError, ConfigError) as fault:
            boundary.once("metrics.group", "watchglass: metrics are of this process alone (%s)", fault)
        self.registry = CollectorRegistry()
        self.registry.register(Collector(namespace, self._read))  # type: ignore[arg-type] - by its shape
        shared = self._group.folder if self._group else None
        self._port = Port(self.registry, port, address, shared) if port is not None else None

    @property
    def port(self) -> int | None:
        """The port that this process answers at."""
        return self._port.port if self._port else None

    @property
    def problem(self) -> str | None:
        """Why nothing answers at the port, if so."""
        return self._port.problem if self._port else None

    def _read(self) -> Figures:
        refresh()
        figures: Figures = {}
        living = 1
        if self._group:
            figures, living = self._group.read()
        else:
            add_table(figures, table)
        add(figures, names.METRICS["worker_processes"], (), [float(living)])
        return figures

    def forked(self) -> None:
        """Go on in a child as a worker of its own."""
        try:
            if self._group:
                self._group.forked()
        except OSError as fault:
            self._group = None
            boundary.failed("metrics.fork", fault)
        if self._group is None:
            table.move(Cells, keep=False)
        if self._port:
            self._port.forked()

    def stop(self) -> None:
        """Free the port, and leave the group."""
        if self._port:
            self._port.stop()
        if self._group:
            self._group.leave()
            table.move(Cells, keep=True)


def start(
    service: str,
    *,
    namespace: str = "watchglass",
    port: int | None = 9464,
    address: str = "127.0.0.1",
    folder: Path | None = None,
) -> Metrics:
    """Serve this process's metrics with those of its fellow workers; again changes nothing.

    `port` None is for applications that only mount `metrics_app()`. `folder` is where workers meet, by
    default one of this service, namespace and port. A port that is taken is said once. Raises
    `ConfigError` for a namespace that cannot begin a metric's name.
    """
    global _running
    if _running is None:
        checked(f"{namespace}_x", "gauge", "x", (), "", ())
        _running = Metrics(service, namespace, port, address, folder)
    return _running


def stop() -> None:
    """Serve no longer."""
    global _running
    if _running is not None:
        _running.stop()
        _running = None


def running() -> Metrics | None:
    """What `start` made, until `stop`."""
    return _running


@boundary.guarded("metrics.fork")
def _forked() -> None:
    """The parent's numbers are the parent's, and its lock may be held by a thread that is not here."""
    table.forked()
    if _running is not None:
        _running.forked()
    else:
        table.move(Cells, keep=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
