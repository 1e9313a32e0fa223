"""How the figures get out: as the library's families, at a port of their own."""

from __future__ import annotations

import errno
import gzip
import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from socketserver import TCPServer
from wsgiref.simple_server import WSGIRequestHandler

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import ThreadingWSGIServer, choose_encoder
from prometheus_client.utils import floatToGoString

from watchglass.capture import boundary
from watchglass.capture.prometheus.cells import hold
from watchglass.capture.prometheus.group import Figures
from watchglass.names import Metric


class Collector:
    """Reads the figures anew at each scrape; metrics that nobody touched are left out."""

    def __init__(self, namespace: str, read: Callable[[], Figures]) -> None:
        self._namespace, self._read = namespace, read

    def collect(self) -> Iterable[Family]:
        """See `prometheus_client.registry.Collector`."""
        figures = self._read()
        return [family(self._namespace, metric, every) for _, (metric, every) in sorted(figures.items())]


def family(namespace: str, metric: Metric, every: dict[tuple[str, ...], list[float]]) -> Family:
    """One metric with all its series."""
    name = f"{namespace}_{metric.name}"
    base = name.removesuffix("_total") if metric.kind == "counter" else name
    made = Family(base, metric.help, metric.kind, metric.unit)
    for values, numbers in sorted(every.items()):
        labels = dict(zip(metric.labels, values, strict=True))
        if metric.kind != "histogram":
            made.add_sample(name, labels, numbers[0])
            continue
        count = 0.0
        for bound, number in zip((*metric.buckets, float("inf")), numbers, strict=False):
            count += number
            made.add_sample(f"{name}_bucket", {**labels, "le": floatToGoString(bound)}, count)
        made.add_sample(f"{name}_count", labels, count)
        made.add_sample(f"{name}_sum", labels, numbers[-1])
    return made


TRIES = 100
"""How often a worker that takes over tries the port, each 50 ms."""


class _Quiet(WSGIRequestHandler):
    timeout = 10
    """Seconds that a client may take over its request; each holds a thread meanwhile."""

    def log_message(self, format: str, *args: object) -> None:
        """Scrapes are no news."""


class _Server(ThreadingWSGIServer):
    def __init__(self, address: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, port), _Quiet)

    def server_bind(self) -> None:
        """Without the look-up of the host's full name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment] - of INET
        self.setup_environ()


class Port:
    """The application's port for Prometheus: one worker answers for all, another when it dies.

    The workers wait for one lock in their folder; who has it binds the port. No one polls.
    """

    def __init__(self, registry: CollectorRegistry, port: int, address: str, folder: Path | None) -> None:
        self._registry, self._wanted, self._address, self._folder = registry, port, address, folder
        self._server: _Server | None = None
        self._stopped = threading.Event()
        self.problem: str | None = None
        self._begin()

    @property
    def port(self) -> int | None:
        """The port that this worker answers at; None while another does, or none."""
        return self._server.server_port if self._server else None

    def _begin(self) -> None:
        self._lock = (self._folder / "port.lock").open("a+b") if self._folder else None
        if self._lock is None or hold(self._lock.fileno()):
            self._bind()
        else:
            threading.Thread(target=self._wait, name="watchglass-metrics-port", daemon=True).start()

    @boundary.guarded("prometheus.port")
    def _wait(self) -> None:
        lock = self._lock
        if lock is None or not hold(lock.fileno(), wait=True):
            return
        # A process that dies may let go of the lock a moment before it lets go of the port.
        for left in reversed(range(TRIES)):
            if self._stopped.is_set() or self._bind(quietly=left > 0):
                return
            self._stopped.wait(0.05)

    def _bind(self, *, quietly: bool = False) -> bool:
        """Whether this worker answers now."""
        try:
            server = _Server(self._address, self._wanted)
        except OSError as fault:
            if quietly:
                return False
            taken = fault.errno == errno.EADDRINUSE
            why = "is taken by another program" if taken else f"cannot be opened ({fault})"
            self.problem = f"port {self._wanted} {why}: no metrics there"
            boundary.once(
                "prometheus.port",
                "watchglass: %s; the application goes on. Set prometheus_port, or mount metrics_app().",
                self.problem,
            )
            return False
        server.set_app(make_wsgi_app(self._registry))
        threading.Thread(target=server.serve_forever, name="watchglass-metrics", daemon=True).start()
        self._server = server
        return True

    def forked(self) -> None:
        """In a child: the socket is the parent's; wait to take over from it."""
        if self._server is not None:
            self._server.socket.close()
            self._server = None
        if not self._stopped.is_set():
            self._stopped = threading.Event()  # its lock may be held by a thread that is not here
            self._begin()

    def stop(self) -> None:
        """Free the port; another worker takes it."""
        self._stopped.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        if self._lock is not None:
            self._lock.close()


def render(registry: CollectorRegistry, asked: dict[bytes, bytes]) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of a scrape, in the format and coding that the request's headers ask for."""
    encoder, content_type = choose_encoder(asked.get(b"accept", b"").decode("latin-1"))
    body = encoder(registry)
    headers = [(b"content-type", content_type.encode())]
    if b"gzip" in asked.get(b"accept-encoding", b""):
        body = gzip.compress(body, compresslevel=1)
        headers.append((b"content-encoding", b"gzip"))
    return headers, body
