"""What a rule is, and what it is given: one file as code, with answers to what its names are."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import NamedTuple

from watchglass.check import requests
from watchglass.check.configuration import Configuration
from watchglass.check.project import Module
from watchglass.check.requests import Request
from watchglass.check.resolve import Resolver
from watchglass.check.scopes import Place
from watchglass.check.values import Values


class Found(NamedTuple):
    """What a rule has to say of a piece of code."""

    node: ast.expr | ast.stmt
    place: Place
    message: str
    fix: str = ""
    """When it is another than the rule's own."""


class Subject:
    """One file, as the rules see it."""

    def __init__(self, module: Module, resolver: Resolver, configuration: Configuration, path: str) -> None:
        self.module = module
        self.resolver = resolver
        self.configuration = configuration
        self.path = path
        """As it is shown, and as the configuration's patterns match it."""
        self._requests: list[Request] | None = None

    @property
    def requests(self) -> list[Request]:
        """Every request to a model in it."""
        if self._requests is None:
            self._requests = requests.find(self.module, self.resolver)
        return self._requests

    def value(self, node: ast.AST | None, place: Place) -> Values:
        """What an expression may be."""
        return self.resolver.value(node, place, self.module)


class Rule(NamedTuple):
    """One rule; `check` says what it finds in a file that passes the prefilter."""

    code: str
    name: str
    severity: str
    summary: str
    """One sentence: what it finds."""
    because: str
    """Why that is a fault, for the documentation."""
    source: str
    """Where the reason can be read."""
    fix: str
    """What to do, in a sentence."""
    wants: Callable[[bytes, str], int]
    """Whether a file of these bytes, in this top package, can have findings: NO, YES, or IMPORTS: if what it
    imports has clients."""
    check: Callable[[Subject], Iterable[Found]]
    wrong: str = ""
    """An example that it finds."""
    right: str = ""
    """The same as it should be."""
    default: bool = True
    """Whether it is on unless switched off."""

    @property
    def link(self) -> str:
        """Where it is described."""
        return f"docs/reference/check.md#{self.code.lower()}"


NO, IMPORTS, YES = range(3)
