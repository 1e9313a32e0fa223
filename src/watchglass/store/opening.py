"""Opening a data directory: hold it, bring it up to date, hand out what is in it."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from watchglass.clock import Clock, SystemClock
from watchglass.errors import NotFound
from watchglass.store import migrate, snapshot
from watchglass.store.chdb import QUESTION, ChdbEngine
from watchglass.store.control import Control
from watchglass.store.engine import Engine
from watchglass.store.kept_prices import KeptPrices
from watchglass.store.keys import Keys
from watchglass.store.place import Holder, Place, control_file, make_private
from watchglass.store.rollup import Rollup
from watchglass.store.rollup_engine import RolledEngine
from watchglass.store.settings import write_settings
from watchglass.store.versions import VersionClock

_VIEWS = "views_checksum"


@dataclass(frozen=True, slots=True)
class Store:
    """An open data directory. Close it, or use it in a `with` block."""

    place: Place
    control: Control
    engine: RolledEngine
    versions: VersionClock
    keys: Keys

    def stop_questions(self) -> None:
        """End the readers' questions that run at this moment, each with a `StoreError` for its asker."""
        self.engine.execute(f"KILL QUERY WHERE Settings['log_comment'] = '{QUESTION}' ASYNC")

    def close(self) -> None:
        """Stop reads, finish inserts, let go of the directory. Idempotent."""
        self.engine.close()
        self.control.close()
        self.place.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@contextmanager
def open_keys(directory: Path, *, make: bool = False, clock: Clock | None = None) -> Generator[Keys]:
    """The keys of a data directory, whether or not another process holds it; `make` makes one if need be.

    Raises `NotFound` where there is none, and `StoreError`.
    """
    clock = clock or SystemClock()
    if make:
        make_private(directory)
    elif not control_file(directory).is_file():
        raise NotFound(f"there is no store in {directory}; `watchglass keys create` makes the first key")
    control = Control(control_file(directory), clock)
    try:
        yield Keys(control, clock)
    finally:
        control.close()


@contextmanager
def open_kept_prices(
    directory: Path, *, make: bool = False, clock: Clock | None = None
) -> Generator[KeptPrices]:
    """The user's prices of a data directory, whether or not another process holds it.

    `make` makes one if need be. Raises `NotFound` where there is none, and `StoreError`.
    """
    clock = clock or SystemClock()
    if make:
        make_private(directory)
    elif not control_file(directory).is_file():
        raise NotFound(f"there is no store in {directory}; `watchglass serve --data {directory}` makes one")
    control = Control(control_file(directory), clock)
    try:
        yield KeptPrices(control, clock)
    finally:
        control.close()


def open_store(
    directory: Path,
    *,
    program: str = "watchglass",
    address: str = "",
    clock: Clock | None = None,
) -> Store:
    """Open or create the data directory; this process then holds it until `close` or its end.

    `program` and `address` are what a second process is told about the holder.
    Raises `StoreBusy` when another process holds it, `StoreError` when it is from a newer
    watchglass or cannot be opened, `StoreFull` when there is no room.
    """
    clock = clock or SystemClock()
    with ExitStack() as undo:
        place = Place(directory, Holder(program, os.getpid(), clock.now_ns(), address))
        undo.callback(place.release)
        control = Control(place.control_file, clock)
        undo.callback(control.close)
        todo = migrate.pending(migrate.migrations("engine"), control.applied("engine"))
        snapshot.forget(place)
        engine = ChdbEngine(place.engine_directory, write_settings(place.engine_settings))
        undo.callback(engine.close)
        migrate.apply(todo, engine.execute, lambda migration: _record(control, place, migration))
        _refresh_views(engine, control)
        versions = VersionClock(clock, floor=_highest_version(engine))
        rolled = RolledEngine(engine, Rollup(control, clock, versions))
        rolled.archive.recover()
        undo.pop_all()
    return Store(place, control, rolled, versions, Keys(control, clock))


def _record(control: Control, place: Place, migration: migrate.Migration) -> None:
    """Record a step only after the directories that it made are on disk.

    The engine syncs each part and the table's directory, but not the directories above it, and a
    table that a loss of power takes away takes its acknowledged rows along.
    """
    place.sync_directories()
    control.record("engine", migration)


def _refresh_views(engine: Engine, control: Control) -> None:
    sql = migrate.views()
    if control.get(_VIEWS) == migrate.checksum(sql):
        return
    for statement in migrate.statements(sql):
        engine.execute(statement)
    control.put(_VIEWS, migrate.checksum(sql))


def _highest_version(engine: Engine) -> int:
    """A version that no row in the store reaches, from the youngest part's time (whole seconds)."""
    found = engine.execute(
        """
        SELECT max(toUnixTimestamp(modification_time)) AS youngest
        FROM system.parts
        WHERE database = 'store'
        """
    )
    return (int(found["youngest"][0].as_py() or 0) + 1) * 1_000_000_000 if found.num_rows else 0
