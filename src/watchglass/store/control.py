"""Small state that needs transactions, in SQLite beside the engine, which has none.

Other processes may open the same file while a server runs (`keys create` must work then), so
every use is a short transaction; WAL with `synchronous=FULL` makes each commit durable.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

from watchglass.clock import Clock
from watchglass.errors import StoreError, StoreFull
from watchglass.store import migrate

_BUSY_S = 10.0


class Control:
    """The control database of one data directory. Thread-safe; calls are short."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Open or create, and bring up to date. Raises `StoreError` if it is newer or damaged."""
        self._clock = clock
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            path.chmod(0o600)
            self._migrate()
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"{path.name} in the data directory cannot be used: {error}; restore it from a backup"
            ) from None

    def get(self, key: str) -> str | None:
        """One fact about this store."""
        rows = self._run("SELECT value FROM meta WHERE key = ?", key)
        return str(rows[0][0]) if rows else None

    def put(self, key: str, value: str) -> None:
        """Remember one fact about this store."""
        self._run(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            key,
            value,
        )

    def applied(self, target: str) -> dict[int, str]:
        """Checksums of the migrations that `target` has had, by number."""
        rows = self._run("SELECT number, checksum FROM migrations WHERE target = ?", target)
        return {int(number): str(checksum) for number, checksum in rows}

    def record(self, target: str, migration: migrate.Migration) -> None:
        """`migration` has gone through."""
        self._run(
            "INSERT INTO migrations VALUES (?, ?, ?, ?, ?)",
            target, migration.number, migration.name, migration.checksum, self._clock.now_ns(),
        )  # fmt: skip

    def run(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """One statement as a transaction of its own, for the other tables that are kept here."""
        return self._run(sql, *values)

    def change(self, *statements: tuple[str, tuple[object, ...]]) -> None:
        """Run statements with their values, all of them or none, durably."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    for sql, values in statements:
                        self._db.execute(sql, values)
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
                self._db.execute("COMMIT")
            except sqlite3.OperationalError as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise _fault(error) from None

    def close(self) -> None:
        """Fold the log into the file and let go. Idempotent."""
        with self._lock:
            self._db.close()

    def _run(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._db.execute(sql, values).fetchall()
            except sqlite3.OperationalError as error:
                raise _fault(error) from None

    def _migrate(self) -> None:
        """One transaction for all: SQLite can take back table changes, so nothing is ever half done."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            known = migrate.migrations("control")
            exists = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'migrations'").fetchone()
            todo = migrate.pending(known, self.applied("control") if exists else {})
            migrate.apply(todo, self._run, lambda migration: self.record("control", migration))


def _fault(error: sqlite3.OperationalError) -> StoreError:
    if error.sqlite_errorcode in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_IOERR_WRITE):
        return StoreFull("there is no room for control.db in the data directory; make room, then try again")
    return StoreError(f"control.db in the data directory cannot be used: {error}")
