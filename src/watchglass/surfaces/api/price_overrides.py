"""Overrides over HTTP: prices set one by one, a model's history, and what became of the book."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from watchglass.surfaces.access import current
from watchglass.surfaces.api.body import read_body
from watchglass.surfaces.api.endpoint import Endpoint, Parameter
from watchglass.surfaces.api.price_schemas import (
    HISTORY,
    NO_KEY,
    OVERRIDES,
    TENANT,
    VERSIONS,
    json_response,
    whose,
)
from watchglass.surfaces.price_desk import ALL_CHANGES, PriceDesk
from watchglass.surfaces.price_document import (
    change_document,
    changes_of,
    history_document,
    override_document,
)
from watchglass.surfaces.price_terms import read_terms

_MOST_BYTES = 64 << 10
_TOO_LONG = f"one price takes no more than {_MOST_BYTES} bytes; import a list instead"


def override_endpoints(desk: PriceDesk) -> list[Endpoint]:
    """Setting prices and asking who set them."""
    api, path = _Api(desk), "/api/v1/prices"
    return [
        Endpoint(
            method="GET",
            path=f"{path}/overrides",
            summary="Prices and discounts that were set one by one",
            details="A key that is bound to a tenant sees that tenant's.",
            needs="read",
            handler=api.list,
            answer=OVERRIDES,
        ),
        Endpoint(
            method="POST",
            path=f"{path}/overrides",
            summary="Set a price or a discount",
            details="With `percent` it is a discount, taken off what the list says. It holds for calls that "
            "come from then on and start in its time; one for the same model, tier, tenant and time is "
            "replaced. Amounts are best sent as text. Sending it again changes nothing.",
            needs="admin",
            handler=api.set,
            body={
                "type": "object",
                "description": "As an entry of `prices.toml`: provider, model, input, output, cache_read …, "
                "above, tier, tenant, since, until, daily, source; or percent.",
                "required": ["provider"],
            },
            answer=OVERRIDES,
            status=201,
        ),
        Endpoint(
            method="DELETE",
            path=f"{path}/overrides/{{id}}",
            summary="Take a price or a discount back",
            needs="admin",
            handler=api.unset,
            parameters=(Parameter(name="id", meaning="Its id.", place="path", required=True),),
            answer={"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
        ),
        Endpoint(
            method="GET",
            path=f"{path}/versions",
            summary="Changes of the price book, the latest 1,000: who, when, what before and after",
            needs="read",
            handler=api.versions,
            answer=VERSIONS,
        ),
        Endpoint(
            method="GET",
            path=f"{path}/history/{{model:path}}",
            summary="What a model cost when, with where each price stands and who changed it",
            needs="read",
            handler=api.history,
            parameters=(
                Parameter(name="model", meaning="The model's name.", place="path", required=True),
                Parameter(name="provider", meaning="Who sells it, by any name."),
                Parameter(name="tier", meaning="batch, flex, priority …; else the standard tier."),
                TENANT,
            ),
            answer=HISTORY,
        ),
    ]


class _Api:
    def __init__(self, desk: PriceDesk) -> None:
        self._desk = desk

    async def list(self, _: Request) -> Response:
        bound = current().tenant
        found = await anyio.to_thread.run_sync(self._desk.overrides, bound)
        return json_response({"overrides": [override_document(each) for each in found]})

    async def set(self, request: Request) -> Response:
        body, who = await read_body(request, _MOST_BYTES, _TOO_LONG), _who()
        asked = read_terms(body)

        def put() -> dict[str, Any]:
            done = [self._desk.set(terms, who) for terms in asked]
            return {
                "overrides": [override_document(each) for each, _ in done],
                "changed": sum(changed for _, changed in done),
            }

        return json_response(await anyio.to_thread.run_sync(put), 201)

    async def unset(self, request: Request) -> Response:
        id, who = str(request.path_params["id"]), _who()
        done = await anyio.to_thread.run_sync(self._desk.unset, id, who)
        return json_response(override_document(done))

    async def versions(self, _: Request) -> Response:
        bound = current().tenant
        found = await anyio.to_thread.run_sync(self._desk.changes, bound)
        return json_response({"changes": [change_document(each) for each in found]})

    async def history(self, request: Request) -> Response:
        asked, model = request.query_params, str(request.path_params["model"])
        bound, tenant = current().tenant, whose(request)
        provider, tier = asked.get("provider"), asked.get("tier")

        def told() -> dict[str, Any]:
            rows = self._desk.history(model, provider=provider, tier=tier, tenant=tenant)
            changes = changes_of(model, provider, self._desk.changes(bound, ALL_CHANGES))
            return history_document(model, rows, changes, tenant)

        return json_response(await anyio.to_thread.run_sync(told))


def _who() -> str:
    return current().key_id or NO_KEY
