"""Tenants over HTTP, for who has an admin key: delete all that one has."""

from __future__ import annotations

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.errors import Refused
from watchglass.store import remove_tenants
from watchglass.store.rollup_engine import RolledEngine
from watchglass.surfaces.access import current
from watchglass.surfaces.api.endpoint import JSON, Endpoint, Parameter


class Removed(msgspec.Struct, frozen=True):
    """What a tenant no longer has: how many rows of each table."""

    tenant: str
    removed: dict[str, int]


def tenant_endpoints(engine: RolledEngine) -> list[Endpoint]:
    """The endpoint."""

    async def remove(request: Request) -> Response:
        tenant, bound = str(request.path_params["tenant"]), current().tenant
        if bound is not None and tenant != bound:
            raise Refused(f"this key is bound to tenant {bound!r} and may not delete another's rows")
        removed = await anyio.to_thread.run_sync(remove_tenants, engine, [tenant])
        return Response(msgspec.json.encode(Removed(tenant, removed)), media_type=JSON)

    return [
        Endpoint(
            method="DELETE",
            path="/api/v1/tenants/{tenant}",
            summary="Delete every row of a tenant",
            details="From every table, for good. What is sent meanwhile may stay; again is harmless.",
            needs="admin",
            handler=remove,
            parameters=(
                Parameter(name="tenant", meaning="As its rows name it.", place="path", required=True),
            ),
            answer=Removed,
        )
    ]
