"""WG005: an entry point that makes clients before tracking is set up, or without ever setting it up."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator

from watchglass.check import clients, crews, recorded, tokens, values
from watchglass.check.finding import WARNING
from watchglass.check.rule import IMPORTS, NO, YES, Found, Rule, Subject
from watchglass.check.scopes import Call, Place

APPLICATIONS = frozenset(
    {
        "fastapi.FastAPI()",
        "flask.Flask()",
        "quart.Quart()",
        "starlette.applications.Starlette()",
        "litestar.Litestar()",
        "sanic.Sanic()",
        "celery.Celery()",
    }
)
"""Objects that a server is started with: the module that makes one is where the process starts."""

_ENTRIES = (
    b"__main__",
    b'"cells"',
    *(each.rpartition(".")[2][:-1].encode() for each in sorted(APPLICATIONS)),
)


def wants(data: bytes) -> int:
    """Files that could be an entry point and make a request or a crew."""
    if not tokens.any_of(data, _ENTRIES):
        return NO
    if tokens.may_request(data) or b"kickoff" in data:
        return YES
    return IMPORTS if tokens.any_of(data, tokens.CERTAIN) else NO


def check(subject: Subject) -> Iterator[Found]:
    """One finding for an entry point: at its first client or request."""
    if subject.configuration.instrumented or not is_entry_point(subject):
        return
    first = _first(subject)
    if first is None:
        return
    node, place = first
    tracking = list(recorded.tracking_calls(subject, subject.module))
    if not tracking:
        if not recorded.is_tracked(subject) and not recorded.tracked_by_others(subject):
            yield Found(
                node, place, "tracking is never set up in this entry point, and here it begins to ask a model"
            )
        return
    early = _early(subject, tracking[0])
    if early is not None:
        yield Found(
            *early, f"made before tracking is set up (line {tracking[0].node.lineno}): it may go unrecorded"
        )


def is_entry_point(subject: Subject) -> bool:
    """Whether a process starts here: `if __name__ == "__main__"`, a served application, a notebook."""
    module = subject.module
    if module.source.cells or os.path.basename(module.path) == "__main__.py":
        return True
    for statement in module.source.tree.body:
        if isinstance(statement, ast.If) and _is_main(statement.test):
            return True
    for call in module.scanned.calls:
        if call.place.scope.parent is None:
            for value in subject.value(call.node.func, call.place):
                if value.kind == values.NAME and f"{value.path}()" in APPLICATIONS:
                    return True
    return False


def _is_main(test: ast.expr) -> bool:
    sides = [test.left, *test.comparators] if isinstance(test, ast.Compare) else []
    return any(isinstance(each, ast.Name) and each.id == "__name__" for each in sides)


def _first(subject: Subject) -> tuple[ast.expr, Place] | None:
    """The first request, client or kickoff of the file that makes requests."""
    found: list[tuple[ast.expr, Place]] = [(each.node, each.place) for each in subject.requests]
    for node, method, place, _ in crews.references(subject, crews.KICKOFFS):
        if crews.crews(subject, method, place) is not None:
            found.append((node, place))
    found += _clients(subject)
    return min(found, key=lambda each: (each[0].lineno, each[0].col_offset), default=None)


def _clients(subject: Subject) -> Iterator[tuple[ast.expr, Place]]:
    for call in subject.module.scanned.calls:
        if call.name[:1].isupper() or call.name in {"client", "init_chat_model", "create_client"}:
            for value in subject.value(call.node, call.place):
                if value.kind == values.NAME and value.path in clients.CONSTRUCTORS:
                    yield call.node, call.place
                    break


def _takes_requests(statement: ast.stmt) -> bool:
    """`from litellm import completion`: a name that is bound before anything is put around it."""
    return (
        isinstance(statement, ast.ImportFrom)
        and statement.module == "litellm"
        and any(each.name in clients.METHOD_NAMES for each in statement.names)
    )


def _early(subject: Subject, tracking: Call) -> tuple[ast.expr | ast.stmt, Place] | None:
    """What is made before: above it in the same scope, or at the module's top when it is in a function."""
    made: list[tuple[ast.expr | ast.stmt, Place]] = [*_clients(subject)]
    made += [(each.node, each.place) for each in subject.requests]
    top = subject.module.scanned.module
    for statement in subject.module.source.tree.body:
        if _takes_requests(statement):
            made.append((statement, Place(top)))
    scope, line = tracking.place.scope, tracking.node.lineno
    early = [
        (node, place)
        for node, place in made
        if (place.scope is scope and node.lineno < line) or (place.scope is top and scope is not top)
    ]
    return min(early, key=lambda each: each[0].lineno, default=None)


RULE = Rule(
    code="WG005",
    name="tracking-late-or-never",
    severity=WARNING,
    summary="An entry point sets tracking up after its first client is made, or never.",
    because="What is imported or made before watchglass.init() may hold functions that nothing was put "
    "around: such calls are told of late, by the library's own hooks, or not at all.",
    source="https://opentelemetry.io/docs/zero-code/python/",
    fix="call watchglass.init(service_name=…) first, above the imports and clients that are to be recorded",
    wants=wants,
    check=check,
    wrong="""\
import litellm

if __name__ == "__main__":
    print(litellm.completion(model="openai/gpt-4o-mini", messages=[{"role": "user", "content": "Hello!"}]))
""",
    right="""\
import watchglass

watchglass.init(service_name="shop")

import litellm

if __name__ == "__main__":
    print(litellm.completion(model="openai/gpt-4o-mini", messages=[{"role": "user", "content": "Hello!"}]))
""",
)
