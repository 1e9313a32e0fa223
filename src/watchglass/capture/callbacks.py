"""Tasks told by hand, step by step, the way teams wrote it before: a handler with two callbacks.

    handler = CallbackHandlerIntegration.create_callback_handler(flow_id, {"client_account_id": 1, …})
    handler.setup_callbacks()
    handler._step_callback({"type": "starting", "agent": "assessor", "task": "readiness"})
    …
    handler._task_completion_callback({"agent": "assessor", "task_name": "readiness", "output": result})

Where there is a choice, `with watchglass.task("readiness", agent="assessor")` says the same and cannot be
left open.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from watchglass.capture import announced, boundary, steps
from watchglass.capture.context import ALIASES, ATTRIBUTES, Context, current
from watchglass.capture.execution import Execution

FAILED = frozenset({"failed", "failure", "fail", "error", "errored", "exception", "timeout", "cancelled"})
COMPLETED = frozenset({"completed", "complete", "success", "succeeded", "finished", "done"})
STARTING = frozenset({"starting", "started", "start", "pending", "queued"})
"""What the callbacks' `status` (else `type`) may say; anything else is a task that is running."""

UNNAMED = "_OTHER"
"""`error.type` of what has a message and no name (OpenTelemetry semantic conventions, error.type)."""


@dataclass(slots=True)
class _Open:
    """A task that was started and has not ended."""

    execution: Execution
    task_id: str | None
    agent: str | None
    task: str | None


class CallbackHandler:
    """The tasks of one flow, started and ended by callbacks; usable from several threads."""

    def __init__(self, flow_id: object, context: Mapping[str, object] | None = None) -> None:
        fields, self.metadata = _split(context or {})
        if flow_id is not None:
            fields["flow"] = flow_id
        self.context: Context = current().with_fields(**fields)
        self._open: list[_Open] = []
        self._lock = threading.Lock()

    def setup_callbacks(self) -> CallbackHandler:
        """Nothing needs setting up: kept for the code that calls it. Returns the handler."""
        return self

    @boundary.guarded("callbacks.step")
    def _step_callback(self, step: object) -> None:
        """`{type, status, agent, task, task_id?, content}`: a task starts, goes on, or ends.

        Whatever is no mapping is one of a framework's own objects, which its own instrumentation records.
        """
        if not isinstance(step, Mapping):
            return
        state = _state(step)
        if state in COMPLETED or state in FAILED:
            self._finish(step, step.get("content"))
        elif state in STARTING:
            self._start(step)
        else:
            self._go_on(step)

    @boundary.guarded("callbacks.task_completion")
    def _task_completion_callback(self, completion: object) -> None:
        """`{agent, task_name, status, task_id?, output | error}`: the task that this one is paired with
        ends."""
        if isinstance(completion, Mapping):
            self._finish(completion, completion.get("output"))

    def _start(self, step: Mapping[str, object]) -> _Open:
        task_id, agent, task = _told(step)
        execution = steps.begin(
            "task",
            task or agent or "task",
            agent=agent,
            context=self.context,
            input=step.get("content"),
            metadata=_metadata(self.metadata, task_id),
        )
        opened = _Open(execution, task_id, agent, task)
        with self._lock:
            self._open.append(opened)
        announced.put(execution, agent, self)
        return opened

    def _go_on(self, step: Mapping[str, object]) -> None:
        """What is running has started: the open task that this speaks of, else one that nobody announced."""
        task_id, agent, task = _told(step)
        if task_id is agent is task is None:
            return
        with self._lock:
            opened = _paired(self._open, task_id, agent, task, strictly=True)
        (opened or self._start(step)).execution.running()

    def _finish(self, told: Mapping[str, object], output: object) -> None:
        task_id, agent, task = _told(told)
        with self._lock:
            opened = _paired(self._open, task_id, agent, task, strictly=False)
            if opened is not None:
                self._open.remove(opened)
        if opened is None:
            # Its start was not told: it is on record all the same, and says so.
            step = {**told, "content": None}
            opened = self._start(step)
            with self._lock:
                self._open.remove(opened)
        announced.take_back(opened.execution)
        error = _error(told, output)
        if error is None:
            opened.execution.end(output=output)
        elif isinstance(error, BaseException):
            opened.execution.fail(error)
        else:
            opened.execution.fail(UNNAMED, error)


class CallbackHandlerIntegration:
    """The name by which those teams make a handler."""

    @staticmethod
    def create_callback_handler(
        flow_id: object = None, context: Mapping[str, object] | None = None
    ) -> CallbackHandler:
        """A handler for the tasks of the flow `flow_id`.

        Of `context`, `client_account_id`, `engagement_id`, `flow_type`, `phase` and the other fields of
        `watchglass.context` say for whom and what for; everything else is kept as the tasks' metadata.
        """
        return CallbackHandler(flow_id, context)


def _split(context: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """The fields of a context, by our names, and what is none of them."""
    fields: dict[str, object] = {}
    free: dict[str, object] = {}
    for name, value in context.items():
        known = ALIASES.get(name, name)
        if known not in ATTRIBUTES:
            free[name] = value
        elif value is not None:
            fields[known] = value
    return fields, free


def _metadata(free: Mapping[str, object], task_id: str | None) -> Mapping[str, object]:
    """The handler's free keys, and the id that the application has for the task.

    That id is no `task_id` of ours: it may be the task as it is defined, the same each time that it runs.
    """
    return free if task_id is None else {**free, "task_id": task_id}


def _text(value: object) -> str | None:
    """A name out of a callback, which may hold an object that has one (an agent's `role`)."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    named = getattr(value, "role", None) or getattr(value, "name", None)
    return str(named or value)


def _told(step: Mapping[str, object]) -> tuple[str | None, str | None, str | None]:
    """The task's id, agent and name, as far as they are told."""
    task = _text(step.get("task")) or _text(step.get("task_name"))
    return _text(step.get("task_id")), _text(step.get("agent")), task


def _state(step: Mapping[str, object]) -> str:
    return str(step.get("status") or step.get("type") or "").strip().lower()


def _error(told: Mapping[str, object], output: object) -> BaseException | str | None:
    """What went wrong; None for a task that is completed."""
    error = told.get("error")
    if isinstance(error, BaseException):
        return error
    if isinstance(output, BaseException):
        return output
    if error:
        return str(error)
    if _state(told) in FAILED:
        return str(output) if output else _state(told)
    return None


def _paired(
    opened: list[_Open], task_id: str | None, agent: str | None, task: str | None, *, strictly: bool
) -> _Open | None:
    """The open task that is meant: the one with this id if both have one, else of this agent, else the
    oldest.

    Two that both have an id, and not the same, are never a pair. Among those of one agent the one with the
    same name goes first. `strictly` leaves out the last guess: what is running may well be another task.
    """
    if task_id is not None:
        for each in opened:
            if each.task_id == task_id:
                return each
    left = [each for each in opened if task_id is None or each.task_id is None]
    of_agent = [each for each in left if agent is not None and each.agent == agent]
    named = [each for each in of_agent or left if task is not None and each.task == task]
    if strictly:
        return next(iter(named or (of_agent if task is None else ())), None)
    return next(iter(named or of_agent or left), None)
