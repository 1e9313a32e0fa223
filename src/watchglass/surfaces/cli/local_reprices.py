"""Repricing in a data directory on this machine, which no server holds."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from watchglass.clock import SystemClock
from watchglass.config import Settings
from watchglass.errors import NotFound
from watchglass.store import open_store
from watchglass.store.kept_prices import KeptPrices
from watchglass.surfaces.api.reprices import Wanted
from watchglass.surfaces.price_book import open_book
from watchglass.surfaces.price_desk import PriceDesk
from watchglass.surfaces.reprice_desk import RepriceDesk

WHO = "command line"


class LocalReprices:
    """The desk of this process, with answers as the API gives them."""

    def __init__(self, desk: RepriceDesk, clock: SystemClock) -> None:
        self._desk = desk
        self._clock = clock

    def start(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """See `RemoteReprices.start`."""
        said = msgspec.convert(wanted, Wanted)
        asked = said.asked(self._clock.now_ns())
        if said.dry_run:
            return self._desk.look(asked, None)
        return self._desk.start(asked, who=WHO, why=said.why, tenant=None)

    def list(self) -> list[dict[str, Any]]:
        """See `RemoteReprices.list`."""
        return self._desk.list(None)

    def show(self, id: str, *, changes: bool = False, left: int = 0) -> dict[str, Any]:
        """See `RemoteReprices.show`."""
        return self._desk.show(id, None, changes=changes, left=left)

    def undo(self, id: str, why: str) -> dict[str, Any]:
        """See `RemoteReprices.undo`."""
        return self._desk.undo(id, who=WHO, why=why, tenant=None)

    def cancel(self, id: str) -> dict[str, Any]:
        """See `RemoteReprices.cancel`."""
        return self._desk.cancel(id, None)

    def resume(self, id: str | None) -> dict[str, Any]:
        """See `RemoteReprices.resume`."""
        return self._desk.resume(id, None)

    def wait(self, timeout_s: float) -> None:
        """See `RemoteReprices.wait`."""
        self._desk.wait(timeout_s)


@contextmanager
def opened(settings: Settings) -> Generator[LocalReprices]:
    """The desk of a data directory. Raises `NotFound` without one, `StoreBusy` naming who holds it."""
    directory = Path(settings.data)
    if not (directory / "engine").is_dir():
        raise NotFound(f"there is no store in {directory}; `watchglass serve --data {directory}` makes one")
    clock = SystemClock()
    book = open_book(settings)
    with open_store(directory, program="watchglass reprice", clock=clock) as store:
        prices = PriceDesk(settings, book, KeptPrices(store.control, clock), clock)
        desk = RepriceDesk(store, prices, book, clock)
        try:
            yield LocalReprices(desk, clock)
        finally:
            desk.stop()
