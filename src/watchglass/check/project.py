"""The modules of a project, found by name next to the files that import them, read when asked for.

There is no index: whether `app.llm` is a file is asked of the file system, once. So a run on twenty files
does not walk the whole tree.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from watchglass.check import tokens
from watchglass.check.expressions import late
from watchglass.check.scopes import Scanned
from watchglass.check.source import Source, Unreadable, parse, read

_KEPT_FILES = 200

_GAPS = 4
"""A folder without an `__init__.py` is of a package that begins no more than so many folders above."""


_BORROWS = late(rb"\n[ \t]+(global|nonlocal)[ \t]")


class Module:
    """A file of the project, parsed."""

    __slots__ = ("data", "dotted", "package", "path", "roots", "scanned", "source")

    def __init__(self, path: str, project: Project, data: bytes, source: Source) -> None:
        self.path = path
        self.dotted = dotted = project.dotted(path)
        self.package = project.package(path)
        """The outermost package that it is in, `""` for none."""
        self.roots = project.roots_of(path)
        """The folders in which its imports are looked for."""
        self.data = data
        self.source = source
        package = dotted if os.path.basename(path) == "__init__.py" else dotted.rpartition(".")[0]
        self.scanned = Scanned(source, package)
        # A `global` in a function binds a name of the module: these cannot be left for later.
        borrowing = [each.start(1) for each in _BORROWS.finditer(data)]
        self.scanned.calls_near(tokens.lines_of(data, borrowing))


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
        self._bytes: dict[str, bytes] = {}
        self._giving: dict[tuple[str, str], bool] = {}
        self._asking: dict[str, bool] = {}
        self._followed: set[str] = set()
        self._needs: dict[str, frozenset[str]] = {}
        """By module: what files asked for that followed an answer through it."""
        self._having: dict[tuple[str, bytes], bool] = {}
        self._packages: dict[str, str] = {}
        self._outermost: dict[str, str] = {}
        self._folders: dict[str, frozenset[str]] = {}
        self._found: dict[tuple[str, tuple[str, ...]], str | None] = {}
        self._probed: dict[tuple[str, tuple[str, ...]], tuple[str, ...]] = {}

    def follow(self, path: str) -> None:
        """Note that an answer depends on what was found out about a module, now or for an earlier file."""
        self.asked.add(path)
        self.asked |= self._needs.get(path, frozenset())
        self._followed.add(path)

    def depends(self) -> frozenset[str]:
        """What was asked for the file at hand; with it, what the modules that it follows may depend on."""
        asked = frozenset(self.asked)
        for each in self._followed:
            self._needs[each] = self._needs.get(each, frozenset()) | asked
        self._followed.clear()
        return asked

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

    def may_give_client(self, path: str, wanted: str) -> bool:
        """Whether what a module defines by this name may have to do with a client; asked of its bytes.

        Most of what is imported is a record or a function that has not: its module need not be parsed.
        """
        path = os.path.abspath(path)
        if path in self._modules:
            return True
        key = (path, wanted)
        known = self._giving.get(key)
        if known is None:
            data = self._read(path)
            if data is None:
                return False
            known = self._giving[key] = _is_telling(data, wanted.encode())
        return known

    def has(self, path: str, word: bytes) -> bool:
        """Whether a file has this word: where it has not, it need not be parsed to look for it."""
        key = (path, word)
        self.asked.add(path)
        if key not in self._having:
            data = self._read(path)
            self._having[key] = data is not None and word in data
        return self._having[key]

    def _read(self, path: str) -> bytes | None:
        """A file's bytes, kept for what is asked of it next; None where it cannot be read."""
        self.asked.add(path)
        data = self._bytes.get(path)
        if data is None:
            if len(self._bytes) >= _KEPT_FILES:
                self._bytes.clear()
            try:
                data = self._bytes[path] = read(path)
            except Unreadable:
                return None
        return data

    def parsed(self, path: str, data: bytes) -> Module | None:
        """The module of these bytes where an import had it parsed already."""
        known = self._modules.get(os.path.abspath(path))
        return known if known is not None and known.data == data else None

    def asks(self, path: str) -> bool:
        """Whether a file may send a request, by its bytes: else nobody need look for answers in it."""
        path = os.path.abspath(path)
        self.asked.add(path)
        if path not in self._asking:
            data = self._read(path)
            package = self.package(path)
            self._asking[path] = data is not None and tokens.may_request(data, package)
        return self._asking[path]

    def module(self, path: str, data: bytes) -> Module:
        """The module of these bytes, its bodies parsed when they are asked for; raises `Unreadable`."""
        path = os.path.abspath(path)
        source = parse(path, data)
        found = Module(path, self, data, source)
        self._modules[path] = found
        self.size += source.size
        return found

    def dotted(self, path: str) -> str:
        """The name by which a file is imported, from the folder above its outermost package."""
        root = self._package_root(os.path.dirname(path))
        parts = os.path.relpath(path, root).removesuffix(".py").split(os.sep)
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def package(self, path: str) -> str:
        """The outermost package that a file is in, `""` where it is in none."""
        named = os.path.dirname(path)
        found = self._outermost.get(named)
        if found is None:
            folder = os.path.abspath(named)
            below = os.path.relpath(folder, self._package_root(folder))
            found = self._outermost[named] = below.partition(os.sep)[0].replace(".", "")
        return found

    def roots_of(self, path: str) -> tuple[str, ...]:
        """Where a file's imports are looked for: around its package, beside it, in the project's roots."""
        folder = os.path.dirname(path)
        return tuple(dict.fromkeys((self._package_root(folder), folder, *self.roots)))

    def find(self, dotted: str, roots: tuple[str, ...]) -> str | None:
        """The file of a module of the project, None when there is none."""
        key = (dotted, roots)
        if key not in self._found:
            above, _, last = dotted.replace(".", os.sep).rpartition(os.sep)
            self._found[key] = None
            probed: list[str] = []
            for root in roots:
                folder = f"{root}{os.sep}{above}" if above else root
                candidates = ((f"{folder}{os.sep}{last}", "__init__.py"), (folder, f"{last}.py"))
                paths = [f"{inside}{os.sep}{name}" for inside, name in candidates]
                hit = next(
                    (path for path, each in zip(paths, candidates, strict=True) if self._has(*each)), None
                )
                probed += paths
                if hit:
                    self._found[key] = hit
                    probed = [hit]
                    break
            self._probed[key] = tuple(probed)
        self.asked.update(self._probed[key])
        return self._found[key]

    def _package_root(self, folder: str) -> str:
        """The folder above the outermost package; a folder in a package is of it, whatever it has."""
        root = self._packages.get(folder)
        if root is None:
            above = os.path.dirname(folder)
            inside, near = False, folder
            for _ in range(_GAPS):
                inside = inside or (near != os.path.dirname(near) and self._has(near, "__init__.py"))
                near = os.path.dirname(near)
            root = self._packages[folder] = self._package_root(above) if inside else folder
        return root

    def _has(self, folder: str, name: str) -> bool:
        """Whether a folder has a file of this name: listed once, for most names are asked for in vain."""
        names = self._folders.get(folder)
        if names is None:
            names = self._folders[folder] = _python_files(folder)
        return name in names


def _python_files(folder: str) -> frozenset[str]:
    try:
        with os.scandir(folder) as listed:
            return frozenset(each.name for each in listed if each.name.endswith(".py") and each.is_file())
    except OSError:
        return frozenset()


_TELLING = late(
    rb"OpenAI|openai|nthropic|litellm\.|genai|istral|ohere|edrock|boto3|roq|llama|Chat[A-Z]\w+\(|Router\(|llm\b|LLM\b|"
    rb"lient\b|Crew|Task\(|Agent\(|Flow\b|import_module|__getattr__|instructor|ogether|erebras"
)
_BASES = late(
    rb"class\s+\w+\s*(?:\(\s*(?:object|BaseModel|ABC|Enum|str|Protocol|TypedDict|Exception|\s|,)*\))?\s*:"
)
_NEXT = late(rb"^[^\s)\]}#]", re.M)


def _is_telling(data: bytes, name: bytes) -> bool:
    """Whether a function or class speaks of a client; True for a name that is bound in another way."""
    found = re.search(rb"^(?:async[ ]+def|def|class)[ ]+" + re.escape(name) + rb"\b", data, re.M)
    if found is None:
        return name in data or b"import *" in data or b"__getattr__" in data
    end = _NEXT.search(data, found.end())
    chunk = data[found.start() : end.start() if end else len(data)]
    if chunk.startswith(b"class") and not _BASES.match(chunk):
        return True
    return _TELLING.search(chunk) is not None
