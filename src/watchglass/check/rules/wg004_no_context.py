"""WG004: a request that is reached with nothing said of whom it is for, and what for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from watchglass.check import crews, handing, recorded, tokens, values
from watchglass.check.finding import WARNING
from watchglass.check.rule import IMPORTS, NO, YES, Found, Rule, Subject
from watchglass.check.scopes import FUNCTIONS, Call, Place, Scope

DEEPEST = 6
"""Through how many functions of the module callers are followed."""


def wants(data: bytes, package: str) -> int:
    """Files with a request or a crew, and those that make a context."""
    if tokens.may_request(data, package) or b"kickoff" in data:
        return YES
    if b"watchglass" in data and b"context(" in data:
        return YES
    return IMPORTS if tokens.is_certain(data, package) else NO


def check(subject: Subject) -> Iterator[Found]:
    """Contexts that are never entered, and requests that are reached without one."""
    data = subject.module.data
    if b"watchglass" in data:
        yield from _never_entered(subject)
    elif not subject.configuration.instrumented:
        return
    if b"ContextMiddleware" in data:
        return
    callers = _Callers(subject)
    for node, place in _sites(subject):
        if not _says_itself(node) and callers.reaches(place, frozenset()):
            yield Found(
                node, place, "asks a model here, and nothing that leads here says for whom or what for"
            )


def _sites(subject: Subject) -> Iterator[tuple[ast.expr, Place]]:
    for request in subject.requests:
        yield request.node, request.place
    for node, method, place, _ in crews.references(subject, crews.KICKOFFS):
        if crews.crews(subject, method, place) is not None:
            yield node, place


def _says_itself(node: ast.expr) -> bool:
    """Whether the call has `metadata` of its own, or arguments that are made elsewhere and may have it."""
    return isinstance(node, ast.Call) and any(each.arg in {"metadata", None} for each in node.keywords)


def _never_entered(subject: Subject) -> Iterator[Found]:
    """`watchglass.context(…)` as a statement of its own: made, and thrown away."""
    made = {call.node: call for call in subject.module.scanned.calls if call.name == "context"}
    if not made:
        return
    for statement in ast.walk(subject.module.source.tree):
        if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
            continue
        call = made.get(statement.value)
        if call is not None and recorded.is_context(subject, call.node, call.place):
            yield Found(
                call.node, call.place, "this context is never entered: put `with` before it", fix=_ENTER
            )


class _Callers:
    """Who calls the functions of a module, within it."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._by_name: dict[str, list[Call]] = {}
        for call in subject.module.scanned.calls:
            self._by_name.setdefault(call.name, []).append(call)

    def reaches(self, place: Place, above: frozenset[Scope]) -> bool:
        """Whether a line is reached from the module's top with no context on the way; False where nobody
        can say, because nothing in the module calls the function."""
        if recorded.in_context(self._subject, place):
            return False
        scope = place.scope
        while scope.is_class and scope.parent is not None:
            scope = scope.parent
        function = scope.node
        if not isinstance(function, FUNCTIONS):
            return True
        if scope in above or len(above) >= DEEPEST or handing.enters_context(self._subject, scope):
            return False
        if isinstance(function, ast.Lambda):
            return False
        return any(
            self.reaches(call.place, above | {scope})
            for call in self._by_name.get(function.name, ())
            if self._is_of(call, function)
        )

    def _is_of(self, call: Call, function: ast.AST) -> bool:
        found = self._subject.value(call.node.func, call.place)
        return any(each.kind == values.FUNCTION and each.node is function for each in found)


_ENTER = (
    "write `with watchglass.context(…):` around what it is for, or put it above a function as a decorator"
)
RULE = Rule(
    code="WG004",
    name="no-context",
    severity=WARNING,
    summary="A request to a model is reached with no tenant and no feature said, or a context is made and "
    "never entered. Off unless it is switched on.",
    because="What a request costs is booked on the tenant and feature in force: without them it is in the "
    "bill, and in nobody's share of it.",
    source="https://www.finops.org/framework/capabilities/allocation/",
    fix="put `with watchglass.context(tenant=…, feature=…):` around it, or where it is known who asks",
    wants=wants,
    check=check,
    default=False,
    wrong="""\
import litellm
import watchglass

watchglass.init(service_name="nightly")


def digest(text: str) -> str:
    found = litellm.completion(model="openai/gpt-4o-mini", messages=[{"role": "user", "content": text}])
    return found.choices[0].message.content


if __name__ == "__main__":
    print(digest("What happened today?"))
""",
    right="""\
import litellm
import watchglass

watchglass.init(service_name="nightly")


def digest(text: str) -> str:
    found = litellm.completion(model="openai/gpt-4o-mini", messages=[{"role": "user", "content": text}])
    return found.choices[0].message.content


if __name__ == "__main__":
    with watchglass.context(tenant="acme", feature="digest"):
        print(digest("What happened today?"))
""",
)
