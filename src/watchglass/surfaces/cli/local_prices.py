"""The prices of a data directory on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchglass.clock import SystemClock
from watchglass.config import Settings
from watchglass.queries.times import parse_moment
from watchglass.store import ImportedPrices
from watchglass.surfaces.price_book import open_book
from watchglass.surfaces.price_desk import PriceDesk, taken_document
from watchglass.surfaces.price_document import list_document, show_document


class LocalPrices:
    """Asks the book by these settings, and takes prices in."""

    def __init__(self, settings: Settings, imported: ImportedPrices) -> None:
        clock = SystemClock()
        self._now_ns = clock.now_ns()
        self._desk = PriceDesk(settings, open_book(settings), imported, clock)

    def list(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """See `RemotePrices.list`."""
        at_ns = self._at(asked)
        found = self._desk.list(at_ns, provider=asked.get("provider"), model=asked.get("model"))
        return list_document(found, at_ns)

    def show(self, model: str, asked: Mapping[str, str]) -> dict[str, Any]:
        """See `RemotePrices.show`."""
        at_ns = self._at(asked)
        shown = self._desk.show(model, at_ns, provider=asked.get("provider"), tier=asked.get("tier"))
        return show_document(shown)

    def take(self, content: bytes, source: str) -> dict[str, Any]:
        """See `RemotePrices.take`."""
        return taken_document(*self._desk.take(content, source))

    def _at(self, asked: Mapping[str, str]) -> int:
        return parse_moment(asked.get("at", "now"), self._now_ns)
