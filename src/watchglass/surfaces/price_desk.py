"""Everything that can be asked of prices and done with them, for the API and the command line alike."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from hashlib import blake2b
from importlib.metadata import version
from typing import Any

import msgspec

from watchglass.clock import Clock
from watchglass.config import Settings
from watchglass.errors import BadRequest
from watchglass.pricing.book import PriceBook
from watchglass.pricing.listing import PriceRow, Shown, at_moment, show, timelines
from watchglass.pricing.team_prices import Refused, read_team_prices
from watchglass.store import Control, Engine, ImportedPrices
from watchglass.store.imported_prices import Taken
from watchglass.store.price_table import replace_prices
from watchglass.surfaces.price_book import read_layers

_MIRRORED = "prices_mirrored"
_FORM = "1"
"""Counts the forms of the mirrored rows: another one is written anew."""


class PriceDesk:
    """The price book of a data directory, with what the user has imported. Thread-safe."""

    def __init__(self, settings: Settings, book: PriceBook, imported: ImportedPrices, clock: Clock) -> None:
        """Brings what was imported into the book."""
        self._settings = settings
        self._book = book
        self._imported = imported
        self._clock = clock
        self._lock = threading.Lock()
        self._known = ""
        self._rows: tuple[int, list[PriceRow]] | None = None
        self.look()

    def look(self) -> bool:
        """Bring the book up to date if somebody has imported prices since; says whether it has changed."""
        with self._lock:
            edition = self._imported.edition()
            if edition == self._known:
                return False
            prices = self._imported.prices()
            changed = bool(self._known or prices)
            if changed:
                self._book.replace(read_layers(self._settings, prices))
            self._known = edition  # only now: what fails here is tried again at the next look
            return changed

    def list(self, at_ns: int, *, provider: str | None = None, model: str | None = None) -> list[PriceRow]:
        """See `pricing.listing.at_moment`."""
        return at_moment(self._all(), at_ns, provider=provider, model=model)

    def show(self, model: str, at_ns: int, *, provider: str | None = None, tier: str | None = None) -> Shown:
        """See `pricing.listing.show`."""
        return show(self._book, model, at_ns, provider=provider, tier=tier)

    def take(self, content: bytes, source: str) -> tuple[Taken, list[Refused]]:
        """Import a price list: what can be read of it is kept and holds from now on. Raises `BadRequest`."""
        try:
            prices, refused = read_team_prices(content.decode("utf-8"))
        except UnicodeDecodeError as fault:
            raise BadRequest(f"{source} is no UTF-8 text (byte {fault.start}); save it as UTF-8") from None
        taken = self._imported.take(prices, source)
        self.look()
        return taken, refused

    def mirror(self, engine: Engine, control: Control) -> bool:
        """Write the book to the table that readers see, if it is another one than there."""
        fingerprint = self._fingerprint()
        if control.get(_MIRRORED) == fingerprint:
            return False
        # Not remembered: a server is seldom asked for the list, and it is large.
        replace_prices(engine, list(timelines(self._book)), self._clock.now_ns())
        control.put(_MIRRORED, fingerprint)
        return True

    def _fingerprint(self) -> str:
        layers = self._book.layers
        digest = blake2b(f"{_FORM} {version('genai-prices')}".encode(), digest_size=16)
        digest.update(msgspec.json.encode((layers.overrides, layers.facts)))
        digest.update(layers.litellm or b"")
        return digest.hexdigest()

    def _all(self) -> Sequence[PriceRow]:
        edition = self._book.edition
        if self._rows is None or self._rows[0] != edition:
            self._rows = edition, list(timelines(self._book))
        return self._rows[1]


def taken_document(taken: Taken, refused: Sequence[Refused]) -> dict[str, Any]:
    """What an import did, and the rows that were no prices."""
    return {**msgspec.structs.asdict(taken), "refused": [msgspec.structs.asdict(each) for each in refused]}
