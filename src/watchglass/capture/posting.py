"""One request to the server, and what its answer means for the records in it."""

from __future__ import annotations

import enum
import time
import zlib
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import urlsplit

import msgspec
import urllib3
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from watchglass.capture.backoff import retry_after
from watchglass.capture.credentials import MASK, scrub
from watchglass.clock import Clock

_LEVEL = 1
"""gzip's: higher levels save little more and cost the application CPU."""
_ANSWER_BYTES = 64 << 10
_MESSAGE = 300
"""Most signs that are kept of what a server says; cut after credentials are out, half of one is none."""
_PROTOBUF = "application/x-protobuf"


class Verdict(enum.Enum):
    """What to do with the records of a request."""

    TAKEN = "taken"
    REFUSED = "refused"
    """One of them cannot be accepted, whenever it is sent."""
    LATER = "later"
    """Keep them; the server cannot, or does not yet want to, take them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request."""

    verdict: Verdict
    message: str = ""
    status: int | None = None
    rejected: int = 0
    """Records that a server which took the rest did not."""
    retry_after_s: float | None = None
    sent: int = 0
    """Bytes of the body as it was sent."""


class Post(Protocol):
    """Sends a body to a path below the endpoint. MUST NOT raise for anything that server or network do."""

    def __call__(self, path: str, body: bytes) -> Answer:
        """See `Post`."""
        ...


class Poster:
    """See `Post`; over HTTP, on one kept connection. Follows no redirect: the key is for this server."""

    def __init__(
        self, endpoint: str, key: str | None, *, version: str, clock: Clock, timeout_s: float
    ) -> None:
        parts = urlsplit(endpoint)
        self._prefix = parts.path.rstrip("/")
        self._key = key
        self._clock = clock
        self._timeout_s = timeout_s
        self._endpoint = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        timeout = urllib3.Timeout(connect=min(5.0, timeout_s), read=timeout_s)
        self._pool = urllib3.connection_from_url(endpoint, maxsize=1, timeout=timeout, retries=False)
        self._headers = {
            "content-type": _PROTOBUF,
            "content-encoding": "gzip",
            "user-agent": f"watchglass/{version}",
        }
        if key:
            self._headers["authorization"] = f"Bearer {key}"

    def __call__(self, path: str, body: bytes) -> Answer:
        """See `Post`."""
        packed = _gzip(body)
        try:
            response = self._pool.request(
                "POST",
                self._prefix + path,
                body=packed,
                headers=self._headers,
                redirect=False,
                preload_content=False,
            )
            try:
                answer = self._answer(response)
                return replace(answer, message=self._shown(answer.message), sent=len(packed))
            finally:
                response.release_conn()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as fault:
            return Answer(Verdict.LATER, self._shown(f"no answer from {self._endpoint} ({_plain(fault)})"))

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()

    def _answer(self, response: urllib3.BaseHTTPResponse) -> Answer:
        status, kind = response.status, response.headers.get("content-type", "").lower()
        body = self._read(response)
        if body is None:
            return Answer(Verdict.LATER, f"the answer of {self._endpoint} has no end", status)
        if 200 <= status < 300:
            return _taken(status, kind, body, self._endpoint)
        message = f"{self._endpoint} answers {status} {_text(kind, body)}".rstrip()
        # A page for people comes from something that stands before the server, or instead of it. What that
        # finds too large (413) is so whenever it is sent: all that waits behind it would wait for ever.
        if status == 413 or (status in (400, 422) and "html" not in kind):
            return Answer(Verdict.REFUSED, message, status)
        asked = retry_after(response.headers.get("retry-after"), self._clock)
        return Answer(Verdict.LATER, message, status, retry_after_s=asked)

    def _shown(self, message: str) -> str:
        """The message as it may be logged: what a server says may name our key, or somebody's."""
        if self._key:
            message = message.replace(self._key, MASK % "watchglass_key")
        return scrub(message)[:_MESSAGE]

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes | None:
        """The body; None, and the connection closed, if it is too long or takes too long."""
        deadline = time.monotonic() + self._timeout_s
        parts: list[bytes] = []
        size = 0
        while part := response.read1(_ANSWER_BYTES):
            parts.append(part)
            size += len(part)
            if size > _ANSWER_BYTES or time.monotonic() > deadline:
                response.close()
                return None
        return b"".join(parts)


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


class _PartialSuccess(msgspec.Struct, rename="camel"):
    # In protobuf's JSON null is a field that is not set.
    rejected_spans: int | str | None = 0
    rejected_log_records: int | str | None = 0
    error_message: str | None = ""


class _Taken(msgspec.Struct, rename="camel"):
    partial_success: _PartialSuccess | None = None


def _taken(status: int, kind: str, body: bytes, endpoint: str) -> Answer:
    """OTLP/HTTP: 200 with a response message, which may name rejected records. Else it is no OTLP server."""
    try:
        if kind.startswith("application/json"):
            found = msgspec.json.decode(body, type=_Taken).partial_success or _PartialSuccess()
            rejected = int(found.rejected_spans or 0) + int(found.rejected_log_records or 0)
            return Answer(Verdict.TAKEN, found.error_message or "", status, rejected)
        if kind.startswith(_PROTOBUF) or not (kind or body):
            # An empty body of any other type (a page to log in at) is no OTLP server's.
            # The response to log records has the same fields under the same numbers.
            part = ExportTraceServiceResponse.FromString(body).partial_success
            return Answer(Verdict.TAKEN, part.error_message, status, part.rejected_spans)
    except (DecodeError, msgspec.MsgspecError, ValueError):
        pass
    return Answer(
        Verdict.LATER, f"what answers at {endpoint} is no OTLP server ({kind or 'no type'})", status
    )


def _text(kind: str, body: bytes) -> str:
    """What an answer says, if it is made for people."""
    if "json" not in kind and "text/plain" not in kind:
        return ""
    return "".join(sign if sign.isprintable() else " " for sign in body.decode("utf-8", "replace"))


def _plain(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__
