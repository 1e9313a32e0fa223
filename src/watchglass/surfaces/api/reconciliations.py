"""The three-way ledger over HTTP: bills in; computed, reported and billed, and what explains it, out."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.clock import Clock, SystemClock
from watchglass.errors import NotFound
from watchglass.surfaces.access import current
from watchglass.surfaces.api.body import decode_body, read_body
from watchglass.surfaces.api.endpoint import JSON, Endpoint, Parameter
from watchglass.surfaces.reconcile_desk import ReconcileDesk, Wanted, parse_project_map

PATH = "/api/v1/reconciliations"
MOST_BYTES = 256 << 20
_TOO_LONG = f"bills have at most {MOST_BYTES >> 20} MiB at once; send them in parts"
_EXAMPLE = "a reconciliation as /api/docs describes it"

_AMOUNT: dict[str, Any] = {"type": "string", "description": "US dollars, every digit."}
_TOTALS: dict[str, Any] = {
    "type": "object",
    "properties": {
        **{
            f"{name}_usd": _AMOUNT
            for name in ("billed", "computed", "reported", "difference", "unexplained", "unexplained_apart")
        },
        "explained_usd": {"type": "object", "additionalProperties": _AMOUNT},
        "hints_usd": {
            "type": "object",
            "additionalProperties": _AMOUNT,
            "description": "Of the unexplained.",
        },
    },
    "required": ["billed_usd", "computed_usd", "difference_usd", "explained_usd", "unexplained_usd"],
}
_REPORT: dict[str, Any] = {
    "type": "object",
    "description": "`difference_usd` is billed less computed, and is the sum of all explanations and the "
    "unexplained rest, in the totals as in each line and class.",
    "properties": {
        "totals": _TOTALS,
        **{
            name: {"type": "array", "items": {"type": "object"}}
            for name in ("zones", "put_aside", "not_on_any_bill", "row_by_row", "files", "lines")
        },
        "remarks": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["totals", "lines", "files", "remarks"],
}
_ASKED = (
    Parameter(name="project_by", meaning="What a project is here: a dimension, or `metadata.KEY`."),
    Parameter(name="project_map", meaning="theirs=ours: the provider's project is that one.", many=True),
    Parameter(name="zone", meaning="Zone of dates that name none; else the one in which days agree."),
    Parameter(name="since", meaning="Start of the time: a date, an ISO time, or `30d` ago."),
    Parameter(name="until", meaning="End of the time, not included."),
    Parameter(name="provider", meaning="Of this provider only.", many=True),
)


def reconciliation_endpoints(desk: ReconcileDesk, *, clock: Clock | None = None) -> list[Endpoint]:
    """Both endpoints."""
    api = _Api(desk, clock or SystemClock())
    return [
        Endpoint(
            method="GET",
            path=PATH,
            summary="The last state: all bills that were imported against our calls",
            details="A key that is bound to a tenant sees no bill: they belong to none.",
            needs="read",
            handler=api.last,
            parameters=_ASKED,
            answer=_REPORT,
        ),
        Endpoint(
            method="POST",
            path=PATH,
            summary="Import bills, and compare them with our calls",
            details="A file that is known changes nothing; a newer one of the same days replaces it.",
            needs="admin",
            handler=api.take,
            body=Wanted,
            answer=_REPORT,
        ),
    ]


class _Api:
    def __init__(self, desk: ReconcileDesk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    async def last(self, request: Request) -> Response:
        given = request.query_params
        pairs = given.getlist("project_map")
        wanted = Wanted(
            project_by=given.get("project_by"),
            zone=given.get("zone"),
            since=given.get("since"),
            until=given.get("until"),
            project_map=parse_project_map(pairs) if pairs else None,
            provider=given.getlist("provider"),
        )
        return await self._answer(wanted)

    async def take(self, request: Request) -> Response:
        return await self._answer(await read_body(request, MOST_BYTES, _TOO_LONG))

    async def _answer(self, wanted: Wanted | bytes) -> Response:
        _unbound()
        # In a thread from end to end: only to read a body of this size takes longer than others can wait.
        return Response(await anyio.to_thread.run_sync(self._report, wanted), media_type=JSON)

    def _report(self, wanted: Wanted | bytes) -> bytes:
        if isinstance(wanted, bytes):
            wanted = decode_body(wanted, Wanted, _EXAMPLE)
        return msgspec.json.encode(self._desk.run(wanted, self._clock.now_ns()))


def _unbound() -> None:
    """A key that is bound to a tenant sees no bill, here as in the table `bills`."""
    if current().tenant is not None:
        raise NotFound("there is no bill: bills belong to no tenant, and this key is bound to one")
