"""Budgets as they are defined: small state, which a server and commands use alike."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from watchglass.clock import Clock, SystemClock
from watchglass.errors import BadRequest, NotFound
from watchglass.store.budgets import Budget, Event, WantedBudget, named
from watchglass.store.control import Control
from watchglass.store.keys import COMMAND_LINE
from watchglass.store.place import control_file, make_private

MOST_BUDGETS = 10_000
_FIXED = ("kind", "period", "zone", "scope", "unsettled")
_COLUMNS = (
    "id, name, kind, period, zone, scope, unsettled, limit_usd, warn, since_ns, until_ns, "
    "created_ns, created_by, changed_ns, changed_by"
)


class Budgets:
    """The budgets of one data directory, and what was told of them. Thread-safe; each change is durable."""

    def __init__(self, control: Control, clock: Clock) -> None:
        self._control = control
        self._clock = clock

    def set(self, wanted: WantedBudget, by: str = COMMAND_LINE) -> Budget:
        """Make it, or change the one of its name. Raises `BadRequest`.

        Whose spending it counts, and when, cannot change: what was counted would be another thing's.
        """
        wanted.checked()
        known = self.list()
        found = next((each for each in known if each.name == wanted.name), None)
        if found is not None:
            return self._change(found, wanted, by)
        if len(known) >= MOST_BUDGETS:
            raise BadRequest(f"there are {MOST_BUDGETS} budgets already; remove some first")
        made = self._make(wanted, by)
        # Somebody else may have made it in between.
        return self._change(self.named(wanted.name), wanted, by) if made is None else made

    def list(self) -> list[Budget]:
        """Those that are not removed, by name."""
        rows = self._control.run(f"SELECT {_COLUMNS} FROM budgets WHERE removed_ns IS NULL ORDER BY name")
        return [_budget(row) for row in rows]

    def named(self, name: str) -> Budget:
        """The budget of this name or id. Raises `NotFound`."""
        return named(self.list(), name)

    def remove(self, name: str, by: str = COMMAND_LINE) -> Budget:
        """End it; its row stays. Raises `NotFound`."""
        budget = self.named(name)
        self._control.run(
            "UPDATE budgets SET removed_ns = ?, changed_by = ? WHERE id = ? AND removed_ns IS NULL",
            self._clock.now_ns(),
            by,
            budget.id,
        )
        return budget

    def erase(self, tenant: str, *, reservations: bool = False) -> int:
        """Take away all that is kept of budgets for this tenant; returns how many there were. What its keys
        or others reserved for it goes too if `reservations`: with a server, which knows them, it must not."""
        theirs = "SELECT id FROM budgets WHERE scope ->> '$.tenant' = ?"
        [(found,)] = self._control.run(f"SELECT count(*) FROM ({theirs})", tenant)
        forgotten = "DELETE FROM budget_reservations WHERE owner = ? OR scope ->> '$.tenant' = ?"
        self._control.change(
            (f"DELETE FROM budget_events WHERE budget IN ({theirs})", (tenant,)),
            (f"DELETE FROM budget_accounts WHERE budget IN ({theirs})", (tenant,)),
            (f"DELETE FROM budgets WHERE id IN ({theirs})", (tenant,)),
            *([(forgotten, (tenant, tenant))] if reservations else []),
        )
        return int(found)

    def last_by(self, id: str) -> str:
        """Who changed or removed it last; '' for one that never was."""
        rows = self._control.run("SELECT changed_by FROM budgets WHERE id = ?", id)
        return str(rows[0][0]) if rows else ""

    def tell(self, event: Event) -> bool:
        """Keep what is told of a budget; says whether it is the first time in the period."""
        return bool(
            self._control.run(
                """
                INSERT INTO budget_events
                    (budget, period_ns, event, percent, at_ns, spent_usd, limit_usd, crosses_ns)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT DO NOTHING
                RETURNING number
                """,
                *msgspec.structs.astuple(event),
            )
        )

    def forget_told(self, before_ns: int) -> None:
        """Take away what was told before then, the oldest thousand at most: it is called again."""
        self._control.run(
            """
            DELETE FROM budget_events
            WHERE at_ns < ? AND number IN (SELECT number FROM budget_events ORDER BY number LIMIT 1000)
            """,
            before_ns,
        )

    def told(self, id: str) -> list[Event]:
        """What was told of a budget, the latest first."""
        rows = self._control.run(
            """
            SELECT budget, period_ns, event, percent, at_ns, spent_usd, limit_usd, crosses_ns
            FROM budget_events
            WHERE budget = ?
            ORDER BY number DESC
            LIMIT 100
            """,
            id,
        )
        return [Event(*row) for row in rows]

    def edition(self) -> str:
        """Another text whenever a budget was made, changed or removed, also by another process."""
        [(count, changed, removed)] = self._control.run(
            "SELECT count(*), coalesce(max(changed_ns), 0), count(removed_ns) FROM budgets"
        )
        return f"{count}@{changed}-{removed}"

    def _make(self, wanted: WantedBudget, by: str) -> Budget | None:
        """None where there is one of the name."""
        now_ns = self._clock.now_ns()
        said = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
        budget = Budget(
            id=secrets.token_hex(6),
            created_ns=now_ns,
            created_by=by,
            changed_ns=now_ns,
            changed_by=by,
            **said,
        )
        made = self._control.run(
            f"""
            INSERT INTO budgets ({_COLUMNS}) VALUES ({", ".join("?" * (_COLUMNS.count(",") + 1))})
            ON CONFLICT (name) WHERE removed_ns IS NULL DO NOTHING
            RETURNING id
            """,
            *_values(budget),
        )
        return budget if made else None

    def _change(self, found: Budget, wanted: WantedBudget, by: str) -> Budget:
        for name in _FIXED:
            if getattr(found, name) != getattr(wanted, name):
                raise BadRequest(
                    f"{name} of the budget {found.name} is {getattr(found, name)} and stays so: what it has "
                    f"counted would be another thing's; remove it and make another",
                    where=name,
                )
        names = ("limit_usd", "warn", "since_ns", "until_ns")
        if all(getattr(found, name) == getattr(wanted, name) for name in names):
            return found
        budget = msgspec.structs.replace(
            found, changed_by=by, **{name: getattr(wanted, name) for name in names}
        )
        values = dict(zip(_COLUMNS.split(", "), _values(budget), strict=True))
        changed = (*names, "changed_by")
        # Later than every change before, whatever the clocks say: by it others see that there was one.
        at = self._control.run(
            f"""
            UPDATE budgets SET {", ".join(f"{name} = ?" for name in changed)},
                changed_ns = max(?, (SELECT max(changed_ns) + 1 FROM budgets))
            WHERE id = ? AND removed_ns IS NULL
            RETURNING changed_ns
            """,
            *(values[name] for name in changed),
            self._clock.now_ns(),
            budget.id,
        )
        if not at:
            raise NotFound(f"the budget {found.name} was removed meanwhile; set it again")
        return msgspec.structs.replace(budget, changed_ns=int(at[0][0]))


@contextmanager
def open_budgets(directory: Path, *, make: bool = False, clock: Clock | None = None) -> Generator[Budgets]:
    """The budgets of a data directory, whether or not another process holds it.

    `make` makes one if need be. Raises `NotFound` where there is none, and `StoreError`.
    """
    clock = clock or SystemClock()
    if make:
        make_private(directory)
    elif not control_file(directory).is_file():
        raise NotFound(f"there is no store in {directory}; `watchglass serve --data {directory}` makes one")
    control = Control(control_file(directory), clock)
    try:
        yield Budgets(control, clock)
    finally:
        control.close()


def _values(budget: Budget) -> tuple[Any, ...]:
    said = msgspec.structs.asdict(budget)
    said["scope"] = msgspec.json.encode(dict(sorted(budget.scope.items()))).decode()
    said["warn"] = msgspec.json.encode(budget.warn).decode()
    said["limit_usd"] = f"{budget.limit_usd:f}"
    return tuple(said[name] for name in _COLUMNS.split(", "))


def _budget(row: tuple[Any, ...]) -> Budget:
    said = dict(zip(_COLUMNS.split(", "), row, strict=True))
    said["scope"] = msgspec.json.decode(said["scope"], type=dict[str, str])
    said["warn"] = msgspec.json.decode(said["warn"], type=tuple[int, ...])
    said["limit_usd"] = Decimal(said["limit_usd"])
    return Budget(**said)
