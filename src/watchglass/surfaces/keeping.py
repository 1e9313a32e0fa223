"""The hourly pass that deletes what has been kept long enough, beside a running server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from watchglass.clock import Clock
from watchglass.config import Settings, kept_ns
from watchglass.errors import WatchglassError
from watchglass.store import Retention

log = logging.getLogger(__name__)

FIRST_S = 60
"""After the start: a server that was away for long should answer before it deletes."""

EVERY_S = 3_600


def kept(settings: Settings) -> Mapping[str, int | None]:
    """How long the rows of each table are kept, in nanoseconds; None for ever."""
    return {
        "messages": kept_ns(settings.retention_content),
        "calls": kept_ns(settings.retention_calls),
        "tasks": kept_ns(settings.retention_tasks),
        "spans": kept_ns(settings.retention_spans),
        "logs": kept_ns(settings.retention_logs),
        "metrics": kept_ns(settings.retention_metrics),
        "rejects": kept_ns(settings.retention_rejects),
        "audit": kept_ns(settings.retention_audit),
        "repricings": kept_ns(settings.retention_calls),  # of calls that are gone nothing can be taken back
    }


async def keep(retention: Retention, clock: Clock) -> None:
    """Run passes until cancelled. A pass that fails is logged, and the next one does its work."""
    await asyncio.sleep(FIRST_S)
    while True:
        await one_pass(retention, clock)
        await asyncio.sleep(EVERY_S)


async def one_pass(retention: Retention, clock: Clock) -> None:
    """Delete what is due, and say in the log what it was."""
    try:
        deleted = await asyncio.to_thread(retention.run, clock.now_ns())
    except WatchglassError as error:
        log.warning("what has been kept long enough could not be deleted, it will be tried again: %s", error)
        return
    for each in deleted:
        log.info("deleted from %s: %d rows, %d bytes on disk", each.table, each.rows, each.bytes)
