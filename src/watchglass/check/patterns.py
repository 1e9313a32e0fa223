"""Patterns of paths, as a `.gitignore` writes them (gitignore(5), "Pattern format")."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from watchglass.check.expressions import late


class _Pattern(NamedTuple):
    expression: re.Pattern[str]
    negated: bool
    folders_only: bool
    name: str
    """What the last part of a path must be, when the pattern says no more than that; else `""`."""


class Patterns:
    """An ordered list of patterns, of which the last that matches decides."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self.lines = tuple(lines)
        self._patterns = [found for each in self.lines if (found := _read(each)) is not None]
        plain = [] if any(each.negated for each in self._patterns) else self._patterns
        self._names = frozenset(each.name for each in plain if each.name and not each.folders_only)
        self._folders = frozenset(each.name for each in plain if each.name)
        self._others = [each for each in self._patterns if not (plain and each.name)]
        self._covered: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def decide(self, path: str, folder: bool = False) -> bool | None:
        """Whether the path itself (with `/`, from where the patterns stand) is meant; None: nothing said."""
        if self._folders and path.rpartition("/")[2] in (self._folders if folder else self._names):
            return True
        for pattern in reversed(self._others):
            if (folder or not pattern.folders_only) and pattern.expression.fullmatch(path):
                return not pattern.negated
        return None

    def covers(self, path: str) -> bool:
        """Whether a file is meant, by itself or by a folder that it is in."""
        return self._covers_folder(path.rpartition("/")[0]) or bool(self.decide(path))

    def _covers_folder(self, folder: str) -> bool:
        """Whether a folder is meant, or one that it is in: of all its files the same, and asked once."""
        asked: list[str] = []
        while folder and folder not in self._covered:
            asked.append(folder)
            folder = folder.rpartition("/")[0]
        known = self._covered.get(folder, False)
        for each in reversed(asked):
            known = self._covered[each] = known or bool(self.decide(each, folder=True))
        return known


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
        plain = not anchored and not _SPECIAL.intersection(line)
        expression = (
            late(prefix + re.escape(line), re.S) if plain else re.compile(prefix + _translated(line), re.S)
        )
        return _Pattern(expression, negated, folders_only, line if plain else "")
    except re.error:
        return None


_SPECIAL = frozenset("*?[\\")


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
