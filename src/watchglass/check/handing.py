"""Functions that are handed to something else to be run, and whether they ask a model there."""

from __future__ import annotations

import ast

from watchglass.check import clients, crews, recorded, requests, scopes, values
from watchglass.check.rule import Subject
from watchglass.check.scopes import FUNCTIONS, Call, Place, Scope
from watchglass.check.values import Value

DEEPEST = 3
"""Through how many functions of the project a request is looked for."""


def asks(subject: Subject, node: ast.expr, place: Place) -> bool:
    """Whether what is handed over sends a request when it is run, with nothing of ours around it there."""
    if _is_request(subject, node, place):
        return True
    if isinstance(node, ast.Call) and _last(node.func) == "partial" and node.args:
        return asks(subject, node.args[0], place)
    return any(
        found.kind == values.FUNCTION and _runs_request(subject, found, DEEPEST, set())
        for found in subject.value(node, place)
    )


def _is_request(subject: Subject, node: ast.expr, place: Place) -> bool:
    if not isinstance(node, (ast.Name, ast.Attribute)):
        return False
    if isinstance(node, ast.Attribute) and node.attr in crews.KICKOFFS:
        return crews.crews(subject, node, place) is not None
    return any(_is_callee(subject, each) for each in subject.value(node, place))


def _is_callee(subject: Subject, value: Value) -> bool:
    if value.kind != values.NAME or value.items:
        return False
    if value.path.rpartition(".")[2] not in clients.METHOD_NAMES:
        return False
    callee = requests.match(value.path, None, subject.module.data)
    return callee is not None and subject.module.package not in clients.OWNERS[callee.family]


def _runs_request(subject: Subject, function: Value, depth: int, seen: set[ast.AST]) -> bool:
    """Whether a function of the project sends one, itself or through those that it calls."""
    node, module = function.node, function.module
    if node is None or module is None or depth == 0 or node in seen:
        return False
    seen.add(node)
    inside = subject if module is subject.module else _other(subject, function)
    scope = module.scanned.scope(node)
    if scope is None or enters_context(inside, scope):
        return False
    left_out = _in_a_mode(node)
    if any(_is_within(each.place.scope, scope) and each.node not in left_out for each in inside.requests):
        return True
    calls = [
        call
        for call in module.scanned.calls
        if _is_within(call.place.scope, scope) and call.node not in left_out
    ]
    return any(_kicks_off(inside, call) for call in calls) or any(
        found.kind == values.FUNCTION and _runs_request(inside, found, depth - 1, seen)
        for call in calls
        for found in inside.value(call.node.func, call.place)
    )


def _in_a_mode(function: ast.AST) -> set[ast.AST]:
    """What is reached only where an attribute of the object says so (`if self.is_remote:`): nobody sees
    which it is, and whoever hands the function over may know."""
    found: set[ast.AST] = set()
    for each in ast.walk(function):
        if isinstance(each, ast.If):
            test = each.test.operand if isinstance(each.test, ast.UnaryOp) else each.test
            if scopes.dotted(test).startswith("self."):
                found.update(inner for child in [*each.body, *each.orelse] for inner in ast.walk(child))
    return found


def _kicks_off(subject: Subject, call: Call) -> bool:
    func = call.node.func
    if not isinstance(func, ast.Attribute) or func.attr not in crews.KICKOFFS:
        return False
    return crews.crews(subject, func, call.place) is not None


def enters_context(subject: Subject, scope: Scope) -> bool:
    """Whether a function is decorated with a context, or enters one somewhere: it says itself for whom."""
    for each in getattr(scope.node, "decorator_list", ()):
        if scope.place is not None and recorded.is_context(subject, each, scope.place):
            return True
    return any(
        _is_within(call.place.scope, scope) and recorded.is_context(subject, call.node, call.place)
        for call in subject.module.scanned.calls
        if call.name in {"context", "extract"}
    )


def _other(subject: Subject, function: Value) -> Subject:
    assert function.module is not None
    return Subject(function.module, subject.resolver, subject.configuration, function.module.path)


def _is_within(inner: Scope | None, scope: Scope) -> bool:
    while inner is not None:
        if inner is scope:
            return True
        inner = inner.parent if isinstance(inner.node, FUNCTIONS) else None
    return False


def _last(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
