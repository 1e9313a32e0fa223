"""What an expression may be, as far as it matters here.

What comes from outside the project is known by the path that leads to it, with `()` for a call:
`openai.OpenAI().chat.completions.create`. Where that begins is not known, the path begins with `?`:
`?client.chat.completions.create`. Functions, classes and modules of the project are themselves.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from watchglass.check.project import Module
    from watchglass.check.scopes import Place

NAME, FUNCTION, CLASS, INSTANCE, MODULE = range(5)


class Made(NamedTuple):
    """The call that made an object."""

    node: ast.Call
    place: Place
    module: Module


class Value(NamedTuple):
    """One thing that an expression may be."""

    kind: int
    path: str = ""
    """Of a name; `""` of the others."""
    module: Module | None = None
    node: ast.AST | None = None
    """The definition of a function or class, or of an instance's class."""
    items: int = 0
    """How many containers are around it: 1 for a list of clients."""
    made: Made | None = None
    """The constructor's call, where the object's own arguments matter (a crew, a task)."""

    @property
    def key(self) -> tuple[int, str, int, int, int]:
        """What makes two of them the same."""
        node = self.made.node if self.made else None
        return (self.kind, self.path, id(self.node), self.items, id(node))


Values = tuple[Value, ...]
MOST = 12
"""No more alternatives than this are followed: names bound more often are no clients."""


def name(path: str, made: Made | None = None) -> Value:
    """Something from outside the project."""
    return Value(NAME, path, made=made)


def union(*groups: Values) -> Values:
    """All of them, once each."""
    found = {value.key: value for group in groups for value in group}
    return tuple(found.values())[:MOST]


def boxed(found: Values) -> Values:
    """Containers of these."""
    return tuple(each._replace(items=each.items + 1) for each in found)
