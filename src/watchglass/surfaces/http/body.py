"""Reads the body of one request from its connection: bounded in bytes, in memory and in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

from watchglass.errors import Overloaded
from watchglass.ingest.admission import MAX_BODY_BYTES, ByteBudget, Inflater, too_large, wire_limit
from watchglass.surfaces.access import current_sender
from watchglass.surfaces.http.asgi import Receive, Response, Send, begin, respond
from watchglass.surfaces.http.media import Promise

INLINE_BYTES = 64 << 10
"""Encoded bodies up to this are inflated on the event loop: a thread hop costs more than they do."""

INLINE_OUTPUT_BYTES = 1 << 20
"""… as long as they do not turn out to be much more than they looked; 1 MiB takes about a millisecond."""

_HAND_OVER_BYTES = 256 << 10  # encoded bytes collected before a thread inflates them
_STEP_BYTES = 8 << 20  # inflated at once by a thread; after each step the budget has its say

LINGER_BYTES = 256 << 20
LINGER_S = 2.0
"""How much of a refused body is read and thrown away, so that its sender gets to reading our answer:
closing with unread bytes makes the kernel reset the connection, and the answer is lost (RFC 9112 9.6)."""

ROOM_S = 1.0
"""How long a body waits for room, unread, before its sender is sent away. Those who do not wait as they are
told would else spend the server's time on being refused; this way each is refused once a second."""

_SMALL_REST_BYTES = 1 << 20  # left unread, the connection may as well go on after the answer


class ClientGone(Exception):
    """The sender closed the connection before its request was whole. Nobody is there to be told."""


class SenderStalled(Exception):
    """The sender stopped in the middle of its body."""


class Patience:
    """How long to wait for a sender's next bytes; all of it at once can be cut short (`hurry`)."""

    def __init__(self, idle_s: float = 30.0) -> None:
        self._idle_s = idle_s
        self._waiting: set[asyncio.Timeout] = set()
        self.stops_at: float | None = None  # loop time after which nobody is waited for

    def hurry(self, within_s: float) -> None:
        """The server stops: nobody is waited for longer than `within_s` from now."""
        self.stops_at = asyncio.get_running_loop().time() + within_s
        for timeout in self._waiting:
            if not timeout.expired():
                timeout.reschedule(self.stops_at)

    @contextmanager
    def _registered(self, timeout: asyncio.Timeout) -> Generator[None]:
        self._waiting.add(timeout)
        try:
            yield
        finally:
            self._waiting.discard(timeout)

    async def chunks(self, receive: Receive, idle_s: float | None = None) -> AsyncIterator[bytes]:
        """The chunks of a body as they come. Raises `ClientGone`, `TimeoutError`."""
        idle_s = self._idle_s if idle_s is None else idle_s
        now = asyncio.get_running_loop().time
        more = True
        while more:
            until = now() + idle_s
            if self.stops_at is not None:
                until = min(until, self.stops_at)
            async with asyncio.timeout_at(until) as timeout:
                with self._registered(timeout):
                    message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            more = message.get("more_body", False)
            yield message.get("body", b"")


class Intake:
    """What all requests share: the limit of one body, the budget of all, threads that inflate."""

    def __init__(
        self,
        budget: ByteBudget,
        *,
        limit: int = MAX_BODY_BYTES,
        patience: Patience | None = None,
        threads: Executor | None = None,
        room_s: float = ROOM_S,
    ) -> None:
        self.budget = budget
        self.limit = limit
        self.patience = patience or Patience()
        self.room_s = room_s
        self.threads = threads or ThreadPoolExecutor(2, thread_name_prefix="inflate")


class Body:
    """One request's body. `release()` hands its bytes back to the budget, once it is dealt with."""

    __slots__ = ("_inflater", "_intake", "_promise", "_receive", "_reserved", "_sender", "_settled", "whole")

    def __init__(self, receive: Receive, promise: Promise, intake: Intake) -> None:
        """Its bytes are held by the key of the present request, if there is one."""
        self._sender = current_sender()
        self._receive = receive
        self._promise = promise
        self._intake = intake
        self._inflater = Inflater(promise.coding, intake.limit)
        self._reserved = 0
        self._settled = 0  # inflated bytes that are reserved
        self.whole = promise.length == 0  # whether the connection is past this request

    async def read(self) -> bytes:
        """The inflated body.

        Raises `TooLarge` and `Overloaded` before reading where the headers say enough, else while
        reading; `BadRequest`, `ClientGone`, `SenderStalled`.
        """
        promise, intake = self._promise, self._intake
        wire_most = wire_limit(promise.coding, intake.limit)
        if promise.length is not None and promise.length > wire_most:
            raise too_large(intake.limit)
        await self._enter(promise.length or 0)
        encoded: list[bytes] = []
        encoded_bytes = wire_bytes = 0
        try:
            async for chunk in intake.patience.chunks(self._receive):
                wire_bytes += len(chunk)
                if wire_bytes > wire_most:
                    raise too_large(intake.limit)
                if promise.length is None:
                    self._reserve(len(chunk))
                if promise.coding == "identity":
                    self._inflater.feed(chunk)
                    continue
                encoded.append(chunk)
                encoded_bytes += len(chunk)
                if encoded_bytes >= _HAND_OVER_BYTES:
                    await self._inflate(b"".join(encoded))
                    encoded.clear()
                    encoded_bytes = 0
        except TimeoutError:
            raise self._stalled() from None
        self.whole = True
        if encoded_bytes:
            await self._inflate(encoded[0] if len(encoded) == 1 else b"".join(encoded))
        return self._inflater.finish()

    def release(self) -> None:
        """Hand the reserved bytes back; harmless when done twice."""
        self._intake.budget.give(self._reserved, self._sender)
        self._reserved = 0

    async def _enter(self, count: int) -> None:
        """Reserve room for a body before any of it is read, waiting a little for others to leave."""
        now = asyncio.get_running_loop().time
        until = now() + self._intake.room_s
        while True:
            try:
                self._reserve(count)
                return
            except Overloaded:
                if not await self._intake.budget.freed(until - now()):
                    raise

    def _reserve(self, count: int) -> None:
        self._intake.budget.take(count, self._reserved, self._sender)
        self._reserved += count

    async def _inflate(self, data: bytes) -> None:
        feed = self._inflater.feed
        done = False
        if len(data) <= INLINE_BYTES:
            done, data = feed(data, INLINE_OUTPUT_BYTES), b""
            self._settle()
        loop = asyncio.get_running_loop()
        while not done:
            done = await loop.run_in_executor(self._intake.threads, feed, data, _STEP_BYTES)
            data = b""
            self._settle()

    def _settle(self) -> None:
        """Reserve what inflating has added since the last time."""
        self._reserve(self._inflater.size - self._settled)
        self._settled = self._inflater.size

    def _stalled(self) -> Exception:
        if self._intake.patience.stops_at is not None:
            return Overloaded("The server is stopping: send this again when it is back.", retry_after_s=2)
        return SenderStalled("No more of the body came for a while: the request was given up.")

    async def refuse(self, send: Send, response: Response) -> None:
        """Answer before the body is read, in such a way that the sender gets to see the answer.

        A small rest is left to the HTTP server, which skips it and goes on with the connection.
        Else the connection is announced as closed, and closed when the sender has stopped sending.
        One that asked first (Expect: 100-continue) has not sent anything and will not.
        """
        length = self._promise.length
        if self.whole or (length is not None and length <= _SMALL_REST_BYTES and not self._promise.asks):
            await respond(send, response)
            return
        close = ((b"connection", b"close"),)
        if self._promise.asks:
            await respond(send, response, close)
            return
        await begin(send, response, close)
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
        await self._discard()
        await send({"type": "http.response.body", "body": b""})

    async def _discard(self) -> None:
        left = LINGER_BYTES
        try:
            async for chunk in self._intake.patience.chunks(self._receive, LINGER_S):
                left -= len(chunk)
                if left < 0:
                    return
        except (ClientGone, TimeoutError):
            return
