"""What is checked and how: the table `[tool.watchglass.check]` of the nearest `pyproject.toml`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

from watchglass.check.finding import ERROR, SEVERITIES
from watchglass.check.patterns import Patterns
from watchglass.errors import ConfigError

EXCLUDED = [
    ".git/",
    ".hg/",
    ".svn/",
    ".bzr/",
    ".tox/",
    ".nox/",
    ".venv/",
    "venv/",
    ".direnv/",
    ".eggs/",
    "*.egg-info/",
    "__pycache__/",
    "node_modules/",
    ".mypy_cache/",
    ".pytest_cache/",
    ".ruff_cache/",
    ".pytype/",
    ".ipynb_checkpoints/",
    "site-packages/",
    "__pypackages__/",
    ".pants.d/",
]
"""Folders that are never the project's own code."""

EXEMPT = [
    "tests/",
    "test/",
    "testing/",
    "test_*.py",
    "*_test.py",
    "*_tests.py",
    "tests.py",
    "conftest.py",
    "migrations/",
    "alembic/versions/",
]
"""Tests and migrations: what they call is not what a product costs."""

KEYS: dict[str, str] = {
    "select": "rules that are on, instead of the default ones; `ALL` for every one",
    "extend-select": "rules that are on beside the default ones",
    "ignore": "rules that are off",
    "per-file-ignores": "a table: a pattern of paths, and the rules that are off there",
    "exclude": "patterns of paths that are not looked at, beside those of `.gitignore` and usual ones",
    "exempt": "patterns of paths that are exempt, instead of tests and migrations",
    "allow": "patterns of paths, and dotted modules, in which direct calls are right: where the service is",
    "require-service": "whether a direct call is a finding even where it is recorded (default false)",
    "instrumented": "whether `watchglass.init` runs before in a place that is not seen (default false)",
    "src": 'folders that imports start from (default `["src", "."]`)',
    "respect-gitignore": "whether what git ignores is left out (default true)",
    "fail-on": "the mildest severity that fails: `critical`, `error`, `warning` (default `error`)",
    "baseline": "a file of findings that are known, made by `--write-baseline`",
}
"""Every key of the table, and what it means."""


_MOST_BYTES = 4 << 20


class Configuration(NamedTuple):
    """The table as it is used; paths are from `root`."""

    root: str
    rules: frozenset[str]
    per_file: tuple[tuple[Patterns, frozenset[str]], ...] = ()
    exclude: Patterns = Patterns()
    exempt: Patterns = Patterns(EXEMPT)
    allowed_paths: Patterns = Patterns()
    allowed_modules: frozenset[str] = frozenset()
    require_service: bool = False
    instrumented: bool = False
    src: tuple[str, ...] = ("src", ".")
    respect_gitignore: bool = True
    fail_on: str = ERROR
    baseline: str | None = None

    def relative(self, path: str) -> str:
        """A path as the patterns see it: from the root with `/`; one outside, from the drive's top."""
        full = os.path.abspath(path)
        inside = full.startswith(self.root.rstrip(os.sep) + os.sep)
        found = os.path.relpath(full, self.root) if inside else full.lstrip(os.sep)
        return found.replace(os.sep, "/")

    def rules_for(self, relative: str) -> frozenset[str]:
        """The rules that are on in a file."""
        off = [codes for patterns, codes in self.per_file if patterns.covers(relative)]
        return self.rules.difference(*off) if off else self.rules

    def allows(self, relative: str, dotted: str) -> bool:
        """Whether direct calls are right in this file."""
        if self.allowed_modules and any(_within(dotted, each) for each in self.allowed_modules):
            return True
        return bool(self.allowed_paths) and self.allowed_paths.covers(relative)


def _within(dotted: str, package: str) -> bool:
    return f".{package}." in f".{dotted}."


def load(start: str, codes: Mapping[str, bool]) -> Configuration:
    """The configuration for what is at `start`; `codes` are all rules, and whether each is on by default.

    Raises `ConfigError` for a key or a value that means nothing.
    """
    folder = os.path.abspath(start if os.path.isdir(start) else os.path.dirname(start) or ".")
    while True:
        file = os.path.join(folder, "pyproject.toml")
        if os.path.isfile(file):
            return read(file, codes)
        above = os.path.dirname(folder)
        if above == folder or os.path.exists(os.path.join(folder, ".git")):
            return _defaults(os.getcwd(), codes)
        folder = above


def _defaults(root: str, codes: Mapping[str, bool]) -> Configuration:
    return Configuration(os.path.abspath(root), frozenset(each for each, on in codes.items() if on))


def read(file: str, codes: Mapping[str, bool]) -> Configuration:
    """The configuration in a `pyproject.toml`; the defaults where it has no such table."""
    root = os.path.dirname(os.path.abspath(file))
    try:
        with open(file, "rb") as opened:
            data = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read: {error.strerror}; name a file that can, or mend this one"
        ) from None
    if len(data) > _MOST_BYTES:
        raise ConfigError(f"{file} is larger than {_MOST_BYTES >> 20} MiB, which no configuration is")
    if b"watchglass" not in data:
        return _defaults(root, codes)
    import tomllib

    try:
        document: dict[str, Any] = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is no TOML: {error}") from None
    tool: Any = document.get("tool", {})
    ours: Any = cast("dict[str, Any]", tool).get("watchglass", {}) if isinstance(tool, dict) else {}
    table: Any = cast("dict[str, Any]", ours).get("check", {}) if isinstance(ours, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(f"{file}: tool.watchglass.check is {table!r}; it must be a table")
    return _Table(file, cast("dict[str, Any]", table), codes).configuration(root)


class _Table:
    """The table, read key by key; every complaint says where and what to do."""

    def __init__(self, file: str, table: dict[str, Any], codes: Mapping[str, bool]) -> None:
        self.file, self.table, self.codes = file, table, codes
        for key in table:
            if key not in KEYS:
                raise ConfigError(
                    f"{file}: tool.watchglass.check has no key {key!r}; it knows {', '.join(KEYS)}"
                )

    def _wrong(self, key: str, what: str) -> ConfigError:
        return ConfigError(f"{self.file}: tool.watchglass.check.{key} is {self.table[key]!r}; {what}")

    def texts(self, key: str) -> list[str]:
        found: Any = self.table.get(key, [])
        if not isinstance(found, list) or not all(isinstance(each, str) for each in cast("list[Any]", found)):
            raise self._wrong(key, "it must be a list of texts")
        return cast("list[str]", found)

    def flag(self, key: str, default: bool) -> bool:
        found: Any = self.table.get(key, default)
        if not isinstance(found, bool):
            raise self._wrong(key, "it must be true or false")
        return found

    def rules(self) -> frozenset[str]:
        on = {each for each, default in self.codes.items() if default}
        if "select" in self.table:
            on = set(chosen(self.texts("select"), self.codes, f"{self.file}: select"))
        on |= chosen(self.texts("extend-select"), self.codes, f"{self.file}: extend-select")
        return frozenset(on - chosen(self.texts("ignore"), self.codes, f"{self.file}: ignore"))

    def per_file(self) -> tuple[tuple[Patterns, frozenset[str]], ...]:
        found: Any = self.table.get("per-file-ignores", {})
        if not isinstance(found, dict):
            raise self._wrong("per-file-ignores", "it must be a table of patterns, each with a list of rules")
        listed: list[tuple[Patterns, frozenset[str]]] = []
        for pattern, codes in cast("dict[str, Any]", found).items():
            if not isinstance(codes, list) or not all(
                isinstance(each, str) for each in cast("list[Any]", codes)
            ):
                raise self._wrong("per-file-ignores", f"{pattern!r} must have a list of rules")
            where = f"{self.file}: per-file-ignores of {pattern!r}"
            listed.append((Patterns([pattern]), chosen(cast("list[str]", codes), self.codes, where)))
        return tuple(listed)

    def fail_on(self) -> str:
        found: Any = self.table.get("fail-on", ERROR)
        if found not in SEVERITIES:
            raise self._wrong("fail-on", f"it must be one of {', '.join(reversed(SEVERITIES))}")
        return found

    def baseline(self, root: str) -> str | None:
        found: Any = self.table.get("baseline")
        if found is not None and not isinstance(found, str):
            raise self._wrong("baseline", "it must be the path of a file")
        return None if found is None else os.path.join(root, found)

    def configuration(self, root: str) -> Configuration:
        allow = self.texts("allow")
        modules = [
            each
            for each in allow
            if "." in each
            and not each.endswith(".py")
            and all(part.isidentifier() for part in each.split("."))
        ]
        return Configuration(
            root,
            self.rules(),
            self.per_file(),
            Patterns(self.texts("exclude")),
            Patterns(self.texts("exempt") if "exempt" in self.table else EXEMPT),
            Patterns([each for each in allow if each not in modules]),
            frozenset(modules),
            self.flag("require-service", False),
            self.flag("instrumented", False),
            tuple(self.texts("src") if "src" in self.table else ("src", ".")),
            self.flag("respect-gitignore", True),
            self.fail_on(),
            self.baseline(root),
        )


def chosen(given: Iterable[str], codes: Mapping[str, bool], where: str) -> frozenset[str]:
    """The rules of a list; raises `ConfigError` for one that there is not."""
    found: set[str] = set()
    for each in given:
        code = each.strip().upper()
        if code in {"ALL", "WG"}:
            found |= set(codes)
        elif code in codes:
            found.add(code)
        else:
            raise ConfigError(
                f"{where} names {each!r}, which is no rule; there are {', '.join(sorted(codes))}"
            )
    return frozenset(found)
