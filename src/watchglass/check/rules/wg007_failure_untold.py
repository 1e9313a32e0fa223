"""WG007: a task that is told to have started by hand, and of whose failure nobody tells."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from watchglass.check import scopes, values
from watchglass.check.finding import WARNING
from watchglass.check.rule import NO, YES, Found, Rule, Subject
from watchglass.check.scopes import FUNCTIONS, Call

STARTING = frozenset({"starting", "started", "start", "pending", "queued"})
ENDED = frozenset(
    {"failed", "failure", "fail", "error", "errored", "exception", "timeout", "cancelled"}
    | {"completed", "complete", "success", "succeeded", "finished", "done"}
)
"""What `status` (else `type`) says of a step, as `capture/callbacks.py` reads it."""

_STEP, _COMPLETION = "_step_callback", "_task_completion_callback"
_BEGIN = "watchglass.capture.steps.begin"
_BROAD = frozenset({"Exception", "BaseException"})


class _Start(NamedTuple):
    call: Call
    owner: str
    """The variable whose methods tell of the end: a handler, or the step itself."""


def wants(data: bytes, package: str) -> int:
    """Files that tell of a start by hand."""
    told = b"_step_callback" in data or (b"watchglass" in data and b"steps" in data and b"begin" in data)
    return YES if told else NO


def check(subject: Subject) -> Iterator[Found]:
    """Every start whose end is told in the same function, and only where nothing was raised."""
    for call in subject.module.scanned.calls:
        start = _start(subject, call)
        function = call.place.scope.node
        if start is None or not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        ends = [each for each in _own(function) if isinstance(each, ast.Call) and _is_end(each, start.owner)]
        if not ends or _is_handed_on(function, start.owner) or _tells_of_failure(function, start, ends):
            continue
        first = min((each.lineno for each in ends if each.lineno > call.node.lineno), default=0)
        if first and _may_fail(function, call.node.end_lineno or call.node.lineno, first, start.owner):
            yield Found(
                call.node,
                call.place,
                f"nothing tells of its end when an exception is raised before line {first}: it stays running",
            )


def _start(subject: Subject, call: Call) -> _Start | None:
    """What a call tells the start of, where the variable is the function's own."""
    func = call.node.func
    scope = call.place.scope
    owner = ""
    if isinstance(func, ast.Attribute) and func.attr == _STEP and isinstance(func.value, ast.Name):
        owner = func.value.id if _state(call.node) in STARTING else ""
    elif call.name == "begin" and any(
        each.kind == values.NAME and each.path == _BEGIN for each in subject.value(func, call.place)
    ):
        owner = next((name for name, known in scope.names.items() if _is_bound(known, call.node)), "")
    bindings = scope.names.get(owner, [])
    own = bool(bindings) and all(each.kind == scopes.VALUE for each in bindings)
    return _Start(call, owner) if own and owner not in scope.borrowed else None


def _is_bound(bindings: list[scopes.Binding], node: ast.AST) -> bool:
    return any(each.kind == scopes.VALUE and each.node is node for each in bindings)


def _state(call: ast.Call) -> str:
    """The `status` of a step, else its `type`; "" for what is no text in a dictionary here."""
    given = call.args[0] if call.args else None
    if not isinstance(given, ast.Dict):
        return ""
    said = {
        key.value: value.value
        for key, value in zip(given.keys, given.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(value, ast.Constant)
    }
    return str(said.get("status") or said.get("type") or "").strip().lower()


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a function, without those of functions in it."""
    pending = list(ast.iter_child_nodes(function))
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            pending += ast.iter_child_nodes(node)


def _is_end(node: ast.Call, owner: str) -> bool:
    if not isinstance(node.func, ast.Attribute) or scopes.dotted(node.func.value) != owner:
        return False
    method = node.func.attr
    return method in {_COMPLETION, "end", "fail"} or (method == _STEP and _state(node) in ENDED)


def _is_handed_on(function: ast.AST, owner: str) -> bool:
    """Whether somebody else may tell of the end: the variable is more than called upon here."""
    called = {id(each.func) for each in ast.walk(function) if isinstance(each, ast.Call)}
    asked = {
        id(each.value)
        for each in ast.walk(function)
        if isinstance(each, ast.Attribute) and id(each) in called and isinstance(each.value, ast.Name)
    }
    inner = [each for each in _own(function) if isinstance(each, FUNCTIONS)]
    used_inside = any(isinstance(n, ast.Name) and n.id == owner for each in inner for n in ast.walk(each))
    return used_inside or any(
        isinstance(each, ast.Name)
        and each.id == owner
        and isinstance(each.ctx, ast.Load)
        and id(each) not in asked
        for each in ast.walk(function)
    )


def _tells_of_failure(function: ast.AST, start: _Start, ends: list[ast.Call]) -> bool:
    """Whether a `try` around what comes next tells of the end in its `finally`, or where it catches all."""
    told = {id(each) for each in ends}
    for node in _own(function):
        if not isinstance(node, ast.Try) or (node.end_lineno or 0) < start.call.node.lineno:
            continue
        caught = [each for each in node.handlers if _is_broad(each.type)]
        places: list[ast.stmt] = [*node.finalbody, *(each for handler in caught for each in handler.body)]
        if any(id(inner) in told for each in places for inner in ast.walk(each)):
            return True
    return False


def _is_broad(caught: ast.expr | None) -> bool:
    listed = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(each is None or scopes.dotted(each).rpartition(".")[2] in _BROAD for each in listed)


def _may_fail(function: ast.AST, after: int, before: int, owner: str) -> bool:
    """Whether something is awaited between two lines, or called that is not the teller's own."""
    return any(
        isinstance(each, (ast.Await, ast.Call))
        and after < each.lineno < before
        and not (isinstance(each, ast.Call) and scopes.dotted(each.func).startswith((f"{owner}.", "log")))
        for each in _own(function)
    )


RULE = Rule(
    code="WG007",
    name="failure-untold",
    severity=WARNING,
    summary="A task is told to have started by hand, and its end is told only where nothing is raised.",
    because="Whoever tells of starts by hand owes an end for each: a task whose exception passes by the line "
    "that tells of its end stays running in every list, is told of as stuck, and never counts as failed.",
    source="https://docs.python.org/3/reference/compound_stmts.html#finally-clause",
    fix="tell of the failure in an `except Exception` around it (`status: failed`, `step.fail(error)`), or "
    "use `with watchglass.task(…)`, which cannot be left open",
    wants=wants,
    check=check,
    wrong="""\
from watchglass import CallbackHandlerIntegration


def assess(crew, flow_id):
    handler = CallbackHandlerIntegration.create_callback_handler(flow_id, {"client_account_id": 1})
    handler._step_callback({"type": "starting", "agent": "assessor", "task": "readiness"})
    found = crew.assess()
    handler._task_completion_callback({"agent": "assessor", "task_name": "readiness"})
    return found
""",
    right="""\
from watchglass import CallbackHandlerIntegration


def assess(crew, flow_id):
    handler = CallbackHandlerIntegration.create_callback_handler(flow_id, {"client_account_id": 1})
    handler._step_callback({"type": "starting", "agent": "assessor", "task": "readiness"})
    told = {"agent": "assessor", "task_name": "readiness"}
    try:
        found = crew.assess()
    except Exception as error:
        handler._task_completion_callback({**told, "status": "failed", "error": error})
        raise
    handler._task_completion_callback({**told, "status": "completed", "output": found})
    return found
""",
)
