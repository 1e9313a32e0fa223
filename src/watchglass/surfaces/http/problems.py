"""Errors as RFC 9457 problem details: one table from exception to status, for every route.

OTLP/HTTP asks for a `google.rpc.Status` in the request's encoding. We send problem JSON for
protobuf requests too: exporters decide by the status code and `Retry-After` alone, and what they
do with the body is print it, where JSON text tells a person what to do and protobuf bytes do not.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TypeAlias

import msgspec

from watchglass import errors
from watchglass.surfaces.http.asgi import Headers, Response

MEDIA_TYPE = b"application/problem+json"

STORE_RETRY_S = 5
"""How long to wait after the engine said no: it is seldom over in a second."""

FULL_RETRY_S = 30
"""A full disk takes a person; clients that resend less often lose less of their queue."""


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The members of RFC 9457 3.1, with `type` left out (about:blank), and ours.

    `where` points into the request; `request_id` is in the server's log.
    """

    title: str
    status: int
    detail: str
    where: str | None = None
    request_id: str | None = None


_Row: TypeAlias = tuple[type[errors.WatchglassError], int]

_STATUS: tuple[_Row, ...] = (
    (errors.TooLarge, 413),
    (errors.UnsupportedMedia, 415),
    (errors.BadRequest, 400),
    (errors.Unauthenticated, 401),
    (errors.Refused, 403),
    (errors.Conflict, 409),
    (errors.TooMany, 429),
    # 503, not 429: it is the server that is busy, not this sender that sends too much; and not 507
    # for a full disk, since OTLP senders resend only after 429, 502, 503 and 504.
    (errors.Overloaded, 503),
    (errors.StoreError, 503),
    (errors.NotFound, 404),
    (errors.QueryRefused, 403),
    (errors.QueryLimit, 422),
    (errors.QueryError, 400),
)
"""First match wins, so subclasses come first."""


def status_of(error: errors.WatchglassError) -> int:
    """The HTTP status that says what `error` means to the sender."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def retry_after_s(error: errors.WatchglassError) -> int | None:
    """When to send the same request again, or None: never."""
    if isinstance(error, errors.Overloaded):
        return error.retry_after_s
    if isinstance(error, errors.StoreFull):
        return FULL_RETRY_S
    return STORE_RETRY_S if isinstance(error, errors.StoreError) else None


def problem(
    status: int,
    detail: str,
    *,
    where: str | None = None,
    request_id: str | None = None,
    headers: Headers = (),
) -> Response:
    """A problem response."""
    record = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, where=where, request_id=request_id
    )
    return Response(status, MEDIA_TYPE, msgspec.json.encode(record), headers)


def problem_for(error: errors.WatchglassError, request_id: str | None = None) -> Response:
    """The problem response of an error of our own."""
    retry = retry_after_s(error)
    headers: Headers = ((b"retry-after", b"%d" % retry),) if retry is not None else ()
    if isinstance(error, errors.Unauthenticated):
        headers = ((b"www-authenticate", b'Bearer realm="watchglass"'),)
    return problem(
        status_of(error),
        str(error),
        where=error.where if isinstance(error, errors.BadRequest) else None,
        request_id=request_id,
        headers=headers,
    )


def unexpected(request_id: str) -> Response:
    """The answer to a mistake of ours.

    500 and not 503: a bug mostly meets the same bytes again, and a sender that resends them until
    its queue is full loses the batches behind them too.
    """
    return problem(
        500,
        f"The server made a mistake with this request; its log has it under request id {request_id}. "
        "What was sent with it is not stored.",
        request_id=request_id,
    )
