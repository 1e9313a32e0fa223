"""The budgets of a data directory on this machine.

What they are is read and changed whether or not a server holds the directory, which takes changes up
within a second. How they stand only its holder can say: then its server must be asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from watchglass.clock import SystemClock
from watchglass.errors import BadRequest, NotFound
from watchglass.ledger.budgets.accounts import Accounts
from watchglass.ledger.budgets.spending import spending
from watchglass.ledger.budgets.statuses import statuses
from watchglass.queries.reader import StoreReader
from watchglass.store import Budget, ReservationLog, open_budgets, open_store
from watchglass.store.budgets import named
from watchglass.surfaces.api.budgets import BudgetBody
from watchglass.surfaces.budget_document import budget_document, event_document, status_document


class LocalBudgets:
    """See `RemoteBudgets`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._clock = SystemClock()

    def list(self) -> list[dict[str, Any]]:
        """See `RemoteBudgets.list`."""
        with open_budgets(self._directory) as budgets:
            return [budget_document(each) for each in budgets.list()]

    def status(self) -> list[dict[str, Any]]:
        """See `RemoteBudgets.status`."""
        with open_budgets(self._directory) as budgets:
            found = budgets.list()
        return self._status(found, found)

    def show(self, name: str) -> dict[str, Any]:
        """See `RemoteBudgets.show`."""
        with open_budgets(self._directory) as budgets:
            found = budgets.list()
            budget = named(found, name)
            told = [event_document(each) for each in budgets.told(budget.id)]
        return {**self._status([budget], found)[0], "told": told}

    def set(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """See `RemoteBudgets.set`."""
        try:
            body = msgspec.json.decode(msgspec.json.encode(said), type=BudgetBody)
        except msgspec.ValidationError as fault:
            raise BadRequest(str(fault)) from None
        with open_budgets(self._directory, make=True) as budgets:
            return budget_document(budgets.set(body.wanted(self._clock.now_ns())))

    def remove(self, name: str) -> dict[str, Any]:
        """See `RemoteBudgets.remove`."""
        with open_budgets(self._directory) as budgets:
            return budget_document(budgets.remove(name))

    def _status(self, shown: Sequence[Budget], every: Sequence[Budget]) -> list[dict[str, Any]]:
        # Opening makes what is not there; a reader with a mistyped path must not leave a store behind.
        if not (self._directory / "engine").is_dir():
            raise NotFound(
                f"there are no calls in {self._directory}; "
                f"`watchglass serve --data {self._directory}` takes some"
            )
        now_ns = self._clock.now_ns()
        with open_store(self._directory, program="watchglass (reading)") as store:
            file = ReservationLog(store.place.control_file)
            try:
                accounts = Accounts(*file.read())
            finally:
                file.close()
            accounts.define(every, now_ns)
            seen = spending(StoreReader(store.engine), shown, now_ns)
            held = {each.id: accounts.standing(each, now_ns) for each in shown}
            standing = {id: each for id, each in held.items() if each is not None}
            return [status_document(each) for each in statuses(shown, seen, standing, now_ns)]
