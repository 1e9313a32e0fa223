"""Keys over HTTP, for who has an admin key: list, make, revoke."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from watchglass.errors import BadRequest, TooLarge
from watchglass.store import Keys, Wanted
from watchglass.surfaces.access import current, needs
from watchglass.surfaces.key_document import key_document

_MOST_BYTES = 10_000


def key_routes(keys: Keys) -> list[BaseRoute]:
    """GET and POST /api/v1/keys, DELETE /api/v1/keys/{id} (with ?forget=true it leaves the list too)."""
    api = _Api(keys)
    return [
        Route("/api/v1/keys", api.list, methods=["GET"]),
        Route("/api/v1/keys", api.create, methods=["POST"]),
        Route("/api/v1/keys/{id}", api.revoke, methods=["DELETE"]),
    ]


class _Api:
    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    @needs("admin")
    async def list(self, _: Request) -> Response:
        found = await anyio.to_thread.run_sync(self._keys.list)
        return _json(200, {"keys": [key_document(key) for key in found]})

    @needs("admin")
    async def create(self, request: Request) -> Response:
        wanted = _wanted(await _body(request))
        key, text = await anyio.to_thread.run_sync(self._keys.create, wanted, _who())
        return _json(201, {**key_document(key), "key": text})

    @needs("admin")
    async def revoke(self, request: Request) -> Response:
        forget = request.query_params.get("forget", "").lower() in ("1", "true", "yes")
        id = str(request.path_params["id"])
        if forget:
            key = await anyio.to_thread.run_sync(self._keys.forget, id)
        else:
            key = await anyio.to_thread.run_sync(self._keys.revoke, id, _who())
        return _json(200, key_document(key))


def _who() -> str:
    return current().key_id or "a request without a key"


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise TooLarge(f"what is asked of a key takes no more than {_MOST_BYTES} bytes")
    return body


def _wanted(body: bytes) -> Wanted:
    try:
        return msgspec.json.decode(body, type=Wanted)
    except msgspec.DecodeError as fault:
        raise BadRequest(
            f'{fault}; send {{"role": "ingest"}} with tenant, name or limits if you like'
        ) from None


def _json(status: int, document: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(document), status, media_type="application/json")
