"""Targets over HTTP: what the figures of Overview are held against, and changes of it by an admin."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass.queries.documents import plain
from watchglass.queries.plain import moment
from watchglass.queries.targets import Target, Targets, targets
from watchglass.store.kept_targets import KeptTargets, TargetStore
from watchglass.surfaces.access import current
from watchglass.surfaces.api.body import decode_body, read_body
from watchglass.surfaces.api.endpoint import JSON, Endpoint

PATH = "/api/v1/targets"
_MOST_BYTES = 10_000
_TOO_LONG = f"targets take no more than {_MOST_BYTES} bytes"
_EXAMPLE = '{"targets": {"calls.p95_ns": "2000000000"}}'

Noted = Callable[[str, str, str], object]
"""Told of a change: the event, who, and what of it."""


class TargetShown(Target, frozen=True, kw_only=True):
    """A target, and what it is at first."""

    default: Decimal | None


class TargetsShown(msgspec.Struct, frozen=True, kw_only=True):
    """All targets; `changed` and `changed_by` are null while they are as they come."""

    source: str
    changed: str | None
    changed_by: str | None
    targets: list[TargetShown]


class TargetsWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Targets by name (`calls.p95_ns`): decimal text in the unit of the target, or null for none."""

    targets: dict[str, str | None]


def target_endpoints(kept: TargetStore, noted: Noted) -> list[Endpoint]:
    """Look, choose, and back to what they are at first. `noted` writes a change into the audit."""
    api = _Api(kept, noted)
    return [
        Endpoint(
            method="GET",
            path=PATH,
            summary="What figures are held against",
            needs="read",
            handler=api.look,
            answer=TargetsShown,
        ),
        Endpoint(
            method="PUT",
            path=PATH,
            summary="Choose targets",
            details="Those that are named are changed, the others stay. Noted in the audit.",
            needs="admin",
            handler=api.choose,
            body=TargetsWanted,
            answer=TargetsShown,
        ),
        Endpoint(
            method="DELETE",
            path=PATH,
            summary="Take targets back to what they are at first",
            needs="admin",
            handler=api.reset,
            answer=TargetsShown,
        ),
    ]


def in_force(kept: TargetStore) -> Targets:
    """The targets that hold now."""
    return targets().changed(kept.read().values)


class _Api:
    def __init__(self, kept: TargetStore, noted: Noted) -> None:
        self._kept, self._noted = kept, noted

    async def look(self, _: Request) -> Response:
        return _shown(await anyio.to_thread.run_sync(self._kept.read))

    async def choose(self, request: Request) -> Response:
        body = await read_body(request, _MOST_BYTES, _TOO_LONG)
        wanted = targets().checked(decode_body(body, TargetsWanted, _EXAMPLE).targets)
        by = _who()
        before, kept = await anyio.to_thread.run_sync(self._kept.change, wanted, by)
        told = [
            f"{name}: {value or 'none'}"
            for name, value in wanted.items()
            if before.values.get(name, "") != value
        ]
        return self._told(kept, ", ".join(told) or "as they were", by)

    async def reset(self, _: Request) -> Response:
        by = _who()
        return self._told(await anyio.to_thread.run_sync(self._kept.reset, by), "as they come", by)

    def _told(self, kept: KeptTargets, what: str, by: str) -> Response:
        self._noted("targets_changed", current().key_id or "", f"{what}; by {by}")
        return _shown(kept)


def _who() -> str:
    return current().key_id or "a request without a key"


def _shown(kept: KeptTargets) -> Response:
    chosen = targets().changed(kept.values)
    shown = TargetsShown(
        source=chosen.source,
        changed=moment(kept.changed_ns) if kept.values else None,
        changed_by=kept.by if kept.values else None,
        targets=[
            TargetShown(**_fields(each), default=first.value)
            for each, first in zip(chosen.targets, targets().targets, strict=True)
        ],
    )
    return Response(msgspec.json.encode(plain(shown)), media_type=JSON)


def _fields(target: Target) -> dict[str, Any]:
    return {name: getattr(target, name) for name in Target.__struct_fields__}
