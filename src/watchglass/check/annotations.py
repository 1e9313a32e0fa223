"""What an annotation says that a value is: instances of the class that it names, or containers of those."""

from __future__ import annotations

import ast
from typing import Protocol

from watchglass.check import values
from watchglass.check.project import Module
from watchglass.check.scopes import Place, Scope
from watchglass.check.values import Value, Values, boxed, name, union

DEEPEST = 40
"""How deep annotations may be nested."""

_CONTAINERS = frozenset(
    [
        "list",
        "List",
        "Sequence",
        "Iterable",
        "Iterator",
        "Generator",
        "AsyncIterator",
        "AsyncGenerator",
        "Collection",
        "set",
        "Set",
        "frozenset",
        "tuple",
        "Tuple",
        "deque",
        "AsyncIterable",
    ]
)
_MAPPINGS = frozenset(["dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict"])
_WRAPPERS = frozenset(
    [
        "Optional",
        "Union",
        "Annotated",
        "ClassVar",
        "Final",
        "Required",
        "NotRequired",
        "Type",
        "type",
        "Awaitable",
    ]
)


class Asks(Protocol):
    """What knows the values of expressions."""

    def value(self, node: ast.AST | None, place: Place, module: Module) -> Values:
        """What an expression may be."""
        ...


class Annotations:
    """Answers for one resolver."""

    def __init__(self, resolver: Asks) -> None:
        self._resolver = resolver
        self._depth = 0

    def annotated(self, node: ast.AST | None, scope: Scope, module: Module) -> Values:
        """Instances of the class that an annotation names."""
        if self._depth >= DEEPEST or node is None:
            return ()
        self._depth += 1
        try:
            return self._annotation(node, scope, module)
        finally:
            self._depth -= 1

    def _annotation(self, node: ast.AST, scope: Scope, module: Module) -> Values:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                parsed = ast.parse(node.value, mode="eval").body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return ()
            return self.annotated(parsed, scope, module)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return union(self.annotated(node.left, scope, module), self.annotated(node.right, scope, module))
        if isinstance(node, ast.Subscript):
            return self._generic(node, scope, module)
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self._instances(self._resolver.value(node, Place(scope), module))
        return ()

    def _generic(self, node: ast.Subscript, scope: Scope, module: Module) -> Values:
        outer = node.value
        called = outer.id if isinstance(outer, ast.Name) else getattr(outer, "attr", "")
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if called in _WRAPPERS:
            first = inner[:1] if called == "Annotated" else inner
            found = union(*(self.annotated(each, scope, module) for each in first))
            if called == "Annotated":
                for extra in inner[1:]:
                    found = union(found, self._resolver.value(extra, Place(scope), module))
            return found
        if called in _CONTAINERS:
            return boxed(union(*(self.annotated(each, scope, module) for each in inner[:1])))
        if called in _MAPPINGS and len(inner) == 2:
            return boxed(self.annotated(inner[1], scope, module))
        return self.annotated(outer, scope, module)

    def _instances(self, found: Values) -> Values:
        made: list[Value] = []
        for each in found:
            if each.path in {"typing.Any", "builtins.object", "typing_extensions.Any"}:
                continue
            if each.kind == values.CLASS:
                made.append(each._replace(kind=values.INSTANCE))
            elif each.kind == values.NAME and not each.path.startswith(("?", "builtins.")):
                made.append(name(each.path if each.path.endswith(")") else f"{each.path}()"))
            elif each.kind == values.INSTANCE or each.items:
                made.append(each)  # an alias of a type: `Client = Union[…]`
        return tuple(made)
