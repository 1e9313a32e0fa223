"""Lists as tables for people, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
import typer

from watchglass.queries.documents import plain
from watchglass.queries.lists.question import ListQuestion, Subject
from watchglass.queries.reader import Reader
from watchglass.surfaces.cli.tables import cell, count, dollars, duration, fitted, show

_Column: TypeAlias = tuple[str, str]
"""A column's heading and the field that it shows."""

_CALLS: tuple[_Column, ...] = (
    ("time", "time"), ("tenant", "tenant"), ("agent", "agent"), ("provider", "provider"),
    ("model", "model"), ("operation", "operation"), ("input", "input_tokens"), ("output", "output_tokens"),
    ("cost USD", "cost_usd"), ("took", "duration_ns"), ("result", "result"), ("trace", "trace_id"),
)  # fmt: skip
_TASKS: tuple[_Column, ...] = (
    ("time", "time"), ("kind", "kind"), ("name", "name"), ("agent", "agent"), ("tenant", "tenant"),
    ("status", "status"), ("took", "duration_ns"), ("error", "error_type"), ("trace", "trace_id"),
)  # fmt: skip
_TRACES: tuple[_Column, ...] = (
    ("time", "time"), ("name", "name"), ("service", "service"), ("tenant", "tenant"), ("spans", "spans"),
    ("errors", "errors"), ("calls", "calls"), ("cost USD", "cost_usd"), ("took", "duration_ns"),
    ("trace", "trace_id"),
)  # fmt: skip
_FLOWS: tuple[_Column, ...] = (
    ("time", "time"), ("flow", "flow"), ("type", "flow_type"), ("status", "status"), ("tenant", "tenant"),
    ("tasks", "tasks"), ("failed", "failed_tasks"), ("calls", "calls"), ("cost USD", "cost_usd"),
    ("took", "duration_ns"), ("trace", "trace_id"),
)  # fmt: skip
_SESSIONS: tuple[_Column, ...] = (
    ("time", "time"), ("last", "last"), ("session", "session"), ("tenant", "tenant"), ("user", "user"),
    ("calls", "calls"), ("failed", "failed_calls"), ("input", "input_tokens"), ("output", "output_tokens"),
    ("cost USD", "cost_usd"),
)  # fmt: skip
_NARROW = ("trace", "operation", "provider", "last", "error", "service", "user", "output", "input")
"""Columns that a narrow terminal does without, this order."""
_COLUMNS: Mapping[Subject, tuple[_Column, ...]] = {
    "calls": _CALLS,
    "tasks": _TASKS,
    "traces": _TRACES,
    "flows": _FLOWS,
    "sessions": _SESSIONS,
}


def _pages(asked: Reader, question: ListQuestion, now_ns: int, every_page: bool) -> Iterator[Any]:
    while True:
        page = asked.page(question, now_ns)
        yield page
        if not every_page or page.next is None:
            return
        question = msgspec.structs.replace(question, cursor=page.next)


def print_json(asked: Reader, question: ListQuestion, now_ns: int, every_page: bool) -> None:
    """One page as the API answers it; with --all one row a line."""
    for page in _pages(asked, question, now_ns, every_page):
        if every_page:
            for row in page.rows:
                typer.echo(msgspec.json.encode(plain(row)))
        else:
            typer.echo(msgspec.json.format(msgspec.json.encode(plain(page))))


def print_tables(asked: Reader, question: ListQuestion, now_ns: int, every_page: bool) -> None:
    """A table a page, and how to go on."""
    columns, shown = _COLUMNS[question.subject], 0
    for page in _pages(asked, question, now_ns, every_page):
        if page.rows:
            headings = [(heading, field in _NUMBERS) for heading, field in columns]
            show(fitted(headings, list(_cells(page.rows, columns)), droppable=_NARROW))
        shown += len(page.rows)
        if page.next is not None and not every_page:
            show(f"The first {shown:,}; go on with --cursor {page.next}, or --all.")
    if not shown:
        show(f"No {question.subject} in this time and with these filters.")


_NUMBERS = frozenset(
    {
        *("input_tokens", "output_tokens", "cost_usd", "duration_ns", "spans", "errors", "calls"),
        *("failed_calls", "tasks", "failed_tasks"),
    }
)


def _cells(rows: Sequence[Any], columns: Sequence[_Column]) -> Iterable[list[str]]:
    costs = dollars([getattr(row, "cost_usd", None) for row in rows])
    for row, cost in zip(rows, costs, strict=True):
        made: list[str] = []
        for _, field in columns:
            match field:
                case "cost_usd":
                    made.append(cost)
                case "duration_ns":
                    made.append(duration(row.duration_ns))
                case "time" | "last":
                    made.append(f"{getattr(row, field)[:19]}Z")
                case "model":
                    made.append(cell(row.response_model or row.request_model))
                case "result":
                    made.append(_result(row))
                case _ if field in _NUMBERS:
                    made.append(count(getattr(row, field)))
                case _:
                    made.append(cell(getattr(row, field)))
        yield made


def _result(row: Any) -> str:
    """How a call ended; for one that does not count, why not."""
    if not row.counted:
        return f"({row.not_counted_reason})"
    return "ok" if row.success else row.error_type or "failed"
