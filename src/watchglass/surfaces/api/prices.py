"""Prices over HTTP: the book at a moment, one model of it, and price lists of the user's own."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.clock import Clock, SystemClock
from watchglass.errors import TooLarge
from watchglass.pricing.rates import CLASSES
from watchglass.queries.times import parse_moment
from watchglass.surfaces.api.endpoint import Endpoint, Parameter
from watchglass.surfaces.price_desk import PriceDesk, taken_document
from watchglass.surfaces.price_document import list_document, show_document

MOST_BYTES = 16 << 20

_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_PRICE: dict[str, Any] = {
    "type": "object",
    "description": "One price; amounts are decimals as text, in US dollars a million tokens.",
    "properties": {
        **{name: {"type": "string"} for name in ("provider", "model", "per_request", "source", "price_id")},
        **{name: _TEXT for name in ("tier", "since", "until", "daily", "citation", *CLASSES)},
        "above": {"type": "array", "items": {"type": "object"}},
        "dated": {"type": "boolean"},
        "wins": {"type": "boolean"},
    },
    "required": ["provider", "model", "input", "output", "source", "price_id"],
}
_LIST: dict[str, Any] = {
    "type": "object",
    "properties": {"at": {"type": "string"}, "prices": {"type": "array", "items": _PRICE}},
    "required": ["at", "prices"],
}
_SHOWN: dict[str, Any] = {
    "type": "object",
    "properties": {
        "at": {"type": "string"},
        "model": {"type": "string"},
        **{name: _TEXT for name in ("provider", "tier", "price_id", "unpriced_reason")},
        "prices": {"type": "array", "items": _PRICE},
        "elsewhere": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["at", "model", "price_id", "unpriced_reason", "prices"],
}
_TAKEN: dict[str, Any] = {
    "type": "object",
    "properties": {
        **{name: {"type": "integer"} for name in ("added", "changed", "unchanged")},
        "refused": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"line": {"type": "integer"}, "reason": {"type": "string"}},
                "required": ["line", "reason"],
            },
        },
    },
    "required": ["added", "changed", "unchanged", "refused"],
}
_PROVIDER = Parameter(name="provider", meaning="Of this provider only, by any of its names.")
_AT = Parameter(name="at", meaning="As of this moment: a date, an ISO time, or `30d` ago; else now.")


def price_endpoints(desk: PriceDesk, *, clock: Clock | None = None) -> list[Endpoint]:
    """Everything that can be done with prices."""
    api, path = _Api(desk, clock or SystemClock()), "/api/v1/prices"
    return [
        Endpoint(
            method="GET",
            path=path,
            summary="The price of each model: the one that wins",
            needs="read",
            handler=api.list,
            parameters=(
                _PROVIDER,
                Parameter(name="model", meaning="A part of the model's name, or a pattern with `*`."),
                _AT,
            ),
            answer=_LIST,
        ),
        Endpoint(
            method="POST",
            path=path,
            summary="Import a price list of your own",
            details="CSV, or SQL INSERT or COPY rows, with the columns of `llm_model_pricing`. Its prices "
            "win over all others for calls that come from then on. Importing them again changes nothing.",
            needs="admin",
            handler=api.take,
            parameters=(Parameter(name="source", meaning="What it is called in the book."),),
            body={"type": "string", "description": "The rows."},
            body_type="text/plain",
            answer=_TAKEN,
        ),
        Endpoint(
            method="GET",
            path=f"{path}/{{model:path}}",
            summary="All that the book knows of a model, and which price wins",
            needs="read",
            handler=api.show,
            parameters=(
                Parameter(name="model", meaning="Its name, as a call has it.", place="path", required=True),
                _PROVIDER,
                Parameter(name="tier", meaning="batch, flex, priority …"),
                _AT,
            ),
            answer=_SHOWN,
        ),
    ]


class _Api:
    def __init__(self, desk: PriceDesk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    async def list(self, request: Request) -> Response:
        at_ns = self._at(request)
        provider, model = request.query_params.get("provider"), request.query_params.get("model")
        found = await anyio.to_thread.run_sync(
            lambda: list_document(self._desk.list(at_ns, provider=provider, model=model), at_ns)
        )
        return _json(found)

    async def show(self, request: Request) -> Response:
        at_ns, asked = self._at(request), request.query_params
        found = await anyio.to_thread.run_sync(
            lambda: show_document(
                self._desk.show(
                    str(request.path_params["model"]),
                    at_ns,
                    provider=asked.get("provider"),
                    tier=asked.get("tier"),
                )
            )
        )
        return _json(found)

    async def take(self, request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                raise TooLarge(f"a price list has at most {MOST_BYTES >> 20} MiB; send it in parts")
        source = request.query_params.get("source", "a request")[:200]
        taken, refused = await anyio.to_thread.run_sync(self._desk.take, body, source)
        return _json(taken_document(taken, refused))

    def _at(self, request: Request) -> int:
        now_ns = self._clock.now_ns()
        return parse_moment(request.query_params.get("at", "now"), now_ns)


def _json(document: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(document), media_type="application/json")
