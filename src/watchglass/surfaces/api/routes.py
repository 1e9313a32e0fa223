"""HTTP routes that ask a `Reader`. What they raise becomes a problem response in the application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import anyio
import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from watchglass.clock import Clock, SystemClock
from watchglass.errors import BadRequest, Overloaded, QueryError, TooLarge
from watchglass.queries.answers import csv_lines, json_columns, json_objects
from watchglass.queries.documents import trace_document, usage_document
from watchglass.queries.questions import usage_question
from watchglass.queries.reader import Reader
from watchglass.surfaces.access import needs

MAX_QUESTION_BYTES = 1 << 20
AT_ONCE = 3
"""Questions in the engine at a time. Its connections are shared with ingest, which must always find one."""

WAITING = 64
"""Questions that may wait for their turn; further ones are told to come back."""

P = ParamSpec("P")
T = TypeVar("T")

_FORMATS = {
    "objects": (json_objects, "application/json"),
    "columns": (json_columns, "application/json"),
    "csv": (csv_lines, "text/csv; charset=utf-8; header=present"),
}


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sql: str
    format: str = "objects"


def routes(reader: Reader, *, clock: Clock | None = None) -> list[BaseRoute]:
    """The routes; questions run in threads, a few at a time, so that the event loop never waits."""
    api = _Api(reader, clock or SystemClock())
    return [
        Route("/api/v1/usage", api.usage, methods=["GET"]),
        Route("/api/v1/traces/{trace_id}", api.trace, methods=["GET"]),
        Route("/api/v1/query", api.query, methods=["GET", "POST"]),
    ]


class _Api:
    def __init__(self, reader: Reader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._asked = 0
        self._turns: anyio.CapacityLimiter | None = None  # made in the event loop that it belongs to

    @needs("read")
    async def usage(self, request: Request) -> Response:
        question = usage_question(request.query_params.multi_items(), self._clock.now_ns())
        return _json(usage_document(await self._ask(self._reader.usage, question)))

    @needs("read")
    async def trace(self, request: Request) -> Response:
        return _json(trace_document(await self._ask(self._reader.trace, request.path_params["trace_id"])))

    @needs("read")
    async def query(self, request: Request) -> Response:
        asked = await _asked(request)
        if asked.format not in _FORMATS:
            raise QueryError(f"there is no format {asked.format!r}; there are {', '.join(_FORMATS)}")
        write, media_type = _FORMATS[asked.format]
        answer = await self._ask(self._reader.query, asked.sql)
        return StreamingResponse(write(answer), media_type=media_type)

    async def _ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._asked >= AT_ONCE + WAITING:
            raise Overloaded(
                f"{WAITING} questions are waiting already; ask again in a few seconds", retry_after_s=5
            )
        turns = self._turns = self._turns or anyio.CapacityLimiter(AT_ONCE)
        # Counted here: the limiter itself notices a burst only after all of it has passed this point.
        self._asked += 1
        try:
            return await anyio.to_thread.run_sync(lambda: question(*args, **kwargs), limiter=turns)
        finally:
            self._asked -= 1


async def _asked(request: Request) -> _Asked:
    if request.method == "GET":
        params = dict(request.query_params)
        if "sql" not in params:
            raise QueryError("the question is missing; add ?sql=SELECT …")
        return _convert(params)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_QUESTION_BYTES:
            raise TooLarge(f"the question is longer than {MAX_QUESTION_BYTES} bytes; ask a shorter one")
    try:
        return _convert(msgspec.json.decode(body))
    except msgspec.DecodeError as fault:
        raise BadRequest(f'the body is no JSON ({fault}); send {{"sql": "SELECT …"}}') from None


def _convert(values: object) -> _Asked:
    try:
        return msgspec.convert(values, _Asked)
    except msgspec.ValidationError as fault:
        raise BadRequest(f'{fault}; send {{"sql": "SELECT …"}}, and "format" if you like') from None


def _json(document: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(document), media_type="application/json")
