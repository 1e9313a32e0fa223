"""What a dialect understood of an execution, as rows of `store.tasks`.

The identity of an execution is its span: a library's own id is mostly that of the task or crew as it is
defined, and the same for each of its runs. Only `watchglass.task.id` is by its contract one of an execution:
of a task's, and everything else that has it says which task it is part of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from watchglass import names
from watchglass.ingest.content import Contents
from watchglass.ingest.span_rows import FRESH_VERSION, ResourceFacts, duration_ns
from watchglass.model import CONTEXT_FIELDS, Context, Span, State, Step
from watchglass.wire.context import PLACEHOLDERS
from watchglass.wire.values import text

TASK_CONTEXT = tuple(name for name in CONTEXT_FIELDS if name != "task_id")

TASK_COLUMNS = (
    *("task_id", "trace_id", "span_id", "parent_task_id", "kind", "name", "status", "time", "completed"),
    *("duration_ns", "states"),
    *TASK_CONTEXT,
    *("service", "process", "scope", "error_type", "error_message", "input", "output", "metadata", "dialect"),
    *("outermost", "owner", "version"),
)

RANKS: Mapping[State, int] = {"starting": 0, "running": 1, "completed": 2, "failed": 2}

_LATEST_NS = 2**63

_RANK_SHIFT = 62
"""A version's lower bits hold a clock's nanoseconds, until the year 2116."""


def task_version(status: State, version: int) -> int:
    """A version by which a later state wins over an earlier one, whichever was written last."""
    return RANKS[status] << _RANK_SHIFT | version


def task_id(span: Span) -> str:
    """Identity of the execution of a task that a span is."""
    return text(span.attributes.get("watchglass.task.id")) or f"{span.trace_id}:{span.span_id}"


def default_feature(scope: str) -> str | None:
    """The feature of what is done by this library's agents where nobody names one: crews are `crewai`."""
    return "crewai" if "crewai" in scope else None


def own_with(step: Step, span: Span, said: Context) -> Context:
    """What the span says of itself, with what its being an execution says to all below it."""
    agent = said.agent if step.agent is None or step.agent in PLACEHOLDERS else step.agent
    if step.kind != "task":
        return said if agent == said.agent else msgspec.structs.replace(said, agent=agent)
    return msgspec.structs.replace(said, task=said.task or step.name, task_id=task_id(span), agent=agent)


def task_row(
    span: Span, step: Step, context: Context, facts: ResourceFacts, contents: Contents
) -> tuple[Any, ...]:
    """One row in the order of `TASK_COLUMNS`, as far as the span alone tells."""
    identity = task_id(span) if step.kind == "task" else f"{span.trace_id}:{span.span_id}"
    if context.feature is None and (feature := default_feature(span.scope.name)) is not None:
        context = msgspec.structs.replace(context, feature=feature)
    if step.kind == "flow":
        context = in_flow(context, identity, step.name)
    status, ended = _status(span, step)
    return (
        identity,
        span.trace_id,
        span.span_id,
        None,
        step.kind,
        step.name,
        status,
        span.start_ns,
        ended,
        duration_ns(span) if ended is not None else None,
        _states(span, status, ended),
        *(getattr(context, name) for name in TASK_CONTEXT),
        facts.service,
        facts.process,
        span.scope.name,
        step.error_type,
        step.error_message,
        _kept(step.input, "input", span, context, contents),
        _kept(step.output, "output", span, context, contents),
        step.metadata,
        step.dialect,
        step.kind == "flow",
        facts.owner,
        task_version(status, FRESH_VERSION),
    )


def in_flow(context: Context, flow: str, name: str) -> Context:
    """A context within a flow that may have been named by none but its own span."""
    if context.flow is not None and context.flow_type is not None:
        return context
    return msgspec.structs.replace(context, flow=context.flow or flow, flow_type=context.flow_type or name)


def _status(span: Span, step: Step) -> tuple[State, int | None]:
    """The state and when the execution ended; a span without an end is still open."""
    ended = span.end_ns if span.end_ns >= span.start_ns > 0 else None
    if not step.success:
        return "failed", ended
    if ended is not None:
        return "completed", ended
    return ("starting" if span.attributes.get(names.STEP_STATE) == "starting" else "running"), None


def _states(span: Span, status: State, ended: int | None) -> dict[str, int]:
    """When each state was reached. Who tells of a start before the work is under way says when it was."""
    told = span.attributes.get(names.STEP_RUNNING)
    if names.STEP_STATE in span.attributes or span.scope.name.startswith(names.SCOPE):
        states = {"starting": span.start_ns}
        if isinstance(told, int) and span.start_ns <= told < _LATEST_NS:
            states["running"] = told
    else:
        states = {"running": span.start_ns}
    return states if ended is None else {**states, status: ended}


def _kept(content: str | None, role: str, span: Span, context: Context, contents: Contents) -> str | None:
    return None if content is None else contents.add(context.tenant, role, content, span.start_ns)
