"""`# noqa`: the comments by which a line says that it means it."""

from __future__ import annotations

import ast
import bisect
import re
from typing import cast

from watchglass.check.expressions import late
from watchglass.check.source import Source

_COMMENT = late(r"#\s*noqa\b(?P<codes>\s*:\s*(?P<list>[A-Za-z]+[A-Za-z0-9]*(?:[,\s]+[A-Z]+[0-9]+)*))?", re.I)
OBSERVABILITY = "observability"
"""What the teams write: all rules of this checker, and no other's."""


def suppressed(code: str, source: Source, node: ast.expr | ast.stmt, statement: ast.stmt | None) -> bool:
    """Whether a comment on the first or last line of the code found, or of its statement, allows it."""
    lines = {node.lineno, node.end_lineno or node.lineno}
    if statement is not None:
        lines.add(statement.lineno)
        if not hasattr(statement, "body"):
            lines.add(statement.end_lineno or statement.lineno)
    return any(allows(source.line(each), code) for each in lines)


def allows(line: str, code: str) -> bool:
    """Whether this line's comment allows findings of this rule."""
    if "noqa" not in line.lower():
        return False
    for comment in _COMMENT.finditer(line):
        if comment["codes"] is None:
            if not line[comment.end() :].lstrip().startswith(":"):
                return True
            continue
        named = [each.lower() for each in re.split(r"[,\s]+", comment["list"])]
        if code.lower() in named or OBSERVABILITY in named:
            return True
    return False


def statement_around(tree: ast.Module, line: int, end: int) -> ast.stmt | None:
    """The innermost statement that holds these lines."""
    found: ast.stmt | None = None
    bodies: list[list[ast.stmt]] = [tree.body]
    while bodies:
        body = bodies.pop()
        last = bisect.bisect_right(body, line, key=lambda each: each.lineno)  # by far not all of a long file
        each = body[last - 1] if last else None
        if each is None or (each.end_lineno or each.lineno) < end:
            continue
        found = each
        for field in ("body", "orelse", "finalbody"):
            inner = getattr(each, field, None)
            if isinstance(inner, list):
                bodies.append(cast("list[ast.stmt]", inner))
        bodies += [handler.body for handler in getattr(each, "handlers", ())]
        bodies += [case.body for case in getattr(each, "cases", ())]
    return found
