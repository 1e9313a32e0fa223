"""What the API's answers about prices look like, and the parameters that they share."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.pricing.rates import CLASSES
from watchglass.surfaces.access import current
from watchglass.surfaces.api.endpoint import Parameter

TEXT: dict[str, Any] = {"type": ["string", "null"]}
PRICE: dict[str, Any] = {
    "type": "object",
    "description": "One price; amounts are decimals as text, in US dollars a million tokens.",
    "properties": {
        **{name: {"type": "string"} for name in ("provider", "model", "per_request", "source", "price_id")},
        **{name: TEXT for name in ("tier", "since", "until", "daily", "citation", *CLASSES)},
        "above": {"type": "array", "items": {"type": "object"}},
        "dated": {"type": "boolean"},
        "wins": {"type": "boolean"},
        "change": {"type": ["object", "null"], "additionalProperties": TEXT},
    },
    "required": ["provider", "model", "input", "output", "source", "price_id"],
}
LIST: dict[str, Any] = {
    "type": "object",
    "properties": {"at": {"type": "string"}, "prices": {"type": "array", "items": PRICE}},
    "required": ["at", "prices"],
}
SHOWN: dict[str, Any] = {
    "type": "object",
    "properties": {
        "at": {"type": "string"},
        "model": {"type": "string"},
        **{name: TEXT for name in ("provider", "tier", "price_id", "unpriced_reason")},
        "prices": {"type": "array", "items": PRICE},
        "elsewhere": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["at", "model", "price_id", "unpriced_reason", "prices"],
}
TAKEN: dict[str, Any] = {
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
OVERRIDE: dict[str, Any] = {
    "type": "object",
    "description": "A price or discount that was set; amounts are decimals as text.",
    "properties": {
        "id": {"type": "string"},
        "kind": {"enum": ["price", "discount"]},
        **{name: {"type": "string"} for name in ("provider", "model", "changed", "changed_by")},
        **{name: TEXT for name in ("tier", "tenant", "since", "until", "source", "percent")},
    },
    "required": ["id", "kind", "provider", "model", "tenant", "since", "until", "changed_by"],
}
OVERRIDES: dict[str, Any] = {
    "type": "object",
    "properties": {"overrides": {"type": "array", "items": OVERRIDE}, "changed": {"type": "integer"}},
    "required": ["overrides"],
}
CHANGE: dict[str, Any] = {
    "type": "object",
    "description": "A line of the book's log. `who` is the id of a key, 'command line', or '' for a file.",
    "properties": {
        "number": {"type": "integer"},
        **{name: {"type": "string"} for name in ("time", "who", "action")},
        **{name: TEXT for name in ("override", "tenant")},
        **{name: {"type": ["object", "string", "null"]} for name in ("before", "after")},
    },
    "required": ["number", "time", "who", "action", "before", "after"],
}
VERSIONS: dict[str, Any] = {
    "type": "object",
    "properties": {"changes": {"type": "array", "items": CHANGE}},
    "required": ["changes"],
}
HISTORY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "model": {"type": "string"},
        **{name: TEXT for name in ("provider", "tier", "tenant")},
        "prices": {"type": "array", "items": PRICE},
        "changes": {"type": "array", "items": CHANGE},
    },
    "required": ["model", "prices", "changes"],
}
PROVIDER = Parameter(name="provider", meaning="Of this provider only, by any of its names.")
AT = Parameter(name="at", meaning="As of this moment: a date, an ISO time, or `30d` ago; else now.")
TENANT = Parameter(
    name="tenant", meaning="For calls of this tenant; a key that is bound to one always asks for that."
)


NO_KEY = "a request without a key"


def whose(request: Request) -> str | None:
    """For whose calls a request asks about prices: its key's tenant, else the one that it names."""
    bound = current().tenant
    return bound if bound is not None else request.query_params.get("tenant")


def json_response(document: dict[str, Any], status: int = 200) -> Response:
    """A document as an answer."""
    return Response(msgspec.json.encode(document), status, media_type="application/json")
