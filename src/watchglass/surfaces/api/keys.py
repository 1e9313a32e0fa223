"""Keys over HTTP, for who has an admin key: list, make, revoke."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.store import Keys, Role, Wanted
from watchglass.surfaces.access import current
from watchglass.surfaces.api.body import decode_body, read_body
from watchglass.surfaces.api.endpoint import Endpoint, Parameter
from watchglass.surfaces.key_document import key_document

_MOST_BYTES = 10_000
_TOO_LONG = f"what is asked of a key takes no more than {_MOST_BYTES} bytes"
_EXAMPLE = '{"role": "ingest"} with tenant, name or limits if you like'


class KeyShown(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a key; never its secret. `created_by` is the id of a key, or `command line`."""

    id: str
    name: str
    role: Role
    tenant: str | None
    bytes_per_s: int | None
    requests_per_s: float | None
    created: str
    created_by: str
    revoked: str | None
    revoked_by: str | None


class KeyMade(KeyShown, frozen=True, kw_only=True):
    """The new key. `key` is shown this once and kept nowhere."""

    key: str


class KeysShown(msgspec.Struct, frozen=True):
    """Keys, revoked ones too."""

    keys: list[KeyShown]


_ID = Parameter(name="id", meaning="The public part of the key.", place="path", required=True)
_FORGET = Parameter(name="forget", meaning="Whether it leaves the list too.", type=Literal["true", "false"])


def key_endpoints(keys: Keys, changed: Callable[[], None] = lambda: None) -> list[Endpoint]:
    """Everything that can be done with keys. `changed` is called before an answer tells of a change: who then
    comes with the new key must be known, and who comes with a revoked one is not let in any more."""
    api, path = _Api(keys, changed), "/api/v1/keys"
    return [
        Endpoint(
            method="GET",
            path=path,
            summary="Keys, revoked ones too",
            needs="admin",
            handler=api.list,
            answer=KeysShown,
        ),
        Endpoint(
            method="POST",
            path=path,
            summary="Make a key",
            needs="admin",
            handler=api.create,
            body=Wanted,
            answer=KeyMade,
            status=201,
        ),
        Endpoint(
            method="DELETE",
            path=f"{path}/{{id}}",
            summary="Revoke a key",
            details="It ceases to work within a second.",
            needs="admin",
            handler=api.revoke,
            parameters=(_ID, _FORGET),
            answer=KeyShown,
        ),
    ]


class _Api:
    def __init__(self, keys: Keys, changed: Callable[[], None]) -> None:
        self._keys = keys
        self._changed = changed

    async def list(self, _: Request) -> Response:
        found = await anyio.to_thread.run_sync(self._keys.list)
        return _json(200, {"keys": [key_document(key) for key in found]})

    async def create(self, request: Request) -> Response:
        wanted = decode_body(await read_body(request, _MOST_BYTES, _TOO_LONG), Wanted, _EXAMPLE)
        key, text = await anyio.to_thread.run_sync(self._keys.create, wanted, _who())
        self._changed()
        return _json(201, {**key_document(key), "key": text})

    async def revoke(self, request: Request) -> Response:
        forget = request.query_params.get("forget", "").lower() in ("1", "true", "yes")
        id = str(request.path_params["id"])
        if forget:
            key = await anyio.to_thread.run_sync(self._keys.forget, id)
        else:
            key = await anyio.to_thread.run_sync(self._keys.revoke, id, _who())
        self._changed()
        return _json(200, key_document(key))


def _who() -> str:
    return current().key_id or "a request without a key"


def _json(status: int, document: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(document), status, media_type="application/json")
