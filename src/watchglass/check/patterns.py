"""Patterns of paths, as a `.gitignore` writes them (gitignore(5), "Pattern format")."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple


class _Pattern(NamedTuple):
    expression: re.Pattern[str]
    negated: bool
    folders_only: bool


class Patterns:
    """An ordered list of patterns, of which the last that matches decides."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self.lines = tuple(lines)
        self._patterns = [found for each in self.lines if (found := _read(each)) is not None]

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def decide(self, path: str, folder: bool = False) -> bool | None:
        """Whether the path itself (with `/`, from where the patterns stand) is meant; None: nothing said."""
        for pattern in reversed(self._patterns):
            if (folder or not pattern.folders_only) and pattern.expression.fullmatch(path):
                return not pattern.negated
        return None

    def covers(self, path: str) -> bool:
        """Whether a file is meant, by itself or by a folder that it is in."""
        parts = path.split("/")
        for depth in range(1, len(parts)):
            if self.decide("/".join(parts[:depth]), folder=True):
                return True
        return bool(self.decide(path))


def _read(line: str) -> _Pattern | None:
    line = line.rstrip("\r\n")
    line = line if line.endswith("\\ ") else line.rstrip(" ")
    if not line or line.startswith("#"):
        return None
    negated = line.startswith("!")
    line = line[1:] if negated or line.startswith(("\\#", "\\!")) else line
    folders_only = line.endswith("/")
    line = line.rstrip("/")
    anchored = "/" in line
    line = line.lstrip("/")
    if not line:
        return None
    prefix = "" if anchored else "(?:.*/)?"
    try:
        return _Pattern(re.compile(prefix + _translated(line), re.S), negated, folders_only)
    except re.error:
        return None


def _translated(pattern: str) -> str:
    found: list[str] = []
    index = 0
    while index < len(pattern):
        if pattern.startswith("**/", index):
            found.append("(?:.*/)?")
            index += 3
        elif pattern.startswith("**", index):
            found.append(".*")
            index += 2
        elif pattern[index] == "*":
            found.append("[^/]*")
            index += 1
        elif pattern[index] == "?":
            found.append("[^/]")
            index += 1
        elif pattern[index] == "[" and (end := pattern.find("]", index + 2)) > 0:
            inner = pattern[index + 1 : end].replace("\\", "\\\\")
            found.append(f"[^{inner[1:]}]" if inner[:1] in "!^" else f"[{inner}]")
            index = end + 1
        elif pattern[index] == "\\" and index + 1 < len(pattern):
            found.append(re.escape(pattern[index + 1]))
            index += 2
        else:
            found.append(re.escape(pattern[index]))
            index += 1
    return "".join(found)
