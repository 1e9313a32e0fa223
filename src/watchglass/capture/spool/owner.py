"""One process's folder in a spool: held by a kernel lock that dies with it, then taken over by another.

The lock is `flock`: it belongs to the open file, so two spools of one process hold theirs apart. A forked
child inherits the open file and with it the lock; it MUST close it (`Spool` does, after a fork), which leaves
the parent's lock alone. A program that is started (`exec`) inherits nothing.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from watchglass.capture.spool import segment

try:
    import fcntl
except ImportError:  # Windows: no lock dies with its process there, so nothing can be shared or taken over
    fcntl = None

_OWNER = "owner"
_NEW = ".new-"
_ABANDONED_S = 60


class Owner(msgspec.Struct, frozen=True):
    """Who writes, or wrote, into a folder."""

    pid: int
    program: str
    started_ns: int


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that this process holds: its own, or one of a dead process that it has taken over."""

    path: Path
    fd: int
    file: tuple[int, int]
    """Device and inode of what `fd` was opened on: its number may since be another file's."""

    @classmethod
    def of(cls, path: Path, fd: int) -> Folder:
        """The folder whose owner file, locked, is open as `fd`. Raises `OSError`."""
        return cls(path, fd, _file(fd))

    @property
    def held(self) -> bool:
        """Whether the lock is still ours: a program that becomes a daemon may close all that is open."""
        try:
            return _file(self.fd) == self.file
        except OSError:
            return False

    @property
    def salt(self) -> int:
        """What the checksums of its records start from."""
        return salt_of(self.path)

    def segments(self) -> list[Path]:
        """Its segments, oldest first. Raises `OSError`."""
        return segments(self.path)

    def release(self) -> None:
        """Let go of it: whoever comes next may take it over."""
        if self.held:
            os.close(self.fd)

    def remove(self) -> None:
        """Delete it and let go of it. It must have no segments any more. Raises `OSError`."""
        for each in list(_entries(self.path)):
            if each.name != _OWNER:  # a segment that its process died while making
                each.unlink(missing_ok=True)
        (self.path / _OWNER).unlink(missing_ok=True)
        self.path.rmdir()
        self.release()


def create(spool: Path) -> Folder:
    """A folder of this process's own, which nobody sees before it is held. Raises `OSError`."""
    started_ns, salt = time.time_ns(), secrets.token_hex(4)
    name = f"{started_ns:020d}-{os.getpid()}-{salt}"
    new = spool / f"{_NEW}{name}"
    new.mkdir(mode=0o700)
    try:
        fd = os.open(new / _OWNER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(fd)
            program = Path(sys.argv[0]).name if getattr(sys, "argv", None) else ""
            os.write(fd, msgspec.json.encode(Owner(os.getpid(), program, started_ns)))
            made = Folder.of(spool / name, fd)
            new.rename(made.path)
        except BaseException:
            os.close(fd)
            raise
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    return made


def take_over(folder: Path) -> Folder | None:
    """Hold the folder of a process that has died; None while somebody holds it. Raises `OSError`."""
    try:
        fd = os.open(folder / _OWNER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:  # removed meanwhile
        return None
    try:
        _lock(fd)
        # Whoever held it may have removed it between our opening and our locking it.
        if os.fstat(fd).st_nlink > 0:
            return Folder.of(folder, fd)
    except BlockingIOError:
        pass
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)
    return None


def alive(folder: Path) -> bool:
    """Whether a process holds the folder, its own or another that has taken it over."""
    try:
        fd = os.open(folder / _OWNER, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        _lock(fd, shared=True)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def owner_of(folder: Path) -> Owner | None:
    """Who wrote into it, if that can be read."""
    try:
        return msgspec.json.decode((folder / _OWNER).read_bytes(), type=Owner)
    except (OSError, msgspec.MsgspecError):
        return None


def folders(spool: Path) -> list[Path]:
    """The folders of all processes, the one that started first first. Raises `OSError`."""
    return sorted(each for each in _entries(spool) if not each.name.startswith(".") and each.is_dir())


def sweep(spool: Path) -> None:
    """Delete what processes left that died while making their folder. Raises `OSError`."""
    for each in _entries(spool):
        if each.name.startswith(_NEW) and time.time() - each.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(each, ignore_errors=True)


def segments(folder: Path) -> list[Path]:
    """The segments in a folder, oldest first; none if it is gone. Raises `OSError`."""
    return sorted(each for each in _entries(folder) if each.suffix == segment.SUFFIX)


def salt_of(folder: Path) -> int:
    """What the checksums of a folder's records start from; 0 if its name is not one that we gave."""
    try:
        return int(folder.name.rpartition("-")[2], 16) & 0xFFFFFFFF
    except ValueError:
        return 0


def taken(spool: Path) -> int:
    """Bytes that the segments of all processes take. Raises `OSError`."""
    total = 0
    for folder in folders(spool):
        for each in segments(folder):
            try:
                total += each.stat().st_size
            except FileNotFoundError:  # delivered meanwhile
                continue
    return total


def _file(fd: int) -> tuple[int, int]:
    status = os.fstat(fd)
    return status.st_dev, status.st_ino


def _entries(directory: Path) -> Iterator[Path]:
    try:
        yield from directory.iterdir()
    except (FileNotFoundError, NotADirectoryError):  # nothing yet; what writes there says what is wrong
        return


def _lock(fd: int, *, shared: bool = False) -> None:
    """Lock at once or raise `BlockingIOError`."""
    if fcntl is None:
        raise OSError("this system has no file locks that die with their process")
    fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
