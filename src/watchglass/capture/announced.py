"""A task that the application announced by a callback and then runs through a framework is one task, not two.

What a handler's `_step_callback` starts is left here, in the caller's context; the framework's
instrumentation takes it up when the same agent starts a task there. It takes only its own: of the agent that
was announced, and never of another tenant, since a thread that serves many requests keeps what one of them
left behind.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from watchglass.capture.context import current
from watchglass.capture.execution import Execution


@dataclass(slots=True)
class _Announced:
    execution: Execution
    agent: str
    taken: bool = False


_announced: ContextVar[_Announced | None] = ContextVar("watchglass_announced", default=None)


class Lent:
    """An execution in the hands of the framework: it may fail it, but its end is told by who announced it."""

    __slots__ = ("attach", "detach", "execution", "fail", "running")

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self.attach, self.detach = execution.attach, execution.detach
        self.running, self.fail = execution.running, execution.fail

    def end(self, output: object = None) -> None:
        """What came out, in case that the callback does not say it."""
        self.execution.output = output


def put(execution: Execution, agent: str | None) -> None:
    """Announce an execution that a callback started."""
    if agent is not None:
        _announced.set(_Announced(execution, agent))


def take_back(execution: Execution) -> None:
    """It has ended: nobody may take it up any more."""
    left = _announced.get()
    if left is not None and left.execution is execution:
        left.taken = True
        _announced.set(None)


def take(agent: str | None) -> Lent | None:
    """The execution that was announced here for this agent and not taken up yet."""
    left = _announced.get()
    if left is None or left.taken or agent is None or _plain(agent) != _plain(left.agent):
        return None
    here, there = current().fields.get("tenant"), left.execution.context.fields.get("tenant")
    if here is not None and here != there:
        return None
    left.taken = True
    return Lent(left.execution)


def _plain(name: str) -> str:
    """`readiness_assessor` and `Readiness Assessor` are one."""
    return "".join(filter(str.isalnum, name.casefold()))
