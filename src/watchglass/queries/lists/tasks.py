"""The list of executions: tasks, runs of agents, flows and tools."""

from __future__ import annotations

import msgspec

from watchglass.queries.lists.question import Askable
from watchglass.queries.lists.rows import Rows


class TaskRow(msgspec.Struct, frozen=True, kw_only=True):
    """One execution; every field is the column of table `tasks` of that name."""

    task_id: str
    trace_id: str
    span_id: str
    parent_task_id: str | None
    time: str
    kind: str
    name: str
    status: str
    duration_ns: int | None
    tenant: str | None
    engagement: str | None
    feature: str | None
    flow: str | None
    flow_type: str | None
    phase: str | None
    task: str | None
    agent: str | None
    session: str | None
    user: str | None
    environment: str | None
    service: str | None
    error_type: str | None
    error_message: str | None
    input: str | None
    output: str | None


_PLAIN = (
    *("tenant", "engagement", "feature", "flow", "flow_type", "phase", "task", "agent", "session", "user"),
    *("environment", "service", "scope", "kind", "name", "status", "error_type", "dialect", "parent_task_id"),
    *("trace_id", "task_id"),
)

TASKS = Rows(
    table="tasks",
    id="task_id",
    row=TaskRow,
    askable=Askable(
        filters={name: name for name in _PLAIN},
        least={"min_duration_ms": "duration_ns / 1000000"},
        sorts={"duration": "ifNull(duration_ns, -1)"},
    ),
)
