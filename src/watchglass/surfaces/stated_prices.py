"""The user's price file while a server runs: an edit holds within seconds, a broken one changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from watchglass.config import Settings
from watchglass.errors import ConfigError
from watchglass.store.place import PRICES_FILE
from watchglass.surfaces.prices_file import NOTHING, Stated, read_stated

Look: TypeAlias = Literal["same", "taken", "refused"]
_Signature = tuple[int, int, int] | None


class StatedPrices:
    """The file by these settings. Not thread-safe."""

    def __init__(self, settings: Settings) -> None:
        """Read it. Raises `ConfigError` where it cannot be used: calls would cost something else."""
        named = settings.prices
        self.path = Path(named) if named is not None else Path(settings.data) / PRICES_FILE
        self._named = named is not None
        self._seen = self._pending = self._signature()
        self.fault: str | None = None
        # Why the latest edit was not taken.
        self.stated = self._read()

    def look(self) -> Look:
        """Whether the file was edited since. It is read once it looks the same twice, not half written."""
        now = self._signature()
        if now == self._seen:
            self._pending = now
            return "same"
        if now != self._pending:
            self._pending = now
            return "same"
        self._seen = now
        try:
            self.stated = self._read()
        except ConfigError as fault:
            self.fault = str(fault)
            return "refused"
        self.fault = None
        return "taken"

    def _read(self) -> Stated:
        return read_stated(self.path) if self._named or self._seen is not None else NOTHING

    def _signature(self) -> _Signature:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
