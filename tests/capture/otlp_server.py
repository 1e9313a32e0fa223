"""A server on a real socket that takes OTLP bodies, or behaves as badly as it is told to."""

from __future__ import annotations

import gzip
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request, its body unpacked."""

    path: str
    headers: dict[str, str]
    body: bytes


Misdeed = Callable[[BaseHTTPRequestHandler], None]


def answering(status: int, body: bytes = b"", **headers: str) -> Misdeed:
    """Answer so; in header names `_` stands for `-`."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Promise an answer, send half of it, and hang up."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def talk_nonsense(handler: BaseHTTPRequestHandler) -> None:
    """Answer with something that is no HTTP."""
    handler.wfile.write(b"\x00\x01\x02 what?\r\n\r\n" * 10)
    handler.close_connection = True


@dataclass
class OtlpServer:
    """Takes what is posted; the first requests get the `misdeeds`, one each. Refuses what `guilty` says."""

    misdeeds: deque[Misdeed] = field(default_factory=deque)
    guilty: Callable[[Received], int | None] = lambda request: None
    received: list[Received] = field(default_factory=list)
    taken: list[Received] = field(default_factory=list)

    def __post_init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer._answer(self, Received(self.path, headers, gzip.decompress(raw)))

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.changed = threading.Condition()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def wait_for(self, condition: Callable[[], bool], timeout: float = 60) -> bool:
        """Wait until `condition` holds after some request; whether it does."""
        with self.changed:
            return self.changed.wait_for(condition, timeout)

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler, request: Received) -> None:
        with self.changed:
            self.received.append(request)
            misdeed = self.misdeeds.popleft() if self.misdeeds else None
            status = None if misdeed else self.guilty(request)
            if misdeed is None and status is None:
                self.taken.append(request)
        try:
            (misdeed or answering(status or 200, content_type="application/x-protobuf"))(handler)
        finally:  # who has hung up meanwhile is no reason to keep those waiting who look
            with self.changed:
                self.changed.notify_all()
