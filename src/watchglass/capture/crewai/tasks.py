"""Tasks of crews: announced by `execute_async`, under way in `_execute_core`, on record in each state."""

from __future__ import annotations

import inspect
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from watchglass.capture import announced, boundary, recorder, steps
from watchglass.capture.announced import Lent
from watchglass.capture.crewai import around, patches
from watchglass.capture.execution import Execution

_waiting: ContextVar[tuple[Any, Execution | Lent] | None] = ContextVar(
    "watchglass_crewai_waiting", default=None
)
"""A task whose thread has been started, until it takes it up: the thread has a copy of the starter's
context."""


def wrap_task(module: ModuleType) -> None:
    """Wrap `Task`: each way to execute one comes through these."""
    patches.replace(module.Task, "execute_async", _execute_async)
    patches.replace(module.Task, "_execute_core", around.sync(_under_way, _output))
    patches.replace(module.Task, "_aexecute_core", around.asynchronous(_under_way, _output))


def _execute_async(original: Any) -> Any:
    """In force only while the thread is started; a task whose thread never comes to it stays 'starting'."""
    signature = inspect.signature(original)

    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        begun = _announce(signature, self, args, kwargs)
        if begun is None:
            return original(self, *args, **kwargs)
        token = _waiting.set((self, begun))
        try:
            return original(self, *args, **kwargs)
        except BaseException as error:
            begun.fail(error)
            raise
        finally:
            _waiting.reset(token)

    return wrapper


@boundary.guarded("crewai.task")
def _announce(
    signature: inspect.Signature, task: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Execution | Lent | None:
    if not recorder.recording():
        return None
    return _begin(task, patches.arguments(signature, (task, *args), kwargs))


def _under_way(task: Any, given: dict[str, Any]) -> Execution | Lent:
    waiting = _waiting.get()
    if waiting is not None and waiting[0] is task:
        _waiting.set(None)
        execution = waiting[1]
    else:
        execution = _begin(task, given)
    execution.running()
    return execution


def _begin(task: Any, given: dict[str, Any]) -> Execution | Lent:
    agent = given.get("agent") or task.agent
    role = str(agent.role).strip() if agent is not None else None
    taken = announced.take(role)
    if taken is not None:
        return taken
    asked = {
        "description": task.description,
        "expected_output": task.expected_output,
        "context": given.get("context"),
    }
    return steps.begin(
        "task",
        task.name or task.description,
        agent=role,
        context=around.context(),
        input={name: value for name, value in asked.items() if value},
        metadata={"crewai_task_id": str(task.id)},
    )


def _output(result: Any) -> object:
    return getattr(result, "raw", result)
