"""What files came to last time: kept for as long as they, what they depend on, and the checker are the same.

A file is the same when its time and size are; one that was changed within the two seconds before a run is not
kept, for it may change again within the same tick of its clock. A cache that cannot be read is none.
"""

from __future__ import annotations

import json
import os
import sys
import time
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from watchglass.check.configuration import Configuration
from watchglass.check.expressions import late
from watchglass.check.files import File
from watchglass.check.finding import Finding

if TYPE_CHECKING:
    from watchglass.check.engine import Result

_RESULTS = late(r"[0-9a-f]{8,32}\.json(?:\.\d+)?")
_TICK_NS = 2_000_000_000
_ENTRIES = 200_000
"""More files are not kept: the file would be slower to read than the code."""

_KEPT_S = 30 * 86_400
"""Other checkers' and configurations' results that were not written for so long are removed."""

Status = tuple[int, int] | None
"""Time and size of a file; None: it is not there."""


def folder() -> str:
    """The user's folder for caches."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        top = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    elif sys.platform == "darwin":
        top = os.path.join(home, "Library", "Caches")
    else:
        top = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return os.path.join(top, "watchglass", "check")


def _checker() -> str:
    """Changes with every change of the checker's own files and of Python."""
    here = os.path.dirname(__file__)
    told = [sys.version, sys.platform]
    for top, _, names in sorted(os.walk(here)):
        for each in sorted(names):
            if each.endswith(".py"):
                status = os.stat(os.path.join(top, each))
                told.append(f"{each} {status.st_size} {status.st_mtime_ns}")
    return "\n".join(told)


class Cache:
    """The results of one configuration, read at the start and written at the end."""

    def __init__(self, where: str, configuration: Configuration) -> None:
        settings = [getattr(each, "lines", each) for each in configuration[:2] + configuration[4:]]
        rules = sorted(configuration.rules)
        per_file = [(patterns.lines, sorted(codes)) for patterns, codes in configuration.per_file]
        told = repr([_checker(), configuration.root, rules, per_file, _plain(settings), os.getcwd()])
        self._told = told.encode("utf-8", "replace").decode()
        self._file = os.path.join(where, f"{zlib.crc32(self._told.encode()):08x}.json")
        self._started_ns = time.time_ns()
        self._now: dict[str, Status] = {}
        self._statuses: dict[str, Any] = {}
        self._results: dict[str, Any] = {}
        self._read()

    def _read(self) -> None:
        try:
            with open(self._file, encoding="utf-8") as opened:
                document: Any = json.load(opened)
            statuses, results = document["statuses"], document["results"]
            same = document["of"] == self._told  # the file's name is too short to be that of one alone
            if same and isinstance(statuses, dict) and isinstance(results, dict):
                self._statuses = cast("dict[str, Any]", statuses)
                self._results = cast("dict[str, Any]", results)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return

    def get(self, file: File) -> list[Finding] | None:
        """What the file came to, None when that is not known."""
        path = os.path.abspath(file.path)
        entry = self._results.get(path)
        if entry is None or self._statuses.get(path) != [file.modified_ns, file.size]:
            return None
        try:
            asked, rows = entry
            if any(self._statuses.get(each, 0) != _listed(self._status(each)) for each in asked):
                return None
            return [Finding(file.path, *row) for row in rows]
        except (TypeError, ValueError):
            return None

    def put(self, file: File, result: Result) -> None:
        """Keep what a file came to."""
        path = os.path.abspath(file.path)
        asked = sorted(result.asked - {path})
        self._now[path] = (file.modified_ns, file.size)
        self._statuses[path] = [file.modified_ns, file.size]
        statuses = {path: self._now[path], **{each: self._status(each) for each in asked}}
        if any(status and status[0] > self._started_ns - _TICK_NS for status in statuses.values()):
            self._results.pop(path, None)
            return
        for each, status in statuses.items():
            self._statuses[each] = _listed(status)
        self._results[path] = [asked, [list(each[1:]) for each in result.findings]]

    def write(self, files: Iterable[File]) -> None:
        """Write what is known of these files and others; a folder that cannot be written to has none."""
        if len(self._results) > _ENTRIES:
            now = {os.path.abspath(each.path) for each in files}
            self._results = {path: entry for path, entry in self._results.items() if path in now}
        temporary = f"{self._file}.{os.getpid()}"
        try:
            asked = {each for listed, _ in self._results.values() for each in listed} | set(self._results)
            statuses = {path: status for path, status in self._statuses.items() if path in asked}
            os.makedirs(os.path.dirname(self._file), exist_ok=True)
            with open(temporary, "w", encoding="utf-8") as opened:
                opened.write(json.dumps({"of": self._told, "statuses": statuses, "results": self._results}))
            os.replace(temporary, self._file)
            _remove_old(os.path.dirname(self._file))
        except (OSError, ValueError, TypeError):
            return

    def _status(self, path: str) -> Status:
        if path not in self._now:
            try:
                status = os.stat(path)
                self._now[path] = (status.st_mtime_ns, status.st_size)
            except OSError:
                self._now[path] = None
        return self._now[path]


def _remove_old(where: str) -> None:
    with os.scandir(where) as entries:
        for each in entries:
            if _RESULTS.fullmatch(each.name) and each.stat().st_mtime < time.time() - _KEPT_S:
                os.unlink(each.path)


def _listed(status: Status) -> list[int] | None:
    return None if status is None else list(status)


def _plain(settings: Iterable[object]) -> list[object]:
    return [
        sorted(cast("frozenset[str]", each)) if isinstance(each, frozenset) else each for each in settings
    ]
