"""Whether what a function of the project gives back, or is given, is an answer of a model."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Protocol

from watchglass.check import scopes, values
from watchglass.check.project import Module
from watchglass.check.rule import Subject
from watchglass.check.rules import wg008_words as words
from watchglass.check.scopes import FUNCTIONS, Binding, Place, Scope
from watchglass.check.spelling import tail_name
from watchglass.check.values import Value

DEEPEST = 2
"""Through so many functions an answer is followed: those who pass it on further are seldom one's own."""

MOST = 8
"""No more calls of a function are looked at for what it is given."""


class Reads(Protocol):
    """What knows which values of one module are answers."""

    subject: Subject
    requests: set[ast.AST]

    def is_answer(self, node: ast.AST | None, scope: Scope) -> bool:
        """Whether an expression is one."""
        ...

    def taking(self, scope: Scope, name: str) -> Reads:
        """The same, where a parameter of a function is known to be one."""
        ...


class Functions:
    """Follows calls into the functions of the project, and parameters to the calls in the same module."""

    def __init__(self, reads: Reads, of: Callable[[Module], Reads], depth: int) -> None:
        self._reads = reads
        self._of = of
        self._depth = depth
        self._given: dict[ast.AST, bool] = {}

    def answers(self, call: ast.Call, scope: Scope) -> bool:
        """Whether a call gives an answer: its function asks, says so by its name, or hands one back."""
        named = tail_name(call.func).lower()
        if (_has(named, words.MODELS) and words.ASKING.search(named)) or _asks_a_model(call.func):
            return True
        if self._depth >= DEEPEST or not isinstance(call.func, (ast.Name, ast.Attribute)):
            return False
        given = any(self._reads.is_answer(each, scope) for each in call.args[:MOST])
        if given and words.HANDS_BACK.search(named):
            return True
        asks = bool(self._reads.requests) or _has(named, words.MAY_ASK)
        if not asks and not given:
            return False
        found = self._defined(call.func, scope, given)
        return found is not None and (
            (asks and self._gives(found)) or (given and self._hands_back(found, call, scope))
        )

    def _defined(self, func: ast.expr, scope: Scope, given: bool) -> Value | None:
        """The function that is called, of the same class or module, or imported from a module that asks.

        The resolver finds more, but reads everything that is on the way to a client for it.
        """
        subject = self._reads.subject
        if isinstance(func, ast.Attribute):
            owner = func.value.func if isinstance(func.value, ast.Call) else func.value
            if _has(func.attr.lower(), words.MAY_ASK) and _has(tail_name(owner).lower(), words.MAY_BE_MODEL):
                found = subject.value(func, Place(scope))
                return next((each for each in found if each.kind == values.FUNCTION), None)
            inside = _class_around(scope) if tail_name(func.value) in {"self", "cls"} else None
            bound = inside.names.get(func.attr, ()) if inside is not None else ()
        else:
            seen: Scope | None = scope
            bound = ()
            while seen is not None and not bound:
                bound = () if seen.is_class else seen.names.get(tail_name(func), ())
                seen = seen.parent
        for each in bound:
            if each.kind == scopes.DEFINITION and isinstance(each.node, FUNCTIONS):
                return Value(values.FUNCTION, "", subject.module, each.node)
            if each.kind == scopes.FROM:
                return self._imported(each, subject.module.roots, given)
        return None

    def _imported(self, binding: Binding, roots: tuple[str, ...], given: bool, hops: int = 1) -> Value | None:
        """A function of a module that asks, or of any where it is given an answer."""
        project = self._reads.subject.resolver.project
        path = project.find(binding.path, roots)
        if path is None:
            return None
        hands_on = path.endswith("__init__.py") and _has(binding.name.lower(), words.MAY_ASK)
        module = project.load(path) if given or hands_on or project.asks(path) else None
        for found in module.scanned.module.names.get(binding.name, ()) if module else ():
            if isinstance(found.node, FUNCTIONS):
                return Value(values.FUNCTION, "", module, found.node)
            if found.kind == scopes.FROM and hops and module:
                return self._imported(found, module.roots, given, hops - 1)
        return None

    def _gives(self, function: Value) -> bool:
        """Whether a function returns an answer, or yields its pieces; a number or a yes is none."""
        node, module = function.node, function.module
        if node is None or module is None or _counts(node):
            return False
        if node not in self._given:
            self._given[node] = False
            self._given[node] = self._returns(self._of(module), node, module)
        return self._given[node]

    def _returns(self, reads: Reads, node: ast.AST, module: Module) -> bool:
        scope = module.scanned.scope(node)
        if scope is None:
            return False
        results = [*scope.returns, *scope.yields]
        parts = [part for each in results for part in (each.elts if isinstance(each, ast.Tuple) else [each])]
        return any(reads.is_answer(each, scope) for each in parts[:MOST])

    def _hands_back(self, function: Value, call: ast.Call, scope: Scope) -> bool:
        """Whether it is given an answer, and gives back what it took out of it: `parse(answer)`."""
        node, module = function.node, function.module
        if module is None or not isinstance(node, FUNCTIONS) or _counts(node):
            return False
        inside = module.scanned.scope(node)
        return inside is not None and any(
            self._reads.is_answer(given, scope)
            and self._returns(self._of(module).taking(inside, taken), node, module)
            for taken, given in _paired(node, inside, call)
        )

    def is_given(self, name: str, index: int, scope: Scope) -> bool:
        """Whether the calls in the same module give a function an answer for this parameter."""
        node, subject = scope.node, self._reads.subject
        if self._depth >= DEEPEST or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return False
        calls = subject.resolver.calls_of(subject.module, node.name)[:MOST]
        return any(
            taken == name and self._reads.is_answer(given, call.place.scope)
            for call in calls
            for taken, given in _paired(node, scope, call.node)
        )


def _has(named: str, parts: tuple[str, ...]) -> bool:
    return any(each in named for each in parts)


def _class_around(scope: Scope) -> Scope | None:
    """The class whose method a function is, or is in."""
    seen: Scope | None = scope
    while seen is not None and not seen.is_class:
        seen = seen.parent
    return seen


def _asks_a_model(func: ast.expr) -> bool:
    """`llm.invoke(…)`, of an object that is called a model."""
    return (
        isinstance(func, ast.Attribute)
        and func.attr in words.ASKING_MODEL
        and words.NAMED_MODEL.search(tail_name(func.value).lower()) is not None
    )


def _paired(function: ast.AST, scope: Scope, call: ast.Call) -> list[tuple[str, ast.expr]]:
    """Which parameter is given what, as far as the call says it."""
    arguments = getattr(function, "args", None)
    if not isinstance(arguments, ast.arguments):
        return []
    listed = [each.arg for each in [*arguments.posonlyargs, *arguments.args]]
    if scope.parent is not None and scope.parent.is_class and listed[:1] in (["self"], ["cls"]):
        listed = listed[1:]
    plain = [each for each in call.args if not isinstance(each, ast.Starred)]
    pairs = list(zip(listed, plain, strict=False)) if len(plain) == len(call.args) else []
    return [*pairs, *((each.arg, each.value) for each in call.keywords if each.arg)]


def _counts(function: ast.AST) -> bool:
    """Whether a function says that it gives no words."""
    told = getattr(function, "returns", None)
    return isinstance(told, (ast.Name, ast.Constant)) and (
        tail_name(told) in {"bool", "int", "float", "None"} or getattr(told, "value", "") is None
    )
