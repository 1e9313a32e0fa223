"""Makes a data directory from a backup: whole or not at all, each file checked on the way."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from watchglass.clock import Clock, SystemClock
from watchglass.errors import NotFound, StoreError
from watchglass.store import backup as backups
from watchglass.store import migrate
from watchglass.store.backup import Backup, Part, Progress
from watchglass.store.chdb import ChdbEngine
from watchglass.store.control import Control
from watchglass.store.engine import Engine
from watchglass.store.place import Holder, Place
from watchglass.store.settings import write_settings

_PART = re.compile(r"[0-9A-Za-z-]+_(\d+)_(\d+)_\d+(?:_\d+)?")
_TABLE = re.compile(r"[a-z_]+")


def chosen(folder: Path, at: str | None) -> Backup:
    """The latest backup in a folder, or the one whose name begins with `at`. Raises `NotFound`."""
    found = backups.listed(folder)
    if at is None:
        return found[-1]
    for each in reversed(found):
        if each.name.startswith(at):
            return each
    raise NotFound(f"{folder} has no backup {at!r}; it has {', '.join(each.name for each in found)}")


def restore(
    folder: Path,
    backup: Backup,
    directory: Path,
    progress: Progress = lambda done, all: None,
    *,
    clock: Clock | None = None,
) -> None:
    """Make `directory`, which must be new or empty, hold what `backup` holds.

    It is made beside its place and moved there when every row is counted. Raises `StoreError`.
    """
    directory = directory.absolute()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise StoreError(f"{directory} is not empty; restore into a new directory, and move it afterwards")
    draft = directory.with_name(f".{directory.name}.restoring")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        _fill(folder, backup, draft, progress, clock or SystemClock())
        if directory.exists():
            directory.rmdir()
        draft.rename(directory)
    except OSError as error:
        raise StoreError(f"{directory} could not be made: {error}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fill(folder: Path, backup: Backup, draft: Path, progress: Progress, clock: Clock) -> None:
    place = Place(draft, Holder("watchglass restore", os.getpid(), clock.now_ns()))
    try:
        backups.copy_control(folder, backup, place.control_file)
        backups.copy_prices(folder, backup, draft)
        control = Control(place.control_file, clock)
        known, applied = migrate.migrations("engine"), control.applied("engine")
        migrate.pending(known, applied)  # raises when the backup is from a newer watchglass
        control.close()
        engine = ChdbEngine(place.engine_directory, write_settings(place.engine_settings))
        try:
            # The tables as they were when the parts were written; the next opening brings them up to date.
            had = [step for step in known if step.number in applied]
            migrate.apply(had, engine.execute, lambda _: None)
            _attach(folder, backup, engine, progress)
            _count(backup, engine)
        finally:
            engine.close()
        place.sync_directories()
    finally:
        place.release()


def _attach(folder: Path, backup: Backup, engine: Engine, progress: Progress) -> None:
    found = engine.execute("SELECT name, data_paths[1] AS path FROM system.tables WHERE database = 'store'")
    paths = dict(zip(found["name"].to_pylist(), found["path"].to_pylist(), strict=True))
    done = 0
    for part in sorted(backup.parts, key=_age):
        if part.table not in paths or not _TABLE.fullmatch(part.table):
            raise StoreError(
                f"the backup has a table {part.table!r} that this watchglass does not know; upgrade"
            )
        backups.copy_part(folder, part, Path(paths[part.table]) / "detached" / part.name)
        engine.execute(f"ALTER TABLE store.{part.table} ATTACH PART '{part.name}'")
        done += part.bytes
        progress(done, backup.bytes)


def _age(part: Part) -> tuple[str, int, int]:
    """Parts are attached in the order in which they were written: of equal versions the last one wins."""
    found = _PART.fullmatch(part.name)
    if found is None:
        raise StoreError(f"the backup has a part named {part.name!r}, which cannot be; it is damaged")
    return part.table, int(found[1]), int(found[2])


def _count(backup: Backup, engine: Engine) -> None:
    for table, rows in backup.rows().items():
        found = engine.execute(f"SELECT toInt64(count()) AS n FROM store.{table}")["n"][0].as_py()
        if found != rows:
            raise StoreError(
                f"{found} of {rows} rows of {table} were restored; the backup or the disk is damaged"
            )
