"""Prices that the user has imported: small state, which a server and commands use alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from watchglass.clock import Clock
from watchglass.pricing.listed import ListedPrice
from watchglass.pricing.team_prices import TeamPrice
from watchglass.store.control import Control


class Taken(msgspec.Struct, frozen=True):
    """What an import did: new prices, others for the same model and day, and those already there."""

    added: int
    changed: int
    unchanged: int


class ImportedPrices:
    """The imported prices of one data directory. Thread-safe; each import is one durable change."""

    def __init__(self, control: Control, clock: Clock) -> None:
        self._control = control
        self._clock = clock

    def take(self, prices: Sequence[TeamPrice], source: str) -> Taken:
        """Keep them; the last one of a provider, model and day stands. Doing so again changes nothing."""
        rows = {(each.provider, each.model, _day(each)): each for each in prices}
        before = {_key(row): row[3:5] for row in self._rows()}
        new = {key: (_amount(each.input_per_1k), _amount(each.output_per_1k)) for key, each in rows.items()}
        kept = [key for key in new if before.get(key) == new[key]]
        write = [[*key, *new[key]] for key in new if before.get(key) != new[key]]
        if write:
            # One statement, so that an import is there as a whole or not at all.
            self._control.run(
                """
                INSERT INTO prices
                SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, ?, ?
                FROM json_each(?)
                WHERE true
                ON CONFLICT (provider, model, effective_date) DO UPDATE SET
                    input_per_1k = excluded.input_per_1k, output_per_1k = excluded.output_per_1k,
                    source = excluded.source, changed_ns = excluded.changed_ns
                """,
                source,
                self._clock.now_ns(),
                msgspec.json.encode(write).decode(),
            )
        changed = sum(key in before for key in new) - len(kept)
        return Taken(len(write) - changed, changed, len(kept))

    def prices(self) -> tuple[ListedPrice, ...]:
        """All of them, as prices of the book."""
        return tuple(
            TeamPrice(
                provider, model, Decimal(spent), Decimal(made), dt.date.fromisoformat(day) if day else None
            ).listed(f"imported from {source}")
            for provider, model, day, spent, made, source in self._rows()
        )

    def edition(self) -> str:
        """Another text whenever something was imported, also by another process."""
        [(count, latest)] = self._control.run("SELECT count(*), coalesce(max(changed_ns), 0) FROM prices")
        return f"{count}@{latest}"

    def _rows(self) -> list[tuple[str, str, str, str, str, str]]:
        return self._control.run(
            """
            SELECT provider, model, effective_date, input_per_1k, output_per_1k, source
            FROM prices
            ORDER BY provider, model, effective_date
            """
        )


def _day(price: TeamPrice) -> str:
    return "" if price.effective_date is None else price.effective_date.isoformat()


def _key(row: tuple[str, ...]) -> tuple[str, str, str]:
    return row[0], row[1], row[2]


def _amount(dollars: Decimal) -> str:
    """One text for one amount: 0.10 and 0.1 are the same price."""
    return f"{dollars.normalize():f}"
