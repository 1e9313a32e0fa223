"""A task that the application announced by a callback and then runs through a framework is one task, not two.

What a handler's `_step_callback` starts is left here, in the caller's context; the framework's
instrumentation takes it up when the same agent starts a task there. A thread that serves many requests keeps
what one of them left behind, so it takes up only what is of its own request: of the same trace, tenant,
engagement, session and user, of a handler that still exists, and soon.
"""

from __future__ import annotations

import time
import weakref
from contextvars import ContextVar
from dataclasses import dataclass

from opentelemetry import trace

from watchglass.capture.context import current
from watchglass.capture.execution import Execution

WAITS_NS = 60_000_000_000
"""How long an announcement holds: a framework starts its task within moments."""

_OF_A_REQUEST = ("tenant", "engagement", "session", "user")


@dataclass(slots=True)
class _Announced:
    execution: Execution
    agent: str
    by: weakref.ref[object]
    until_ns: int
    trace_id: int
    fields: dict[str, str]
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


def put(execution: Execution, agent: str | None, by: object) -> None:
    """Announce an execution that a callback of the handler `by` started."""
    if agent is not None:
        until_ns = time.monotonic_ns() + WAITS_NS
        _announced.set(_Announced(execution, agent, weakref.ref(by), until_ns, _trace_id(), current().fields))


def take_back(execution: Execution) -> None:
    """It has ended: nobody may take it up any more."""
    left = _announced.get()
    if left is not None and left.execution is execution:
        left.taken = True
        _announced.set(None)


def take(agent: str | None, now_ns: int | None = None) -> Lent | None:
    """The execution that was announced here for this agent and not taken up yet; `now_ns` is monotonic."""
    left = _announced.get()
    if left is None or left.taken or agent is None or _plain(agent) != _plain(left.agent):
        return None
    now_ns = time.monotonic_ns() if now_ns is None else now_ns
    if left.by() is None or now_ns > left.until_ns or not _same_request(left):
        return None
    left.taken = True
    return Lent(left.execution)


def _same_request(left: _Announced) -> bool:
    """Whether all that is known of the request is the same; what is unknown now MUST have been so then."""
    if left.trace_id and left.trace_id != _trace_id():
        return False
    here, there = current().fields, left.execution.context.fields
    return all(
        here[name] == there.get(name) if name in here else name not in left.fields for name in _OF_A_REQUEST
    )


def _trace_id() -> int:
    return trace.get_current_span().get_span_context().trace_id


def _plain(name: str) -> str:
    """`readiness_assessor` and `Readiness Assessor` are one."""
    return "".join(filter(str.isalnum, name.casefold()))
