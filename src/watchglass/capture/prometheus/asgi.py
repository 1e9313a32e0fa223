"""`/metrics` inside an application of its own: the figures of all workers, whichever of them is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from watchglass.capture.prometheus import runtime

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


def metrics_app() -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """An ASGI application to mount at `/metrics`; it may be made before `init`."""
    return _serve


async def _serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request, whatever its path."""
    if scope["type"] != "http":
        return
    # In a thread: the figures of many workers are files to read, which the event loop must not wait for.
    status, headers, body = await asyncio.to_thread(_answer, scope["method"], dict(scope["headers"]))
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _answer(method: str, asked: dict[bytes, bytes]) -> Answer:
    plain = (b"content-type", b"text/plain; charset=utf-8")
    if method not in {"GET", "HEAD"}:
        return 405, [plain, (b"allow", b"GET, HEAD")], b"Metrics are read with GET.\n"
    metrics = runtime.running()
    if metrics is None:
        return 503, [plain], b"Metrics are off in this process: init was not called with enable_prometheus.\n"
    from watchglass.capture.prometheus.exposition import render

    headers, body = render(metrics.registry, asked)
    return 200, headers, body
