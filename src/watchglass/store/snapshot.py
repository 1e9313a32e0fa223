"""All that is in an open store at one moment, as names for files that never change.

The engine's parts are written once, so freezing a table is making hard links: milliseconds, no room,
and the server goes on. Order makes the moments of the tables into one: first the control database,
so that it promises nothing that the rows lack; then `calls`, and after them what calls point at. What
was acknowledged before the snapshot began is in it.

While there is a snapshot, what retention and merges delete stays on the disk; so it is let go as soon
as it is copied, and what a kill left of one goes at the next opening.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import msgspec

from watchglass.clock import Clock
from watchglass.errors import StoreError
from watchglass.store.control import Control
from watchglass.store.engine import Engine
from watchglass.store.place import PRICE_FILES, Place
from watchglass.store.rollup_engine import RolledEngine

DESCRIPTION = "snapshot.json"
CONTROL = "control.db"
PRICES = "prices"
"""The folder of the price files."""

DERIVED_TABLES = frozenset({"usage_hourly", "usage_daily", "sites_daily"})
"""What is made again from the rows at the next opening, and so not kept."""

_DERIVED_FACTS = ("views_checksum", "rollup_hours_known")
"""Facts about what is made again: without them it is."""

_FIRST = ("calls", "tasks", "flows")


class Snapshot(msgspec.Struct, frozen=True):
    """What a snapshot's folder holds; `tables` maps a table to the folder of its parts, below that."""

    made_ns: int
    schema: dict[int, str]
    tables: dict[str, str]


def freezer(place: Place) -> Path:
    """The folder of all snapshots of a data directory."""
    return place.engine_directory / "shadow"


def forget(place: Place) -> None:
    """Remove what killed processes left; nobody else may have the store open."""
    shutil.rmtree(freezer(place), ignore_errors=True)


@contextmanager
def frozen(place: Place, control: Control, engine: RolledEngine, clock: Clock) -> Generator[Path]:
    """The folder of a new snapshot, which is there until the context ends. Raises `StoreError`."""
    name = f"snapshot{uuid4().hex}"
    folder = freezer(place) / name
    try:
        folder.mkdir(parents=True, mode=0o700)
        made_ns, schema = clock.now_ns(), control.applied("engine")
        _copy_control(place.control_file, folder / CONTROL)
        _copy_prices(place.directory, folder / PRICES)
        with engine.alone():  # or calls could be there and in the archive, too
            tables = _freeze(engine, name)
        _describe(folder, Snapshot(made_ns, schema, tables))
        yield folder
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"no snapshot could be made in the data directory: {error}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read(folder: Path) -> Snapshot:
    """What is in a snapshot's folder."""
    return msgspec.json.decode((folder / DESCRIPTION).read_bytes(), type=Snapshot)


def _describe(folder: Path, snapshot: Snapshot) -> None:
    (folder / DESCRIPTION).write_bytes(msgspec.json.encode(snapshot))


def _freeze(engine: Engine, name: str) -> dict[str, str]:
    found = engine.execute(
        """
        SELECT name, toString(uuid) AS uuid
        FROM system.tables
        WHERE database = 'store' AND engine LIKE '%MergeTree'
        """
    )
    uuids = dict(zip(found["name"].to_pylist(), found["uuid"].to_pylist(), strict=True))
    tables = sorted(uuids.keys() - DERIVED_TABLES, key=lambda table: (table not in _FIRST, table))
    for table in tables:
        engine.execute(f"ALTER TABLE store.{table} FREEZE WITH NAME '{name}'")
    return {table: f"store/{uuids[table][:3]}/{uuids[table]}" for table in tables}


def _copy_control(source: Path, target: Path) -> None:
    """A whole and consistent copy, whoever writes meanwhile."""
    with closing(sqlite3.connect(source, timeout=10)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        with copy:
            copy.executemany("DELETE FROM meta WHERE key = ?", [(fact,) for fact in _DERIVED_FACTS])
            copy.execute("DELETE FROM rollup_sites")
        # One file, without a log beside it.
        copy.execute("PRAGMA journal_mode = DELETE")
    target.chmod(0o600)


def _copy_prices(source: Path, target: Path) -> None:
    """Each is replaced as a whole by who changes it, or is being edited by hand."""
    target.mkdir(mode=0o700)
    for name in PRICE_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
