"""One execution of a flow, task, agent or tool: its life, from its first moment on record.

It is a live OpenTelemetry span, so that other exporters see it too; its states are told at once by events, so
that one that never ends is seen. Where the application's tracer drops the span (no provider, sampled out) the
step is recorded all the same: its record is then made here when it ends.
"""

from __future__ import annotations

import threading
import traceback
from typing import Literal, TypeAlias

from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.trace import Span, SpanContext, StatusCode

from watchglass import __version__, names
from watchglass.capture import boundary, ids, recorder, step_content
from watchglass.capture.context import Context, attach, detach
from watchglass.capture.records import Attributes, EventRecord, SpanRecord
from watchglass.capture.tracing import tracer

Kind: TypeAlias = Literal["flow", "task", "agent", "tool"]
State: TypeAlias = Literal["starting", "running", "completed", "failed"]

OPERATIONS: dict[Kind, str] = {
    "flow": "invoke_workflow",
    "task": "execute_task",
    "agent": "invoke_agent",
    "tool": "execute_tool",
}
"""`gen_ai.operation.name` of each kind (OpenTelemetry GenAI conventions; `execute_task` is OpenLLMetry's)."""

NAMES: dict[Kind, str] = {
    "flow": "gen_ai.workflow.name",
    "task": "gen_ai.task.name",
    "agent": "gen_ai.agent.name",
    "tool": "gen_ai.tool.name",
}

_INTERNAL, _ERROR, _SAMPLED = 1, 2, trace.TraceFlags(trace.TraceFlags.SAMPLED)

_ending = threading.Lock()  # two threads may end one step; held for a comparison, so one lock does for all


class Execution:
    """One execution under way. Its methods may be called from any thread, and none raises.

    `context` is what holds for everything below it, `output` may be set before the end. What is called after
    the end changes nothing.
    """

    __slots__ = (
        *("_attributes", "_outer", "_parent_id", "_start_ns"),
        *("context", "kind", "name", "output", "span", "state"),
    )

    def __init__(self, kind: Kind, name: str, context: Context) -> None:
        self.kind: Kind = kind
        self.name = name
        self.state: State = "starting"
        self.output: object = None
        self.context = context
        self.span: Span = trace.INVALID_SPAN
        self._attributes: Attributes = {}
        self._parent_id = b""
        self._start_ns = ids.now_ns()
        self._outer: list[tuple[otel.Context, object]] = []

    @property
    def task_id(self) -> str | None:
        """Of a task its own id, else that of the task around it."""
        return self.context.fields.get("task_id")

    def otel_context(self) -> otel.Context:
        """OpenTelemetry's context below it, for what is started with an explicit one."""
        return trace.set_span_in_context(self.span)

    def open(self, state: State, attributes: Attributes, parent: otel.Context | None) -> None:
        """Start its span and tell of it: `begin` does, once. Where it has not, nothing is ever told."""
        self._attributes = attributes
        attributes["gen_ai.operation.name"] = OPERATIONS[self.kind]
        attributes[NAMES[self.kind]] = self.name
        if self.kind == "task":
            self._attributes[names.TASK_ID] = self.context.fields["task_id"]
        self.state = state
        if state == "running":
            self._attributes[names.STEP_RUNNING] = self._start_ns
        self._open_span(parent)
        self._tell(self._start_ns)

    @boundary.guarded("steps.running")
    def running(self) -> None:
        """It is under way, not only announced."""
        if self.state != "starting" or not self._opened:
            return
        now_ns = self._now_ns()
        self.state = "running"
        self._attributes[names.STEP_RUNNING] = now_ns
        self.span.set_attribute(names.STEP_RUNNING, now_ns)
        self._tell(now_ns)

    @boundary.guarded("steps.end")
    def end(self, output: object = None) -> None:
        """It has done what it was to do."""
        if self._ends("completed"):
            self._close({}, output)

    @boundary.guarded("steps.end")
    def fail(self, error: BaseException | str, message: str | None = None) -> None:
        """It ended by an error: the exception, or what one is called and says."""
        if not self._ends("failed"):
            return
        raised = isinstance(error, BaseException)
        kind = _type_name(error) if raised else error
        said = message if message is not None else str(error) if raised else ""
        stack = "".join(traceback.format_exception(error)) if raised else None
        self._close(step_content.error(kind, said, stack), None)

    def leave(self, error: BaseException | None) -> None:
        """Its block or generator was left: well, by an error, or because its consumer had enough."""
        if error is None or isinstance(error, GeneratorExit):
            self.end()
        else:
            self.fail(error)

    def attach(self) -> Execution:
        """Put it in force in this thread or task: what is recorded from now on is part of it."""
        self._attach()
        return self

    @boundary.guarded("steps.detach")
    def detach(self) -> None:
        """Undo the last `attach`; where another step is in force, or none, nothing is undone."""
        if self._outer and trace.get_current_span() is self.span:
            spans, token = self._outer.pop()
            # Not OpenTelemetry's `detach`: it logs an error in another task than the `attach` was in.
            otel.attach(spans)
            detach(token)

    @property
    def _opened(self) -> bool:
        return self.span is not trace.INVALID_SPAN

    @boundary.guarded("steps.attach")
    def _attach(self) -> None:
        if not self._opened:
            return
        self._outer.append((otel.get_current(), attach(self.context)))
        otel.attach(trace.set_span_in_context(self.span))

    def _ends(self, state: State) -> bool:
        with _ending:
            if self.state in ("completed", "failed"):
                return False
            self.state = state
        return self._opened

    def _now_ns(self) -> int:
        return max(self._start_ns, ids.now_ns())  # the machine's clock may be set back

    def _open_span(self, parent: otel.Context | None) -> None:
        above = trace.get_current_span(parent).get_span_context()
        token = attach(self.context)  # what the span's processor finds in force is the step's own
        try:
            self.span = tracer().start_span(
                f"{OPERATIONS[self.kind]} {self.name}",
                context=parent,
                attributes=self._attributes,  # pyright: ignore[reportArgumentType] - only simple values are put
                start_time=self._start_ns,
            )
        finally:
            detach(token)
        if above.is_valid:
            self._parent_id = above.span_id.to_bytes(8, "big")
        if self.span.get_span_context().span_id == above.span_id:  # nobody makes spans here
            self.span = trace.NonRecordingSpan(_span_context(above))

    def _close(self, error: Attributes, output: object) -> None:
        end_ns = self._now_ns()
        found: Attributes = {}
        output = self.output if output is None else output
        if output is not None:
            step_content.put_output(found, self.kind, output, self.context.fields.get("feature"))
        if error:
            found["error.type"] = error["exception.type"]
        if not self.span.is_recording():
            self._record(end_ns, found, error)
            return
        if found:
            self.span.set_attributes(found)  # pyright: ignore[reportArgumentType] - only simple values are put
        if error:
            self.span.add_event("exception", error, end_ns)  # pyright: ignore[reportArgumentType] - texts
            self.span.set_status(StatusCode.ERROR, str(error["exception.message"]))
        self.span.end(end_ns)

    def _record(self, end_ns: int, found: Attributes, error: Attributes) -> None:
        trace_id, span_id = self._ids()
        recorder.record(
            SpanRecord(
                trace_id,
                span_id,
                self._parent_id,
                f"{OPERATIONS[self.kind]} {self.name}",
                _INTERNAL,
                self._start_ns,
                end_ns,
                _ERROR if error else 0,
                str(error.get("exception.message", "")),
                self._attributes | found,
                self.context.attributes,
                [("exception", end_ns, error)] if error else [],
                scope=names.STEPS_SCOPE,
                scope_version=__version__,
            )
        )

    def _tell(self, now_ns: int) -> None:
        if not recorder.recording():
            return
        trace_id, span_id = self._ids()
        about: Attributes = {
            **self._attributes,
            names.STEP_KIND: self.kind,
            names.STEP_NAME: self.name,
            names.STEP_STATE: self.state,
            names.STEP_STARTED: self._start_ns,
        }
        recorder.record(
            EventRecord(
                names.STEP_EVENT,
                now_ns,
                about,
                self.context.attributes,
                trace_id,
                span_id,
                scope=names.STEPS_SCOPE,
                scope_version=__version__,
            )
        )

    def _ids(self) -> tuple[bytes, bytes]:
        context = self.span.get_span_context()
        return context.trace_id.to_bytes(16, "big"), context.span_id.to_bytes(8, "big")


def _span_context(above: SpanContext) -> SpanContext:
    """Ids of our own, within the trace that is under way."""
    trace_id = above.trace_id if above.is_valid else int.from_bytes(ids.trace_id(), "big")
    flags = above.trace_flags if above.is_valid else _SAMPLED
    return SpanContext(trace_id, int.from_bytes(ids.span_id(), "big"), is_remote=False, trace_flags=flags)


def _type_name(error: BaseException) -> str:
    """`ValueError`, `httpx.ReadTimeout`: as OpenTelemetry's `exception.type`."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
