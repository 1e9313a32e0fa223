"""`watchglass budgets`: what may be spent, and how far it is spent."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from watchglass.errors import BadRequest
from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import reporting

if TYPE_CHECKING:
    from watchglass.config import Loaded

Document = dict[str, Any]

Data = Annotated[
    str | None,
    options.option(
        "data", meaning="the budgets of this data directory, also while a server runs", panel="Where"
    ),
]
Opened = Annotated[
    str | None, options.option("data", meaning="those of this directory, with no server", panel="Where")
]
Name = Annotated[str, typer.Argument(help="the budget's name, or its id")]


class _Desk(Protocol):
    """Where budgets are asked for and changed; the answers are what the API shows."""

    def list(self) -> list[Document]: ...
    def status(self) -> list[Document]: ...
    def show(self, name: str) -> Document: ...
    def set(self, said: Mapping[str, Any]) -> Document: ...
    def remove(self, name: str) -> Document: ...


def set_budget(
    name: Annotated[str, typer.Argument(help="what it is called")],
    limit: Annotated[str, typer.Option("--limit", help="US dollars a period, as 500 or 0.25")],
    kind: Annotated[
        str,
        typer.Option("--kind", help="soft (warns) or hard (also refuses reservations that do not fit)"),
    ] = "soft",
    period: Annotated[str, typer.Option("--period", help="hour, day or month")] = "month",
    zone: Annotated[str, typer.Option("--zone", help="time zone of its days and months")] = "UTC",
    tenant: Annotated[str | None, typer.Option("--tenant", help="for this tenant only")] = None,
    engagement: Annotated[str | None, typer.Option("--engagement", help="for this engagement only")] = None,
    feature: Annotated[str | None, typer.Option("--feature", help="for this feature only")] = None,
    agent: Annotated[str | None, typer.Option("--agent", help="for this agent only")] = None,
    of_key: Annotated[
        str | None, typer.Option("--of-key", help="for calls with this `key` in their metadata only")
    ] = None,
    warn: Annotated[str, typer.Option("--warn", help="percents at which to warn, with commas")] = "50,80,100",
    unsettled: Annotated[
        str,
        typer.Option("--unsettled", help="charge or release what was reserved and not settled in time"),
    ] = "charge",
    since: Annotated[str | None, typer.Option("--since", help="in force from: a date or an ISO time")] = None,
    until: Annotated[str | None, typer.Option("--until", help="in force until, not included")] = None,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Make a budget, or change the limit, warnings or dates of the one of this name."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, json=json)
        named = dict(tenant=tenant, engagement=engagement, feature=feature, agent=agent, key=of_key)
        said: Document = {
            "name": name,
            "limit_usd": limit,
            "kind": kind,
            "period": period,
            "zone": zone,
            "scope": {dimension: value for dimension, value in named.items() if value is not None},
            "warn": _percents(warn),
            "unsettled": unsettled,
            "since": since,
            "until": until,
        }
        with _desk(loaded) as desk:
            made = desk.set(said)
        if loaded.settings.json:
            _print_json(made)
            return
        from watchglass.surfaces.cli.tables import show

        show(f"{made['name']}: {made['kind']}, ${made['limit_usd']} a {made['period']} for {_scope(made)}.")


def list_budgets(
    data: Data = None, url: options.Url = None, key: options.Key = None, json: options.Json = None
) -> None:
    """List the budgets as they are defined."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, json=json)
        with _desk(loaded) as desk:
            found = desk.list()
        if loaded.settings.json:
            _print_json({"budgets": found})
            return
        _print_table(
            found,
            ("name", "kind", "limit_usd", "period", "zone", "for", "since", "until"),
            ("until", "since"),
        )


def status(
    data: Opened = None, url: options.Url = None, key: options.Key = None, json: options.Json = None
) -> None:
    """Show how far each budget is spent in its present period, and what is to be expected."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, json=json)
        with _desk(loaded) as desk:
            found = desk.status()
        if loaded.settings.json:
            _print_json({"budgets": found})
            return
        names = ("name", "for", "period", "limit_usd", "spent_usd", "%", "reserved", "left", "unpriced")
        _print_table(found, (*names, "outlook"), ("unpriced", "reserved", "for", "period"))


def show_budget(
    name: Name,
    data: Opened = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Show one budget: how it stands, and what was told of it."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, json=json)
        with _desk(loaded) as desk:
            found = desk.show(name)
        if loaded.settings.json:
            _print_json(found)
            return
        _print_shown(found)


def remove(
    name: Name,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Remove a budget; what was reserved of it is reserved no more."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, json=json)
        with _desk(loaded) as desk:
            gone = desk.remove(name)
        if loaded.settings.json:
            _print_json(gone)
            return
        typer.echo(f"The budget {gone['name']} is removed.")


budgets = typer.Typer(name="budgets", no_args_is_help=True, help="What may be spent, and how far it is.")
budgets.command("list")(list_budgets)
budgets.command("set")(set_budget)
budgets.command("status")(status)
budgets.command("show")(show_budget)
budgets.command("remove")(remove)


def _percents(text: str) -> list[int]:
    words = [word.strip().rstrip("%") for word in text.split(",") if word.strip()]
    if not all(word.isdecimal() and len(word) < 5 for word in words):
        raise BadRequest(f"--warn {text!r} is no list of percents; write 50,80,100")
    return [int(word) for word in words]


def _scope(found: Document) -> str:
    return ", ".join(f"{name} {value}" for name, value in found["scope"].items()) or "everything"


def _outlook(found: Document) -> str:
    if found.get("forecast") is None:
        return "not in force"
    match found["forecast"]["outlook"]:
        case "crosses":
            return f"spent by {found['forecast']['crosses'][:16]}Z"
        case "crossed":
            return "spent"
        case "stays_below":
            return "stays below"
        case _:
            return "too early to say"


def _row(found: Document) -> Document:
    held = found.get("held") or {}
    return {
        **found,
        "for": _scope(found),
        "%": found.get("percent"),
        "reserved": held.get("reserved_usd"),
        "left": held.get("left_usd"),
        "unpriced": found.get("unpriced_calls"),
        "outlook": _outlook(found),
    }


_NUMBERS = frozenset({"limit_usd", "spent_usd", "%", "reserved", "left", "unpriced"})


def _print_table(found: Sequence[Document], names: tuple[str, ...], droppable: tuple[str, ...]) -> None:
    from watchglass.surfaces.cli.tables import cell, fitted, show

    rows = [[cell(_row(each)[name]) for name in names] for each in found]
    show(
        fitted([(name.replace("_usd", " $"), name in _NUMBERS) for name in names], rows, droppable=droppable)
    )
    if not found:
        show("There are no budgets; `watchglass budgets set NAME --limit DOLLARS` makes one.")


def _print_shown(found: Document) -> None:
    from watchglass.surfaces.cli.tables import show

    names = ("name", "kind", "limit_usd", "period", "zone", "for", "spent_usd", "%", "outlook")
    _print_table([found], names, ("zone", "for"))
    if found["in_force"]:
        show(
            f"From {found['period_since'][:16]}Z to {found['period_until'][:16]}Z: {found['calls']:,} calls, "
            f"{found['unpriced_calls']:,} of them without a cost."
        )
    if held := found["held"]:
        show(
            f"Settled ${held['settled_usd']}, recorded ${held['recorded_usd']}, not settled in time "
            f"${held['unsettled_usd']}, reserved ${held['reserved_usd']}: ${held['left_usd']} left."
        )
    for each in found["told"]:
        what = f"{each['percent']}%" if each["event"] == "threshold" else f"spent by {each['crosses'][:16]}Z"
        show(f"{each['at'][:16]}Z  {what}  (${each['spent_usd']} of ${each['limit_usd']})")


def _print_json(document: Any) -> None:
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(document)))


@contextmanager
def _desk(loaded: Loaded) -> Generator[_Desk]:
    """As for readers: the server, or with `--data` the directory itself."""
    from watchglass.surfaces.cli.asking import local_data, server_url
    from watchglass.surfaces.cli.remote_budgets import RemoteBudgets

    settings, directory = loaded.settings, local_data(loaded)
    if directory is None:
        yield RemoteBudgets(server_url(loaded), timeout_s=settings.query_time_s + 10, key=settings.key)
        return
    from watchglass.surfaces.cli.local_budgets import LocalBudgets

    yield LocalBudgets(directory)
