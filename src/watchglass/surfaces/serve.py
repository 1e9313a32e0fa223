"""The server as a process: takes its addresses, starts the surfaces, and ends them in order.

Stopping loses nothing: what was acknowledged is on disk, what is under way is finished or refused
in such a way that its sender resends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from pathlib import Path
from socket import socket
from typing import TypeAlias

import uvicorn
import uvloop

from watchglass.config import Settings
from watchglass.errors import ConfigError, WatchglassError
from watchglass.ingest.admission import ByteBudget
from watchglass.store import any_keys, control_file
from watchglass.surfaces import listening, logs
from watchglass.surfaces.backend import Backend
from watchglass.surfaces.grpc_server import GrpcServer
from watchglass.surfaces.http import web_app
from watchglass.surfaces.http.app import Application
from watchglass.surfaces.http.body import Intake, Patience
from watchglass.surfaces.http.guard import Guard
from watchglass.surfaces.http.health import Life
from watchglass.surfaces.http.protocol import Http11

log = logging.getLogger(__name__)

HURRY_S = 1.5
"""After a stop: senders in the middle of a body have this long to finish it."""

QUESTIONS_S = 1.0
"""After a stop: questions have this long. Their threads wait for the engine, so it must end them."""

DRAIN_S = 3
"""After a stop: requests have this long to be stored and answered."""

STOP_S = 4.5
"""After a stop: the process is gone by then, whatever hangs; what it acknowledged is on disk."""

KEEP_ALIVE_S = 75
"""Idle connections live longer than the usual export intervals (5, 10, 30, 60 s), or a sender would
now and then send into a connection that is just being closed."""


SWITCH_S = 0.0005
"""How long a thread that computes keeps the interpreter from one that has something to answer. A budget's
decision changes threads five times; at Python's own 5 ms it took 25 whenever another thread computed."""


OpenBackend: TypeAlias = Callable[[Settings, str], AbstractAsyncContextManager[Backend]]
"""Opens what stands behind, given where it will be reached (`http://127.0.0.1:4318`)."""


class HttpServer(uvicorn.Server):
    """uvicorn without its signal handling (it would end the process by signal, with that exit code)."""

    def __init__(self, application: Application) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                loop="none",
                http=Http11,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=DRAIN_S,
            )
        )
        self.answering = asyncio.Event()

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.answering.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


def serve(settings: Settings, open_backend: OpenBackend | None = None) -> int:
    """Serve until SIGTERM or SIGINT, then return 0. A second signal ends the process at once.

    Raises `ConfigError` for an address that cannot be served, and what opening the store raises.
    """
    logs.configure(settings.log_level)
    sys.setswitchinterval(SWITCH_S)
    if open_backend is None:  # imported here, for it brings the engine with it
        from watchglass.surfaces.house import open_house as open_backend
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stop = runner.run(_serve(settings, open_backend))
    stop.done()
    return 0


async def _serve(settings: Settings, open_backend: OpenBackend) -> Stop:
    stop = Stop()
    stop.listen()
    if not listening.is_loopback(settings.host) and not any_keys(control_file(Path(settings.data))):
        raise ConfigError(_no_keys(settings))
    sockets = listening.bind(settings.host, settings.port)
    # Now, and not only when the store has been opened for nothing.
    listening.probe(settings.host, settings.grpc_port, "--grpc-port")
    address = listening.address_text(settings.host, listening.port_of(sockets[0]))
    try:
        async with open_backend(settings, f"http://{address}") as backend:
            await _answer(settings, backend, sockets, address, stop.wished)
    finally:
        for each in sockets:
            each.close()
    return stop


def _no_keys(settings: Settings) -> str:
    return (
        f"the address {settings.host} can be reached from other machines, and there are no keys to tell who "
        f"asks; make one with `watchglass keys create --role admin --data {settings.data}`, or use "
        "--host 127.0.0.1"
    )


async def _answer(
    settings: Settings, backend: Backend, sockets: list[socket], address: str, stopping: asyncio.Event
) -> None:
    """Answer on both ports until `stopping`, then let what is under way finish."""
    life = Life(time.monotonic, version("watchglass"))
    budget = ByteBudget(settings.inflight_bytes)
    intake = Intake(budget, limit=settings.max_body_bytes, patience=Patience())
    guard = Guard(settings.host, settings.allowed_hosts)
    access = backend.access
    application = Application(
        backend.receiver,
        life,
        guard=guard,
        intake=intake,
        routes=backend.routes,
        access=access,
        web_app=web_app.load(),
    )
    http = HttpServer(application)
    grpc = GrpcServer(backend.receiver, budget, access=access, max_message_bytes=settings.max_body_bytes)
    grpc_port = grpc.bind(settings.host, settings.grpc_port)
    listening.listen(sockets)
    serving = asyncio.create_task(http.serve(sockets), name="http")
    await _either(serving, http.answering)
    await grpc.start()
    grpc_address = listening.address_text(settings.host, grpc_port)
    print(
        f"watchglass is ready: http://{address} (app, OTLP/HTTP, API, /health), {grpc_address} (OTLP/gRPC), "
        f"data in {settings.data}",
        flush=True,
    )
    await _either(serving, stopping)
    log.info("stopping")
    life.draining = True
    intake.patience.hurry(HURRY_S)
    http.should_exit = True
    ending = asyncio.create_task(_end_questions(backend), name="questions")
    await asyncio.gather(serving, grpc.stop(DRAIN_S))
    ending.cancel()


async def _end_questions(backend: Backend) -> None:
    """Again and again: those that waited for their turn come after those that were ended."""
    await asyncio.sleep(QUESTIONS_S)
    while True:
        try:
            await asyncio.to_thread(backend.stop_questions)
        except WatchglassError as error:
            log.warning("running questions could not be ended: %s", error)
        await asyncio.sleep(QUESTIONS_S / 5)


async def _either(serving: asyncio.Task[None], event: asyncio.Event) -> None:
    """Wait for the event; should the server end first, raise what ended it."""
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if serving.done():
        serving.result()


class Stop:
    """The wish to stop. The first SIGTERM or SIGINT makes it, a second ends the process at once."""

    def __init__(self) -> None:
        self.wished = asyncio.Event()
        self._last_resort = threading.Timer(STOP_S, os._exit, (0,))
        self._last_resort.daemon = True

    def listen(self) -> None:
        """Take the signals over; needs a running event loop on the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal, number)

    def done(self) -> None:
        """All has ended in good order."""
        self._last_resort.cancel()

    def _on_signal(self, number: int) -> None:
        if self.wished.is_set():
            os._exit(128 + number)
        self.wished.set()
        self._last_resort.start()
