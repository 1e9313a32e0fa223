"""`watchglass calls`, `tasks`, `traces`, `flows`, `sessions`: lists, newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from watchglass.surfaces.cli import completion, options
from watchglass.surfaces.cli.exits import reporting

if TYPE_CHECKING:
    from watchglass.queries.lists.question import Subject

_Values: TypeAlias = list[str] | None


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


def _one(value: object) -> list[str] | None:
    return None if value is None else [str(value)]


def _run(
    subject: Subject,
    given: Mapping[str, Sequence[str] | None],
    every_page: bool,
    **flags: Any,
) -> None:
    with reporting():
        from watchglass.clock import SystemClock
        from watchglass.queries.lists.question import list_question
        from watchglass.queries.lists.subjects import LISTED
        from watchglass.surfaces.cli.asking import reader
        from watchglass.surfaces.cli.list_tables import print_json, print_tables

        loaded = options.settings(**flags)
        settings, now_ns = loaded.settings, SystemClock().now_ns()
        items = [("since", settings.since or ""), ("until", settings.until or "")]
        items += [("filter", each) for each in settings.filter]
        items += [(name, value) for name, values in given.items() for value in values or ()]
        question = list_question(subject, items, now_ns, LISTED[subject].askable)
        with reader(loaded) as asked:
            if settings.json:
                print_json(asked, question, now_ns, every_page)
            else:
                print_tables(asked, question, now_ns, every_page)
