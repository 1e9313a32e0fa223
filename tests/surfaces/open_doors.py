"""The real house with both its servers in this process, for tests that come in by every door."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import httpx
import uvloop
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.new_store import prepared
from watchglass.config import Settings
from watchglass.ingest.admission import ByteBudget
from watchglass.surfaces import listening
from watchglass.surfaces.backend import Backend
from watchglass.surfaces.grpc_server import GrpcServer
from watchglass.surfaces.house import open_house
from watchglass.surfaces.http.app import Application
from watchglass.surfaces.http.body import Intake, Patience
from watchglass.surfaces.http.guard import Guard
from watchglass.surfaces.http.health import Life
from watchglass.surfaces.http.web_app import WebApp
from watchglass.surfaces.serve import HttpServer

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


class OpenDoors:
    """A house over `data`, on a thread of its own; `extra` are routes beside its own, `web_app` the pages."""

    def __init__(
        self, data: Path, *, extra: tuple[Any, ...] = (), web_app: WebApp | None = None, **settings: Any
    ) -> None:
        self.settings = Settings(data=str(prepared(data, served=True)), **settings)
        self._extra, self._web_app = extra, web_app
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="open-doors")
        self._thread.start()
        assert self._up.wait(60)
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}")

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._main())

    async def _main(self) -> None:
        self.loop, self.end = asyncio.get_running_loop(), asyncio.Event()
        async with open_house(self.settings, "http://here") as backend:
            self.backend: Backend = backend
            budget = ByteBudget()
            self.application = Application(
                backend.receiver,
                Life(time.monotonic, "0"),
                guard=Guard("127.0.0.1"),
                intake=Intake(budget, patience=Patience()),
                routes=[*backend.routes, *self._extra],
                access=backend.access,
                web_app=self._web_app,
            )
            server = HttpServer(self.application)
            sockets = listening.bind("127.0.0.1", 0)
            listening.listen(sockets)
            self.port = listening.port_of(sockets[0])
            serving = asyncio.create_task(server.serve(sockets))
            rpc = GrpcServer(backend.receiver, budget, access=backend.access)
            self.grpc_port = rpc.bind("127.0.0.1", 0)
            await rpc.start()
            await server.answering.wait()
            self._up.set()
            await self.end.wait()
            server.should_exit = True
            await asyncio.gather(serving, rpc.stop(1))

    def until(self, fact: Callable[[], bool], within_s: float = 60) -> None:
        """Wait on the servers' own loop until `fact` is true."""

        async def watch() -> None:
            async with asyncio.timeout(within_s):
                while not fact():
                    await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(watch(), self.loop).result()

    def export(self, body: ExportTraceServiceRequest, key: str | None) -> httpx.Response:
        """Send spans over HTTP."""
        headers = {"content-type": "application/x-protobuf", **bearer(key)}
        return self.http.post("/v1/traces", content=body.SerializeToString(), headers=headers)

    def rpc(self, method: str, body: bytes, key: str | None) -> bytes:
        """Send a message over gRPC. Raises `grpc.RpcError`."""
        metadata = tuple((name, value) for name, value in bearer(key).items())
        return self.channel.unary_unary(method)(body, timeout=60, metadata=metadata)

    def query(self, sql: str, key: str | None) -> httpx.Response:
        """Ask in SQL."""
        return self.http.post("/api/v1/query", json={"sql": sql}, headers=bearer(key))

    def stop(self) -> None:
        """End all of it."""
        self.http.close()
        self.channel.close()
        self.loop.call_soon_threadsafe(self.end.set)
        self._thread.join(60)
        assert not self._thread.is_alive()


def bearer(key: str | None) -> dict[str, str]:
    """The header that shows a key."""
    return {} if key is None else {"authorization": f"Bearer {key}"}
