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
from watchglass.store import open_store
open_store(Path(sys.argv[1])).close()
"""


def prepared(directory: Path) -> Path:
    """`directory`, which is as if a store had just been made in it, unless there is one already."""
    if folder is not None and not (directory / "control.db").exists():
        shutil.copytree(_made(folder / "data"), directory, symlinks=True, dirs_exist_ok=True)
    return directory


@cache
def _made(directory: Path) -> Path:
    """An empty store, made by a process of its own: this one may have another store open."""
    subprocess.run([sys.executable, "-c", _MAKE, directory], check=True)
    return directory
