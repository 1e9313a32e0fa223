"""Signing in from a browser: who the app is for, and a cookie in place of an Authorization header."""

from __future__ import annotations

from importlib.metadata import version

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.clock import Clock
from watchglass.errors import Refused, Unauthenticated
from watchglass.queries.plain import moment
from watchglass.queries.presence import any_calls
from watchglass.queries.reader import StoreReader
from watchglass.store import Role
from watchglass.surfaces.access import Access, Grant, granted
from watchglass.surfaces.api.body import decode_body, read_body
from watchglass.surfaces.api.endpoint import JSON, Endpoint
from watchglass.surfaces.api.turns import Turns
from watchglass.surfaces.http import session_cookie
from watchglass.surfaces.http.app import authorization

_MOST_BYTES = 10_000
_TOO_LONG = f"to sign in takes no more than {_MOST_BYTES} bytes"
_EXAMPLE = '{"key": "wg_…"}'


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What the asker may do. `role` is null for who has to sign in first.

    `keyed`: whether the server has keys; without any everybody on its machine may do everything. `tenant` is
    whose rows are shown, null for everybody's. `demo`: whether there are rows of the demo among them.
    """

    keyed: bool
    role: Role | None
    tenant: str | None
    key_id: str | None
    demo: bool
    version: str
    time: str


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The key to sign in with."""

    key: str


def session_endpoints(reader: StoreReader, turns: Turns, *, clock: Clock) -> list[Endpoint]:
    """Look, sign in, sign out. They need no key, so that the app can ask for one."""
    api, path = _Api(reader, turns, clock), "/api/v1/session"
    return [
        Endpoint(
            method="GET",
            path=path,
            summary="What the asker may do, and what the app should know of this server",
            needs="nothing",
            handler=api.look,
            answer=Session,
        ),
        Endpoint(
            method="POST",
            path=path,
            summary="Sign a browser in with a key",
            details="Sets a cookie that stands for the key in requests of the app's own pages, until the "
            "browser is closed. The server keeps nothing; a key that is revoked ceases to work at once.",
            needs="nothing",
            handler=api.sign_in,
            body=SignIn,
            answer=Session,
        ),
        Endpoint(
            method="DELETE",
            path=path,
            summary="Sign a browser out",
            details="Takes the cookie back; the key goes on working.",
            needs="nothing",
            handler=api.sign_out,
            answer=Session,
        ),
    ]


class _Api:
    def __init__(self, reader: StoreReader, turns: Turns, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._turns = turns

    async def look(self, request: Request) -> Response:
        said = authorization(request.scope)
        try:
            grant = _admitted(request, said) if said or not _access(request).keyed else None
        except Unauthenticated:
            grant = None
        return _answer(await self._session(request, grant))

    async def sign_in(self, request: Request) -> Response:
        key = decode_body(await read_body(request, _MOST_BYTES, _TOO_LONG), SignIn, _EXAMPLE).key.strip()
        # Before it becomes a header: what is in a cookie must not be able to end it.
        if not key.isascii() or not key.replace("_", "").replace("-", "").isalnum():
            raise Unauthenticated("that is no key of watchglass: they begin with wg_")
        try:
            grant = _admitted(request, f"Bearer {key}")
        except Unauthenticated as refused:
            # What follows the colon tells programs of headers; this is read by a person at a form.
            told = str(refused).partition(": ")[0]
            raise Unauthenticated(f"{told}; paste all of one that works, with its wg_ in front") from None
        if grant.role == "ingest":
            raise Refused("a key of the role ingest can only send: sign in with a read or an admin key")
        answer = _answer(await self._session(request, grant))
        if grant.key_id:
            answer.headers["set-cookie"] = session_cookie.setting(request.scope, key)
        return answer

    async def sign_out(self, request: Request) -> Response:
        open_to_all = not _access(request).keyed
        answer = _answer(await self._session(request, _admitted(request, "") if open_to_all else None))
        answer.headers["set-cookie"] = session_cookie.ending(request.scope)
        return answer

    async def _session(self, request: Request, grant: Grant | None) -> Session:
        return Session(
            keyed=_access(request).keyed,
            role=grant and grant.role,
            tenant=grant and grant.tenant,
            key_id=grant and (grant.key_id or None),
            demo=grant is not None and grant.role != "ingest" and await self._shows_demo(grant),
            version=version("watchglass"),
            time=moment(self._clock.now_ns()),
        )

    async def _shows_demo(self, grant: Grant) -> bool:
        from watchglass.surfaces.demo.workloads import TENANTS  # here, for it is of use to few servers

        with granted(grant):
            return await self._turns.ask(
                self._reader.answer, lambda engine, limits: any_calls(engine, TENANTS, limits=limits)
            )


def _access(request: Request) -> Access:
    return request.scope["watchglass.access"]


def _admitted(request: Request, said: str) -> Grant:
    return _access(request).admit(said, "any", request.scope["watchglass.where"])


def _answer(session: Session) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(session), media_type=JSON, headers=headers)
