"""A statement as the engine's parser understands it: the printed syntax tree, read back.

The engine prints one node a line, indented by depth: kind, name, `(alias …)`, `(children n)`.
Text inside quoted names may hold line breaks and so forge further lines; that can only add nodes,
never hide one, and a line that does not look like a node is an error here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from watchglass.errors import QueryRefused

_LINE = re.compile(r"(?P<indent> *)(?P<kind>[A-Za-z]+(?:::[A-Za-z]+)?)(?: (?P<rest>.*))?", re.DOTALL)
_CHILDREN = re.compile(r"\s*\(children \d+\)$")
_ALIAS = re.compile(r" \(alias .*\)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Node:
    """One node with the kinds and names of the nodes above it, the root first."""

    kind: str
    name: str
    above: tuple[Node, ...]

    def parent(self, generation: int = 1) -> Node | None:
        """The node one or more levels up, if there is one."""
        return self.above[-generation] if len(self.above) >= generation else None


def read_tree(lines: Iterable[str]) -> list[Node]:
    """Every node of a printed tree, in order."""
    nodes: list[Node] = []
    stack: list[Node] = []
    for line in lines:
        match = _LINE.fullmatch(line)
        depth = len(match["indent"]) if match else 0
        if match is None or depth > len(stack):
            raise QueryRefused(
                f"the part {line.strip()!r} of the statement cannot be judged; write it another way"
            )
        del stack[depth:]
        name = _ALIAS.sub("", _CHILDREN.sub("", match["rest"] or ""))
        node = Node(match["kind"], name, tuple(stack))
        nodes.append(node)
        stack.append(node)
    return nodes
