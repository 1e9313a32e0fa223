"""Services on loopback that record the context they run in: over HTTP, over gRPC with threads and asyncio."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import grpc.aio
import uvicorn

from watchglass.capture import recorder
from watchglass.capture.context import current
from watchglass.capture.propagation.asgi import ContextMiddleware
from watchglass.capture.propagation.grpc import grpc_aio_server_interceptors, grpc_server_interceptors
from watchglass.capture.records import SpanRecord

LOOPBACK = ["127.0.0.0/8", "::1"]

METHOD = "/test.Echo/"


def noted(expected: str) -> None:
    """Record that here the tenant ought to be `expected`."""
    recorder.record(span(expected))


def span(expected: str) -> SpanRecord:
    """A record whose name is the tenant that it ought to carry."""
    return SpanRecord(b"t" * 16, b"s" * 8, b"", expected, 1, 0, 1, 0, "", {}, current().attributes)


async def _app(scope: Any, receive: Any, send: Any) -> None:
    noted((await receive())["body"].decode())
    await asyncio.sleep(0)
    said = current().fields.get("tenant", "").encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": said})


app = ContextMiddleware(_app, trust=LOOPBACK)
"""Answers with its tenant."""


@contextmanager
def http_service(application: Any = app) -> Generator[str]:
    """Serve an ASGI application; yields its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()


def _answer(request: bytes, _context: Any) -> bytes:
    noted(request.decode())
    return current().fields.get("tenant", "").encode()


def _answers(request: bytes, _context: Any) -> Generator[bytes]:
    for _ in range(2):
        noted(request.decode())
        yield current().fields.get("tenant", "").encode()


async def _aio_answer(request: bytes, _context: Any) -> bytes:
    await asyncio.sleep(0)
    return _answer(request, _context)


async def _aio_answers(request: bytes, _context: Any) -> Any:
    for said in _answers(request, _context):
        yield said
        await asyncio.sleep(0)


def _last(requests: Any, context: Any) -> bytes:
    return [_answer(request, context) for request in requests][-1]


def _each(requests: Any, context: Any) -> Generator[bytes]:
    for request in requests:
        yield _answer(request, context)


async def _aio_last(requests: Any, context: Any) -> bytes:
    return [_answer(request, context) async for request in requests][-1]


async def _aio_each(requests: Any, context: Any) -> Any:
    async for request in requests:
        yield _answer(request, context)


def _handlers(one: Any, many: Any, last: Any, each: Any) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(
        "test.Echo",
        {
            "One": grpc.unary_unary_rpc_method_handler(one),
            "Many": grpc.unary_stream_rpc_method_handler(many),
            "Last": grpc.stream_unary_rpc_method_handler(last),
            "Each": grpc.stream_stream_rpc_method_handler(each),
        },
    )


@contextmanager
def grpc_service(trust: Any = LOOPBACK) -> Generator[str]:
    """Serve gRPC from a pool of threads; yields its address."""
    server = grpc.server(ThreadPoolExecutor(4), interceptors=grpc_server_interceptors(trust))
    server.add_generic_rpc_handlers((_handlers(_answer, _answers, _last, _each),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@contextmanager
def grpc_aio_service(trust: Any = LOOPBACK) -> Generator[str]:
    """Serve gRPC from an event loop of its own; yields its address."""
    ready, address, loop = threading.Event(), list[str](), asyncio.new_event_loop()
    done = asyncio.Event()

    async def serve() -> None:
        server = grpc.aio.server(interceptors=grpc_aio_server_interceptors(trust))
        handlers = _handlers(_aio_answer, _aio_answers, _aio_last, _aio_each)
        server.add_generic_rpc_handlers((handlers,))
        address.append(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
        await server.start()
        ready.set()
        await done.wait()
        await server.stop(None)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(60)
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()
