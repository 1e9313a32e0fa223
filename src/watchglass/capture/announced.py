"""A task that the application announced by a callback and then runs through a framework is one task, not two.

What a handler's `_step_callback` starts is left here, in the caller's context; the framework's instrumentation
takes it up when the same agent starts a task there. It takes only its own: of the agent that was announced,
and never of another tenant, since a thread that serves many requests keeps what one of them left behind.
"""

from __future__ import annotations

from contextvars import ContextVar

from watchglass.capture.context import current
from watchglass.capture.execution import Execution

_announced: ContextVar[tuple[Execution, str] | None] = ContextVar("watchglass_announced", default=None)


def put(execution: Execution, agent: str | None) -> None:
    """Announce an execution that a callback started."""
    if agent is not None:
        _announced.set((execution, agent))


def take_back(execution: Execution) -> None:
    """It has ended: nobody may take it up any more."""
    left = _announced.get()
    if left is not None and left[0] is execution:
        _announced.set(None)


def take(agent: str | None) -> Execution | None:
    """The execution that was announced here for this agent and not taken up yet."""
    left = _announced.get()
    if left is None or agent is None or _plain(agent) != _plain(left[1]):
        return None
    execution = left[0]
    here, there = current().fields.get("tenant"), execution.context.fields.get("tenant")
    if here is not None and here != there:
        return None
    _announced.set(None)
    return execution


def _plain(name: str) -> str:
    """`readiness_assessor` and `Readiness Assessor` are one."""
    return "".join(filter(str.isalnum, name.casefold()))
