"""A real HTTP server and a real gRPC server over a fake receiver, on free loopback ports."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import httpx
import pytest
import uvloop
from fake_receiver import FakeReceiver
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from watchglass.errors import QueryLimit
from watchglass.ingest.admission import ByteBudget
from watchglass.surfaces import listening
from watchglass.surfaces.grpc_server import GrpcServer
from watchglass.surfaces.http.app import Application
from watchglass.surfaces.http.body import Intake, Patience
from watchglass.surfaces.http.guard import Guard
from watchglass.surfaces.http.health import Life
from watchglass.surfaces.serve import HttpServer

T = TypeVar("T")
LIMIT = 1 << 20


class Running:
    """Both servers on a thread of their own; `on_loop` runs a coroutine there."""

    def __init__(self, limit: int = LIMIT, in_flight: int = 8 * LIMIT, idle_s: float = 30.0) -> None:
        self.receiver = FakeReceiver()
        self.budget = ByteBudget(in_flight)
        self.life = Life(time.monotonic, "0")
        self.intake = Intake(self.budget, limit=limit, patience=Patience(idle_s), room_s=0)
        self.limit = limit
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="servers")
        self._thread.start()
        assert self._up.wait(60)
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=self.url, timeout=60)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._main())

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.end = asyncio.Event()
        guard = Guard("127.0.0.1", ["watch.example"])
        routes = [Route("/limit", _over_limit), Route("/mistake", _mistake)]
        application = Application(self.receiver, self.life, guard=guard, intake=self.intake, routes=routes)
        self.server = HttpServer(application)
        sockets = listening.bind("127.0.0.1", 0)
        listening.listen(sockets)
        self.port = listening.port_of(sockets[0])
        serving = asyncio.create_task(self.server.serve(sockets))
        grpc = GrpcServer(self.receiver, self.budget, max_message_bytes=self.limit)
        self.grpc_port = grpc.bind("127.0.0.1", 0)
        await grpc.start()
        await self.server.answering.wait()
        self._up.set()
        await self.end.wait()
        self.server.should_exit = True
        await asyncio.gather(serving, grpc.stop(1))

    def on_loop(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def until(self, fact: Callable[[], bool]) -> None:
        """Wait, on the server's own loop, until `fact` is true."""

        async def watch() -> None:
            while not fact():
                await asyncio.sleep(0)

        self.on_loop(watch())

    def shut_gate(self) -> None:
        async def shut() -> None:
            self.receiver.gate = asyncio.Event()

        self.on_loop(shut())

    def open_gate(self) -> None:
        assert self.receiver.gate is not None
        self.loop.call_soon_threadsafe(self.receiver.gate.set)

    def connect(self) -> Wire:
        return Wire(socket.create_connection(("127.0.0.1", self.port), timeout=60))

    def stop(self) -> None:
        self.http.close()
        self.loop.call_soon_threadsafe(self.end.set)
        self._thread.join(60)
        assert not self._thread.is_alive()


class Wire:
    """A raw connection: bytes out, whole responses in."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._file = connection.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def response(self) -> tuple[int, dict[str, str], bytes]:
        """The next response; (0, {}, b"") when the connection was closed instead."""
        line = self._file.readline()
        if not line:
            return 0, {}, b""
        headers: dict[str, str] = {}
        while (header := self._file.readline()) not in (b"\r\n", b""):
            name, _, value = header.decode().partition(":")
            headers[name.strip().lower()] = value.strip()
        return int(line.split()[1]), headers, self._file.read(int(headers.get("content-length", "0")))

    def is_closed(self) -> bool:
        """Whether the server has closed its side; waits for it."""
        return self._file.read(1) == b""

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
            self.socket.close()


async def _over_limit(_: Request) -> PlainTextResponse:
    raise QueryLimit("The question read more than 5 rows: narrow it with since.")


async def _mistake(_: Request) -> PlainTextResponse:
    raise ZeroDivisionError("a secret value")


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Running]:
    running = Running()
    yield running
    running.stop()


@pytest.fixture
def server(shared_server: Running) -> Iterator[Running]:
    """As new for each test, and with nothing left in flight after it."""
    shared_server.receiver.reset()
    shared_server.life.draining = False
    yield shared_server
    shared_server.until(lambda: not shared_server.server.server_state.tasks and not shared_server.budget.used)


@pytest.fixture
def make_server() -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def make(**options: Any) -> Running:
        made.append(Running(**options))
        return made[-1]

    yield make
    for each in made:
        each.stop()
