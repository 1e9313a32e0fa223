"""Backups: a folder of parts, each stored once, and one list a backup of the parts that it is made of.

    DEST/watchglass-backup.json             what this folder is
    DEST/parts/<table>/<part>.<digest>/…    a part of a table as the engine wrote it, with `files.json`
    DEST/control/<digest>.db                the small state
    DEST/prices/<digest>                    a price file of the data directory
    DEST/backups/<time>.json                a backup, written last: without it there is none

Parts never change, so a later backup stores only those that are new, and any backup can be deleted
without harm to another. Why not the engine's own BACKUP: its increments are a chain in which each
needs all before it at the place where they were made; it knows nothing of the control database; and
a server would have to be allowed to write where it is told to.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from watchglass.errors import NotFound, StoreBusy, StoreError, StoreFull
from watchglass.store import snapshot
from watchglass.store.place import PRICE_FILES

FORMAT = 1
MARKER = "watchglass-backup.json"
FILES = "files.json"
_CHUNK = 1 << 20

Progress = Callable[[int, int], None]
"""(bytes done, bytes in all)."""

T = TypeVar("T")


class Marker(msgspec.Struct, frozen=True):
    """What a backup folder says it is."""

    format: int


class Stored(msgspec.Struct, frozen=True):
    """A file: where it is below its folder, its size, and BLAKE2b-128 of what is in it."""

    path: str
    size: int
    digest: str


class Part(msgspec.Struct, frozen=True):
    """A part of a table; `files` is the digest of its `files.json`."""

    table: str
    name: str
    folder: str
    rows: int
    bytes: int
    files: str


class Backup(msgspec.Struct, frozen=True):
    """One backup. `schema` is the schema steps that the tables had, with their checksums."""

    format: int
    made_ns: int
    schema: dict[int, str]
    control: Stored
    parts: list[Part]
    prices: dict[str, Stored] = {}
    """Price files by their name in the data directory; backups of before there were any have none."""

    @property
    def name(self) -> str:
        """When it was made, as a file name: what is acknowledged before that is in it."""
        at = datetime.fromtimestamp(self.made_ns // 10**9, UTC)
        return f"{at:%Y-%m-%dT%H%M%S}.{self.made_ns % 10**9 // 10**6:03}Z"

    def rows(self) -> dict[str, int]:
        """Rows of each table, superseded versions included."""
        counts: dict[str, int] = {}
        for part in self.parts:
            counts[part.table] = counts.get(part.table, 0) + part.rows
        return counts

    @property
    def bytes(self) -> int:
        """What it takes by itself."""
        return sum(each.size for each in self.files) + sum(part.bytes for part in self.parts)

    @property
    def files(self) -> list[Stored]:
        """All that is no part of a table."""
        return [self.control, *self.prices.values()]


class Written(msgspec.Struct, frozen=True):
    """A backup that was made, and what of it was new."""

    backup: Backup
    new_parts: int
    new_bytes: int


def write(source: Path, folder: Path, progress: Progress = lambda done, all: None) -> Written:
    """Back up the snapshot in `source`, verified as it is written. Raises `StoreError`, `StoreFull`."""
    with _trouble(f"the backup folder {folder}"), _held(folder):
        found = snapshot.read(source)
        frozen = [(table, each) for table, at in found.tables.items() for each in _part_folders(source / at)]
        sizes = {each: sum(file.stat().st_size for file in _files(each)) for _, each in frozen}
        done, total = 0, sum(sizes.values())
        parts: list[Part] = []
        new: list[Part] = []
        for table, each in frozen:
            part, is_new = _store_part(table, each, folder)
            parts.append(part)
            new += [part] if is_new else []
            done += sizes[each]
            progress(done, total)
        control = _store_file(source / snapshot.CONTROL, folder, "control", ".db")
        prices = {each.name: _store_file(each, folder, "prices") for each in _files(source / snapshot.PRICES)}
        backup = Backup(FORMAT, found.made_ns, found.schema, control, parts, prices)
        for part in new:
            _check_part(folder, part)
        for stored in backup.files:
            _check(folder / stored.path, stored)
        # Everything that it names is on disk before it is: half a backup is none.
        _write_whole(folder / "backups" / f"{backup.name}.json", msgspec.json.encode(backup))
        return Written(backup, len(new), sum(part.bytes for part in new) + control.size)


def listed(folder: Path) -> list[Backup]:
    """The backups in a folder, oldest first. Raises `NotFound` when there is none, `StoreError`."""
    with _trouble(f"the backup folder {folder}"):
        if not (folder / MARKER).is_file():
            raise NotFound(f"{folder} is no backup of watchglass; `watchglass backup {folder}` makes one")
        marker = _decoded(folder / MARKER, Marker)
        if marker.format > FORMAT:
            raise StoreError(
                f"{folder} was written by a newer watchglass (format {marker.format}); upgrade first"
            )
        files = sorted((folder / "backups").glob("*.json"))
        if not files:
            raise NotFound(
                f"{folder} has no whole backup, only what one left that was not finished; "
                f"run `watchglass backup {folder}` again"
            )
        return [_decoded(file, Backup) for file in files]


def verify(folder: Path, backups: Iterable[Backup], progress: Progress = lambda done, all: None) -> list[str]:
    """Read everything that these backups are made of; what is wrong, one sentence a file."""
    parts = {part.folder: part for backup in backups for part in backup.parts}
    done, total, wrong = 0, sum(part.bytes for part in parts.values()), list[str]()
    checks: list[tuple[int, Callable[[], object]]] = [
        (part.bytes, lambda part=part: _check_part(folder, part)) for part in parts.values()
    ]
    for stored in {each.path: each for backup in backups for each in backup.files}.values():
        checks.append((0, lambda stored=stored: _check(folder / stored.path, stored)))
    for size, check in checks:
        try:
            check()
        except StoreError as error:
            wrong.append(str(error))
        done += size
        progress(done, total)
    return wrong


def prune(folder: Path, keep: int) -> list[str]:
    """Remove all but the `keep` latest backups and what only they needed; the names of those removed."""
    with _trouble(f"the backup folder {folder}"), _held(folder):
        backups = listed(folder)
        kept, gone = backups[-keep:], backups[:-keep]
        for backup in gone:
            (folder / "backups" / f"{backup.name}.json").unlink()
        needed = {part.folder for backup in kept for part in backup.parts} | {
            stored.path for backup in kept for stored in backup.files
        }
        for each in [*folder.glob("parts/*/*"), *folder.glob("control/*"), *folder.glob("prices/*")]:
            if str(each.relative_to(folder)) not in needed:
                shutil.rmtree(each) if each.is_dir() else each.unlink()
        return [backup.name for backup in gone]


def copy_part(folder: Path, part: Part, target: Path) -> None:
    """Put a part's files into `target`, checked on the way. Raises `StoreError` naming what is wrong."""
    for stored in part_files(folder, part):
        to = target / stored.path
        to.parent.mkdir(parents=True, exist_ok=True)
        _compare(folder / part.folder / stored.path, stored, _copied(folder / part.folder / stored.path, to))


def part_files(folder: Path, part: Part) -> list[Stored]:
    """The files of a part. Raises `StoreError` when the list itself is not what was written."""
    path = folder / part.folder / FILES
    try:
        text = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} is damaged: {error.strerror}") from None
    if _digest(text) != part.files:
        raise StoreError(f"{path} is damaged: it is not what was written")
    files = msgspec.json.decode(text, type=list[Stored])
    for stored in files:
        # Backups travel: one that somebody made up must not write beside the part.
        if Path(stored.path).is_absolute() or ".." in Path(stored.path).parts:
            raise StoreError(f"{path} is damaged: a part has no file {stored.path!r}")
    return files


def copy_control(folder: Path, backup: Backup, target: Path) -> None:
    """Put the control database at `target`, checked on the way."""
    _copy(folder, backup.control, target)


def copy_prices(folder: Path, backup: Backup, target: Path) -> None:
    """Put the price files into `target`, checked on the way. Raises `StoreError`."""
    for name, stored in backup.prices.items():
        if name not in PRICE_FILES:  # as with parts: one that somebody made up must not write elsewhere
            raise StoreError(f"{folder} is damaged: a data directory has no price file {name!r}")
        _copy(folder, stored, target / name)


def _copy(folder: Path, stored: Stored, target: Path) -> None:
    source = folder / stored.path
    _compare(source, stored, _copied(source, target))
    target.chmod(0o600)


def _store_part(table: str, source: Path, folder: Path) -> tuple[Part, bool]:
    # The engine's own list of the files and their checksums: a part of this name and list is this part.
    own = hashlib.blake2b((source / "checksums.txt").read_bytes(), digest_size=8).hexdigest()
    below = f"parts/{table}/{source.name}.{own}"
    place = folder / below
    rows = int((source / "count.txt").read_text())
    if place.is_dir():
        text = (place / FILES).read_bytes()
        stored = msgspec.json.decode(text, type=list[Stored])
        part = Part(table, source.name, below, rows, sum(file.size for file in stored), _digest(text))
        return part, False
    draft = place.with_name(f".{place.name}")
    shutil.rmtree(draft, ignore_errors=True)
    stored = []
    for file in _files(source):
        to = draft / file.relative_to(source)
        to.parent.mkdir(parents=True, exist_ok=True)
        size, digest = _copied(file, to)
        stored.append(Stored(str(file.relative_to(source)), size, digest))
    text = msgspec.json.encode(stored)
    _write_whole(draft / FILES, text)
    draft.rename(place)
    _sync(place.parent)
    return Part(table, source.name, below, rows, sum(file.size for file in stored), _digest(text)), True


def _store_file(source: Path, folder: Path, below: str, suffix: str = "") -> Stored:
    text = source.read_bytes()
    path = f"{below}/{_digest(text)}{suffix}"
    _write_whole(folder / path, text)
    (folder / path).chmod(0o600)
    return Stored(path, len(text), _digest(text))


def _check_part(folder: Path, part: Part) -> None:
    for stored in part_files(folder, part):
        _check(folder / part.folder / stored.path, stored)


def _check(path: Path, stored: Stored) -> None:
    _compare(path, stored, _copied(path, None))


def _compare(path: Path, stored: Stored, found: tuple[int, str]) -> None:
    size, digest = found
    if size != stored.size:
        raise StoreError(f"{path} is damaged: it has {size} bytes where {stored.size} were written")
    if digest != stored.digest:
        raise StoreError(f"{path} is damaged: it has other content than was written")


def _copied(source: Path, target: Path | None) -> tuple[int, str]:
    """Read a file, into another one on disk if there is one; its size and digest."""
    sum_, size = hashlib.blake2b(digest_size=16), 0
    try:
        with source.open("rb") as read, (target or Path(os.devnull)).open("wb") as written:
            while chunk := read.read(_CHUNK):
                sum_.update(chunk)
                size += len(chunk)
                written.write(chunk)
            if target is not None:
                written.flush()
                os.fsync(written.fileno())
    except FileNotFoundError:
        raise StoreError(f"{source} is damaged: it is missing") from None
    return size, sum_.hexdigest()


def _digest(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _part_folders(table: Path) -> list[Path]:
    return sorted(each for each in table.iterdir() if each.is_dir()) if table.is_dir() else []


def _write_whole(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}")
    with draft.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _decoded(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except msgspec.MsgspecError as error:
        raise StoreError(f"{path} is damaged: {error}") from None


@contextmanager
def _held(folder: Path) -> Generator[None]:
    """The folder, made or recognised, for one writer at a time."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise StoreError(f"{folder} holds something else than backups; name an empty or new folder")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / MARKER).is_file():
        _write_whole(folder / MARKER, msgspec.json.encode(Marker(FORMAT)))
    with (folder / MARKER).open("rb") as marker:
        try:
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreBusy(f"another backup to {folder} is under way; wait for it") from None
        yield


@contextmanager
def _trouble(what: str) -> Generator[None]:
    """The system's errors as ours."""
    try:
        yield
    except OSError as error:
        if error.errno in (28, 122):  # ENOSPC, EDQUOT
            raise StoreFull(f"there is no room for {what}; make some, and run it again") from None
        raise StoreError(f"{what} cannot be used: {error}") from None
