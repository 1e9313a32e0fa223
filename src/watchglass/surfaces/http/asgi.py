"""The little of ASGI that the raw handlers need: its types, a response, and how to send one early.

OTLP requests come by the hundred per second, so their path has no framework in it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import msgspec

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

NOT_MODIFIED = 304


class Response(msgspec.Struct, frozen=True, gc=False):
    """A whole answer; the length header is added when it is sent."""

    status: int
    media_type: bytes
    body: bytes
    headers: Headers = ()


def header(scope: Scope, name: bytes) -> bytes:
    """A request header's value, or b'' (name in lower case; several are joined, RFC 9110 5.3)."""
    found: bytes = b""
    for key, value in scope["headers"]:
        if key == name:
            found = found + b", " + value if found else value
    return found


async def begin(send: Send, response: Response, extra: Headers = ()) -> None:
    """Send the status and headers."""
    own: Headers = ((b"content-type", response.media_type),)
    if response.status != NOT_MODIFIED:  # its length would have to be that of what is not sent
        own += ((b"content-length", b"%d" % len(response.body)),)
    await send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": [*own, *response.headers, *extra],
        }
    )


async def respond(send: Send, response: Response, extra: Headers = ()) -> None:
    """Send the whole answer."""
    await begin(send, response, extra)
    await send({"type": "http.response.body", "body": response.body})
