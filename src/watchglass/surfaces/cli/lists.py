"""`watchglass calls`, `tasks`, `traces`, `flows`, `sessions`: lists, newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from watchglass.surfaces.cli import completion, options
from watchglass.surfaces.cli.exits import reporting

if TYPE_CHECKING:
    from watchglass.queries.lists.question import ListQuestion, Subject
    from watchglass.queries.reader import Reader

_Values: TypeAlias = list[str] | None
_Column: TypeAlias = tuple[str, str]
"""A column's heading and the field that it shows."""


def _only(name: str, of: str | None = None, completed: completion.Completed | None = None) -> Any:
    return typer.Option(
        f"--{name}",
        help=f"the same as --filter {of or name}=…",
        rich_help_panel="Filters",
        metavar="VALUE",
        autocompletion=completed,
    )


def _from(name: str, help: str) -> Any:
    return typer.Option(f"--{name}", help=help, rich_help_panel="Filters", metavar="NUMBER")


_Least: TypeAlias = str | None
_Filter: TypeAlias = Annotated[
    _Values, options.option("filter", panel="Filters", completed=completion.list_filters)
]
_Tenant: TypeAlias = Annotated[_Values, _only("tenant")]
_Service: TypeAlias = Annotated[_Values, _only("service")]
_Since: TypeAlias = Annotated[str | None, options.option("since")]
_Until: TypeAlias = Annotated[str | None, options.option("until")]
_Sort: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--sort",
        help="largest first by this; newest first unless given",
        autocompletion=completion.sorts,
    ),
]
_Limit: TypeAlias = Annotated[
    int | None, typer.Option("--limit", "-n", help="most rows to show; 50 unless given")
]
_Cursor: TypeAlias = Annotated[str | None, typer.Option("--cursor", help="go on where the page before ended")]
_All: TypeAlias = Annotated[bool, typer.Option("--all", help="every page, one after the other")]


def calls(
    since: _Since = None,
    until: _Until = None,
    sort: _Sort = None,
    filter: _Filter = None,
    tenant: _Tenant = None,
    service: _Service = None,
    provider: Annotated[_Values, _only("provider")] = None,
    model: Annotated[_Values, _only("model")] = None,
    agent: Annotated[_Values, _only("agent")] = None,
    session: Annotated[_Values, _only("session")] = None,
    flow: Annotated[_Values, _only("flow")] = None,
    user: Annotated[_Values, _only("user")] = None,
    error_type: Annotated[_Values, _only("error-type", "error_type")] = None,
    min_cost: Annotated[_Least, _from("min-cost", "that cost so many dollars or more")] = None,
    min_duration: Annotated[_Least, _from("min-duration", "that took so many milliseconds or more")] = None,
    unpriced: Annotated[
        _Values,
        typer.Option(
            "--unpriced",
            metavar="REASON",
            help="without a price for this reason",
            rich_help_panel="Filters",
            autocompletion=completion.unpriced_reasons,
        ),
    ] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="only failed calls", rich_help_panel="Filters")
    ] = False,
    not_counted: Annotated[
        bool,
        typer.Option("--not-counted", help="also rows that repeat another call", rich_help_panel="Filters"),
    ] = False,
    limit: _Limit = None,
    cursor: _Cursor = None,
    all: _All = False,
    data: options.Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """List calls, newest first, or by --sort cost, duration or tokens. Only calls that count are listed."""
    given = {
        "tenant": tenant, "service": service, "provider": provider, "model": model, "agent": agent,
        "session": session, "flow": flow, "user": user, "error_type": error_type,
        "min_cost_usd": _one(min_cost), "min_duration_ms": _one(min_duration), "unpriced_reason": unpriced,
        "success": ["false"] if failed else None,
        "counted": ["any"] if not_counted else None, "sort": _one(sort), "cursor": _one(cursor),
        "limit": _one(limit),
    }  # fmt: skip
    _run(
        "calls",
        _CALLS,
        given,
        all,
        since=since,
        until=until,
        filter=filter,
        data=data,
        url=url,
        key=key,
        json=json,
    )


def tasks(
    since: _Since = None,
    until: _Until = None,
    sort: _Sort = None,
    filter: _Filter = None,
    tenant: _Tenant = None,
    service: _Service = None,
    kind: Annotated[_Values, _only("kind", completed=completion.task_kinds)] = None,
    agent: Annotated[_Values, _only("agent")] = None,
    flow: Annotated[_Values, _only("flow")] = None,
    status: Annotated[_Values, _only("status", completed=completion.statuses)] = None,
    limit: _Limit = None,
    cursor: _Cursor = None,
    all: _All = False,
    data: options.Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """List what agents executed (tasks, runs, flows, tools), newest first or by --sort duration."""
    given = {
        "tenant": tenant, "service": service, "kind": kind, "agent": agent, "flow": flow, "status": status,
        "sort": _one(sort), "cursor": _one(cursor), "limit": _one(limit),
    }  # fmt: skip
    _run(
        "tasks",
        _TASKS,
        given,
        all,
        since=since,
        until=until,
        filter=filter,
        data=data,
        url=url,
        key=key,
        json=json,
    )


def traces(
    since: _Since = None,
    until: _Until = None,
    filter: _Filter = None,
    tenant: _Tenant = None,
    service: _Service = None,
    model: Annotated[_Values, _only("model")] = None,
    agent: Annotated[_Values, _only("agent")] = None,
    session: Annotated[_Values, _only("session")] = None,
    errors: Annotated[
        bool, typer.Option("--errors", help="only traces with a span that failed", rich_help_panel="Filters")
    ] = False,
    limit: _Limit = None,
    cursor: _Cursor = None,
    all: _All = False,
    data: options.Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """List traces, those that were active last first. `watchglass trace` shows one."""
    given = {
        "tenant": tenant, "service": service, "model": model, "agent": agent, "session": session,
        "errors": ["true"] if errors else None, "cursor": _one(cursor), "limit": _one(limit),
    }  # fmt: skip
    _run(
        "traces",
        _TRACES,
        given,
        all,
        since=since,
        until=until,
        filter=filter,
        data=data,
        url=url,
        key=key,
        json=json,
    )


def flows(
    since: _Since = None,
    until: _Until = None,
    filter: _Filter = None,
    tenant: _Tenant = None,
    service: _Service = None,
    flow_type: Annotated[_Values, _only("flow-type", "flow_type")] = None,
    status: Annotated[_Values, _only("status", completed=completion.statuses)] = None,
    limit: _Limit = None,
    cursor: _Cursor = None,
    all: _All = False,
    data: options.Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """List flows (runs of workflows and crews), those that were active last first."""
    given = {
        "tenant": tenant, "service": service, "flow_type": flow_type, "status": status,
        "cursor": _one(cursor), "limit": _one(limit),
    }  # fmt: skip
    _run(
        "flows",
        _FLOWS,
        given,
        all,
        since=since,
        until=until,
        filter=filter,
        data=data,
        url=url,
        key=key,
        json=json,
    )


def sessions(
    since: _Since = None,
    until: _Until = None,
    filter: _Filter = None,
    tenant: _Tenant = None,
    service: _Service = None,
    user: Annotated[_Values, _only("user")] = None,
    agent: Annotated[_Values, _only("agent")] = None,
    limit: _Limit = None,
    cursor: _Cursor = None,
    all: _All = False,
    data: options.Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """List sessions (conversations), those that were active last first."""
    given = {
        "tenant": tenant, "service": service, "user": user, "agent": agent,
        "cursor": _one(cursor), "limit": _one(limit),
    }  # fmt: skip
    _run(
        "sessions",
        _SESSIONS,
        given,
        all,
        since=since,
        until=until,
        filter=filter,
        data=data,
        url=url,
        key=key,
        json=json,
    )


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


def _one(value: object) -> list[str] | None:
    return None if value is None else [str(value)]


def _run(
    subject: Subject,
    columns: Sequence[_Column],
    given: Mapping[str, Sequence[str] | None],
    every_page: bool,
    **flags: Any,
) -> None:
    with reporting():
        from watchglass.clock import SystemClock
        from watchglass.queries.lists.question import list_question
        from watchglass.queries.lists.subjects import LISTED
        from watchglass.surfaces.cli.asking import reader

        loaded = options.settings(**flags)
        settings, now_ns = loaded.settings, SystemClock().now_ns()
        items = [("since", settings.since or ""), ("until", settings.until or "")]
        items += [("filter", each) for each in settings.filter]
        items += [(name, value) for name, values in given.items() for value in values or ()]
        question = list_question(subject, items, now_ns, LISTED[subject].askable)
        with reader(loaded) as asked:
            if settings.json:
                _print_json(asked, question, now_ns, every_page)
            else:
                _print_tables(asked, question, now_ns, every_page, columns)


def _pages(asked: Reader, question: ListQuestion, now_ns: int, every_page: bool) -> Iterator[Any]:
    import msgspec

    while True:
        page = asked.page(question, now_ns)
        yield page
        if not every_page or page.next is None:
            return
        question = msgspec.structs.replace(question, cursor=page.next)


def _print_json(asked: Reader, question: ListQuestion, now_ns: int, every_page: bool) -> None:
    """One page as the API answers it; with --all one row a line."""
    import msgspec

    from watchglass.queries.documents import plain

    for page in _pages(asked, question, now_ns, every_page):
        if every_page:
            for row in page.rows:
                typer.echo(msgspec.json.encode(plain(row)))
        else:
            typer.echo(msgspec.json.format(msgspec.json.encode(plain(page))))


def _print_tables(
    asked: Reader, question: ListQuestion, now_ns: int, every_page: bool, columns: Sequence[_Column]
) -> None:
    from watchglass.surfaces.cli.tables import fitted, show

    shown = 0
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
    from watchglass.surfaces.cli.tables import cell, count, dollars, duration

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
