"""Agents and tools, which CrewAI runs in many places but always tells of on its event bus.

Its handlers run later, in other threads and in any order; so the bus's `emit` is wrapped instead, which is
called by whoever does the work, before and after it. The two ends are joined on `started_event_id`, as CrewAI
joins them. Events that are replayed from a checkpoint do not come through `emit`: nothing is done again.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable
from types import ModuleType
from typing import Any

from watchglass.capture import boundary, recorder, steps
from watchglass.capture.crewai import around, patches
from watchglass.capture.execution import Execution, Kind

MOST_OPEN = 10_000
"""Executions that are remembered while they run; one whose end is never told would be kept for ever."""

_open: OrderedDict[str, Execution] = OrderedDict()


def wrap_bus(module: ModuleType) -> None:
    """Wrap the bus's `emit`."""
    patches.replace(module.CrewAIEventsBus, "emit", _emit)


def _emit(original: Any) -> Any:
    def wrapper(self: Any, source: Any, event: Any) -> Any:
        kind = event.type
        if kind in _STARTS and recorder.recording():
            _started(event)
            return original(self, source, event)
        result = original(self, source, event)  # it is what finds the event's other end
        if kind in _ENDS and _open:
            _ended(event)
        return result

    return wrapper


@boundary.guarded("crewai.event")
def _started(event: Any) -> None:
    execution = _STARTS[event.type](event).attach()
    _open[event.event_id] = execution
    around.opened().append(execution)
    while len(_open) > MOST_OPEN:
        _open.popitem(last=False)


@boundary.guarded("crewai.event")
def _ended(event: Any) -> None:
    kind, end = _ENDS[event.type]
    execution = _take(event, kind)
    if execution is None:
        return
    execution.detach()
    end(execution, event)


def _take(event: Any, kind: Kind) -> Execution | None:
    """The execution that an event ends: by its other end, else the last one of its kind that was begun here.

    CrewAI counts scopes to find the other end, and one that it lost (a model that answers through LiteLLM
    with a tool call ends its scope nowhere) shifts all that follow.
    """
    here = around.opened()
    found = _open.get(event.started_event_id or "")
    if found is None or found.kind != kind:
        found = next((each for each in reversed(here) if each.kind == kind), None)
    if found is None:
        return None
    for place, each in enumerate(here):
        if each is found:
            del here[place]
            break
    for event_id, each in reversed(_open.items()):
        if each is found:
            del _open[event_id]
            break
    return found


def _agent(event: Any) -> Execution:
    role = str(event.agent.role).strip()
    return steps.begin("agent", role, context=around.context(), input=event.task_prompt, state="running")


def _lone_agent(event: Any) -> Execution:
    """An agent that is asked by itself, without a crew."""
    role = str(event.agent_info.get("role") or "agent").strip()
    messages = event.messages
    return steps.begin("agent", role, context=around.context(), input=messages, state="running")


def _tool(event: Any) -> Execution:
    return steps.begin(
        "tool",
        event.tool_name,
        agent=str(event.agent_role).strip() if event.agent_role else None,
        context=around.context(),
        input=event.tool_args,
        state="running",
    )


def _output(execution: Execution, event: Any) -> None:
    execution.end(output=event.output)


def _tool_output(execution: Execution, event: Any) -> None:
    """A tool may return and say that it did not do what it was asked for."""
    failure = getattr(event, "failure", None)
    if failure is None:
        execution.end(output=event.output)
    else:
        reason = getattr(failure, "reason", None)
        execution.fail(str(getattr(reason, "value", reason) or "_OTHER"), str(failure.message))


def _error(execution: Execution, event: Any) -> None:
    """The event has the message; the exception is the one that is being handled where it is emitted."""
    error = event.error
    handled = sys.exception()
    if isinstance(error, BaseException):
        execution.fail(error)
    elif handled is not None:
        execution.fail(handled)
    else:
        execution.fail("_OTHER", str(error))


_STARTS: dict[str, Callable[[Any], Execution]] = {
    "agent_execution_started": _agent,
    "lite_agent_execution_started": _lone_agent,
    "tool_usage_started": _tool,
}

_ENDS: dict[str, tuple[Kind, Callable[[Execution, Any], None]]] = {
    "agent_execution_completed": ("agent", _output),
    "agent_execution_error": ("agent", _error),
    "lite_agent_execution_completed": ("agent", _output),
    "lite_agent_execution_error": ("agent", _error),
    "tool_usage_finished": ("tool", _tool_output),
    "tool_usage_error": ("tool", _error),
}
