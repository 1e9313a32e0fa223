"""What is read: the Python files and notebooks of checkouts, as pieces of code with positions.

A notebook's cells are pieces of their own, numbered from 1 over all its cells; lines count within the cell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

EXEMPT = re.compile(
    r"(^|/)(tests?|testing|migrations)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$|alembic/versions/"
)
"""Paths that docs/check.md exempts."""


@dataclass(frozen=True)
class Piece:
    """One file's code, or one cell's."""

    path: str
    cell: int | None
    lines: tuple[str, ...]


def pieces(root: Path, *, exempt: bool = False) -> Iterator[Piece]:
    """All code below `root`, in the order of its paths; with `exempt`, tests and migrations too."""
    for path in sorted([*root.rglob("*.py"), *root.rglob("*.ipynb")]):
        name = path.relative_to(root).as_posix()
        if not path.is_file() or (EXEMPT.search(name) and not exempt):
            continue
        text = path.read_text("utf-8", "replace")
        if path.suffix == ".py":
            yield Piece(name, None, tuple(text.splitlines()))
        else:
            yield from _cells(name, text)


def _cells(name: str, text: str) -> Iterator[Piece]:
    try:
        cells = json.loads(text)["cells"]
    except (ValueError, KeyError, TypeError):
        return
    for number, cell in enumerate(cells, 1):
        if cell.get("cell_type") == "code":
            source = cell.get("source", "")
            yield Piece(name, number, tuple(("".join(source)).splitlines()))
