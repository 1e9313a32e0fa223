"""Executions out of spans: the record that all dialects make, and the reading by operation name.

The OpenTelemetry GenAI conventions name what was executed in `gen_ai.operation.name`. `create_agent` is no
execution (nothing is done by the agent yet), nor is a hand-over from one agent to another, nor a turn of
an agent's loop.
"""

from __future__ import annotations

from collections.abc import Sequence

from watchglass.model import Attributes, Span, Step, StepKind, Value
from watchglass.wire.dialects import fields
from watchglass.wire.values import first_text, text, to_json

BY_OPERATION: dict[str, StepKind] = {
    "invoke_agent": "agent",
    "execute_tool": "tool",
    "invoke_workflow": "flow",
    "execute_task": "task",  # OpenLLMetry
    "invoke_swarm": "flow",  # Strands
    "invoke_graph": "flow",
    "invoke_node": "task",
}
"""Operation names that are executions (OpenTelemetry GenAI conventions 1.41, and whose else is said)."""

_NAMES: dict[StepKind, tuple[str, ...]] = {
    "agent": ("gen_ai.agent.name", "agent_name"),
    "tool": ("gen_ai.tool.name",),
    "flow": ("gen_ai.workflow.name",),
    "task": ("gen_ai.task.name",),
}

_ASKED: dict[StepKind, tuple[str, ...]] = {
    "agent": ("gen_ai.input.messages", "gen_ai.task.input"),
    "tool": ("gen_ai.tool.call.arguments", "tool_arguments", "gcp.vertex.agent.tool_call_args"),
    "flow": ("gen_ai.input.messages", "gen_ai.task.input"),
    "task": ("gen_ai.task.input", "gen_ai.input.messages"),
}
_ANSWERED: dict[StepKind, tuple[str, ...]] = {
    "agent": ("gen_ai.output.messages", "final_result", "gen_ai.task.output"),
    "tool": ("gen_ai.tool.call.result", "tool_response", "gcp.vertex.agent.tool_response"),
    "flow": ("gen_ai.output.messages", "gen_ai.task.output"),
    "task": ("gen_ai.task.output", "gen_ai.output.messages"),
}

_IDS = (
    *("gen_ai.agent.id", "gen_ai.agent.call.id", "gen_ai.tool.call.id", "gen_ai.task.id"),
    *("gen_ai.tool.type", "gcp.vertex.agent.event_id"),
)

_FAILED = frozenset({"failure", "failed", "error"})
_STATUSES = ("gen_ai.task.status", "gen_ai.tool.status")

LONGEST_NAME = 255
"""Characters of a name that are kept: some libraries call a task by its whole description."""


def made(
    span: Span,
    dialect: str,
    kind: StepKind,
    name: str | None,
    *,
    agent: str | None = None,
    asked: Sequence[str] = (),
    answered: Sequence[str] = (),
    ids: Sequence[str] = (),
) -> Step:
    """The record of a span that is known to be an execution; `asked` and `answered` are attribute keys."""
    attributes = span.attributes
    success, error_type, error_message = fields.failure(span)
    if success and any(text(attributes.get(key)) in _FAILED for key in _STATUSES):
        success, error_type = False, fields.UNNAMED_ERROR
    given, given_keys = _content(attributes, asked)
    result, result_keys = _content(attributes, answered)
    name = (name or span.name or kind)[:LONGEST_NAME]
    return Step(
        dialect=dialect,
        kind=kind,
        name=name,
        agent=name if agent is None and kind == "agent" else agent,
        success=success,
        error_type=error_type,
        error_message=error_message,
        input=given,
        output=result,
        content_keys=(*given_keys, *result_keys),
        metadata={key: found for key in ids if (found := text(attributes.get(key))) is not None},
    )


def step_by_operation(span: Span, dialect: str) -> Step | None:
    """What the conventions' attributes say was executed."""
    attributes = span.attributes
    operation = text(attributes.get("gen_ai.operation.name"))
    kind = BY_OPERATION.get(operation.lower()) if operation is not None else None
    if operation is None and "gen_ai.tool.name" in attributes:
        kind = "tool"  # pydantic-ai's and others' before there was a name for it
    if kind is None:
        return None
    name = first_text(attributes, *_NAMES[kind]) or _after(span.name, operation)
    return made(
        span,
        dialect,
        kind,
        name,
        asked=_ASKED[kind],
        answered=_ANSWERED[kind],
        ids=_IDS,
    )


def _after(name: str, operation: str | None) -> str:
    """`execute_tool get_order` as `get_order`."""
    return name[len(operation) :].strip() if operation and name.startswith(operation + " ") else name


def _content(attributes: Attributes, keys: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    """The first text there is, and every key that holds just that."""
    for key in keys:
        if (found := _whole_text(attributes.get(key))) is not None:
            return found, tuple(each for each in keys if attributes.get(each) == attributes[key])
    return None, ()


def _whole_text(value: Value) -> str | None:
    if value is None or value in ("", "null"):
        return None
    return value if isinstance(value, str) else to_json(value)
