"""What is asked of the store of a trace: spans, calls and executions, one statement and one dictionary of
columns each.

Not through the views: an id is part of a row's identity, so that it may be looked for before rows are
de-duplicated (PREWHERE), which spares reading the other columns of its neighbours.

As columns, not as rows: a dictionary for each of thousands of spans takes longer to make than to ask for.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from watchglass.store import Engine, Limits
from watchglass.store.rollup_figures import within
from watchglass.store.rollup_hours import Range

Columns: TypeAlias = "dict[str, list[Any]]"

CONTEXT = ("tenant", "engagement", "feature", "session", "user", "flow", "environment")
"""Whose a call or an execution is."""


def span_rows(engine: Engine, trace_id: str, *, limits: Limits) -> Columns:
    """The spans of a trace, with how many events they have and how many of these are exceptions."""
    return engine.execute(
        """
        SELECT span_id, parent_span_id, name, service, scope,
            toUnixTimestamp64Nano(start_time) AS start_ns, duration_ns, status, status_message,
            if(s.events IN ('', '[]'), 0, JSONLength(s.events)) AS events,
            countSubstrings(s.events, '"name":"exception"') AS exceptions, tenant
        FROM store.spans AS s FINAL
        PREWHERE trace_id = {trace_id:String}
        """,
        {"trace_id": trace_id},
        limits=limits,
    ).to_pydict()


def call_rows(engine: Engine, trace_id: str, when: Range, *, limits: Limits) -> Columns:
    """Its calls, those that count and those that do not, in order of time."""
    params: dict[str, object] = {"trace_id": trace_id}
    return engine.execute(
        f"""
        SELECT span_id, parent_span_id, toUnixTimestamp64Nano(time) AS time_ns, duration_ns, service, scope,
            call_id, kind, operation, provider, coalesce(response_model, request_model) AS model, agent,
            input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens,
            cost_usd, unpriced_reason, success, error_type, ttft_ns, counted, not_counted_reason,
            duplicate_of, {", ".join(CONTEXT)}
        FROM store.calls FINAL
        PREWHERE trace_id = {{trace_id:String}}
        WHERE {within([when], params)}
        ORDER BY time, call_id
        """,
        params,
        limits=limits,
    ).to_pydict()


def execution_rows(engine: Engine, trace_id: str, when: Range, *, limits: Limits) -> Columns:
    """Its tasks, runs of agents, flows and tools, in order of time."""
    params: dict[str, object] = {"trace_id": trace_id}
    return engine.execute(
        f"""
        SELECT span_id, task_id, parent_task_id, toUnixTimestamp64Nano(time) AS time_ns, duration_ns, service,
            scope, kind, name, status, agent, error_type, error_message, {", ".join(CONTEXT)}
        FROM store.tasks FINAL
        PREWHERE trace_id = {{trace_id:String}}
        WHERE {within([when], params)}
        ORDER BY time, task_id
        """,
        params,
        limits=limits,
    ).to_pydict()
