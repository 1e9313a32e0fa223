"""Everything that can be asked of prices and done with them, for the API and the command line alike."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from watchglass.clock import Clock
from watchglass.config import Settings
from watchglass.errors import BadRequest, ConfigError
from watchglass.pricing.book import Layers, PriceBook
from watchglass.pricing.discounts import Discount
from watchglass.pricing.listed import ListedPrice
from watchglass.pricing.listing import PriceRow, Shown, at_moment, show, timeline, timelines
from watchglass.pricing.team_prices import Refused, read_team_prices
from watchglass.store import Control, Engine, KeptPrices
from watchglass.store.imported_prices import Taken
from watchglass.store.place import TAKEN_GENAI, TAKEN_LITELLM
from watchglass.store.price_overrides import COMMAND_LINE, Override, PriceChange, Terms
from watchglass.store.price_table import replace_prices
from watchglass.surfaces.price_book import read_layers, usable
from watchglass.surfaces.prices_file import Stated, stated_in
from watchglass.surfaces.stated_prices import Look, StatedPrices

ALL_CHANGES = 1_000_000
"""So many lines of the log are looked through for one model's."""

_MIRRORED = "prices_mirrored"
_FORM = "2"
"""Counts the forms of the mirrored rows: another one is written anew."""


class PriceDesk:
    """The price book of a data directory, with what the user has put into it. Thread-safe."""

    def __init__(self, settings: Settings, book: PriceBook, kept: KeptPrices, clock: Clock) -> None:
        """Brings what was imported and set into the book. Raises `ConfigError` for a broken price file."""
        self.book = book
        self.kept = kept
        self.file = StatedPrices(settings)
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._known = ""
        self._edited = False
        self._rows: tuple[int, list[PriceRow]] | None = None
        self.look()

    def look(self) -> Look:
        """Bring the book up to date if somebody has put prices into it or edited the file since."""
        with self._lock:
            looked = self.file.look()
            self._edited = self._edited or looked == "taken"
            edition = self.kept.edition()
            if edition == self._known and not self._edited:
                return looked
            imported, kept = self.kept.imported.prices(), self._kept()
            changed = self._edited or bool(self._known or imported or kept.prices or kept.discounts)
            if changed:
                layers = read_layers(self._settings, self.file.stated, kept, imported)
                with usable(self._settings):
                    self.book.replace(layers)
            # Only now: what fails before is tried again at the next look.
            self._known, self._edited = edition, False
            return "taken" if changed else looked

    def list(
        self, at_ns: int, *, provider: str | None = None, model: str | None = None, tenant: str | None = None
    ) -> list[PriceRow]:
        """See `pricing.listing.at_moment`; for calls of a tenant, or of those without prices of their own."""
        return at_moment(self.rows(tenant), at_ns, provider=provider, model=model)

    def show(
        self,
        model: str,
        at_ns: int,
        *,
        provider: str | None = None,
        tier: str | None = None,
        tenant: str | None = None,
    ) -> Shown:
        """See `pricing.listing.show`."""
        return show(self.book, model, at_ns, provider=provider, tier=tier, tenant=tenant)

    def history(
        self, model: str, *, provider: str | None = None, tier: str | None = None, tenant: str | None = None
    ) -> list[PriceRow]:
        """See `pricing.listing.timeline`."""
        return timeline(self.book, model, provider=provider, tier=tier, tenant=tenant)

    def take(self, content: bytes, source: str, by: str = COMMAND_LINE) -> tuple[Taken, list[Refused]]:
        """Import a price list: what can be read of it is kept and holds from now on. Raises `BadRequest`."""
        try:
            prices, refused = read_team_prices(content.decode("utf-8"))
        except UnicodeDecodeError as fault:
            raise BadRequest(f"{source} is no UTF-8 text (byte {fault.start}); save it as UTF-8") from None
        taken = self.kept.imported.take(prices, source)
        if taken.added or taken.changed:
            self.kept.overrides.note(
                "import", f"{source}: {taken.added:,} prices added, {taken.changed:,} changed", by
            )
        self.look()
        return taken, refused

    def set(self, terms: Terms, by: str = COMMAND_LINE) -> tuple[Override, bool]:
        """Keep a price or discount; it holds from now on. Says whether that changed anything."""
        done = self.kept.overrides.set(terms, by)
        self.look()
        return done

    def unset(self, id: str, by: str = COMMAND_LINE) -> Override:
        """Take one back. Raises `NotFound`."""
        done = self.kept.overrides.unset(id, by)
        self.look()
        return done

    def overrides(self, bound: str | None = None) -> Sequence[Override]:
        """The prices that were set one by one; for who is bound to a tenant that tenant's alone."""
        found = self.kept.overrides.list()
        return [each for each in found if bound is None or each.terms.tenant == bound]

    def changes(self, bound: str | None = None, most: int = 1000) -> Sequence[PriceChange]:
        """The end of the log, the oldest first; for who is bound to a tenant of its own prices."""
        return self.kept.overrides.latest(bound, most)

    def mirror(self, engine: Engine, control: Control) -> bool:
        """Write the book to the table that readers see, if it is another one than there.

        Everybody reads that table, so it says what holds for who has no prices of their own.
        """
        fingerprint = self._fingerprint()
        if control.get(_MIRRORED) == fingerprint:
            return False
        # Not remembered: a server is seldom asked for the list, and it is large.
        replace_prices(engine, list(timelines(self.book)), self._clock.now_ns())
        control.put(_MIRRORED, fingerprint)
        return True

    def rows(self, tenant: str | None = None) -> Sequence[PriceRow]:
        """The whole book, what wins time after time."""
        if tenant is not None and tenant in self.book.tenants:
            return list(timelines(self.book, tenant))
        edition = self.book.edition
        if self._rows is None or self._rows[0] != edition:
            self._rows = edition, list(timelines(self.book))
        return self._rows[1]

    def layers_with(self, content: bytes, name: str) -> tuple[str, Layers]:
        """Which list a file is, and the book's layers with it in place of that one. Raises `BadRequest`."""
        kind = kind_of(content, name)
        imported, layers = self.kept.imported.prices(), self.book.layers
        if kind == "genai-prices":
            return kind, msgspec.structs.replace(layers, genai=content)
        if kind == "litellm":
            return kind, msgspec.structs.replace(layers, litellm=content)
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as fault:
            raise BadRequest(f"{name} is no UTF-8 text (byte {fault.start}); save it as UTF-8") from None
        if kind == "stated":
            try:
                file = stated_in(text, name)
            except ConfigError as fault:
                raise BadRequest(str(fault)) from None
            return kind, read_layers(self._settings, file, self._kept(), imported)
        prices, _ = read_team_prices(text)
        listed = tuple(each.listed(name) for each in prices)
        return kind, msgspec.structs.replace(layers, overrides=(*listed, *layers.overrides))

    def update(self, content: bytes, name: str, by: str = COMMAND_LINE) -> str:
        """Take a newer edition of genai-prices' or LiteLLM's list, for calls from now on; which one it was.

        Raises `BadRequest` for what is neither, or cannot be used.
        """
        kind, layers = self.layers_with(content, name)
        if kind not in ("genai-prices", "litellm"):
            raise BadRequest(f"{name} is neither genai-prices' data.json nor LiteLLM's map of prices")
        if kind == "litellm" and self._settings.litellm_prices is not None:
            raise BadRequest(
                f"the setting litellm_prices names {self._settings.litellm_prices}: put it there"
            )
        try:
            PriceBook(layers)
        except ValueError as fault:
            raise BadRequest(f"{name} cannot be used: {fault}") from None
        path = Path(self._settings.data) / (TAKEN_GENAI if kind == "genai-prices" else TAKEN_LITELLM)
        replaced = path.with_name(f".{path.name}.new")
        with replaced.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        replaced.replace(path)
        digest = blake2b(content, digest_size=8).hexdigest()
        self.kept.overrides.note("update", f"{kind}: {name} ({digest})", by)
        self.look()
        return kind

    def forget(self, by: str = COMMAND_LINE) -> list[str]:
        """Go back to the installed editions of the lists; which were put away."""
        data = Path(self._settings.data)
        found = [name for name in (TAKEN_GENAI, TAKEN_LITELLM) if (data / name).exists()]
        for name in found:
            (data / name).unlink()
        if found:
            self.kept.overrides.note(
                "update", f"back to the installed lists; put away: {', '.join(found)}", by
            )
        self.look()
        return found

    def _kept(self) -> Stated:
        terms = [each.terms for each in self.kept.overrides.list()]
        return Stated(
            tuple(each for each in terms if isinstance(each, ListedPrice)),
            tuple(each for each in terms if isinstance(each, Discount)),
        )

    def _fingerprint(self) -> str:
        layers = self.book.layers
        digest = blake2b(f"{_FORM} {version('genai-prices')}".encode(), digest_size=16)
        digest.update(msgspec.json.encode((layers.overrides, layers.facts, layers.discounts)))
        for content in (layers.litellm, layers.genai):
            digest.update(b"" if content is None else blake2b(content).digest())
        return digest.hexdigest()


def taken_document(taken: Taken, refused: Sequence[Refused]) -> dict[str, Any]:
    """What an import did, and the rows that were no prices."""
    return {**msgspec.structs.asdict(taken), "refused": [msgspec.structs.asdict(each) for each in refused]}


ListKind: TypeAlias = Literal["genai-prices", "litellm", "stated", "team"]


def kind_of(content: bytes, name: str) -> ListKind:
    """Which list of prices a file is: by its name's end, else by how it begins."""
    begins = content.lstrip()[:1]
    if name.endswith(".toml") or begins not in (b"[", b"{"):
        return "stated" if name.endswith(".toml") else "team"
    try:
        keys = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, ValueError, RecursionError):  # a list, or no JSON: its reader says so
        return "genai-prices"
    return "genai-prices" if "providers" in keys else "litellm"
