"""What was refused, and what became of keys: counted in memory, logged and written every few seconds.

Whoever floods a server with refused requests must neither fill its disk nor slow it: what is alike
becomes one row with a count, and of what is not alike only so much is kept apart.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from watchglass.clock import Clock
from watchglass.errors import StoreError
from watchglass.ingest.columns import TableBuilder
from watchglass.store.engine import Engine
from watchglass.store.tables import SCHEMAS

log = logging.getLogger(__name__)

FLUSH_S = 2.0

MOST_APART = 500
"""Different refusals in one flush; further ones are told apart by event and route only."""

LOGGED = 20
"""Lines in the log of one flush."""

_LONGEST = 200
_COLUMNS = ("time", "event", "key_id", "tenant", "route", "reason", "remote", "count")


class _What(NamedTuple):
    event: str
    key_id: str
    tenant: str | None
    route: str
    reason: str
    remote: str


class Audit:
    """Takes notes (`note`, at once) and writes them down (`start` … `stop`). For one event loop."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._tick: Callable[[], object] = int
        self._noted: dict[_What, tuple[int, int]] = {}
        self._counts: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each event was noted since the start."""
        return self._counts

    def note(
        self,
        event: str,
        *,
        key: str = "",
        tenant: str | None = None,
        where: tuple[str, str] = ("", ""),
        reason: str = "",
        count: int = 1,
    ) -> None:
        """Remember that it happened; `where` is (route, remote address). Never a secret in any of it."""
        self._counts[event] += count
        what = _What(event, key, tenant, where[0][:_LONGEST], reason[:_LONGEST], where[1][:_LONGEST])
        if what not in self._noted and len(self._noted) >= MOST_APART:
            what = _What(event, "", None, what.route, "many different ones", "")
        since_ns, before = self._noted.get(what, (self._clock.now_ns(), 0))
        self._noted[what] = (since_ns, before + count)

    def start(self, tick: Callable[[], object] = int) -> None:
        """Begin; needs a running event loop. `tick` is called before each flush, to notice more."""
        self._tick = tick
        self._task = asyncio.get_running_loop().create_task(self._run(), name="watchglass-audit")

    async def stop(self) -> None:
        """Write what is left, then end."""
        self._stopping.set()
        if self._task is not None:
            await self._task
        await self.flush()

    async def flush(self) -> None:
        """Log and write what was noted. What a full disk refuses is in the log only."""
        noted, self._noted = self._noted, {}
        if not noted:
            return
        _tell(noted)
        builder = TableBuilder(SCHEMAS["audit"], _COLUMNS)
        builder.rows = [(since_ns, *what, count) for what, (since_ns, count) in noted.items()]
        batch = builder.batch()
        try:
            await asyncio.to_thread(self._engine.insert, "store.audit", [batch])
        except StoreError as error:
            log.warning("%d rows of the audit are only here: %s", len(noted), error)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), FLUSH_S)
            with suppress(StoreError):  # what the tick asks is asked again by the next request
                self._tick()
            await self.flush()


def _tell(noted: Mapping[_What, tuple[int, int]]) -> None:
    for what, (_, count) in list(noted.items())[:LOGGED]:
        extra: dict[str, Any] = {name: value for name, value in what._asdict().items() if value}
        log.warning("audit", extra={**extra, "count": count})
    if len(noted) > LOGGED:
        log.warning("audit: %d further kinds, all in the table audit", len(noted) - LOGGED)
