"""Repricing over HTTP, for who has an admin key: look, begin, watch, cancel, resume, take back.

A key that is bound to a tenant reprices that tenant's calls alone, and sees the runs of such keys alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.clock import Clock
from watchglass.errors import BadRequest
from watchglass.ledger.reprice_plan import Asked
from watchglass.queries.times import parse_moment
from watchglass.surfaces.access import current
from watchglass.surfaces.api.body import decode_body, read_body
from watchglass.surfaces.api.endpoint import JSON, Endpoint, Parameter
from watchglass.surfaces.reprice_desk import MOST_LEFT, RepriceDesk

PATH = "/api/v1/reprices"
MOST_BYTES = 100_000
_TOO_LONG = f"what is asked of repricing takes no more than {MOST_BYTES} bytes"
T = TypeVar("T")
MOST_WHY = 1000


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be priced anew: moments as in other questions, filters by the dimensions of usage ('' is
    unknown). `dry_run` writes nothing."""

    since: str | None = None
    until: str | None = None
    filters: dict[str, list[str]] = {}
    unpriced: bool = False
    detect_provider: bool = False
    why: str = ""
    dry_run: bool = False

    def asked(self, now_ns: int) -> Asked:
        """As repricing is asked. Raises `QueryError` for a moment that is none."""
        since_ns, until_ns = (
            None if text is None else parse_moment(text, now_ns) for text in (self.since, self.until)
        )
        return Asked(
            since_ns=since_ns,
            until_ns=until_ns,
            filters={name: tuple(values) for name, values in self.filters.items()},
            unpriced=self.unpriced,
            detect_provider=self.detect_provider,
        )


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a run is taken back."""

    why: str = ""


_TEXT: dict[str, Any] = {"type": "string"}
_MAYBE: dict[str, Any] = {"type": ["string", "null"]}
_COUNT: dict[str, Any] = {"type": "integer"}
_MONEY = {name: _TEXT for name in ("before_usd", "after_usd", "difference_usd")}
_CHANGE: dict[str, Any] = {"type": "object", "properties": {"name": _MAYBE, "rows": _COUNT, **_MONEY}}
_ASKED: dict[str, Any] = {
    "since": _MAYBE,
    "until": _MAYBE,
    "filters": {"type": "object"},
    "unpriced": {"type": "boolean"},
    "detect_provider": {"type": "boolean"},
}
_CHANGES: dict[str, Any] = {
    **{name: _COUNT for name in ("looked", "changed", "not_counted")},
    "totals": _CHANGE,
    **{name: {"type": "array", "items": _CHANGE} for name in ("by_kind", "by_model", "by_tenant")},
}
_EXPIRED: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "Hours of the window whose calls are deleted, which no run can change. `calls` counted; "
    "null where their sums do not keep apart what was asked by.",
    "properties": {"since": _TEXT, "until": _TEXT, "calls": {"type": ["integer", "null"]}, "note": _TEXT},
}
_LEFT: dict[str, Any] = {
    "type": "object",
    "description": "Rows that were not taken back, by the run that their price is of now (or settled, gone).",
    "properties": {
        "rows": _COUNT,
        "by": {"type": "object"},
        "first": {"type": "array", "items": {"type": "object"}},
    },
}
_RUN: dict[str, Any] = {
    "type": "object",
    "description": "A run; amounts are exact dollars as text, of the counted rows among those changed.",
    "properties": {
        **{name: _TEXT for name in ("id", "who", "why", "book", "began")},
        "kind": {"enum": ["reprice", "undo"]},
        "state": {
            "enum": ["running", "done", "cancelled", "interrupted", "undone", "partly undone"],
        },
        **{name: _MAYBE for name in ("undoes", "tenant", "ended", "fault")},
        **_ASKED,
        **{name: _COUNT for name in ("chunks", "chunks_done", "looked", "changed", "counted", "undone")},
        **_MONEY,
        "changes": {"type": "object", "properties": _CHANGES},
        "left": _LEFT,
        "expired": _EXPIRED,
    },
    "required": ["id", "kind", "state", "who", "began", "chunks", "chunks_done", "changed"],
}
_STARTED: dict[str, Any] = {
    "type": "object",
    "description": "The run that began; with `dry_run` what it would change instead.",
    "properties": {**_RUN["properties"], **_CHANGES},
}
_ID = Parameter(name="id", meaning="The run, as in the list.", place="path", required=True)


def reprice_endpoints(desk: RepriceDesk, *, clock: Clock) -> list[Endpoint]:
    """Everything that can be done with runs."""
    api = _Api(desk, clock)

    def on_run(
        what: str, summary: str, details: str, handler: Callable[..., Any], body: Any = None
    ) -> Endpoint:
        return Endpoint(
            method="POST", path=f"{PATH}/{{id}}/{what}", summary=summary, details=details, needs="admin",
            handler=handler, parameters=(_ID,), body=body, answer=_RUN, status=202,
        )  # fmt: skip

    return [
        Endpoint(
            method="GET",
            path=PATH,
            summary="Runs of repricing, the latest first",
            needs="admin",
            handler=api.list,
            answer={"type": "object", "properties": {"runs": {"type": "array", "items": _RUN}}},
        ),
        Endpoint(
            method="POST",
            path=PATH,
            summary="Price past calls anew by the book as it is now",
            details="It goes on after the answer, one run at a time; another one is refused (409) meanwhile. "
            "Only rows that change are written.",
            needs="admin",
            handler=api.start,
            body=Wanted,
            answer=_STARTED,
            status=202,
        ),
        Endpoint(
            method="GET",
            path=f"{PATH}/{{id}}",
            summary="A run: how far it is, what it changed, what of it could not be taken back",
            needs="admin",
            handler=api.show,
            parameters=(
                _ID,
                Parameter(name="changes", meaning="yes: with what it changed, by kind, model and tenant."),
                Parameter(name="left", meaning=f"How many rows to name, to {MOST_LEFT}.", type=int),
            ),
            answer=_RUN,
        ),
        on_run("cancel", "Stop a run", "What is done stays, and can be taken back.", api.cancel),
        on_run("resume", "Go on with a run that stopped", "`last` is the latest such.", api.resume),
        on_run(
            "undo",
            "Take a run back",
            "Rows whose price is still of that run get back what they had; `last` is the latest that "
            "changed something and is not undone. "
            "Taking back is a run of its own.",
            api.undo,
            Why,
        ),
    ]


class _Api:
    def __init__(self, desk: RepriceDesk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    async def list(self, _: Request) -> Response:
        tenant = current().tenant
        return _json({"runs": await anyio.to_thread.run_sync(self._desk.list, tenant)})

    async def start(self, request: Request) -> Response:
        wanted = await _read(request, Wanted)
        asked, why, tenant, who = (
            wanted.asked(self._clock.now_ns()),
            _why(wanted.why),
            current().tenant,
            _who(),
        )
        if wanted.dry_run:
            return _json(await anyio.to_thread.run_sync(self._desk.look, asked, tenant))
        return await _started(lambda: self._desk.start(asked, who=who, why=why, tenant=tenant))

    async def show(self, request: Request) -> Response:
        id, tenant = str(request.path_params["id"]), current().tenant
        changes, left = request.query_params.get("changes") == "yes", request.query_params.get("left", "0")
        if not (left.isascii() and left.isdigit() and len(left) < 6):
            raise BadRequest(f"left is {left!r}; write how many rows to name, like 20")
        found = await anyio.to_thread.run_sync(
            lambda: self._desk.show(id, tenant, changes=changes, left=int(left))
        )
        return _json(found)

    async def cancel(self, request: Request) -> Response:
        id, tenant = str(request.path_params["id"]), current().tenant
        return await _started(lambda: self._desk.cancel(id, tenant))

    async def resume(self, request: Request) -> Response:
        id, tenant = str(request.path_params["id"]), current().tenant
        return await _started(lambda: self._desk.resume(None if id == "last" else id, tenant))

    async def undo(self, request: Request) -> Response:
        id, tenant, who = str(request.path_params["id"]), current().tenant, _who()
        why = _why((await _read(request, Why)).why)
        return await _started(lambda: self._desk.undo(id, who=who, why=why, tenant=tenant))


def _who() -> str:
    return current().key_id or "a request without a key"


def _why(text: str) -> str:
    if len(text) > MOST_WHY:
        raise BadRequest(f"`why` has {len(text)} signs; it may have {MOST_WHY}")
    return text


async def _read(request: Request, kind: type[T]) -> T:
    body = await read_body(request, MOST_BYTES, _TOO_LONG)
    return decode_body(body or b"{}", kind, '{"since": "7d", "dry_run": true}, for example')


async def _started(work: Callable[[], dict[str, Any]]) -> Response:
    return _json(await anyio.to_thread.run_sync(work), 202)


def _json(document: dict[str, Any], status: int = 200) -> Response:
    return Response(msgspec.json.encode(document), status, media_type=JSON)
