"""Data directories with an empty store in them: making its tables takes half a second each time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

folder: Path | None = None
"""Of this session; `tests/conftest.py` sets it."""

_MAKE = """
import sys
from pathlib import Path
from watchglass.clock import SystemClock
from watchglass.config import Settings
from watchglass.store import KeptPrices, open_store
from watchglass.surfaces.price_book import open_book
from watchglass.surfaces.price_desk import PriceDesk

clock, settings = SystemClock(), Settings(data=sys.argv[1])
with open_store(Path(settings.data)) as store:
    if "served" in sys.argv:
        desk = PriceDesk(settings, open_book(settings), KeptPrices(store.control, clock), clock)
        desk.mirror(store.engine, store.control)
"""


def prepared(directory: Path, *, served: bool = False) -> Path:
    """`directory`, which is as if a store had just been made in it, unless there is one already.

    With `served` as if a server had been there for a moment: the price book is in it, two seconds of work.
    """
    if folder is not None and not (directory / "control.db").exists():
        made = _made(folder / "served", "served") if served else _made(folder / "data")
        shutil.copytree(made, directory, symlinks=True, dirs_exist_ok=True)
    return directory


@cache
def _made(directory: Path, *how: str) -> Path:
    """An empty store, made by a process of its own: this one may have another store open."""
    subprocess.run([sys.executable, "-c", _MAKE, directory, *how], check=True)
    return directory
