"""The modules of a project, found by name next to the files that import them, read when asked for.

There is no index: whether `app.llm` is a file is asked of the file system, once. So a run on twenty files
does not walk the whole tree.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from watchglass.check.scopes import Scanned
from watchglass.check.source import Source, Unreadable, parse, read


class Module:
    """A file of the project, parsed."""

    __slots__ = ("data", "dotted", "path", "roots", "scanned", "source")

    def __init__(self, path: str, dotted: str, roots: tuple[str, ...], data: bytes, source: Source) -> None:
        self.path = path
        self.dotted = dotted
        self.roots = roots
        """The folders in which its imports are looked for."""
        self.data = data
        self.source = source
        package = dotted if os.path.basename(path) == "__init__.py" else dotted.rpartition(".")[0]
        self.scanned = Scanned(source.tree, package)


class Project:
    """Finds modules; notes which files an answer depends on, for the cache."""

    def __init__(self, roots: Sequence[str]) -> None:
        self.roots = tuple(dict.fromkeys(os.path.abspath(each) for each in roots))
        self.asked: set[str] = set()
        """Files that were read, or were not there, since it was last emptied."""
        self.naming: dict[str, bool] = {}
        """By file: whether it, or what it imports, names a provider."""
        self.size = 0
        """Bytes of code that are kept as trees."""
        self._modules: dict[str, Module | None] = {}
        self._packages: dict[str, str] = {}
        self._exists: dict[str, bool] = {}
        self._found: dict[tuple[str, tuple[str, ...]], str | None] = {}
        self._probed: dict[tuple[str, tuple[str, ...]], tuple[str, ...]] = {}

    def forget(self) -> None:
        """Let go of all trees."""
        self._modules.clear()
        self.size = 0

    def load(self, path: str) -> Module | None:
        """The module in this file; None when it cannot be parsed."""
        path = os.path.abspath(path)
        self.asked.add(path)
        if path not in self._modules:
            self._modules[path] = None
            try:
                data = read(path)
                self._modules[path] = self.module(path, data)
            except (Unreadable, RecursionError):
                pass
        return self._modules[path]

    def module(self, path: str, data: bytes) -> Module:
        """The module of these bytes; raises `Unreadable`."""
        path = os.path.abspath(path)
        source = parse(path, data)
        found = Module(path, self.dotted(path), self.roots_of(path), data, source)
        self._modules[path] = found
        self.size += len(data)
        return found

    def dotted(self, path: str) -> str:
        """The name by which a file is imported, from the folder above its outermost package."""
        root = self._package_root(os.path.dirname(path))
        parts = os.path.relpath(path, root).removesuffix(".py").split(os.sep)
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def roots_of(self, path: str) -> tuple[str, ...]:
        """Where a file's imports are looked for: around its package, beside it, in the project's roots."""
        folder = os.path.dirname(path)
        return tuple(dict.fromkeys((self._package_root(folder), folder, *self.roots)))

    def find(self, dotted: str, roots: tuple[str, ...]) -> str | None:
        """The file of a module of the project, None when there is none."""
        key = (dotted, roots)
        if key not in self._found:
            relative = dotted.replace(".", os.sep)
            self._found[key] = None
            probed: list[str] = []
            for root in roots:
                stem = os.path.join(root, relative)
                candidates = (os.path.join(stem, "__init__.py"), f"{stem}.py")
                hit = next((each for each in candidates if self._is_file(each)), None)
                probed += candidates
                if hit:
                    self._found[key] = hit
                    probed = [hit]
                    break
            self._probed[key] = tuple(probed)
        self.asked.update(self._probed[key])
        return self._found[key]

    def _package_root(self, folder: str) -> str:
        root = self._packages.get(folder)
        if root is None:
            above = os.path.dirname(folder)
            inside = above != folder and self._is_file(os.path.join(folder, "__init__.py"))
            root = self._packages[folder] = self._package_root(above) if inside else folder
        return root

    def _is_file(self, path: str) -> bool:
        found = self._exists.get(path)
        if found is None:
            folder = os.path.dirname(path)
            # One question to the folder spares two to each of the names that are not in it.
            known = self._exists.get(folder)
            if known is None:
                known = self._exists[folder] = os.path.isdir(folder)
            found = self._exists[path] = known and os.path.isfile(path)
        return found
