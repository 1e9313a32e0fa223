"""Executions in settling: what each is part of, and what it inherits; pure, on rows of `store.tasks`.

Nothing of a row is lost by settling it, so it can be settled again and again: what it says of itself is in
its span, and what it is part of is worked out anew from all spans of the trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from watchglass.ingest.settling.inheritance import NOTHING, Places
from watchglass.ingest.settling.nodes import StepNode
from watchglass.ingest.task_rows import TASK_COLUMNS, TASK_CONTEXT, default_feature

TASKS = f"""
SELECT {", ".join(TASK_COLUMNS)}
FROM store.tasks FINAL
WHERE trace_id IN {{ids:Array(String)}}
"""


def step_nodes(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, str], StepNode]:
    """The executions that spans are, by owner, trace and span."""
    return {
        (row["owner"], row["trace_id"], row["span_id"]): StepNode(
            row["task_id"], row["kind"], row["name"], default_feature(row["scope"])
        )
        for row in rows
    }


def changed_tasks(
    rows: Sequence[Mapping[str, Any]], found: Mapping[str, Places]
) -> list[tuple[Mapping[str, Any], dict[str, Any]]]:
    """Rows that must be written again, as they are and as they should be; `found` is by owner."""
    changed: list[tuple[Mapping[str, Any], dict[str, Any]]] = []
    for row in rows:
        key = row["trace_id"], row["span_id"]
        place = found.get(row["owner"])
        if place is None or key not in place.contexts:
            continue  # its span is being written: settled when that is done
        context, around = place.contexts[key], place.around.get(key, NOTHING)
        settled = {name: getattr(context, name) for name in TASK_CONTEXT}
        settled["parent_task_id"] = around.nearest
        settled["outermost"] = row["kind"] == "flow" and around.flow is None
        if any(row[name] != value for name, value in settled.items()):
            changed.append((row, {**row, **settled}))
    return changed
