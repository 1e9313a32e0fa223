"""Attributes of values: what a module exports, what a class says, inherits, or hands on."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from watchglass.check import clients, scopes, values
from watchglass.check.project import Module
from watchglass.check.scopes import Binding, Place, Scope
from watchglass.check.spelling import last_name
from watchglass.check.values import Value, Values, name, union

_COLLECTED = {"tasks": "crewai.Task()", "agents": "crewai.Agent()"}
"""What a crew of CrewAI's has lists of."""


class Asks(Protocol):
    """What knows what names and expressions are, and ends questions that are asked within themselves."""

    def value(self, node: ast.AST | None, place: Place, module: Module) -> Values:
        """What an expression may be."""
        ...

    def bound_name(self, wanted: str, scope: Scope, module: Module) -> Values:
        """What a name of a scope may be."""
        ...

    def bound(self, binding: Binding, scope: Scope, module: Module) -> Values:
        """What one binding gives."""
        ...

    def exported(self, dotted: str, wanted: str, module: Module) -> Values:
        """What a module of the project gives under a name that it does not bind itself."""
        ...

    def returned(self, function: Value) -> Values:
        """What a function of the project returns."""
        ...

    def once(self, key: object, kept: dict[Any, Values], at: Any, ask: Callable[[], Values]) -> Values:
        """The answer, kept for the next time."""
        ...


class Members:
    """Answers for one resolver, each once."""

    def __init__(self, resolver: Asks) -> None:
        self._resolver = resolver
        self._known: dict[tuple[ast.AST, str], Values] = {}

    def member(self, owner: Value, attribute: str) -> Values:
        """An attribute of a value."""
        if owner.items:
            return (name(f"?.{attribute}"),)
        if owner.kind == values.NAME:
            if attribute in clients.TRANSPARENT:
                return (owner,)
            made = _COLLECTED.get(attribute) if owner.path == "crewai.Crew()" else None
            if made:
                return (Value(values.NAME, made, items=1),)
            return (name(clients.canonical(f"{owner.path}.{attribute}"), owner.made),)
        if owner.kind == values.MODULE and owner.module is not None:
            return self._of_module(owner, attribute)
        if owner.kind in {values.INSTANCE, values.CLASS}:
            return self._of_instance(owner, attribute)
        if owner.kind == values.FUNCTION and attribute in {"__wrapped__", "__func__", "delay", "remote"}:
            return (owner,)
        return ()

    def _of_module(self, owner: Value, attribute: str) -> Values:
        module = owner.module
        assert module is not None
        top = module.scanned.module
        if attribute in top.names:
            return self._resolver.bound_name(attribute, top, module)
        return self._resolver.exported(owner.path, attribute, module) or (name(f"{owner.path}.{attribute}"),)

    def _of_instance(self, owner: Value, attribute: str) -> Values:
        found = self.of_class(owner, attribute)
        if owner.kind == values.INSTANCE:
            found = union(*(self._got(each) for each in found))
        if found:
            return found
        node = owner.node
        called = node.name if isinstance(node, ast.ClassDef) else ""
        return (name(f"?{called}.{attribute}"),)

    def _got(self, member: Value) -> Values:
        """A property is what it returns."""
        function = member.node
        if member.kind == values.FUNCTION and isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            decorators = {last_name(each) for each in function.decorator_list}
            if "computed_field" in decorators or any(each.endswith("property") for each in decorators):
                return self._resolver.returned(member)
        return (member,)

    def of_class(self, owner: Value, attribute: str) -> Values:
        """What a class of the project says of an attribute; nothing when it does not say."""
        node, module = owner.node, owner.module
        if owner.kind not in {values.INSTANCE, values.CLASS} or module is None or node is None:
            return ()
        key = (node, attribute)
        known = self._known.get(key)
        if known is not None:
            return known
        return self._resolver.once(key, self._known, key, lambda: self._said(node, attribute, module))

    def _said(self, node: ast.AST, attribute: str, module: Module) -> Values:
        found = self._declared(node, attribute, module) or self._inherited(node, attribute, module)
        return found or self._intercepted(node, attribute, module)

    def _declared(self, node: ast.AST, attribute: str, module: Module) -> Values:
        scope = module.scanned.scope(node)
        if scope is None:
            return ()
        found: list[Values] = []
        if attribute in scope.names:
            found.append(self._resolver.bound_name(attribute, scope, module))
        for inner in self._methods(scope, module, attribute):
            own = next(iter(inner.names), "")
            for owner, binding in inner.attributes.get(attribute, ()):
                if owner in {own, "self", "cls"}:
                    found.append(self._resolver.bound(binding, inner, module))
        return union(*found)

    def _methods(self, scope: Scope, module: Module, attribute: str) -> Iterable[Scope]:
        """The methods that may set an attribute: by their text, for most need not be parsed."""
        methods = [
            each.node
            for bindings in scope.names.values()
            for each in bindings
            if each.kind == scopes.DEFINITION and isinstance(each.node, scopes.FUNCTIONS)
        ]
        telling = [each for each in methods if module.source.may_have(each, attribute.strip("[]"))]
        module.source.fill(telling)
        for each in telling:
            inner = module.scanned.scope(each)
            if inner is not None:
                yield inner

    def _inherited(self, node: ast.AST, attribute: str, module: Module) -> Values:
        scope = module.scanned.scope(node)
        if not isinstance(node, ast.ClassDef) or scope is None or scope.parent is None:
            return ()
        for written in node.bases:
            base = written.value if isinstance(written, ast.Subscript) else written  # `Flow[State]`
            for each in self._resolver.value(base, Place(scope.parent), module):
                if each.kind == values.CLASS:
                    found = self.of_class(each, attribute)
                elif each.kind == values.NAME and not each.path.startswith(
                    ("?", "builtins.", "abc.", "typing.")
                ):
                    found = (name(f"{each.path}().{attribute}"),)
                else:
                    found = ()
                if found:
                    return found
        return ()

    def _intercepted(self, node: ast.AST, attribute: str, module: Module) -> Values:
        """A class whose `__getattr__` asks another object: a wrapper, or an import put off."""
        scope = module.scanned.scope(node)
        if scope is None or "__getattr__" not in scope.names or attribute.startswith("__"):
            return ()
        for each in self._resolver.bound_name("__getattr__", scope, module):
            inner = module.scanned.scope(each.node) if each.node else None
            for result in inner.returns if inner else ():
                if (
                    isinstance(result, ast.Call)
                    and last_name(result.func) == "getattr"
                    and result.args
                    and inner
                ):
                    owners = self._resolver.value(result.args[0], Place(inner), module)
                    return union(*(self.member(owner, attribute) for owner in owners))
        return ()
