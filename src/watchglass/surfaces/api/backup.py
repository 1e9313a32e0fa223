"""A snapshot for who makes a backup: it is there as long as the asker stays connected.

The server writes nothing but names of its own files, in its own directory; copying them is the business
of the asker, who needs the right to read them. Whoever goes away, or is killed, takes the snapshot along.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager
from typing import Any

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from watchglass.clock import Clock
from watchglass.errors import Refused
from watchglass.store import Store
from watchglass.store.snapshot import frozen
from watchglass.surfaces.access import current
from watchglass.surfaces.api.endpoint import Endpoint

HEARTBEAT_S = 5.0

_LINES = "application/x-ndjson"


_SNAPSHOT: dict[str, Any] = {
    "type": "string",
    "description": 'One line of JSON, {"snapshot": "<folder>"}, then empty lines.',
}


def backup_endpoints(store: Store, clock: Clock) -> list[Endpoint]:
    """The endpoint."""

    async def make(_: Request) -> Response:
        if current().tenant is not None:
            raise Refused("a key that is bound to a tenant may not copy what is of all; use another")
        held = frozen(store.place, store.control, store.engine, clock)
        folder = await anyio.to_thread.run_sync(held.__enter__)
        line = msgspec.json.encode({"snapshot": str(folder)}) + b"\n"
        return StreamingResponse(_hold(held, line), media_type=_LINES)

    return [
        Endpoint(
            method="POST",
            path="/api/v1/backup",
            summary="A snapshot of the store, to be copied",
            details="A folder on the server's machine, there for as long as the answer is being read.",
            needs="admin",
            handler=make,
            answer=_SNAPSHOT,
            answer_type=_LINES,
        )
    ]


async def _hold(held: AbstractContextManager[object], line: bytes) -> AsyncGenerator[bytes]:
    try:
        yield line
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            yield b"\n"
    finally:
        # Not awaited: the asker is gone, and what ends here may be the whole server.
        asyncio.get_running_loop().run_in_executor(None, held.__exit__, None, None, None)
