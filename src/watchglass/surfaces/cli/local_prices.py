"""The prices of a data directory on this machine."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from watchglass.clock import SystemClock
from watchglass.config import Settings
from watchglass.errors import NotFound
from watchglass.queries.times import parse_moment
from watchglass.store import Engine, KeptPrices, open_store
from watchglass.surfaces.price_book import open_book
from watchglass.surfaces.price_desk import ALL_CHANGES, PriceDesk, taken_document
from watchglass.surfaces.price_document import (
    change_document,
    changes_of,
    history_document,
    list_document,
    override_document,
    show_document,
)
from watchglass.surfaces.price_questions import Asked, PriceQuestions
from watchglass.surfaces.price_terms import terms_of


class LocalPrices:
    """Asks the book by these settings, and takes prices in."""

    def __init__(self, settings: Settings, kept: KeptPrices, directory: Path) -> None:
        clock = SystemClock()
        self._directory = directory
        self._now_ns = clock.now_ns()
        self._desk = PriceDesk(settings, open_book(settings), kept, clock)
        self._questions = PriceQuestions(self._desk, self._opened, clock)

    def list(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """See `RemotePrices.list`."""
        at_ns = self._at(asked)
        found = self._desk.list(
            at_ns, provider=asked.get("provider"), model=asked.get("model"), tenant=asked.get("tenant")
        )
        return list_document(found, at_ns)

    def show(self, model: str, asked: Mapping[str, str]) -> dict[str, Any]:
        """See `RemotePrices.show`."""
        at_ns = self._at(asked)
        shown = self._desk.show(
            model, at_ns, provider=asked.get("provider"), tier=asked.get("tier"), tenant=asked.get("tenant")
        )
        return show_document(shown)

    def take(self, content: bytes, source: str) -> dict[str, Any]:
        """See `RemotePrices.take`."""
        return taken_document(*self._desk.take(content, source))

    def history(self, model: str, asked: Mapping[str, str]) -> dict[str, Any]:
        """See `RemotePrices.history`."""
        provider, tenant = asked.get("provider"), asked.get("tenant")
        rows = self._desk.history(model, provider=provider, tier=asked.get("tier"), tenant=tenant)
        return history_document(
            model, rows, changes_of(model, provider, self._desk.changes(most=ALL_CHANGES)), tenant
        )

    def overrides(self) -> dict[str, Any]:
        """See `RemotePrices.overrides`."""
        return {"overrides": [override_document(each) for each in self._desk.overrides()]}

    def versions(self) -> dict[str, Any]:
        """See `RemotePrices.versions`."""
        return {"changes": [change_document(each) for each in self._desk.changes()]}

    def set(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """See `RemotePrices.set`."""
        done = [self._desk.set(terms) for terms in terms_of(asked)]
        return {
            "overrides": [override_document(each) for each, _ in done],
            "changed": sum(changed for _, changed in done),
        }

    def unset(self, id: str) -> dict[str, Any]:
        """See `RemotePrices.unset`."""
        return override_document(self._desk.unset(id))

    def diff(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """See `RemotePrices.diff`."""
        return self._questions.diff(msgspec.convert(asked, Asked))

    def what_if(self, model: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """See `RemotePrices.what_if`."""
        others = {name: value for name, value in asked.items() if name != "of"}
        return self._questions.what_if(model, only=asked.get("of", ()), **others)

    def check(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """See `RemotePrices.check`."""
        return self._questions.check(since=asked.get("since"), until=asked.get("until"))

    def update(self, content: bytes, name: str) -> dict[str, Any]:
        """See `RemotePrices.update`."""
        if not content:
            return {"taken": None, "put_away": self._desk.forget()}
        return {"taken": self._desk.update(content, name), "put_away": []}

    @contextmanager
    def _opened(self) -> Generator[Engine]:
        """The store, for as long as a question takes; none is made by asking."""
        if not (self._directory / "engine").is_dir():
            raise NotFound(f"there are no calls in {self._directory} yet")
        with open_store(self._directory, program="watchglass prices") as store:
            yield store.engine

    def _at(self, asked: Mapping[str, str]) -> int:
        return parse_moment(asked.get("at", "now"), self._now_ns)
