"""Tenants over HTTP, for who has an admin key: delete all that one has."""

from __future__ import annotations

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.ledger.budgets.desk import BudgetDesk
from watchglass.store import remove_tenants
from watchglass.store.rollup_engine import RolledEngine
from watchglass.surfaces.api.budgets import asker
from watchglass.surfaces.api.endpoint import JSON, Endpoint, Parameter


class Removed(msgspec.Struct, frozen=True):
    """What a tenant no longer has: how many rows of each table."""

    tenant: str
    removed: dict[str, int]


def tenant_endpoints(engine: RolledEngine, budgets: BudgetDesk) -> list[Endpoint]:
    """The endpoint."""

    async def remove(request: Request) -> Response:
        tenant = str(request.path_params["tenant"])  # whichever: an admin key is bound to none
        removed = await anyio.to_thread.run_sync(remove_tenants, engine, [tenant])
        removed |= await budgets.remove_tenant(tenant, asker())
        return Response(msgspec.json.encode(Removed(tenant, removed)), media_type=JSON)

    return [
        Endpoint(
            method="DELETE",
            path="/api/v1/tenants/{tenant}",
            summary="Delete every row of a tenant",
            details="From every table, for good, with its budgets and reservations. What is sent meanwhile "
            "may stay; again is harmless.",
            needs="admin",
            handler=remove,
            parameters=(
                Parameter(name="tenant", meaning="As its rows name it.", place="path", required=True),
            ),
            answer=Removed,
        )
    ]
