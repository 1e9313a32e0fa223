"""Questions about prices over HTTP: what differs, what is odd, what calls would have cost, newer lists."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.errors import BadRequest, NotFound
from watchglass.surfaces.access import current
from watchglass.surfaces.api.body import decode_body, read_body
from watchglass.surfaces.api.endpoint import Endpoint, Parameter
from watchglass.surfaces.api.price_schemas import NO_KEY, TENANT, json_response, whose
from watchglass.surfaces.price_desk import PriceDesk
from watchglass.surfaces.price_questions import Asked, PriceQuestions

MOST_BYTES = 64 << 20
_TOO_LONG = f"a list of prices has at most {MOST_BYTES >> 20} MiB"

_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_ROWS: dict[str, Any] = {"type": "array", "items": {"type": "object"}}
_WINDOW: dict[str, Any] = {"type": "object", "properties": {"since": _TEXT, "until": _TEXT}}
_DIFF: dict[str, Any] = {
    "type": "object",
    "properties": {
        **{name: {"type": "integer"} for name in ("added", "removed", "changed")},
        "changes": _ROWS,
        "window": _WINDOW,
        "spent": {
            "type": "object",
            "properties": {"rows": _ROWS, "total": {"type": "object"}},
            "required": ["rows", "total"],
        },
    },
    "required": ["added", "removed", "changed", "changes", "window", "spent"],
}
_WHAT_IF: dict[str, Any] = {
    "type": "object",
    "description": "`difference_usd` is of the calls that have a price both ways (`compared`).",
    "properties": {
        "model": {"type": "string"},
        "provider": {"type": "string"},
        "window": _WINDOW,
        "rows": _ROWS,
        "total": {"type": "object"},
    },
    "required": ["model", "provider", "window", "rows", "total"],
}
_CHECK: dict[str, Any] = {
    "type": "object",
    "properties": {
        "at": {"type": "string"},
        "window": _WINDOW,
        "problems": _ROWS,
        "disagreements": _ROWS,
    },
    "required": ["at", "problems", "disagreements"],
}
_UPDATED: dict[str, Any] = {
    "type": "object",
    "properties": {"taken": _TEXT, "put_away": {"type": "array", "items": {"type": "string"}}},
    "required": ["taken", "put_away"],
}
_SINCE = Parameter(name="since", meaning="Start of the calls: a date, an ISO time, or `30d` ago, as without.")
_UNTIL = Parameter(name="until", meaning="End of the calls, not included; else now.")


def question_endpoints(desk: PriceDesk, questions: PriceQuestions) -> list[Endpoint]:
    """Everything that needs more than the book."""
    api, path = _Api(desk, questions), "/api/v1/prices"
    return [
        Endpoint(
            method="POST",
            path=f"{path}/diff",
            summary="Which models changed between two states of the book, and what that means in dollars",
            details="A side is the book at a moment (`at`), as it is (nothing), or with a file in it (`name`"
            ", `content`): prices.toml, a team's price list, genai-prices' data.json or LiteLLM's map.",
            needs="read",
            handler=api.diff,
            body=Asked,
            answer=_DIFF,
        ),
        Endpoint(
            method="GET",
            path=f"{path}/what-if",
            summary="What calls would have cost at another model's price",
            needs="read",
            handler=api.what_if,
            parameters=(
                Parameter(name="model", meaning="At whose price.", required=True),
                Parameter(name="provider", meaning="Who sells that model, by any name."),
                Parameter(name="of", meaning="Only calls of this model.", many=True),
                _SINCE,
                _UNTIL,
                TENANT,
            ),
            answer=_WHAT_IF,
        ),
        Endpoint(
            method="GET",
            path=f"{path}/check",
            summary="What is odd in the book: clashes, gaps, prices that never hold, lists that disagree",
            details="Not for a key that is bound to a tenant: the book is everybody's.",
            needs="read",
            handler=api.check,
            parameters=(_SINCE, _UNTIL),
            answer=_CHECK,
        ),
        Endpoint(
            method="POST",
            path=f"{path}/update",
            summary="Take a newer list than the installed one, or go back to that",
            details="The body is genai-prices' data.json or LiteLLM's map; nothing is downloaded. Without a "
            "body the installed lists hold again. Calls in the store keep their prices until repriced.",
            needs="admin",
            handler=api.update,
            parameters=(Parameter(name="name", meaning="What the file is called."),),
            body={"type": "object"},
            answer=_UPDATED,
        ),
    ]


class _Api:
    def __init__(self, desk: PriceDesk, questions: PriceQuestions) -> None:
        self._desk = desk
        self._questions = questions

    async def diff(self, request: Request) -> Response:
        body = await read_body(request, MOST_BYTES, _TOO_LONG) or b"{}"
        asked = decode_body(body, Asked, '{"a": {"at": "2025-01-01"}, "b": {}}')
        bound = current().tenant
        if bound is not None:
            asked = msgspec.structs.replace(asked, tenant=bound)
        return json_response(await anyio.to_thread.run_sync(self._questions.diff, asked))

    async def what_if(self, request: Request) -> Response:
        asked, tenant = request.query_params, whose(request)
        if not asked.get("model"):
            raise BadRequest("model is missing: at whose price?", where="model")
        found = await anyio.to_thread.run_sync(
            lambda: self._questions.what_if(
                asked["model"],
                provider=asked.get("provider"),
                tenant=tenant,
                since=asked.get("since"),
                until=asked.get("until"),
                only=asked.getlist("of"),
            )
        )
        return json_response(found)

    async def check(self, request: Request) -> Response:
        if current().tenant is not None:
            raise NotFound("there is no book to check: it is everybody's, and this key is bound to a tenant")
        asked = request.query_params
        found = await anyio.to_thread.run_sync(
            lambda: self._questions.check(since=asked.get("since"), until=asked.get("until"))
        )
        return json_response(found)

    async def update(self, request: Request) -> Response:
        body, who = await read_body(request, MOST_BYTES, _TOO_LONG), current().key_id or NO_KEY
        name = request.query_params.get("name", "a request")[:200]
        if not body:
            put_away = await anyio.to_thread.run_sync(self._desk.forget, who)
            return json_response({"taken": None, "put_away": put_away})
        taken = await anyio.to_thread.run_sync(self._desk.update, body, name, who)
        return json_response({"taken": taken, "put_away": []})
