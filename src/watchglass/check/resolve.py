"""What an expression is: names followed through scopes, classes, functions and modules of the project.

It is of the order of things only: a name that is bound twice is either. That is what a reader would say who
asks "could this be a client?", and it keeps one answer per expression.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from typing import Any, ClassVar

from watchglass.check import clients, scopes, values
from watchglass.check.annotations import Annotations
from watchglass.check.members import Members
from watchglass.check.project import Module, Project
from watchglass.check.scopes import Binding, Call, Place, Scope
from watchglass.check.spelling import default_of, is_class_method, is_context_manager, is_static
from watchglass.check.values import Made, Value, Values, boxed, name, union

DEEPEST = 40
"""How deep one answer may lead: definitions that go on longer are not code but data."""

MOST_STEPS = 4000
"""How many questions one question may raise."""

_BUILTINS = frozenset(dir(builtins))
_ELEMENT_METHODS = frozenset({"get", "pop", "values", "popleft", "setdefault", "__getitem__"})
_FIELDS = frozenset({"Field", "field", "PrivateAttr", "Factory", "attrib", "ib"})


class Resolver:
    """Answers for the modules of one project, each once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._expressions: dict[ast.AST, Values] = {}
        self._names: dict[tuple[Scope, str], Values] = {}
        self._annotations = Annotations(self)
        self._members = Members(self)
        self._results: dict[ast.AST, Values] = {}
        self._open: set[object] = set()
        self._depth = 0
        self._cuts = 0
        self._steps = 0
        self._calls: dict[tuple[Module, str], list[Call]] = {}
        self.kept: dict[object, Any] = {}
        """What a rule found out about a module, for the next file that it is asked for."""

    # Expressions

    def value(self, node: ast.AST | None, place: Place, module: Module) -> Values:
        """What an expression may be; nothing where it is none of what matters here."""
        if node is None:
            return ()
        known = self._expressions.get(node)
        if known is not None:
            return known
        handler = self._WAYS.get(type(node))
        if handler is None:
            return ()
        return self.once(node, self._expressions, node, lambda: handler(self, node, place, module))

    def once(self, key: object, kept: dict[Any, Values], at: Any, ask: Callable[[], Values]) -> Values:
        """The answer, kept for the next time; nothing where the question is asked within itself."""
        if not self._open:
            self._steps = 0
        self._steps += 1
        if key in self._open or self._depth >= DEEPEST or self._steps > MOST_STEPS:
            self._cuts += 1
            return ()
        self._open.add(key)
        self._depth += 1
        before = self._cuts
        try:
            found = ask()
        finally:
            self._open.discard(key)
            self._depth -= 1
        if before == self._cuts or not self._open:
            # What was cut short may lack what the question around it is about: it is asked again.
            kept[at] = found
        return found

    def _name(self, node: ast.Name, place: Place, module: Module) -> Values:
        return self.lookup(node.id, place.scope, module)

    def _attribute(self, node: ast.Attribute, place: Place, module: Module) -> Values:
        owners = self.value(node.value, place, module)
        if not owners:
            return self._unknown(node)
        return union(*(self.member(owner, node.attr) for owner in owners))

    def _unknown(self, node: ast.Attribute) -> Values:
        """What begins with something unknown still has its path: `a[0].chat.completions.create`."""
        return (name(f"?.{node.attr}"),)

    def _called(self, node: ast.Call, place: Place, module: Module) -> Values:
        if isinstance(node.func, ast.Attribute) and node.func.attr in clients.SAME_METHOD:
            owners = self.value(node.func.value, place, module)
            if node.func.attr.startswith("enter_"):
                owners = self.value(node.args[0] if node.args else None, place, module)
            return union(*(self._set_up(owner, node, place, module) for owner in owners))
        if isinstance(node.func, ast.Attribute) and node.func.attr == "pipe":
            return self._models([node.func.value, *node.args], place, module)
        if isinstance(node.func, ast.Attribute) and node.func.attr in _ELEMENT_METHODS:
            owners = self.value(node.func.value, place, module)
            if any(owner.items for owner in owners):
                kept = 1 if node.func.attr == "values" else 0
                return tuple(each._replace(items=each.items - 1 + kept) for each in owners if each.items)
        callees = self.value(node.func, place, module)
        return union(*(self._result(callee, node, place, module) for callee in callees))

    def _set_up(self, owner: Value, node: ast.Call, place: Place, module: Module) -> Values:
        """`client.with_options(…)` is the client, unless the project's own class says what it is."""
        if owner.kind == values.INSTANCE and isinstance(node.func, ast.Attribute):
            found = self._members.of_class(owner, node.func.attr)
            if found:
                return union(*(self._result(each, node, place, module) for each in found))
        return (owner,)

    def _result(self, callee: Value, node: ast.Call, place: Place, module: Module) -> Values:
        if callee.items:
            return ()
        if callee.kind == values.NAME:
            return self._outside(callee, node, place, module)
        if callee.kind == values.FUNCTION:
            return self.returned(callee)
        if callee.kind == values.CLASS:
            return (Value(values.INSTANCE, "", callee.module, callee.node, made=Made(node, place, module)),)
        if callee.kind == values.INSTANCE:
            called = self._members.of_class(callee, "__call__")
            return union(*(self.returned(each) for each in called if each.kind == values.FUNCTION))
        return ()

    def _outside(self, callee: Value, node: ast.Call, place: Place, module: Module) -> Values:
        """The result of something that is not the project's."""
        path = callee.path
        first = node.args[0] if node.args else None
        if path in clients.SAME_OBJECT:
            if path == "typing.cast" and len(node.args) == 2:
                told = self.annotated(first, place.scope, module)
                return told or self.value(node.args[1], place, module)
            given = self.value(first, place, module)
            if path.startswith("instructor.from_"):  # the same client, with methods of its own
                return union(given, (name("instructor.Instructor()"),))
            return given
        if path == "builtins.getattr" and len(node.args) >= 2:
            return self._getattr(node, place, module)
        if path in {"importlib.import_module", "builtins.__import__"}:
            text = first.value if isinstance(first, ast.Constant) else None
            return self.imported(text, module) if isinstance(text, str) else ()
        if path in {"builtins.list", "builtins.tuple", "builtins.iter", "builtins.set", "builtins.reversed"}:
            return self.value(first, place, module)
        if path in {"builtins.next", "random.choice"}:
            return tuple(
                each._replace(items=each.items - 1) for each in self.value(first, place, module) if each.items
            )
        if path == "builtins.super":
            return (name("?super()"),)
        if path.rpartition(".")[2] in _FIELDS:
            return self._field(node, place, module)
        if path.startswith("langchain") and path.rpartition(".")[2] in clients.PIPES:
            return self._models([*node.args, *(each.value for each in node.keywords)], place, module)
        if path == "fastapi.Depends":
            return union(
                *(self._result(each, node, place, module) for each in self.value(first, place, module))
            )
        service = next((each.value for each in node.keywords if each.arg == "service_name"), first)
        if path.endswith(("client", "create_client")) and isinstance(service, ast.Constant):
            return (name(f"{path}({service.value!r})"),)
        if path.endswith("client") and path.startswith(("boto3.", "aioboto3.")):
            return (name("?client"),)  # of a service that is told elsewhere
        return (name(f"{path}()", Made(node, place, module)),)

    def _getattr(self, node: ast.Call, place: Place, module: Module) -> Values:
        attribute = node.args[1]
        if isinstance(attribute, ast.Constant) and isinstance(attribute.value, str):
            owners = self.value(node.args[0], place, module)
            return union(*(self.member(owner, attribute.value) for owner in owners))
        return ()

    def _field(self, node: ast.Call, place: Place, module: Module) -> Values:
        """`field(default_factory=OpenAI)` of dataclasses, pydantic and attrs."""
        found: list[Values] = []
        for keyword in node.keywords:
            if keyword.arg in {"default_factory", "factory"}:
                for each in self.value(keyword.value, place, module):
                    found.append(self._result(each, node, place, module))
            elif keyword.arg == "default":
                found.append(self.value(keyword.value, place, module))
        return union(*found)

    def _subscript(self, node: ast.Subscript, place: Place, module: Module) -> Values:
        owners = self.value(node.value, place, module)
        return tuple(each._replace(items=each.items - 1) for each in owners if each.items)

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set, place: Place, module: Module) -> Values:
        return boxed(union(*(self.value(each, place, module) for each in node.elts[: values.MOST])))

    def _dict(self, node: ast.Dict, place: Place, module: Module) -> Values:
        return boxed(union(*(self.value(each, place, module) for each in node.values[: values.MOST])))

    def _listed(
        self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp, place: Place, module: Module
    ) -> Values:
        return boxed(self.value(node.elt, place, module))

    def _dict_listed(self, node: ast.DictComp, place: Place, module: Module) -> Values:
        return boxed(self.value(node.value, place, module))

    def _either(self, node: ast.IfExp, place: Place, module: Module) -> Values:
        return union(self.value(node.body, place, module), self.value(node.orelse, place, module))

    def _any(self, node: ast.BoolOp, place: Place, module: Module) -> Values:
        return union(*(self.value(each, place, module) for each in node.values))

    def _inner(self, node: ast.Await | ast.NamedExpr | ast.Starred, place: Place, module: Module) -> Values:
        return self.value(node.value, place, module)

    def _lambda(self, node: ast.Lambda, place: Place, module: Module) -> Values:
        return (Value(values.FUNCTION, "", module, node),)

    def _piped(self, node: ast.BinOp, place: Place, module: Module) -> Values:
        """`prompt | llm | parser` is the model where it is invoked."""
        if not isinstance(node.op, ast.BitOr):
            return ()
        return self._models([node.left, node.right], place, module)

    def _models(self, nodes: list[ast.expr], place: Place, module: Module) -> Values:
        """The models of LangChain among what is put together."""
        found = union(*(self.value(each, place, module) for each in nodes))
        return tuple(
            each for each in found if each.path.startswith("langchain") and each.path in clients.REQUESTS
        )

    # Names

    def lookup(self, wanted: str, scope: Scope, module: Module) -> Values:
        """What a name may be, seen from a scope."""
        seen: Scope | None = scope
        if scope.borrowed.get(wanted) == "global":
            seen = module.scanned.module
        while seen is not None:
            if wanted in seen.names and not (seen.is_class and seen is not scope):
                return self.bound_name(wanted, seen, module)
            seen = seen.parent
        for star in module.scanned.module.stars:
            found = self.exported(star, wanted, module)
            if found:
                return found
        if wanted in _BUILTINS:
            return (name(f"builtins.{wanted}"),)
        return (name(f"?{wanted}"),)

    def bound_name(self, wanted: str, scope: Scope, module: Module) -> Values:
        """What a name of a scope may be, by all that binds it there."""
        key = (scope, wanted)
        known = self._names.get(key)
        if known is not None:
            return known
        return self.once(key, self._names, key, lambda: self._all_bound(wanted, scope, module))

    def _all_bound(self, wanted: str, scope: Scope, module: Module) -> Values:
        bindings = scope.names[wanted]
        found = union(*(self.bound(each, scope, module) for each in bindings[: 4 * values.MOST]))
        return found or (name(f"?{wanted}"),)

    def bound(self, binding: Binding, scope: Scope, module: Module) -> Values:
        """What one way of binding a name gives it."""
        place = Place(scope)
        kind, node = binding.kind, binding.node
        if kind == scopes.IMPORT:
            return self.imported(binding.path, module)
        if kind == scopes.FROM:
            return self._from(binding, module)
        if kind == scopes.DEFINITION:
            return (
                Value(values.CLASS if isinstance(node, ast.ClassDef) else values.FUNCTION, "", module, node),
            )
        if kind == scopes.VALUE:
            return _taken(self.value(node, place, module), binding.items)
        if kind == scopes.ENTER:
            return self._entered(self.value(node, place, module), module)
        if kind == scopes.ANNOTATION and isinstance(node, ast.expr):
            return self.annotated(node, scope, module)
        if kind == scopes.PARAMETER and isinstance(node, ast.arg):
            return self._parameter(node, binding.items, scope, module)
        return ()

    def _entered(self, found: Values, module: Module) -> Values:
        """What `with … as name` gives: what `__enter__` of a class of ours returns, else the thing itself."""
        entered: list[Values] = []
        for each in found:
            own = self._members.of_class(each, "__enter__") or self._members.of_class(each, "__aenter__")
            results = union(*(self.returned(method) for method in own if method.kind == values.FUNCTION))
            entered.append(results or (each,))
        return union(*entered)

    def _from(self, binding: Binding, module: Module) -> Values:
        whole = clients.canonical(f"{binding.path}.{binding.name}" if binding.path else binding.name)
        if whole.partition("(")[0] in _KNOWN_PATHS or binding.path.split(".")[0] in {
            "crewai",
            "watchglass",
        }:
            return (name(whole),)
        found = self.exported(binding.path, binding.name, module) if binding.path else ()
        if found:
            return found
        ours = binding.items or binding.path.partition(".")[0] == module.dotted.partition(".")[0]
        if ours or self.project.find(binding.path, module.roots):
            return (name(f"?{binding.name}"),)  # the project's own, and not told: it may be anything
        return (name(whole),)

    def exported(self, dotted: str, wanted: str, module: Module) -> Values:
        """A name of a module of the project; of a package that is none, a name that is known."""
        if not dotted:
            return ()
        path = self.project.find(dotted, module.roots)
        if path is None:
            whole = clients.canonical(f"{dotted}.{wanted}")
            return (name(whole),) if whole in _KNOWN_PATHS else ()
        if not self.project.may_give_client(path, wanted):
            return (name(f"?{wanted}"),)
        found = self.project.load(path)
        if found is None or found is module:
            return ()
        top = found.scanned.module
        if wanted in top.names:
            return self.bound_name(wanted, top, found)
        for star in top.stars:
            through = self.exported(star, wanted, found)
            if through:
                return through
        below = self.project.find(f"{dotted}.{wanted}", module.roots)
        inner = self.project.load(below) if below else None
        return (Value(values.MODULE, f"{dotted}.{wanted}", inner),) if inner else ()

    def imported(self, dotted: str, module: Module) -> Values:
        """A module: the project's own, else its name."""
        if dotted.partition(".")[0] in clients.KNOWN:
            return (name(dotted),)
        path = self.project.find(dotted, module.roots)
        found = self.project.load(path) if path else None
        return (Value(values.MODULE, dotted, found),) if found else (name(dotted),)

    def _parameter(self, argument: ast.arg, index: int, scope: Scope, module: Module) -> Values:
        function = scope.node
        if not isinstance(function, scopes.FUNCTIONS):
            return ()
        owner = scope.parent
        if owner is not None and owner.is_class and index == 0 and not is_static(function):
            kind = values.CLASS if is_class_method(function) else values.INSTANCE
            return (Value(kind, "", module, owner.node),)
        found: list[Values] = []
        if argument.annotation is not None:
            found.append(self.annotated(argument.annotation, owner or scope, module))
        default = default_of(function.args, argument)
        if default is not None and owner is not None:
            found.append(self.value(default, scope.place or Place(owner), module))
        known = tuple(each for each in union(*found) if each.path != "builtins.None")
        return known or self._given(argument, index, scope, module)

    def _given(self, argument: ast.arg, index: int, scope: Scope, module: Module) -> Values:
        """What the calls in the same module pass for it: `ask(OpenAI())` tells what `client` is."""
        function, owner = scope.node, scope.parent
        if isinstance(function, ast.Lambda) or owner is None or not module.scanned.is_looked_through:
            return ()  # of a module that is only imported from, the calls are not looked through
        method = owner.is_class and not is_static(function)
        init = owner.is_class and getattr(function, "name", "") == "__init__"
        called = getattr(owner.node if init else function, "name", "")
        found: list[Values] = []
        for call in self.calls_of(module, called)[: values.MOST]:
            node = call.node
            position = index - 1 if method else index
            given = next((each.value for each in node.keywords if each.arg == argument.arg), None)
            if given is None and 0 <= position < len(node.args):
                given = node.args[position]
                if any(isinstance(each, ast.Starred) for each in node.args[: position + 1]):
                    continue
            if given is not None:
                found.append(self.value(given, call.place, module))
        return union(*found)

    def calls_of(self, module: Module, called: str) -> list[Call]:
        """The calls by this name, those at the module's top first, then those of the last function."""
        key = (module, called)
        known = self._calls.get(key)
        if known is None:
            text = called.encode()
            calls = module.scanned.calls_where(lambda _, data, begin, end: data.find(text, begin, end) >= 0)
            known = self._calls[key] = sorted((each for each in calls if each.name == called), key=_order)
        return known

    # Annotations and members

    def annotated(self, node: ast.AST | None, scope: Scope, module: Module) -> Values:
        """Instances of the class that an annotation names."""
        return self._annotations.annotated(node, scope, module)

    def member(self, owner: Value, attribute: str) -> Values:
        """An attribute of a value."""
        return self._members.member(owner, attribute)

    # Functions

    def returned(self, function: Value) -> Values:
        """What a function of the project returns; of a context manager, what it yields."""
        node, module = function.node, function.module
        if node is None or module is None:
            return ()
        known = self._results.get(node)
        if known is not None:
            return known
        scope = module.scanned.scope(node)
        if scope is None:
            return ()
        return self.once(("result", node), self._results, node, lambda: self._gives(node, scope, module))

    def _gives(self, node: ast.AST, scope: Scope, module: Module) -> Values:
        given = union(*(self.value(each, Place(scope), module) for each in scope.returns[: values.MOST]))
        if not given and scope.yields:
            given = union(*(self.value(each, Place(scope), module) for each in scope.yields[: values.MOST]))
            if not is_context_manager(node):
                given = boxed(given)
        annotation = getattr(node, "returns", None)
        if annotation is not None and scope.parent is not None and not any(_is_known(each) for each in given):
            given = union(given, self.annotated(annotation, scope.parent, module))
        return given

    _WAYS: ClassVar[dict[type[ast.AST], Callable[[Any, Any, Place, Module], Values]]] = {
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Call: _called,
        ast.Subscript: _subscript,
        ast.List: _sequence,
        ast.Tuple: _sequence,
        ast.Set: _sequence,
        ast.Dict: _dict,
        ast.ListComp: _listed,
        ast.GeneratorExp: _listed,
        ast.SetComp: _listed,
        ast.DictComp: _dict_listed,
        ast.IfExp: _either,
        ast.BoolOp: _any,
        ast.Await: _inner,
        ast.NamedExpr: _inner,
        ast.Starred: _inner,
        ast.Lambda: _lambda,
        ast.BinOp: _piped,
    }
    """What is asked of an expression of a kind."""


_KNOWN_PATHS = frozenset(
    f"{module}.{export}" for module, exports in clients.EXPORTS.items() for export in exports
)


_SAYS_NOTHING = ("?", "typing.TypeVar", "typing_extensions.TypeVar")
"""Paths that begin with something unknown, or with what a generic class leaves open."""


def _order(call: Call) -> tuple[int, int, int]:
    node = call.place.scope.node
    return (-getattr(node, "lineno", 1 << 30), call.node.lineno, call.node.col_offset)


def _is_known(value: Value) -> bool:
    return value.kind != values.NAME or not value.path.startswith(_SAYS_NOTHING)


def _taken(found: Values, items: int) -> Values:
    """Elements of containers; of what is no container nothing is known."""
    if not items:
        return found
    return tuple(each._replace(items=each.items - items) for each in found if each.items >= items)
