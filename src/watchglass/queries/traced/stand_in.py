"""What is known of a span that is not there, from its call or from the execution it would tell of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchglass.store import Engine, Limits

_UNTOLD: dict[str, Any] = {
    "kind": 0,
    "scope_version": "",
    "trace_state": "",
    "attributes": {},
    "attribute_types": {},
    "resource": "",
    "events": "",
    "links": "",
}


def of_call(call: Mapping[str, Any]) -> dict[str, Any]:
    """A row as of `spans`."""
    return _UNTOLD | {
        "span_id": call["span_id"],
        "parent_span_id": call["parent_span_id"],
        "name": call["operation"],
        "start_time_ns": call["time_ns"],
        "duration_ns": call["duration_ns"],
        "status": 0 if call["success"] else 2,
        "status_message": call["error_message"] or "",
        "service": call["service"],
        "tenant": call["tenant"],
        "scope": call["scope"],
    }


def of_execution(engine: Engine, trace_id: str, span_id: str, *, limits: Limits) -> dict[str, Any] | None:
    """A row as of `spans`, with what the execution says of itself as attributes; None if there is none."""
    rows = engine.execute(
        f"""
        SELECT span_id, name, time_ns AS start_time_ns, duration_ns, if(status = 'failed', 2, 0) AS status,
            ifNull(error_message, '') AS status_message, service, tenant, scope, metadata,
            {", ".join(f"{name} AS said_{name}" for name in _SAID)}
        FROM tasks
        WHERE trace_id = {{trace:String}} AND span_id = {{span:String}}
        LIMIT 1
        """,
        {"trace": trace_id, "span": span_id},
        limits=limits,
    ).to_pylist(maps_as_pydicts="lossy")
    if not rows:
        return None
    row = rows[0]
    said = {name: value for name in _SAID if (value := row[f"said_{name}"])}
    return _UNTOLD | row | {"parent_span_id": "", "attributes": row["metadata"] | said}


_SAID = ("task_id", "kind", "agent", "task", "flow", "flow_type", "phase", "session", "user", "feature")
"""Columns of `tasks` that stand for the attributes the span will have."""
