"""What is reserved of budgets, on disk: one transaction for all who wait, and what a restart finds.

A connection of its own: the answer to a reservation waits for its commit and must wait for nothing else.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from watchglass.errors import StoreError, StoreFull

State: TypeAlias = Literal["open", "settled", "expired"]

_BUSY_S = 10.0
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC)


class Reservation(msgspec.Struct, kw_only=True):
    """So much set aside. Amounts are integers of 1e-18 dollars; `charges` are the accounts that it is set
    aside of: a budget, and when the period began."""

    number: int
    id: str
    owner: str
    idempotency: str
    asked: str
    scope: dict[str, str]
    amount: int
    made_ns: int
    expires_ns: int
    charges: tuple[tuple[str, int], ...]
    state: State = "open"
    actual: int | None = None
    closed_ns: int | None = None


class AccountRow(msgspec.Struct, frozen=True):
    """What a budget's period has used up, in 1e-18 dollars."""

    budget: str
    period_ns: int
    settled: int = 0
    assumed: int = 0
    recorded: int = 0


class Group(msgspec.Struct):
    """What one transaction writes: the newest state of each row, and which are forgotten."""

    reservations: list[Reservation] = []
    accounts: list[AccountRow] = []
    forgotten: list[int] = []
    ended: list[tuple[str, int]] = []


class ReservationLog:
    """The reservations of one data directory, for who holds it, one thread at a time."""

    def __init__(self, file: Path) -> None:
        """`file` is an existing control database. Raises `StoreError`."""
        try:
            self._db = sqlite3.connect(file, timeout=_BUSY_S, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_TRIGGER)
        except sqlite3.Error as error:
            raise StoreError(
                f"budgets in {file.name} of the data directory cannot be read: {error}"
            ) from None

    def read(self) -> tuple[list[Reservation], list[AccountRow]]:
        """All that is known."""
        try:
            rows = self._db.execute("SELECT * FROM budget_reservations ORDER BY number").fetchall()
            accounts = self._db.execute("SELECT * FROM budget_accounts").fetchall()
        except sqlite3.Error as error:
            raise _fault(error) from None
        return [_reservation(row) for row in rows], [
            AccountRow(budget, start, int(settled), int(assumed), int(recorded))
            for budget, start, settled, assumed, recorded in accounts
        ]

    def write(self, group: Group) -> None:
        """Write all of it, or nothing; it is on disk when this returns. Raises `StoreError`, `StoreFull`."""
        rows = [_row(each) for each in group.reservations]
        accounts = [
            (each.budget, each.period_ns, str(each.settled), str(each.assumed), str(each.recorded))
            for each in group.accounts
        ]
        try:
            self._db.execute(_WRITE, [_json(each) for each in (rows, accounts, group.forgotten, group.ended)])
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise _fault(error) from None

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        self._db.close()


_TRIGGER = """
CREATE TEMP VIEW budget_group AS SELECT '' AS reservations, '' AS accounts, '' AS forgotten, '' AS ended;
CREATE TEMP TRIGGER budget_group_written INSTEAD OF INSERT ON budget_group
BEGIN
    INSERT INTO budget_reservations
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
        value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12
    FROM json_each(NEW.reservations)
    WHERE true
    ON CONFLICT (number) DO UPDATE SET
        charges = excluded.charges, state = excluded.state, actual = excluded.actual,
        closed_ns = excluded.closed_ns;

    INSERT INTO budget_accounts
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4
    FROM json_each(NEW.accounts)
    WHERE true
    ON CONFLICT (budget, period_ns) DO UPDATE SET
        settled = excluded.settled, assumed = excluded.assumed, recorded = excluded.recorded;

    DELETE FROM budget_reservations WHERE number IN (SELECT value FROM json_each(NEW.forgotten));

    DELETE FROM budget_accounts
    WHERE (budget, period_ns) IN (SELECT value ->> 0, value ->> 1 FROM json_each(NEW.ended));
END;
"""
"""A whole group as one statement, and so one transaction: between statements the interpreter's lock is
let go and, beside a busy event loop, had again only milliseconds later."""

_WRITE = "INSERT INTO budget_group VALUES (?, ?, ?, ?)"


def _json(rows: object) -> str:
    return msgspec.json.encode(rows).decode()


def _row(each: Reservation) -> tuple[Any, ...]:
    return (
        each.number,
        each.id,
        each.owner,
        each.idempotency,
        each.asked,
        msgspec.json.encode(each.scope).decode(),
        str(each.amount),
        each.made_ns,
        each.expires_ns,
        msgspec.json.encode(each.charges).decode(),
        each.state,
        None if each.actual is None else str(each.actual),
        each.closed_ns,
    )


def _reservation(row: tuple[Any, ...]) -> Reservation:
    said = dict(zip(Reservation.__struct_fields__, row, strict=True))
    said["scope"] = msgspec.json.decode(said["scope"], type=dict[str, str])
    said["charges"] = msgspec.json.decode(said["charges"], type=tuple[tuple[str, int], ...])
    said["amount"] = int(said["amount"])
    said["actual"] = None if said["actual"] is None else int(said["actual"])
    return Reservation(**said)


def _fault(error: sqlite3.Error) -> StoreError:
    if getattr(error, "sqlite_errorcode", None) in _FULL:
        return StoreFull("there is no room for control.db in the data directory; make room, then try again")
    return StoreError(f"control.db in the data directory cannot be used: {error}")
