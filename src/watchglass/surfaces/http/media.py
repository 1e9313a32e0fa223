"""What the headers of an export request promise: encoding, coding and length of its body."""

from __future__ import annotations

from typing import NamedTuple

from watchglass.errors import BadRequest, UnsupportedMedia
from watchglass.ingest.admission import Coding, coding_of
from watchglass.ingest.receiver import Encoding
from watchglass.surfaces.http.asgi import Scope

_ENCODINGS: dict[str, Encoding] = {
    "application/x-protobuf": "protobuf",
    "application/protobuf": "protobuf",
    "application/json": "json",
}

_ADVICE = (
    "send application/x-protobuf or application/json "
    "(for OpenTelemetry exporters OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf or http/json)."
)


class Promise(NamedTuple):
    """`length` is Content-Length, or None for a chunked body; `asks` is Expect: 100-continue."""

    encoding: Encoding
    coding: Coding
    length: int | None
    asks: bool


def encoding_of(content_type: str) -> Encoding:
    """The encoding that a Content-Type value names. Raises `UnsupportedMedia`."""
    media_type, _, parameters = content_type.partition(";")
    encoding = _ENCODINGS.get(media_type.strip().lower())
    if encoding is None:
        said = f"Content-Type {content_type[:100]!r} is none of OTLP" if content_type else "No Content-Type"
        raise UnsupportedMedia(f"{said}: {_ADVICE}", where="header Content-Type")
    if encoding == "json" and not _is_utf8(parameters):
        raise UnsupportedMedia(
            f"JSON is read as UTF-8, not as {parameters.strip()[:100]!r}.", where="header Content-Type"
        )
    return encoding


def promise(scope: Scope) -> Promise:
    """Read the headers of an export request. Raises `UnsupportedMedia`, `BadRequest`."""
    content_type = content_encoding = ""
    length: int | None = None
    chunked = asks = False
    for key, value in scope["headers"]:
        if key == b"content-type":
            content_type = value.decode("latin-1")
        elif key == b"content-encoding":
            text = value.decode("latin-1")
            content_encoding = f"{content_encoding}, {text}" if content_encoding else text
        elif key == b"content-length":
            if not value.isdigit():
                raise BadRequest("Content-Length is no number.", where="header Content-Length")
            length = int(value[:20])
        elif key == b"transfer-encoding":
            chunked = True
        elif key == b"expect":
            asks = True
    if not chunked and length is None:
        length = 0  # RFC 9112 6.3: a request with neither header has no body
    return Promise(encoding_of(content_type), coding_of(content_encoding), None if chunked else length, asks)


def _is_utf8(parameters: str) -> bool:
    """Whether the charset parameter, if any, is UTF-8 or a part of it."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower() in ("utf-8", "utf8", "us-ascii")
    return True
