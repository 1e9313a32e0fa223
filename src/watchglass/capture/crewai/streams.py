"""A streamed answer, read along while the client reads it, and recorded when it ends, whichever way."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from watchglass.capture import boundary, calls
from watchglass.capture.calls import Call
from watchglass.capture.crewai import bodies
from watchglass.capture.records import Attributes
from watchglass.names import STREAM_END

_LAST = ("[DONE]", "message_stop", "response.completed", "response.incomplete", "response.failed")
"""What the last event says: the client may stop reading there, and the answer is whole."""


class Events:
    """The server-sent events of one answer (WHATWG HTML, section 9.2), as far as they were read."""

    __slots__ = ("_events", "_form", "_rest", "_whole", "call")

    def __init__(self, call: Call, form: str) -> None:
        self.call = call
        self._form = form
        self._rest = b""
        self._events: list[bodies.Json] = []
        self._whole = False

    @boundary.guarded("crewai.stream.read")
    def read(self, piece: bytes) -> None:
        """The client is given this piece of the answer."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._event(line[5:].strip())

    def _event(self, data: bytes) -> None:
        if data == b"[DONE]":
            self._whole = True
            return
        event = json.loads(data)
        if not isinstance(event, dict):
            return
        self._events.append(event)
        self._whole = self._whole or event.get("type") in _LAST
        if not self.call.first_ns and bodies.has_token(event):
            calls.first_token(self.call)

    @boundary.guarded("crewai.stream.end")
    def end(self, how: str, error: BaseException | None = None) -> None:
        """Nothing more comes; only the first end counts."""
        if self.call.ended:
            return
        own: Attributes = {STREAM_END: "exhausted" if self._whole and error is None else how}
        whole = bodies.put_together(self._form, self._events)
        bodies.describe_answer(whole, own, self.call.context.get("watchglass.feature"))
        self._events.clear()
        if error is None:
            calls.finish(self.call, own)
        else:
            calls.fail(self.call, error, own)

    def __del__(self) -> None:
        self.end("abandoned")


def follow(
    events: Events, read: Callable[..., Generator[bytes]], *args: Any, **kwargs: Any
) -> Generator[bytes]:
    """What `read` gives, read along."""
    try:
        for piece in read(*args, **kwargs):
            events.read(piece)
            yield piece
    except GeneratorExit:
        events.end("closed")
        raise
    except BaseException as error:
        events.end("failed", error)
        raise
    events.end("exhausted")


async def follow_async(
    events: Events, read: Callable[..., AsyncGenerator[bytes]], *args: Any, **kwargs: Any
) -> AsyncGenerator[bytes]:
    """What `read` gives, read along."""
    try:
        async for piece in read(*args, **kwargs):
            events.read(piece)
            yield piece
    except GeneratorExit:
        events.end("closed")
        raise
    except BaseException as error:
        events.end("failed", error)
        raise
    events.end("exhausted")
