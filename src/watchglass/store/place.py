"""The data directory: made private, held by one process at a time, and it says who that is."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from watchglass.errors import StoreBusy, StoreError

_HOLDER_FILE = "holder.json"


PRICES_FILE = "prices.toml"
"""The user's own prices, where the setting `prices` names no other file."""

TAKEN_GENAI, TAKEN_LITELLM = "genai-prices.json", "litellm-prices.json"
"""Newer lists than the installed ones, as `prices update` keeps them."""

PRICE_FILES = (PRICES_FILE, TAKEN_GENAI, TAKEN_LITELLM)
"""What lies in a data directory beside the store, and is backed up with it."""


class Holder(msgspec.Struct, frozen=True):
    """Who holds a data directory. `address` is where to ask it, '' if it does not listen."""

    program: str
    pid: int
    started_ns: int
    address: str = ""

    def __str__(self) -> str:
        where = f", {self.address}" if self.address else ""
        return f"{self.program} (pid {self.pid}{where})"


class Place:
    """A data directory that this process holds until `release`, or until it ends, however it ends.

    The hold is a kernel lock on an open file, so a killed holder leaves nothing to clean up;
    what is written inside the file only says who it is.
    """

    def __init__(self, directory: Path, holder: Holder) -> None:
        """Make `directory` (mode 0700) if need be and hold it. Raises `StoreBusy` naming the holder."""
        self.directory = directory.absolute()
        self._holder = holder
        make_private(self.directory)
        self._fd = os.open(self.directory / _HOLDER_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = _read(self._fd)
            os.close(self._fd)
            raise StoreBusy(_sentence(self.directory, other)) from None
        self._write(holder)

    @property
    def engine_directory(self) -> Path:
        """Where the engine keeps its rows."""
        return self.directory / "engine"

    @property
    def engine_settings(self) -> Path:
        """The engine's settings file, written anew at each opening."""
        return self.directory / "engine.xml"

    @property
    def control_file(self) -> Path:
        """The small mutable state."""
        return control_file(self.directory)

    def announce(self, address: str) -> None:
        """Say where the holder can be asked, once it listens."""
        self._holder = msgspec.structs.replace(self._holder, address=address)
        self._write(self._holder)

    def sync_directories(self) -> None:
        """Put the names of all files and directories in here on disk."""
        for folder, _, _ in os.walk(self.directory):
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)

    def release(self) -> None:
        """Let go of the directory. Idempotent."""
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1

    def _write(self, holder: Holder) -> None:
        text = msgspec.json.encode(holder)
        os.pwrite(self._fd, text, 0)
        os.ftruncate(self._fd, len(text))


def control_file(directory: Path) -> Path:
    """Where a data directory keeps its small mutable state; other processes may open it too."""
    return directory / "control.db"


def holder(directory: Path) -> Holder | None:
    """Who holds `directory` at this moment; `None` when it is free or not there."""
    try:
        fd = os.open(directory / _HOLDER_FILE, os.O_RDWR | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(fd) or Holder("another process", 0, 0)
    else:
        return None
    finally:
        os.close(fd)


def make_private(directory: Path) -> None:
    """Make a data directory that only its owner can read, if it is not there. Raises `StoreError`."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the data directory {directory} cannot be made ({error.strerror}); choose another with --data"
        ) from None


def _read(fd: int) -> Holder | None:
    try:
        return msgspec.json.decode(os.pread(fd, 65536, 0), type=Holder)
    except msgspec.DecodeError:  # the holder is at this moment between taking and signing
        return None


def _sentence(directory: Path, other: Holder | None) -> str:
    who = str(other) if other else "another process"
    ask = f"ask it with --url {other.address}" if other and other.address else "stop it first"
    return f"the data directory {directory} is held by {who}; {ask}, or choose another with --data"
