"""All that is known of a trace: its spans, and stand-ins for those that have not come.

A span comes when what it tells of has ended, and goes before the calls of it do. Until it has come, and when
it has gone, its calls and its execution tell what is known of it: of a run that goes on, or that was killed,
the SDK's step events are all there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from watchglass.queries.traced.ids import around, unknown, whole_id
from watchglass.queries.traced.rows import Columns, call_rows, execution_rows, span_rows
from watchglass.store import Engine, Limits

ERROR = 2


class Known(NamedTuple):
    """A trace in columns. Every call and every execution has its span in `spans`, which may be a stand-in."""

    trace_id: str
    spans: Columns
    calls: Columns
    executions: Columns


def known(engine: Engine, trace_id: str, *, limits: Limits) -> Known:
    """The trace with this id, or with the only one that begins so. Raises `NotFound` and `QueryError`."""
    found = whole_id(engine, trace_id, limits=limits)
    spans = span_rows(engine, found, limits=limits)
    calls = call_rows(engine, found, around(spans["start_ns"]), limits=limits)
    when = around([*spans["start_ns"], *calls["time_ns"]])
    done = execution_rows(engine, found, when, limits=limits)
    if not spans["span_id"] and not calls["span_id"] and not done["span_id"]:
        raise unknown(found)
    return Known(found, whole(spans, calls, done), calls, done)


def whole(spans: Columns, calls: Columns, executions: Columns) -> Columns:
    """Each span once, and one for each call and execution whose span is not there; pure.

    `missing` tells the latter. `running` are those of executions that have not ended: they go on until the
    last moment that is known of the trace, or longer.
    """
    once = {span_id: place for place, span_id in enumerate(spans["span_id"])}
    made = {name: [values[place] for place in once.values()] for name, values in spans.items()}
    made["missing"], made["running"] = [False] * len(once), [False] * len(once)
    seen = set(once)
    for told, tell in ((calls, _of_call), (_placed(executions), _of_execution)):
        for place, span_id in enumerate(told["span_id"]):
            if span_id not in seen:
                seen.add(span_id)
                stand_in = _UNTOLD | tell(told, place)
                for name, values in made.items():
                    values.append(stand_in[name])
    last_ns = last_moment(made["start_ns"], made["duration_ns"])
    for place, running in enumerate(made["running"]):
        if running:
            made["duration_ns"][place] = last_ns - made["start_ns"][place]
    return made


def last_moment(starts: Sequence[int], durations: Sequence[int | None]) -> int:
    """When the last of them ended, or began if its end is not known; 0 of none."""
    return max((start + (took or 0) for start, took in zip(starts, durations, strict=True)), default=0)


_UNTOLD = {"events": 0, "exceptions": 0, "missing": True}


def _placed(executions: Columns) -> Columns:
    """The same with the span of the execution that each is part of, '' where none is known."""
    if not executions["span_id"]:
        return executions
    spans = dict(zip(executions["task_id"], executions["span_id"], strict=True))
    return executions | {"above": [spans.get(each or "", "") for each in executions["parent_task_id"]]}


def _of_call(calls: Columns, place: int) -> dict[str, Any]:
    return {
        "span_id": calls["span_id"][place],
        "parent_span_id": calls["parent_span_id"][place],
        "name": calls["operation"][place],
        "service": calls["service"][place],
        "scope": calls["scope"][place],
        "start_ns": calls["time_ns"][place],
        "duration_ns": calls["duration_ns"][place],
        "status": 0 if calls["success"][place] else ERROR,
        "status_message": "",
        "tenant": calls["tenant"][place],
        "running": False,
    }


def _of_execution(executions: Columns, place: int) -> dict[str, Any]:
    return {
        "span_id": executions["span_id"][place],
        "parent_span_id": executions["above"][place],
        "name": executions["name"][place],
        "service": executions["service"][place],
        "scope": executions["scope"][place],
        "start_ns": executions["time_ns"][place],
        "duration_ns": executions["duration_ns"][place],
        "status": ERROR if executions["status"][place] == "failed" else 0,
        "status_message": executions["error_message"][place] or "",
        "tenant": executions["tenant"][place],
        "running": executions["status"][place] in ("starting", "running"),
    }
