"""Checks one file: prefilter, tree, rules, suppression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from watchglass.check import tokens
from watchglass.check.configuration import Configuration
from watchglass.check.expressions import late
from watchglass.check.files import File
from watchglass.check.finding import UNREADABLE, WARNING, Finding
from watchglass.check.project import Module, Project
from watchglass.check.resolve import Resolver
from watchglass.check.rule import NO, YES, Found, Rule, Subject
from watchglass.check.rules import RULES
from watchglass.check.source import Unreadable, read
from watchglass.check.suppression import statement_around, suppressed

KEPT_BYTES = 3 << 20
"""So much code is kept as trees at a time: a tree takes some hundred times the room of its text."""

DEEPEST_IMPORT = 4
"""How many modules a client may be handed through before it is used."""

_IMPORT = late(rb"\n[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]*(\([^)]*\)|[^\n]*)|import[ \t]+([^\n]+))")
"""It begins with the end of a line, not with `^`: what begins with a byte is found far sooner."""


class Result(NamedTuple):
    """What a file came to, and the other files that this depends on."""

    findings: list[Finding]
    asked: frozenset[str] = frozenset()


class Checker:
    """Checks files one after another; what one import needs the next one finds done."""

    def __init__(self, configuration: Configuration, rules: Mapping[str, Rule] | None = None) -> None:
        self.configuration = configuration
        self.rules = dict(rules) if rules is not None else {rule.code: rule for rule in RULES}
        roots = [f"{configuration.root}/{each}" for each in configuration.src]
        self.project = Project(roots)
        self._resolver = Resolver(self.project)

    def check(self, file: File) -> Result:
        """The findings of one file; one that cannot be read or is nested too deeply is one itself."""
        if self.configuration.exempt.covers(file.relative):
            return Result([])
        self.project.asked.clear()
        try:
            found = self._checked(file)
        except Unreadable as error:
            found = [_unreadable(file, str(error), error.line)]
        except RecursionError:
            found = [_unreadable(file, "it is nested too deeply to be followed", 1)]
        return Result(found, self.project.depends())

    def _checked(self, file: File) -> list[Finding]:
        codes = self.configuration.rules_for(file.relative)
        rules = [rule for code, rule in self.rules.items() if code in codes]
        data = read(file.path)
        package = self.project.package(file.path)
        wanted = [(rule, how) for rule in rules if (how := rule.wants(data, package)) != NO]
        if not wanted:
            return []
        if not any(how == YES for _, how in wanted) and not self.leads_to_clients(file.path, data):
            return []
        subject = self.subject(file.path, data)
        found = [each for rule, _ in wanted for each in self._found(rule, subject)]
        if subject.module.source.unreadable:
            raise subject.module.source.unreadable
        return sorted(set(found), key=Finding.place)

    def subject(self, path: str, data: bytes) -> Subject:
        """The file as rules see it, its bodies parsed when they are asked for; raises `Unreadable`."""
        if self.project.size > KEPT_BYTES:
            self.project.forget()
            self._resolver = Resolver(self.project)
        module = self.project.parsed(path, data)
        if module is None:
            module = self.project.module(path, data)
        else:
            # It was imported from. What was found out about it then is asked once more: the cache has to
            # know on which files it depends.
            self._resolver = Resolver(self.project)
        return Subject(module, self._resolver, self.configuration, path)

    def _found(self, rule: Rule, subject: Subject) -> Iterator[Finding]:
        source = subject.module.source
        for each in rule.check(subject):
            end = each.node.end_lineno or each.node.lineno
            statement = statement_around(source.tree, each.node.lineno, end)
            if not suppressed(rule.code, source, each.node, statement):
                yield _finding(rule, each, subject, subject.module)

    def leads_to_clients(self, path: str, data: bytes, depth: int = DEEPEST_IMPORT) -> bool:
        """Whether what a file imports from the project, near or far, names a provider."""
        roots = self.project.roots_of(path)
        for dotted in self._imports(path, data):
            found = self.project.find(dotted, roots)
            if found is not None and self._names_provider(found, depth):
                return True
        return False

    def _names_provider(self, path: str, depth: int) -> bool:
        known = self.project.naming.get(path)
        self.project.asked.add(path)
        if known is None:
            self.project.naming[path] = False  # for imports in a circle
            try:
                data = read(path)
            except Unreadable:
                return False
            known = bool(tokens.providers_in(data)) or (
                depth > 0 and self.leads_to_clients(path, data, depth - 1)
            )
            self.project.naming[path] = known
        return known

    def _imports(self, path: str, data: bytes) -> Iterator[str]:
        package = self.project.dotted(path)
        if not path.endswith("__init__.py"):
            package = package.rpartition(".")[0]
        for origin, names, plain in _IMPORT.findall(b"\n" + data):
            if plain:
                yield from (
                    each.split()[0] for each in plain.decode("ascii", "replace").split(",") if each.split()
                )
                continue
            dotted = origin.decode("ascii", "replace")
            level = len(dotted) - len(dotted.lstrip("."))
            if level:
                above = package.split(".")[: len(package.split(".")) - level + 1]
                dotted = ".".join([*above, *filter(None, [dotted.lstrip(".")])])
            yield dotted
            for each in names.decode("ascii", "replace").strip("()").split(","):
                if each.split() and each.split()[0].isidentifier():
                    yield f"{dotted}.{each.split()[0]}"


def _finding(rule: Rule, found: Found, subject: Subject, module: Module) -> Finding:
    node, source = found.node, module.source
    cell, line = source.where(node.lineno)
    _, end = source.where(node.end_lineno or node.lineno)
    return Finding(
        subject.path,
        cell,
        line,
        source.column(node),
        end,
        rule.code,
        rule.severity,
        found.message,
        found.fix or rule.fix,
        found.place.scope.qualname,
        source.line(node.lineno).strip()[:400],
    )


def _unreadable(file: File, reason: str, line: int) -> Finding:
    message = f"this file was not checked: {reason}"
    fix = "mend it, check it with the Python that it is written for, or exclude it"
    return Finding(file.path, None, line, 1, line, UNREADABLE, WARNING, message, fix, "", "")
