"""One pass over a syntax tree: which names are bound where and to what, and every call with its surroundings.

The pass keeps a stack of its own: code with a thousand `elif` or a sum of a thousand terms must not end it.
"""

from __future__ import annotations

import ast
import bisect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from watchglass.check.source import Source

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)

IMPORT, FROM, DEFINITION, VALUE, ENTER, PARAMETER, ANNOTATION, OPAQUE = range(8)


class Binding(NamedTuple):
    """One way in which a name gets its value."""

    kind: int
    node: ast.AST | None = None
    """The definition, the expression, the parameter or the annotation."""
    path: str = ""
    """Of an import: the dotted module."""
    name: str = ""
    """Of `from path import name`."""
    items: int = 0
    """How often an element is taken out of the expression: 1 in `for name in node`. Of an import its dots."""


class Scope:
    """A module, class or function, and what is bound in it."""

    __slots__ = (
        "attributes",
        "borrowed",
        "names",
        "node",
        "parent",
        "place",
        "qualname",
        "returns",
        "stars",
        "sums",
        "yields",
    )

    def __init__(self, node: ast.AST, parent: Scope | None, qualname: str, place: Place | None) -> None:
        self.node = node
        self.parent = parent
        self.qualname = qualname
        self.place = place
        """Where it is defined; None for a module."""
        self.names: dict[str, list[Binding]] = {}
        self.attributes: dict[str, list[tuple[str, Binding]]] = {}
        """By attribute: whose it is that is set here (`self` in `self.client = …`), and to what. An item
        with a text for its key is an attribute in brackets: `[callback]`."""
        self.borrowed: dict[str, str] = {}
        """Names declared `global` or `nonlocal`, and which of the two."""
        self.returns: list[ast.expr] = []
        self.yields: list[ast.expr] = []
        self.stars: list[str] = []
        self.sums: list[tuple[str, ast.expr]] = []
        """Names that more is added to, and what: `text += piece`."""

    @property
    def is_class(self) -> bool:
        """Whether it is the body of a class, whose names functions inside do not see."""
        return isinstance(self.node, ast.ClassDef)

    def bind(self, name: str, binding: Binding) -> None:
        """Remember one more way in which `name` gets its value, in the scope that it belongs to."""
        owner = self
        borrowed = self.borrowed.get(name)
        if borrowed == "global":
            while owner.parent is not None:
                owner = owner.parent
        elif borrowed and self.parent is not None:
            owner = self.parent
            while owner.parent is not None and owner.parent.parent is not None and name not in owner.names:
                owner = owner.parent
        owner.names.setdefault(name, []).append(binding)


class Place(NamedTuple):
    """Where an expression stands: its scope, and the `with` items around it within that scope."""

    scope: Scope
    withs: tuple[ast.expr, ...] = ()


class Call(NamedTuple):
    """A call and where it stands."""

    node: ast.Call
    place: Place

    @property
    def name(self) -> str:
        """The last name of what is called: `create` of `client.chat.completions.create(…)`."""
        func = self.node.func
        if isinstance(func, ast.Attribute):
            return func.attr
        return func.id if isinstance(func, ast.Name) else ""


Speaks = Callable[[ast.AST, bytes, int, int], object]
"""Whether a function that is not parsed yet speaks of something: it, and where its text is."""


class Scanned:
    """All that the pass found in one module. Bodies of functions are passed when they are asked for: of a
    module that is only imported from, most never are."""

    __slots__ = ("_calls", "_pending", "_scopes", "_source", "is_looked_through", "module", "package")

    def __init__(self, source: Source, package: str) -> None:
        tree = source.tree
        self.package = package
        """The dotted package that relative imports start from."""
        self.module = Scope(tree, None, "", None)
        self._scopes: dict[ast.AST, Scope] = {tree: self.module}
        self._calls: list[Call] = []
        self._pending: dict[ast.AST, Place] = {}
        self._source = source
        self.is_looked_through = False
        """Whether somebody asked for its calls: of a module that is only imported from, nobody does."""
        self._scan(tree.body, Place(self.module))

    @property
    def calls(self) -> list[Call]:
        """Every call in the module."""
        self.is_looked_through = True
        self._finish()
        return self._calls

    @property
    def passed(self) -> list[Scope]:
        """Every scope that was come upon; what functions that are left for later bind is not in them yet."""
        return list(self._scopes.values())

    def calls_where(self, speaks: Speaks) -> list[Call]:
        """Calls, at least those of functions whose text `speaks` of what they are wanted for."""
        self.is_looked_through = True
        silent: set[ast.AST] = set()
        while True:
            near: list[ast.AST] = []
            for each in self._pending:
                if each not in silent:
                    text = self._source.left_out(each)
                    if text is None or speaks(each, *text):
                        near.append(each)
                    else:
                        silent.add(each)
            if not near:
                return self._calls
            self._pass(near)

    def calls_near(self, lines: list[int]) -> list[Call]:
        """Calls, at least those of functions that have one of these lines (in order) in their body."""
        while near := [each for each in self._pending if _has_one(each, lines)]:
            self._pass(near)
        return self._calls

    def _pass(self, functions: list[ast.AST]) -> None:
        self._source.fill(functions)
        for node in functions:
            self._scan_body(node, self._pending.pop(node))

    def scopes(self) -> list[Scope]:
        """Every scope in the module."""
        self._finish()
        return list(self._scopes.values())

    def scope(self, node: ast.AST) -> Scope | None:
        """The scope of a function or class, its body passed."""
        found = self._scopes.get(node)
        inside = self._pending.pop(node, None)
        if inside is not None:
            self._source.fill([node])
            self._scan_body(node, inside)
        return found

    def add(self, scope: Scope, inside: Place | None = None) -> None:
        """A scope that was come upon; `inside` when its body is left for later."""
        self._scopes[scope.node] = scope
        if inside is not None:
            self._pending[scope.node] = inside

    def add_call(self, call: Call) -> None:
        """A call that was come upon."""
        self._calls.append(call)

    def _finish(self) -> None:
        self._source.fill(self._pending)
        while self._pending:
            self._scan_body(*self._pending.popitem())

    def _scan_body(self, node: ast.AST, inside: Place) -> None:
        body: Any = getattr(node, "body", ())
        self._scan(body if isinstance(body, list) else [body], inside)

    def _scan(self, body: Iterable[ast.AST], place: Place) -> None:
        stack: list[tuple[ast.AST, Place]] = [(each, place) for each in body]
        stack.reverse()
        pop, push = stack.pop, stack.append
        while stack:
            node, place = pop()
            handler = _HANDLERS.get(type(node))
            children = handler(self, node, place) if handler else _children(node)
            for child in children or ():
                if child.__class__ is tuple:
                    push(child)  # type: ignore[arg-type]  # the other kind of child: a node with its place
                    continue
                while child.__class__ is ast.Attribute:
                    child = child.value  # type: ignore[union-attr]  # an attribute has nothing else below it
                if child.__class__ not in _LEAVES:
                    push((child, place))  # type: ignore[arg-type]  # a node


def _has_one(node: ast.AST, lines: list[int]) -> bool:
    """Whether one of these lines, in order, is within a function."""
    at = bisect.bisect_left(lines, getattr(node, "lineno", 0))
    return at < len(lines) and lines[at] <= getattr(node, "end_lineno", 0)


_LEAVES = frozenset(
    {
        type(None),
        str,
        bool,
        int,
        ast.Name,
        ast.Constant,
        ast.Load,
        ast.Store,
        ast.Del,
        ast.Pass,
        ast.Break,
        ast.Continue,
        ast.And,
        ast.Or,
    }
    | set(ast.operator.__subclasses__())
    | set(ast.cmpop.__subclasses__())
    | set(ast.unaryop.__subclasses__())
)
_FIELDS: dict[type, tuple[str, ...]] = {}
"""By kind of node, the fields that may hold others."""

_PLAIN = frozenset(
    {"ctx", "op", "ops", "id", "attr", "arg", "name", "kind", "type_comment", "conversion", "names"}
)


def _children(node: ast.AST) -> list[Any]:
    kind = node.__class__
    fields = _FIELDS.get(kind)
    if fields is None:
        fields = _FIELDS[kind] = tuple(each for each in node._fields if each not in _PLAIN)
    found: list[Any] = []
    for field in fields:
        value: Any = getattr(node, field, None)
        if value.__class__ is list:
            found += value
        elif value is not None:
            found.append(value)
    return found


def inner(node: ast.AST) -> list[ast.AST]:
    """What is directly below a node, without names, constants and the like: what has nothing below itself."""
    return [each for each in _children(node) if each.__class__ not in _LEAVES]


_Children = list["ast.AST | tuple[ast.AST, Place]"] | None


def _import(found: Scanned, node: ast.Import, place: Place) -> _Children:
    for alias in node.names:
        if alias.asname:
            place.scope.bind(alias.asname, Binding(IMPORT, path=alias.name))
        else:
            place.scope.bind(alias.name.partition(".")[0], Binding(IMPORT, path=alias.name.partition(".")[0]))
    return None


def _import_from(found: Scanned, node: ast.ImportFrom, place: Place) -> _Children:
    module = node.module or ""
    if node.level:
        parts = found.package.split(".") if found.package else []
        kept = parts[: len(parts) - node.level + 1] if node.level <= len(parts) + 1 else []
        module = ".".join([*kept, *([module] if module else [])])
    for alias in node.names:
        if alias.name == "*":
            place.scope.stars.append(module)
        else:
            place.scope.bind(
                alias.asname or alias.name, Binding(FROM, path=module, name=alias.name, items=node.level)
            )
    return None


def _function(found: Scanned, node: Function, place: Place) -> _Children:
    name = "<lambda>" if isinstance(node, ast.Lambda) else node.name
    above = place.scope.qualname
    scope = Scope(node, place.scope, f"{above}.{name}" if above else name, place)
    inside = Place(scope)
    found.add(scope, inside)
    arguments = node.args
    for index, each in enumerate([*arguments.posonlyargs, *arguments.args]):
        scope.bind(each.arg, Binding(PARAMETER, each, items=index))
    for each in arguments.kwonlyargs:
        scope.bind(each.arg, Binding(PARAMETER, each, items=-1))
    for each in (arguments.vararg, arguments.kwarg):
        if each is not None:
            scope.bind(each.arg, Binding(OPAQUE, each))
    outside: _Children = [*arguments.defaults, *(each for each in arguments.kw_defaults if each)]
    if isinstance(node, ast.Lambda):
        scope.returns.append(node.body)
        return outside
    place.scope.bind(node.name, Binding(DEFINITION, node))
    outside += node.decorator_list
    return outside


def _class(found: Scanned, node: ast.ClassDef, place: Place) -> _Children:
    above = place.scope.qualname
    scope = Scope(node, place.scope, f"{above}.{node.name}" if above else node.name, place)
    found.add(scope)
    place.scope.bind(node.name, Binding(DEFINITION, node))
    inside = Place(scope)
    outside: list[ast.AST] = [*node.bases, *node.decorator_list, *(each.value for each in node.keywords)]
    return [*outside, *((each, inside) for each in reversed(node.body))]


def _bind_target(scope: Scope, target: ast.expr, binding: Binding) -> None:
    """Bind what stands left of `=`, after `for`, after `as`."""
    pending = [(target, binding)]
    while pending:
        target, binding = pending.pop()
        if isinstance(target, ast.Name):
            scope.bind(target.id, binding)
        elif isinstance(target, ast.Attribute):
            owner = dotted(target.value)
            if owner:
                scope.attributes.setdefault(target.attr, []).append((owner, binding))
        elif isinstance(target, ast.Subscript):
            owner, key = dotted(target.value), target.slice
            if owner and isinstance(key, ast.Constant) and isinstance(key.value, str):
                scope.attributes.setdefault(f"[{key.value}]", []).append((owner, binding))
        elif isinstance(target, ast.Starred):
            pending.append((target.value, binding._replace(items=binding.items)))
        elif isinstance(target, (ast.Tuple, ast.List)):
            pending.extend(_unpacked(target.elts, binding))


def dotted(node: ast.AST | None) -> str:
    """`self.client` as it is written; `""` for what is not a name and its attributes."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _unpacked(targets: list[ast.expr], binding: Binding) -> Iterator[tuple[ast.expr, Binding]]:
    """`a, b = x, y` pairs them; every other unpacking takes elements out."""
    value = binding.node
    literal = binding.kind == VALUE and not binding.items and isinstance(value, (ast.Tuple, ast.List))
    if literal and isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(targets):
        yield from ((t, Binding(VALUE, v)) for t, v in zip(targets, value.elts, strict=True))
    else:
        yield from ((each, binding._replace(items=binding.items + 1)) for each in targets)


def _assign(found: Scanned, node: ast.Assign, place: Place) -> _Children:
    for target in node.targets:
        _bind_target(place.scope, target, Binding(VALUE, node.value))
    return [*node.targets, node.value]


def _annotated(found: Scanned, node: ast.AnnAssign, place: Place) -> _Children:
    _bind_target(place.scope, node.target, Binding(ANNOTATION, node.annotation))
    if node.value is None:
        return None
    _bind_target(place.scope, node.target, Binding(VALUE, node.value))
    return [node.value]


def _augmented(found: Scanned, node: ast.AugAssign, place: Place) -> _Children:
    if isinstance(node.op, ast.BitOr):
        _bind_target(place.scope, node.target, Binding(VALUE, node.value))
    elif isinstance(node.op, ast.Add) and isinstance(node.target, ast.Name):
        place.scope.sums.append((node.target.id, node.value))
    return [node.value]


def _walrus(found: Scanned, node: ast.NamedExpr, place: Place) -> _Children:
    place.scope.bind(node.target.id, Binding(VALUE, node.value))
    return [node.value]


def _for(found: Scanned, node: ast.For | ast.AsyncFor, place: Place) -> _Children:
    _bind_target(place.scope, node.target, Binding(VALUE, node.iter, items=1))
    return [node.iter, *node.body, *node.orelse]


def _comprehension(found: Scanned, node: ast.comprehension, place: Place) -> _Children:
    _bind_target(place.scope, node.target, Binding(VALUE, node.iter, items=1))
    return [node.iter, *node.ifs]


def _with(found: Scanned, node: ast.With | ast.AsyncWith, place: Place) -> _Children:
    entered = place
    children: _Children = []
    for item in node.items:
        children.append((item.context_expr, entered))
        if item.optional_vars is not None:
            _bind_target(place.scope, item.optional_vars, Binding(ENTER, item.context_expr))
        entered = Place(place.scope, (*entered.withs, item.context_expr))
    return [*children, *((each, entered) for each in node.body)]


def _handler(found: Scanned, node: ast.ExceptHandler, place: Place) -> _Children:
    if node.name:
        place.scope.bind(node.name, Binding(OPAQUE, node))
    return [*node.body]


def _case(found: Scanned, node: ast.Match, place: Place) -> _Children:
    children: _Children = [node.subject]
    for case in node.cases:
        for pattern in ast.walk(case.pattern):
            if isinstance(pattern, ast.MatchAs) and pattern.name:
                items = 0 if pattern is case.pattern else 1
                place.scope.bind(pattern.name, Binding(VALUE, node.subject, items=items))
        children += [*([case.guard] if case.guard else []), *case.body]
    return children


def _return(found: Scanned, node: ast.Return, place: Place) -> _Children:
    if node.value is None:
        return None
    place.scope.returns.append(node.value)
    return [node.value]


def _yield(found: Scanned, node: ast.Yield | ast.YieldFrom, place: Place) -> _Children:
    if node.value is None:
        return None
    place.scope.yields.append(node.value)
    return [node.value]


def _borrowed(found: Scanned, node: ast.Global | ast.Nonlocal, place: Place) -> _Children:
    for name in node.names:
        place.scope.borrowed[name] = "global" if isinstance(node, ast.Global) else "nonlocal"
    return None


def _call(found: Scanned, node: ast.Call, place: Place) -> _Children:
    found.add_call(Call(node, place))
    return [node.func, *node.args, *(each.value for each in node.keywords)]


def _attribute(found: Scanned, node: ast.Attribute, place: Place) -> _Children:
    return [node.value]


_HANDLERS: dict[type[ast.AST], Callable[[Scanned, Any, Place], _Children]] = {
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.Lambda: _function,
    ast.ClassDef: _class,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.NamedExpr: _walrus,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.comprehension: _comprehension,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.ExceptHandler: _handler,
    ast.Match: _case,
    ast.Return: _return,
    ast.Yield: _yield,
    ast.YieldFrom: _yield,
    ast.Global: _borrowed,
    ast.Nonlocal: _borrowed,
    ast.Call: _call,
    ast.Attribute: _attribute,
}
"""What is done with a node of a kind, and which of its children are looked at next."""
