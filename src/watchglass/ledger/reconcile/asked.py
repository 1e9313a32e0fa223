"""What a reconciliation is asked for."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from watchglass.errors import BadRequest
from watchglass.ledger.reconcile.ours import project_expression


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """How to compare. Without `project_by` projects are not told apart."""

    project_by: str | None = None
    """What a provider's project is here: a dimension, or `metadata.KEY`."""
    project_map: dict[str, str] = {}
    """The provider's name of a project to ours; one that is not here is called the same by both."""
    zone: str | None = None
    """In which zone to read the dates of files that say none; None: the one in which days agree."""
    since_ns: int | None = None
    until_ns: int | None = None
    providers: tuple[str, ...] = ()
    """Only these, if any."""


def check(asked: Asked) -> None:
    """Raise `BadRequest` for what makes no sense."""
    project_expression(asked.project_by)
    if asked.project_map and asked.project_by is None:
        raise BadRequest("a map of projects needs to know what a project is here: give --project-by too")
    if asked.zone is not None:
        try:
            ZoneInfo(asked.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise BadRequest(
                f"{asked.zone[:60]!r} is no time zone; write it like America/Los_Angeles"
            ) from None
    if asked.since_ns is not None and asked.until_ns is not None and asked.since_ns >= asked.until_ns:
        raise BadRequest("since must be before until")
