"""What is told of an execution while it goes on: the SDK's step events, as rows of `store.tasks`.

An event has the ids, the start and the attributes of the span that comes when the execution has ended, so it
is read as that span without an end: one way of making a row, and rows of one key. Which of them is seen the
rank of the state decides, whatever comes first and however often (`task_rows`).
"""

from __future__ import annotations

from typing import Any

from watchglass import names
from watchglass.ingest.content import Contents
from watchglass.ingest.span_rows import ResourceFacts, effective
from watchglass.ingest.task_rows import own_with, task_row
from watchglass.model import LogRecord, Span
from watchglass.wire.context import own_context
from watchglass.wire.dialects import step

_INTERNAL = 1


def step_row(record: LogRecord, facts: ResourceFacts, contents: Contents) -> tuple[Any, ...] | None:
    """The row of `store.tasks` that an event makes; None for every other record, and for an event that does
    not say what is executed, since when, and in which span."""
    if record.event_name != names.STEP_EVENT:
        return None
    started = record.attributes.get(names.STEP_STARTED)
    if not record.trace_id or not record.span_id or isinstance(started, bool) or not isinstance(started, int):
        return None
    if not 0 < started < 2**63:
        return None
    span = _span_to_come(record, started)
    done = step(span)
    if done is None:
        return None
    context = effective(own_with(done, span, own_context(span)), facts.context)
    return task_row(span, done, context, facts, contents)


def _span_to_come(record: LogRecord, started: int) -> Span:
    return Span(
        record.trace_id,
        record.span_id,
        "",
        str(record.attributes.get(names.STEP_NAME) or ""),
        _INTERNAL,
        started,
        0,
        0,
        "",
        {names.STEP_STATE: "running", **record.attributes},
        [],
        [],
        record.scope,
        record.resource,
    )
