"""`flow`, `task`, `agent` and `tool`: a block or a function as an execution, without any framework.

    with watchglass.task("readiness", agent="assessor") as step:
        step.output = assess()

    @watchglass.agent
    async def assessor(question: str) -> str: ...

Each is a context manager (`with`, `async with`) and a decorator, with settings or bare, of plain and `async`
functions and generators. An exception marks the execution failed and passes on as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, TypeVar, overload

from opentelemetry.trace import get_current_span

from watchglass.capture.execution import Execution, Kind
from watchglass.capture.steps import begin
from watchglass.capture.wrapping import wrapped
from watchglass.errors import ConfigError

F = TypeVar("F", bound=Callable[..., Any])


class Step:
    """What `flow`, `task`, `agent` and `tool` return: begins an execution for each block or each call."""

    __slots__ = ("_kind", "_name", "_open", "_settings")

    def __init__(self, kind: Kind, name: str | None, settings: dict[str, Any]) -> None:
        self._kind: Kind = kind
        self._name = name
        self._settings = settings
        self._open: list[Execution] = []

    def __call__(self, function: F) -> F:
        """Make each call of `function` an execution, named by the function where no name was given."""
        if not callable(getattr(function, "__func__", function)) or isinstance(function, type):
            raise ConfigError(
                f"watchglass.{self._kind} cannot wrap {function!r}: it decorates functions and methods"
            )
        if self._kind == "task" and self._settings.get("task_id") is not None:
            raise ConfigError(
                f"task_id={self._settings.get('task_id')!r} is the id of one execution, and each call of "
                f"{function!r} is one: leave it out, or use `with watchglass.task(…)` within the function"
            )
        return wrapped(function, self._begin)

    def __enter__(self) -> Execution:
        """Begin an execution and put it in force."""
        execution = self._begin(None, None).attach()
        self._open.append(execution)
        return execution

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, well or by the error, which passes on."""
        execution = self._in_force()
        self._open.remove(execution)
        execution.detach()
        execution.leave(error)

    async def __aenter__(self) -> Execution:
        """As `with`."""
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """As `with`."""
        self.__exit__(kind, error, trace)

    def _in_force(self) -> Execution:
        """Of those that this object has open (threads and tasks may share it), the one that is left here."""
        span = get_current_span()
        return next((each for each in reversed(self._open) if each.span is span), self._open[-1])

    def _begin(self, name: str | None, given: object) -> Execution:
        settings: dict[str, Any] = self._settings
        if given is not None and settings.get("input") is None:
            settings = {**settings, "input": given}
        return begin(self._kind, self._name or name or self._kind, state="running", **settings)


@overload
def flow(name: F, /) -> F: ...
@overload
def flow(
    name: str | None = None,
    /,
    *,
    flow_id: str | None = None,
    flow_type: str | None = None,
    phase: str | None = None,
    input: object = None,
    metadata: Mapping[str, object] | None = None,
) -> Step: ...
def flow(
    name: Any = None,
    /,
    *,
    flow_id: str | None = None,
    flow_type: str | None = None,
    phase: str | None = None,
    input: object = None,
    metadata: Mapping[str, object] | None = None,
) -> Any:
    """One run of a workflow. Within a named flow it is part of that one, unless it has a `flow_id`."""
    settings = dict(flow_id=flow_id, flow_type=flow_type, phase=phase, input=input, metadata=metadata)
    return _made("flow", name, settings)


@overload
def task(name: F, /) -> F: ...
@overload
def task(
    name: str | None = None,
    /,
    *,
    agent: str | None = None,
    task_id: str | None = None,
    phase: str | None = None,
    input: object = None,
    metadata: Mapping[str, object] | None = None,
) -> Step: ...
def task(
    name: Any = None,
    /,
    *,
    agent: str | None = None,
    task_id: str | None = None,
    phase: str | None = None,
    input: object = None,
    metadata: Mapping[str, object] | None = None,
) -> Any:
    """One piece of work, done by `agent`; `task_id` is that of the execution, by default a new one.

    `with watchglass.task("readiness", agent="assessor") as step:` sets `step.output`, or says
    `step.fail("Kind", "message")`; `@watchglass.task` makes each call of a function one. `flow`, `agent` and
    `tool` are used alike.
    """
    settings = dict(agent=agent, task_id=task_id, phase=phase, input=input, metadata=metadata)
    return _made("task", name, settings)


@overload
def agent(name: F, /) -> F: ...
@overload
def agent(
    name: str | None = None, /, *, input: object = None, metadata: Mapping[str, object] | None = None
) -> Step: ...
def agent(name: Any = None, /, *, input: object = None, metadata: Mapping[str, object] | None = None) -> Any:
    """One run of an agent."""
    return _made("agent", name, dict(input=input, metadata=metadata))


@overload
def tool(name: F, /) -> F: ...
@overload
def tool(
    name: str | None = None,
    /,
    *,
    agent: str | None = None,
    input: object = None,
    metadata: Mapping[str, object] | None = None,
) -> Step: ...
def tool(
    name: Any = None,
    /,
    *,
    agent: str | None = None,
    input: object = None,
    metadata: Mapping[str, object] | None = None,
) -> Any:
    """One use of a tool."""
    return _made("tool", name, dict(agent=agent, input=input, metadata=metadata))


def trace_agent_execution(name: str, attributes: Mapping[str, object] | None = None) -> Step:
    """One run of an agent, or of any critical path, with `attributes` on its span as they are."""
    return Step("agent", name, dict(attributes=attributes))


def _made(kind: Kind, name: Any, settings: dict[str, Any]) -> Any:
    if name is None or isinstance(name, str):
        return Step(kind, name, settings)
    return Step(kind, None, settings)(name)
