"""Which functions of a file may send a request, by their text: bodies of the others need not be parsed."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from watchglass.check import clients, scopes
from watchglass.check.expressions import late
from watchglass.check.scopes import Binding, Call, Scanned
from watchglass.check.spelling import last_name


def _either(names: Iterable[str]) -> bytes:
    """One of these, by their first letters: to try a hundred in turn wherever a dot is takes long."""
    rests: dict[str, list[str]] = {}
    for each in sorted(names, key=len, reverse=True):
        rests.setdefault(each[0], []).append(each[1:])
    return "|".join(f"{first}(?:{'|'.join(rest)})" for first, rest in rests.items()).encode()


_NAMES = _either(clients.METHOD_NAMES)
_ATTRIBUTE = late(rb"\.\s*(?:%s)\b(?!\s*=[^=])" % _NAMES)
_IMPORTED = late(rb"import[ \t]*(?:\([^)]*?|[^\n]*?)\b(?:%s)\b" % _NAMES)
_BY_TEXT = late(rb"getattr\([^\n]*?[\"'](?:%s)[\"']" % _NAMES)
_BARE = late(rb"\b(?:%s)\b[\s\\)]*[(,]" % _NAMES)
_MODEL = late(rb"(?:[lL][lL][mM]|[mM][oO][dD][eE][lL]|[cC][hH][aA][tT]|[gG][pP][tT])\w*[\s\\)]*\(")
"""What is called like a model of LangChain's."""

_MAKE_CALLABLES = frozenset({"partial", "getattr", "cast", "partialmethod", "wraps", "patch"})


def calls(scanned: Scanned, langchain: bool) -> list[Call]:
    """Calls of a module, at least all that may be a request, and those around them."""
    stars = bool(scanned.module.stars)  # any name may be one of a client's
    found: list[Call] = []
    names = clients.METHOD_NAMES & scanned.module.names.keys()
    known: set[str] = set()
    for _ in range(3):  # a second name for what has another name already
        words = [each.encode() for each in names]

        def speaks(node: ast.AST, data: bytes, begin: int, end: int, words: list[bytes] = words) -> bool:
            return (
                _speaks(data, begin, end)
                or any(data.find(each, begin, end) >= 0 for each in words)
                or _is_given(node)
                or (stars and _BARE.search(data, begin, end) is not None)
                or (langchain and _MODEL.search(data, begin, end) is not None)
            )

        found = scanned.calls_where(speaks)
        known |= names
        names = _second_names(scanned, known) - known
        if not names:
            break
    return found


def _speaks(data: bytes, begin: int, end: int) -> bool:
    return (
        _ATTRIBUTE.search(data, begin, end) is not None
        or data.find(b")(", begin, end) >= 0
        or data.find(b"](", begin, end) >= 0
        or _IMPORTED.search(data, begin, end) is not None
        or _BY_TEXT.search(data, begin, end) is not None
    )


def _is_given(function: ast.AST) -> bool:
    """Whether a function has a parameter that is called like a request."""
    arguments = getattr(function, "args", None)
    if not isinstance(arguments, ast.arguments):
        return False
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return any(each.arg in clients.METHOD_NAMES for each in listed)


def _second_names(scanned: Scanned, known: set[str]) -> set[str]:
    """Names that functions elsewhere may call a request by: of the module, of a class, attributes."""
    found: set[str] = set()
    for scope in scanned.passed:
        if scope is scanned.module or scope.is_class:
            found.update(name for name, bindings in scope.names.items() if _leads(bindings, known))
        for attribute, pairs in scope.attributes.items():
            if _leads((binding for _, binding in pairs), known):
                found.add(attribute.strip("[]"))
    return found


def _leads(bindings: Iterable[Binding], known: set[str]) -> bool:
    return any(
        (each.kind == scopes.FROM and each.name in clients.METHOD_NAMES)
        or (each.kind == scopes.VALUE and _is_one(each.node, known))
        for each in bindings
    )


def _is_one(node: ast.AST | None, known: set[str]) -> bool:
    """Whether an expression may be a function that sends a request: named like one, or made of one."""
    pending = [node]
    while pending:
        each = pending.pop()
        if isinstance(each, (ast.Name, ast.Attribute)):
            named = last_name(each)
            if named in clients.METHOD_NAMES or named in known:
                return True
        elif isinstance(each, ast.Call):
            if last_name(each.func) in _MAKE_CALLABLES:
                pending += each.args
        elif isinstance(each, ast.Constant):
            if each.value in clients.METHOD_NAMES:
                return True  # `getattr(client, "create")`
        elif isinstance(each, ast.IfExp):
            pending += [each.body, each.orelse]
        elif isinstance(each, (ast.BoolOp, ast.Dict)):
            pending += each.values
    return False
