"""Which files are checked: those named, and the Python files and notebooks of the folders named."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from watchglass.check.configuration import EXCLUDED, Configuration
from watchglass.check.patterns import Patterns
from watchglass.errors import NotFound

SUFFIXES = (".py", ".ipynb", ".pyw")
_USUAL = Patterns(EXCLUDED)


class File(NamedTuple):
    """A file to check."""

    path: str
    """As it is shown: from where the command runs."""
    relative: str
    """As the configuration's patterns see it."""
    modified_ns: int
    size: int


class _Ignored(NamedTuple):
    """A `.gitignore`, and the folder that it stands in."""

    folder: str
    patterns: Patterns


def find(paths: Iterable[str], configuration: Configuration) -> list[File]:
    """All of them, sorted, each once; raises `NotFound` for a path that is not there.

    A link to a folder is not followed, so that a loop of links has an end. What is named is checked, whatever
    excludes it.
    """
    found: dict[str, File] = {}
    for path in paths:
        if os.path.isdir(path):
            for each in _walk(path, configuration):
                found.setdefault(os.path.abspath(each.path), each)
        elif os.path.isfile(path):
            if path.endswith(SUFFIXES):
                status = os.stat(path)
                shown = os.path.normpath(path)
                file = File(shown, configuration.relative(path), status.st_mtime_ns, status.st_size)
                found.setdefault(os.path.abspath(path), file)
        elif os.path.exists(path):
            raise NotFound(f"{path} is neither a file nor a folder; name files or folders to check")
        else:
            raise NotFound(f"{path or 'an empty path'} is not there; name files or folders to check")
    return sorted(found.values(), key=lambda each: each.path)


def _walk(top: str, configuration: Configuration) -> Iterator[File]:
    stack: list[tuple[str, tuple[_Ignored, ...]]] = [(os.path.normpath(top), _above(top, configuration))]
    while stack:
        folder, ignored = stack.pop()
        try:
            with os.scandir(folder) as listed:
                entries = sorted(listed, key=lambda each: each.name)
        except OSError:
            continue
        names = {each.name for each in entries}
        if "pyvenv.cfg" in names and folder != os.path.normpath(top):
            continue
        if configuration.respect_gitignore and ".gitignore" in names:
            ignored = (*ignored, _Ignored(folder, _patterns(os.path.join(folder, ".gitignore"))))
        inside = configuration.relative(os.path.join(folder, "x"))[:-1]
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not _left_out(entry.path, True, ignored, configuration):
                    stack.append((entry.path, ignored))
            elif entry.name.endswith(SUFFIXES) and not _left_out(entry.path, False, ignored, configuration):
                try:
                    status = entry.stat()
                    if entry.is_file():
                        shown = entry.path.removeprefix(_HERE)
                        yield File(shown, inside + entry.name, status.st_mtime_ns, status.st_size)
                except OSError:
                    continue  # a link that leads nowhere


_HERE = f".{os.sep}"


def _above(top: str, configuration: Configuration) -> tuple[_Ignored, ...]:
    """The `.gitignore` files between the root of the repository and the folder that was named."""
    if not configuration.respect_gitignore:
        return ()
    found: list[_Ignored] = []
    folder = os.path.abspath(top)
    while not os.path.exists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return ()
        folder = above
        file = os.path.join(folder, ".gitignore")
        if os.path.isfile(file):
            found.append(_Ignored(folder, _patterns(file)))
    if any(_said(os.path.abspath(top), True, [each]) for each in found):
        return ()  # it is ignored itself and named all the same
    return tuple(reversed(found))


def _patterns(file: str) -> Patterns:
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return Patterns(opened.read(1 << 20).splitlines())
    except OSError:
        return Patterns()


def _left_out(path: str, folder: bool, ignored: tuple[_Ignored, ...], configuration: Configuration) -> bool:
    name = os.path.basename(path)
    if folder and _USUAL.decide(name, folder=True):
        return True
    if configuration.exclude and configuration.exclude.decide(configuration.relative(path), folder):
        return True
    return bool(ignored) and _said(path, folder, reversed(ignored))


def _said(path: str, folder: bool, ignored: Iterable[_Ignored]) -> bool:
    for each in ignored:
        found = each.patterns.decide(os.path.relpath(path, each.folder).replace(os.sep, "/"), folder)
        if found is not None:
            return found
    return False
