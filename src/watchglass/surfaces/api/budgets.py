"""Budgets over HTTP: what they are, how they stand, and changes of them, for who has an admin key."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.clock import Clock
from watchglass.ledger.budgets.desk import BudgetDesk
from watchglass.queries.times import parse_moment
from watchglass.store.budgets import WARN, Budget, Kind, Period, Unsettled, WantedBudget, named
from watchglass.surfaces.access import current, current_scope
from watchglass.surfaces.api.body import decode_body, read_body
from watchglass.surfaces.api.endpoint import Endpoint, Parameter
from watchglass.surfaces.budget_document import budget_document, event_document, status_document

PATH = "/api/v1/budgets"
_MOST_BYTES = 10_000
_TOO_LONG = f"a budget takes no more than {_MOST_BYTES} bytes"
_EXAMPLE = (
    '{"name": "acme", "limit_usd": "500", "scope": {"tenant": "acme"}} with kind, period, zone, warn, '
    "since or until if you like"
)

_TEXT: dict[str, Any] = {"type": "string"}
_MAYBE: dict[str, Any] = {"type": ["string", "null"]}
BUDGET: dict[str, Any] = {
    "type": "object",
    "description": "A budget; dollars are decimals as text.",
    "properties": {
        **{name: _TEXT for name in ("id", "name", "limit_usd", "zone")},
        **{name: _TEXT for name in ("created", "created_by", "changed", "changed_by")},
        "kind": {"enum": list(get_args(Kind))},
        "period": {"enum": list(get_args(Period))},
        "unsettled": {"enum": list(get_args(Unsettled))},
        "scope": {"type": "object", "additionalProperties": _TEXT},
        "warn": {"type": "array", "items": {"type": "integer"}},
        "since": _MAYBE,
        "until": _MAYBE,
    },
}
BUDGET["required"] = list(BUDGET["properties"])
_HELD: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "Of a hard budget: what it is held to. Spent is the larger of recorded and settled.",
    "properties": {
        name: _TEXT for name in ("recorded_usd", "settled_usd", "unsettled_usd", "reserved_usd", "left_usd")
    },
}
_HELD["required"] = list(_HELD["properties"])
STATUS: dict[str, Any] = {
    **BUDGET,
    "description": "A budget and how it stands in its present period; null where it is not in force.",
    "properties": {
        **BUDGET["properties"],
        "in_force": {"type": "boolean"},
        **{name: _MAYBE for name in ("period_since", "period_until", "spent_usd")},
        **{name: {"type": ["integer", "null"]} for name in ("percent", "calls", "unpriced_calls")},
        "crossed": {"type": "array", "items": {"type": "integer"}},
        "forecast": {
            "type": ["object", "null"],
            "properties": {
                "outlook": {"enum": ["crosses", "crossed", "stays_below", "not_enough_data"]},
                "crosses": _MAYBE,
            },
            "required": ["outlook", "crosses"],
        },
        "held": _HELD,
    },
}
STATUS["required"] = list(STATUS["properties"])
_EVENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        **{name: _TEXT for name in ("at", "spent_usd", "limit_usd", "period_since")},
        "event": {"enum": ["threshold", "forecast"]},
        "percent": {"type": ["integer", "null"]},
        "crosses": _MAYBE,
    },
}
_EVENT["required"] = list(_EVENT["properties"])
_NAME = Parameter(name="name", meaning="The budget's name or id.", place="path", required=True)


class BudgetBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A budget to be made, or changed where there is one of the name.

    `since` and `until` are a date, an ISO time, or `7d` ago.
    """

    name: str
    limit_usd: Decimal
    kind: Kind = "soft"
    period: Period = "month"
    zone: str = "UTC"
    scope: dict[str, str] = {}
    unsettled: Unsettled = "charge"
    warn: tuple[int, ...] = WARN
    since: str | None = None
    until: str | None = None

    def wanted(self, now_ns: int) -> WantedBudget:
        """With moments for its texts. Raises `QueryError` for one that is none."""
        said = {
            name: getattr(self, name) for name in self.__struct_fields__ if name not in ("since", "until")
        }
        return WantedBudget(
            **said,
            since_ns=None if self.since is None else parse_moment(self.since, now_ns),
            until_ns=None if self.until is None else parse_moment(self.until, now_ns),
        )


def budget_endpoints(desk: BudgetDesk, *, clock: Clock) -> list[Endpoint]:
    """Everything but reserving and settling."""
    api = _Api(desk, clock)
    return [
        Endpoint(
            method="GET",
            path=PATH,
            summary="Budgets",
            details="A key of a tenant sees the budgets that are for this tenant.",
            needs="read",
            handler=api.list,
            answer=_listed(BUDGET),
        ),
        Endpoint(
            method="GET",
            path=f"{PATH}/status",
            summary="How budgets stand",
            details="What counted calls cost in the present period, with the calls whose cost is unknown "
            "beside it, and whether the limit will be reached at this pace.",
            needs="read",
            handler=api.status,
            answer=_listed(STATUS),
        ),
        Endpoint(
            method="GET",
            path=f"{PATH}/{{name}}",
            summary="One budget, how it stands, and what was told of it",
            needs="read",
            handler=api.show,
            parameters=(_NAME,),
            answer={
                **STATUS,
                "properties": {**STATUS["properties"], "told": {"type": "array", "items": _EVENT}},
                "required": [*STATUS["required"], "told"],
            },
        ),
        Endpoint(
            method="POST",
            path=PATH,
            summary="Make or change a budget",
            details="Limit, thresholds, since and until can change; kind, period, zone, scope and "
            "`unsettled` cannot, since what was counted would be another thing's.",
            needs="admin",
            handler=api.set,
            body=BudgetBody,
            answer=BUDGET,
        ),
        Endpoint(
            method="DELETE",
            path=f"{PATH}/{{name}}",
            summary="Remove a budget",
            needs="admin",
            handler=api.remove,
            parameters=(_NAME,),
            answer=BUDGET,
        ),
    ]


class _Api:
    def __init__(self, desk: BudgetDesk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    async def list(self, _: Request) -> Response:
        return _json({"budgets": [budget_document(each) for each in self._visible()]})

    async def status(self, _: Request) -> Response:
        found = await self._desk.statuses(self._visible())
        return _json({"budgets": [status_document(each) for each in found]})

    async def show(self, request: Request) -> Response:
        budget = self._named(request)
        [found] = await self._desk.statuses([budget])
        told = await self._desk.told(budget)
        return _json({**status_document(found), "told": [event_document(each) for each in told]})

    async def set(self, request: Request) -> Response:
        body = decode_body(await read_body(request, _MOST_BYTES, _TOO_LONG), BudgetBody, _EXAMPLE)
        return _json(budget_document(await self._desk.set(body.wanted(self._clock.now_ns()), asker())))

    async def remove(self, request: Request) -> Response:
        budget = self._named(request)
        return _json(budget_document(await self._desk.remove(budget.id, asker())))

    def _visible(self) -> list[Budget]:
        """Those of the reader's scope: a budget has a tenant as a row has."""
        tenants = current_scope().tenants
        return [each for each in self._desk.list() if tenants is None or each.tenant in tenants]

    def _named(self, request: Request) -> Budget:
        return named(self._visible(), str(request.path_params["name"]))


def _listed(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"budgets": {"type": "array", "items": schema}},
        "required": ["budgets"],
    }


def asker() -> str:
    """Who makes a change, for the audit."""
    return current().key_id or "a request without a key"


def _json(document: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(document), media_type="application/json")
