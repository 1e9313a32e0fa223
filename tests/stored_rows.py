"""Rows for a real store, written by hand: a test names the columns it is about, the rest is empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from watchglass.store import SCHEMAS, Engine

NOON_NS = 1_767_268_800_000_000_000
"""2026-01-01T12:00:00Z"""

SECOND_NS = 1_000_000_000


def call(number: int, /, **columns: Any) -> dict[str, Any]:
    """A counted, successful call of its own trace, `number` seconds after noon."""
    trace_id = columns.get("trace_id", f"{number:032x}")
    span_id = columns.get("span_id", f"{number:016x}")
    base = {
        "call_id": f"{trace_id}:{span_id}",
        "trace_id": trace_id,
        "span_id": span_id,
        "time": NOON_NS + number * SECOND_NS,
        "kind": "call",
        "operation": "chat",
        "success": True,
        "counted": True,
        "duration_ns": SECOND_NS,
        "version": 1,
    }
    return {**base, **columns}


def span(number: int, /, **columns: Any) -> dict[str, Any]:
    """A root span of trace 1, `number` seconds after noon."""
    base = {
        "trace_id": f"{1:032x}",
        "span_id": f"{number:016x}",
        "name": f"step {number}",
        "start_time": NOON_NS + number * SECOND_NS,
        "duration_ns": SECOND_NS,
        "version": 1,
    }
    return {**base, **columns}


def insert(engine: Engine, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put rows into `store.<table>`."""
    schema = SCHEMAS[table]
    columns = {
        field.name: pa.array([row.get(field.name, _empty(field)) for row in rows], field.type)
        for field in schema
    }
    engine.insert(f"store.{table}", [pa.RecordBatch.from_pydict(columns, schema=schema)])


def _empty(field: pa.Field) -> Any:
    if field.nullable:
        return None
    if pa.types.is_string(field.type):
        return ""
    return [] if pa.types.is_nested(field.type) else (False if pa.types.is_boolean(field.type) else 0)


def task(number: int, /, **columns: Any) -> dict[str, Any]:
    """A completed task with a trace of its own, `number` seconds after noon."""
    base = {
        "task_id": f"t{number}",
        "trace_id": f"{number:032x}",
        "span_id": f"{number:016x}",
        "kind": "task",
        "name": "write",
        "status": "completed",
        "time": NOON_NS + number * SECOND_NS,
        "version": 1,
    }
    return {**base, **columns}
