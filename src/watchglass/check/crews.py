"""CrewAI's crews and tasks: which calls start them, and whether anything calls back while they run.

The names are those of crewai 1.15 (`crewai/crew.py`, `crewai/task.py`, `crewai/agent.py`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from watchglass.check import requests, scopes, values
from watchglass.check.rule import Subject
from watchglass.check.scopes import Call, Place, Scope
from watchglass.check.values import Made, Value

KICKOFFS = frozenset(
    {
        "kickoff",
        "kickoff_async",
        "akickoff",
        "kickoff_for_each",
        "kickoff_for_each_async",
        "akickoff_for_each",
    }
)
EXECUTIONS = frozenset({"execute_sync", "execute_async", "aexecute_sync"})
"""How a task is done without its crew."""

CREW_CALLBACKS = frozenset(
    {"step_callback", "task_callback", "callbacks", "before_kickoff_callbacks", "after_kickoff_callbacks"}
)
TASK_CALLBACKS = frozenset({"callback", "callbacks"})
AGENT_CALLBACKS = frozenset({"step_callback", "callbacks"})
_HANDLERS = frozenset(
    {"create_callback_handler", "setup_callbacks", "_step_callback", "_task_completion_callback"}
)
_CREW, _TASK, _AGENT = "crewai.Crew()", "crewai.Task()", "crewai.Agent()"


def starts_flow(subject: Subject, method: ast.Attribute, place: Place) -> bool:
    """Whether this starts a flow of CrewAI's."""
    paths = [each.path for each in subject.value(method, place)]
    return any(path.startswith("crewai.Flow") for path in paths) or any(
        each.path.startswith("crewai.Flow") for each in subject.value(method.value, place)
    )


def references(
    subject: Subject, wanted: frozenset[str]
) -> Iterator[tuple[ast.expr, ast.Attribute, Place, ast.Call]]:
    """Calls of these methods, and the methods handed to what calls them: node, method, place, call."""
    words = [each.encode() for each in wanted]

    def speaks(_: ast.AST, data: bytes, begin: int, end: int) -> bool:
        return any(data.find(each, begin, end) >= 0 for each in words)

    for call in subject.module.scanned.calls_where(speaks):
        func = call.node.func
        if isinstance(func, ast.Attribute) and func.attr in wanted:
            yield call.node, func, call.place, call.node
        elif isinstance(func, ast.Name):
            for each in _renamed(func.id, wanted, call.place.scope):
                yield call.node, each, call.place, call.node
        if call.name in requests.RUNNERS:
            keywords = [each.value for each in call.node.keywords if each.arg in {"target", "func"}]
            for each in [*call.node.args[:2], *keywords]:
                if isinstance(each, ast.Attribute) and each.attr in wanted:
                    yield each, each, call.place, call.node


def _renamed(called: str, wanted: frozenset[str], scope: Scope | None) -> Iterator[ast.Attribute]:
    """The methods that go by another name: `start = crew.kickoff`, `partial(task.execute_async, …)`."""
    while scope is not None:
        bindings = scope.names.get(called)
        if bindings is not None:
            for each in bindings if len(bindings) <= values.MOST else ():
                node = each.node if each.kind == scopes.VALUE and not each.items else None
                if isinstance(node, ast.Call) and _named(node) == "partial" and node.args:
                    node = node.args[0]
                if isinstance(node, ast.Attribute) and node.attr in wanted:
                    yield node
            return
        scope = scope.parent


def crews(subject: Subject, method: ast.Attribute, place: Place) -> list[Value] | None:
    """The crews that a method is of: [] where it is one that is made elsewhere, None where it is none."""
    found = [each for each in subject.value(method.value, place) if not each.items]
    made = [each for each in found if each.kind == values.NAME and _is_crew(each.path)]
    if made:
        return made
    ours = {value.path for value in subject.value(method, place) if value.kind == values.NAME}
    if any(path.startswith(f"{_CREW}.") for path in ours):
        return [each for each in found if each.kind == values.INSTANCE]  # of a class made of Crew
    known = [each for each in found if each.kind != values.NAME or not each.path.startswith("?")]
    if any(each.kind != values.NAME or each.path.startswith("crewai.") for each in known):
        return None  # a flow, an agent, a class of the project with a method of that name
    return [] if _named(method.value).endswith("crew") else None


def _is_crew(path: str) -> bool:
    """`Crew(…)`, and what its class makes otherwise: `Crew.from_checkpoint(…)`."""
    return path == _CREW or (path.startswith("crewai.Crew.") and path.endswith(")"))


def is_task(subject: Subject, method: ast.Attribute, place: Place, call: ast.Call) -> bool:
    """Whether this is the method of a task of CrewAI's."""
    if any(each.path == f"{_TASK}.{method.attr}" for each in subject.value(method, place)):
        return True
    found = subject.value(method.value, place)
    if any(each.kind != values.NAME or not each.path.startswith("?") for each in found):
        return False
    telling = {each.arg for each in call.keywords} & {"agent", "context", "tools"}
    return "task" in _named(method.value) and (bool(telling) or b"crewai" in subject.module.data)


def is_agent(subject: Subject, method: ast.Attribute, place: Place) -> bool:
    """Whether this is the method of an agent of CrewAI's."""
    return any(each.path in (_AGENT, "crewai.LiteAgent()") for each in subject.value(method.value, place))


def _named(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Subscript):
        return _named(node.value).removesuffix("s")
    return (node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")).lower()


def calls_back(subject: Subject, crew: Value) -> bool:
    """Whether a crew was made with callbacks of its own, its tasks' or its agents'."""
    made = crew.made
    if made is None:
        return False
    if has(subject, made, CREW_CALLBACKS):
        return True
    for keyword in made.node.keywords:
        if keyword.arg in {"tasks", "agents"}:
            if _class_calls_back(subject, made, keyword.value):
                return True
            for each in subject.resolver.value(keyword.value, made.place, made.module):
                wanted = {_TASK: TASK_CALLBACKS, _AGENT: AGENT_CALLBACKS}.get(each.path)
                if wanted and each.made and has(subject, each.made, wanted):
                    return True
                if wanted and is_set_where_made(each, wanted):
                    return True
    return False


def _class_calls_back(subject: Subject, made: Made, given: ast.expr) -> bool:
    """Whether a task or agent that a class of CrewAI's own kind collects (`tasks=self.tasks`) calls back."""
    wanted = {"self.tasks": ("Task", TASK_CALLBACKS), "self.agents": ("Agent", AGENT_CALLBACKS)}
    told = wanted.get(scopes.dotted(given))
    owner = made.place.scope.parent
    if told is None or owner is None or not owner.is_class:
        return False
    for bindings in owner.names.values():
        for each in bindings:
            inner = made.module.scanned.scope(each.node) if each.node else None
            for result in inner.returns if inner is not None and inner.parent is owner else ():
                if not isinstance(result, ast.Call) or _named(result) != told[0].lower():
                    continue
                if has(subject, Made(result, Place(inner or owner), made.module), told[1]):
                    return True
    return False


def has(subject: Subject, made: Made, wanted: frozenset[str]) -> bool:
    """Whether an object was made with one of these arguments, by name or in a `**` of the same scope."""
    for keyword in made.node.keywords:
        if keyword.arg in wanted and not (
            isinstance(keyword.value, ast.Constant) and keyword.value.value is None
        ):
            return True
        if keyword.arg is None and _holds(keyword.value, made, wanted):
            return True
    return False


def _holds(node: ast.expr, made: Made, wanted: frozenset[str]) -> bool:
    """Whether a dictionary has one of these keys, or may have it: where it comes from is not seen."""
    if isinstance(node, ast.Dict):
        if any(isinstance(key, ast.Constant) and key.value in wanted for key in node.keys):
            return True
        spread = [value for key, value in zip(node.keys, node.values, strict=True) if key is None]
        return any(_holds(each, made, wanted) for each in spread)
    if isinstance(node, ast.Call):
        if any(each.arg in wanted for each in node.keywords):
            return True
        if _named(node) != "dict":
            return False
        spread = [*node.args, *(each.value for each in node.keywords if each.arg is None)]
        return any(_holds(each, made, wanted) for each in spread)
    if isinstance(node, ast.BinOp):
        return _holds(node.left, made, wanted) or _holds(node.right, made, wanted)
    owner = scopes.dotted(node)
    scope: Scope | None = made.place.scope
    while scope is not None:
        if any(owner == each for key in wanted for each, _ in scope.attributes.get(f"[{key}]", ())):
            return True
        bindings = scope.names.get(owner)
        if bindings is not None:
            if any(each.kind in {scopes.OPAQUE, scopes.PARAMETER} for each in bindings):
                return True
            given = [each.node for each in bindings if isinstance(each.node, (ast.Dict, ast.Call, ast.BinOp))]
            if _is_updated(owner, scope, made, wanted):
                return True
            return any(_holds(each, made, wanted) for each in given if each is not node)
        scope = scope.parent
    return True


def _is_updated(owner: str, scope: Scope, made: Made, wanted: frozenset[str]) -> bool:
    """Whether a dictionary is seen to be given one of these: `arguments.update(step_callback=…)`."""
    for call in made.module.scanned.calls:
        if call.name != "update" or call.place.scope is not scope:
            continue
        if scopes.dotted(getattr(call.node.func, "value", None)) == owner:
            given = [each for each in call.node.args if isinstance(each, ast.Dict)]
            if any(each.arg in wanted for each in call.node.keywords) or any(
                _holds(each, made, wanted) for each in given
            ):
                return True
    return False


def is_set(subject: Subject, method: ast.Attribute, place: Place, wanted: frozenset[str]) -> bool:
    """Whether one of these attributes is set on the object here: `crew.step_callback = handler`."""
    owner = scopes.dotted(method.value)
    scope: Scope | None = place.scope
    while owner and scope is not None:
        seen = [scope]
        if scope.is_class and owner.startswith("self."):
            seen += [each for each in subject.module.scanned.scopes() if each.parent is scope]
        if any(owner == each for at in seen for name in wanted for each, _ in at.attributes.get(name, ())):
            return True
        scope = scope.parent
    return False


def is_set_where_made(crew: Value, wanted: frozenset[str]) -> bool:
    """Whether it is set on the object in the function that makes it."""
    if crew.made is None:
        return False
    scope = crew.made.place.scope
    for name, bindings in scope.names.items():
        if any(each.node is crew.made.node for each in bindings):
            return any(name == each for key in wanted for each, _ in scope.attributes.get(key, ()))
    return False


def handler_in_scope(subject: Subject, place: Place) -> bool:
    """Whether a callback handler is made, given or used where this stands, or in the class around it."""
    seen: list[Scope] = []
    scope: Scope | None = place.scope
    while scope is not None:
        seen.append(scope)
        if scope.is_class:
            seen += [each for each in subject.module.scanned.scopes() if each.parent is scope]
        if any(_is_handler(each) for each in scope.names):
            return True
        scope = scope.parent
    if any(_is_handler(name) for each in seen for name in each.attributes if each.parent is not None):
        return True
    return any(_makes_handler(call) and call.place.scope in seen for call in subject.module.scanned.calls)


def _is_handler(name: str) -> bool:
    return "callback_handler" in name.lower() or name == "CallbackHandler"


def _makes_handler(call: Call) -> bool:
    return call.name in _HANDLERS
