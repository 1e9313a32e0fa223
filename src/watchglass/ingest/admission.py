"""Decides what may come in: inflates bodies under a limit, and bounds the bytes held at once.

Pure bytes in and bytes out. The limit is on the *inflated* body, since that is what costs memory:
a 64 KiB gzip body can hold 64 MiB of zeros. Inflation stops at the first byte over the limit.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import Counter
from typing import Literal, TypeAlias

from watchglass.errors import BadRequest, Overloaded, TooLarge, TooMany, UnsupportedMedia
from watchglass.ingest.shares import is_greedy

Coding: TypeAlias = Literal["identity", "gzip", "deflate"]

MAX_BODY_BYTES = 64 << 20
"""Of one request, after decompression. Exporters' batches are a hundredth of it."""

MAX_IN_FLIGHT_BYTES = 64 << 20
"""Of all requests that are being read, decoded or written: what a small machine stores in the few seconds
that exporters wait for an answer. More would only wait longer, and cost its memory four times over."""

MAX_GZIP_MEMBERS = 65_536
"""Each costs microseconds however small it is; parallel compressors write one for 64 KiB or more."""

SUPPORTED_CODINGS = "gzip, deflate, identity"

_GZIP_WBITS = 31  # 15 window bits + 16: a gzip header and trailer (zlib manual, inflateInit2)
_GZIP_MAGIC = 0x1F  # first of two bytes (RFC 1952 2.3.1); the engine checks the second
_ZLIB_WBITS = 15
_RAW_WBITS = -15


def coding_of(content_encoding: str) -> Coding:
    """The coding that a Content-Encoding value names; '' is identity. Raises `UnsupportedMedia`."""
    names = [name.strip().lower() for name in content_encoding.split(",")]
    real = [name for name in names if name not in ("", "identity")]
    if not real:
        return "identity"
    if real in (["gzip"], ["x-gzip"]):
        return "gzip"
    if real == ["deflate"]:
        return "deflate"
    raise UnsupportedMedia(
        f"Content-Encoding {content_encoding[:100]!r} is not supported: send {SUPPORTED_CODINGS} "
        "(for OpenTelemetry exporters OTEL_EXPORTER_OTLP_COMPRESSION=gzip or none).",
        where="header Content-Encoding",
    )


def wire_limit(coding: Coding, limit: int) -> int:
    """How many bytes on the wire can still be a body within `limit`, given what the coding can add.

    Stored deflate blocks add 5 bytes in 16 KiB and a gzip member 18 (RFC 1951 3.2.4, RFC 1952 2.2);
    what is past that is over the limit, or padding made to keep us busy.
    """
    return limit if coding == "identity" else limit + limit // 64 + 4096


def too_large(limit: int) -> TooLarge:
    """The refusal of a body that is over `limit` bytes."""
    return TooLarge(
        f"The body is larger than {limit} bytes after decompression: send smaller batches "
        "(for OpenTelemetry SDKs OTEL_BSP_MAX_EXPORT_BATCH_SIZE)."
    )


class Inflater:
    """Turns the chunks of one encoded body into the body, never holding more than `limit` + 1 bytes of it.

    gzip bodies may have several members, and zero padding after the last (as gzip(1) has it).
    Anything else after the last member is an error: it is more likely half a batch than nothing.
    """

    def __init__(self, coding: Coding, limit: int = MAX_BODY_BYTES) -> None:
        self._coding: Coding = coding
        self._limit = limit
        self._parts: list[bytes] = []
        self._engine = zlib.decompressobj(_GZIP_WBITS)
        self._member_open = False  # whether the engine is in the middle of a stream
        self._members = 0  # finished ones
        self._pending = b""  # fed, not yet inflated
        self._consumed = 0  # bytes inflated so far, for messages
        self.size = 0  # bytes of the body so far

    def feed(self, chunk: bytes, at_most: int | None = None) -> bool:
        """Take the next chunk; whether all that was fed is inflated.

        With `at_most`, stop after about that many bytes of output, so that a caller can share the
        processor and account for memory; go on with `feed(b"", …)` until it is true.
        Raises `BadRequest` for bytes that are not the coding, `TooLarge` over the limit.
        """
        if self._coding == "identity":
            self._keep(chunk)
            return True
        data = memoryview(self._pending + chunk if self._pending else chunk)
        until = self._limit + 1 if at_most is None else min(self._limit + 1, self.size + at_most)
        at = 0
        while at < len(data) and self.size < until:
            at += self._step(data[at : at + self._slice_bytes()], until - self.size)
        self._pending = bytes(data[at:])
        return not self._pending

    def finish(self) -> bytes:
        """The whole body. Raises `BadRequest` if the last member or stream is cut short."""
        if self._pending:
            self.feed(b"")
        if self._member_open:
            self._step(b"", self._limit + 1 - self.size)  # what the engine still holds back
        if self._member_open:
            raise BadRequest(
                f"The {self._coding} body ends in the middle of its data: it was cut off on the way.",
                where=f"byte {self._consumed} of the encoded body",
            )
        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts = [body]
        return body

    def _slice_bytes(self) -> int:
        """How much to hand to the engine at once: what follows a member's end is copied each time,
        so a body of countless tiny members must not be handed over whole."""
        return 1 << 20 if self._members < 64 else 1 << 14

    def _step(self, data: memoryview | bytes, room: int) -> int:
        """Inflate some of `data` into at most `room` bytes; how many bytes of it were used."""
        if not self._member_open and self._members and data[0] == 0:
            return len(data) - len(bytes(data).lstrip(b"\0"))
        if not self._member_open:
            self._open_member(data[0])
        engine = self._engine
        try:
            self._keep(engine.decompress(data, room))
        except zlib.error as error:
            raise BadRequest(
                f"The body is not {self._coding}, though Content-Encoding says so ({error}).",
                where=f"after byte {self._consumed} of the encoded body",
            ) from None
        if engine.eof:
            self._member_open = False
            self._members += 1
        used = len(data) - len(engine.unused_data if engine.eof else engine.unconsumed_tail)
        self._consumed += used
        return used

    def _open_member(self, first: int) -> None:
        """Get ready for the stream that starts with the byte `first`: the only one, or a gzip member."""
        if self._members and (self._coding != "gzip" or first != _GZIP_MAGIC):
            raise BadRequest(
                f"There is something else after the end of the {self._coding} data.",
                where=f"byte {self._consumed} of the encoded body",
            )
        if self._members >= MAX_GZIP_MEMBERS:
            raise BadRequest(f"The gzip body has more than {MAX_GZIP_MEMBERS} members.")
        if self._coding == "deflate":
            self._engine = zlib.decompressobj(_deflate_wbits(first))
        elif self._members:
            self._engine = zlib.decompressobj(_GZIP_WBITS)
        self._member_open = True

    def _keep(self, part: bytes) -> None:
        if part:
            self.size += len(part)
            if self.size > self._limit:
                self._parts.clear()
                raise too_large(self._limit)
            self._parts.append(part)


def _deflate_wbits(first: int) -> int:
    """Zlib-wrapped, as RFC 9110 8.4.1.2 has it, or the raw stream that some clients send instead.

    A zlib header's low nibble is 8 and its high one at most 7 (RFC 1950 2.2). A raw stream whose
    first byte has low bits 000 would start with a stored block that is not the last, padded with
    ones, which compressors do not write.
    """
    return _ZLIB_WBITS if first & 0x0F == 8 and first >> 4 <= 7 else _RAW_WBITS


class ByteBudget:
    """The bytes of all requests in flight; over it, senders are told to come back.

    For one event loop; not thread-safe.
    """

    def __init__(self, most: int = MAX_IN_FLIGHT_BYTES) -> None:
        self._most = most
        self._of: Counter[str] = Counter()
        self.used = 0
        self._given = asyncio.Event()

    async def freed(self, within_s: float) -> bool:
        """Wait until somebody hands bytes back; whether that was in time."""
        try:
            async with asyncio.timeout(within_s):
                return await self._given.wait()
        except TimeoutError:
            return False

    def take(self, count: int, held: int = 0, sender: str = "") -> None:
        """Reserve `count` more bytes for a request that has `held`. Raises `Overloaded` if there are none.

        A request that is alone gets what it needs however small the budget is, or it could never come in.
        With a `sender` (the id of its key), raises `TooMany` when that one holds so much that others
        would find nothing; its first request comes in all the same.
        """
        mine = self._of[sender]
        if sender and mine > held and is_greedy(mine, count, self._most - self.used):
            raise TooMany(
                f"{mine} bytes of this key's requests are being received already, and others need room too: "
                "send this again in a second.",
                retry_after_s=1,
            )
        if self.used > held and self.used + count > self._most:
            raise Overloaded(
                f"{self.used} bytes of requests are being received already (limit {self._most}): "
                "send this again in a second.",
                retry_after_s=1,
            )
        self.used += count
        if sender:
            self._of[sender] += count

    def give(self, count: int, sender: str = "") -> None:
        """Hand `count` bytes back, for the sender that took them."""
        self.used -= count
        if sender:
            self._of[sender] -= count
            if self._of[sender] <= 0:
                del self._of[sender]
        given, self._given = self._given, asyncio.Event()
        given.set()
