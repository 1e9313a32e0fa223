"""Starting executions by hand, for callers that are driven by events: `begin(kind, name, …) -> Execution`.

Where a block or a function is the execution, `capture/decorators.py` is what to use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from opentelemetry.context import Context as OtelContext

from watchglass.capture import boundary, ids, step_content
from watchglass.capture.context import Context, current
from watchglass.capture.execution import Execution, Kind, State
from watchglass.capture.records import Attributes

LONGEST_NAME = 255
"""Characters of a name that are kept, as by the server: some call a task by its whole description."""

__all__ = ["Execution", "Kind", "State", "begin"]


def begin(
    kind: Kind,
    name: str,
    *,
    agent: str | None = None,
    task_id: str | None = None,
    flow_id: str | None = None,
    flow_type: str | None = None,
    phase: str | None = None,
    context: Context | None = None,
    parent: Execution | OtelContext | None = None,
    input: object = None,
    state: Literal["starting", "running"] = "starting",
    metadata: Mapping[str, object] | None = None,
    attributes: Mapping[str, object] | None = None,
) -> Execution:
    """Start an execution without putting it in force (`attach` does); it lasts until its `end` or `fail`.

    `task_id` is a task's own id (by default a new one); of other kinds, the task that they are part of. A
    flow within a named flow is part of that one unless `flow_id` says otherwise. `context` is what it is
    for, by default what `parent` is for, else what is in force. `metadata` is kept with the execution,
    `attributes` go on its span by their own names. Never raises.
    """
    outer = context or (parent.context if isinstance(parent, Execution) else current())
    execution = Execution(kind, str(name)[:LONGEST_NAME], outer)
    fields = {"agent": agent, "task_id": task_id, "flow": flow_id, "flow_type": flow_type, "phase": phase}
    given = {field: value for field, value in fields.items() if value is not None}
    _open(execution, outer, given, parent, state, (input, metadata, attributes))
    return execution


Noted = tuple[object, Mapping[str, object] | None, Mapping[str, object] | None]


@boundary.guarded("steps.begin")
def _open(
    execution: Execution,
    outer: Context,
    given: dict[str, str],
    parent: Execution | OtelContext | None,
    state: State,
    noted: Noted,
) -> None:
    execution.context = outer.with_fields(**_below(execution, outer.fields, given))
    asked, metadata, attributes = noted
    feature = execution.context.fields.get("feature")
    held: Attributes = {} if attributes is None else step_content.plain(attributes, feature)
    if metadata is not None:
        held.update(step_content.metadata(metadata))
    if asked is not None:
        step_content.put_input(held, execution.kind, asked, feature)
    above = parent.otel_context() if isinstance(parent, Execution) else parent
    execution.open(state, held, above)


def _below(execution: Execution, outer: Mapping[str, str], given: dict[str, str]) -> dict[str, str]:
    """What holds for all that is below the execution."""
    match execution.kind:
        case "flow":
            given.setdefault("flow", outer.get("flow") or ids.uuid_text())
            given.setdefault("flow_type", outer.get("flow_type") or execution.name)
        case "task":
            given["task"] = execution.name
            given.setdefault("task_id", ids.uuid_text())
        case "agent":
            given["agent"] = execution.name
        case "tool":
            pass
    return given
