"""`watchglass reprice`: past calls priced anew, looked at first, taken back if need be."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from watchglass.errors import BadRequest, StoreError
from watchglass.surfaces.cli import completion, options
from watchglass.surfaces.cli.exits import INTERRUPTED, reporting
from watchglass.surfaces.cli.usage import SHORTHANDS, Only, only

if TYPE_CHECKING:
    from watchglass.config import Loaded

Document = dict[str, Any]

_EACH_S = 0.2
"""Between two looks at a run."""

Data = Annotated[
    str | None, options.option("data", meaning="the store in this directory, with no server", panel="Where")
]
Prices = Annotated[str | None, options.option("prices")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="a run of the list, like r7")]
Why = Annotated[str, typer.Option("--why", help="why, for the record")]
Left = Annotated[int, typer.Option("--left", help="how many rows to name that were not taken back", min=0)]


class _Desk(Protocol):
    """Who does it; the answers are those of the API."""

    def start(self, wanted: Document) -> Document: ...
    def list(self) -> list[Document]: ...
    def show(self, id: str, *, changes: bool = False, left: int = 0) -> Document: ...
    def undo(self, id: str, why: str) -> Document: ...
    def cancel(self, id: str) -> Document: ...
    def resume(self, id: str | None) -> Document: ...
    def wait(self, timeout_s: float) -> None: ...


def reprice_calls(
    context: typer.Context,
    since: Annotated[str | None, options.option("since")] = None,
    until: Annotated[str | None, options.option("until")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="show what would change, and write nothing")
    ] = False,
    unpriced: Annotated[bool, typer.Option("--unpriced", help="only calls that have no cost")] = False,
    detect_provider: Annotated[
        bool, typer.Option("--detect-provider", help="find out anew who served each call")
    ] = False,
    why: Why = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    filter: Annotated[
        Only, options.option("filter", panel="Filters", completed=completion.usage_filters)
    ] = None,
    tenant: Annotated[Only, only("tenant")] = None,
    engagement: Annotated[Only, only("engagement")] = None,
    feature: Annotated[Only, only("feature")] = None,
    agent: Annotated[Only, only("agent")] = None,
    provider: Annotated[Only, only("provider")] = None,
    model: Annotated[Only, only("model")] = None,
    service: Annotated[Only, only("service")] = None,
    environment: Annotated[Only, only("environment")] = None,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    prices: Prices = None,
    json: options.Json = None,
) -> None:
    """Price past calls anew by the book as it is now, in a window and with filters.

    Look first with --dry-run: rows and dollars by kind of change, model and tenant. Only rows that change are
    written, and what they were is kept: `reprice undo last` restores it. A second run changes nothing. A
    filter with no value (--provider "") keeps the calls of which it is unknown.
    """
    if context.invoked_subcommand is not None:
        return
    given = (tenant, engagement, feature, agent, provider, model, service, environment)
    with reporting():
        loaded = options.settings(
            since=since, until=until, filter=filter, data=data, url=url, key=key, prices=prices, json=json
        )
        filters: dict[str, list[str]] = {}
        for name, values in zip(SHORTHANDS, given, strict=True):
            if values:
                filters[name] = list(values)
        for each in loaded.settings.filter:
            name, equals, value = each.partition("=")
            if not equals:
                raise BadRequest(f"--filter is {each!r}; write DIMENSION=VALUE, like tenant=acme")
            filters.setdefault(name, []).append(value)
        wanted: Document = {
            "since": loaded.settings.since,
            "until": loaded.settings.until,
            "filters": filters,
            "unpriced": unpriced,
            "detect_provider": detect_provider,
            "why": why,
        }
        with _desk(loaded) as desk:
            if dry_run:
                _print_changes(loaded, desk.start({**wanted, "dry_run": True}), "would change")
                return
            if not yes and sys.stdin.isatty():
                _confirm(desk.start({**wanted, "dry_run": True}))
            _follow(desk, desk.start(wanted), loaded)


def list_runs(
    data: Data = None, url: options.Url = None, key: options.Key = None, json: options.Json = None
) -> None:
    """List the runs, the latest first: who, when, how far, what changed."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, json=json)
        with _desk(loaded) as desk:
            found = desk.list()
        if loaded.settings.json:
            _print_json({"runs": found})
            return
        from watchglass.surfaces.cli.tables import fitted, show

        names = ("run", "what", "state", "began", "by", "looked", "changed", "before USD", "after USD", "why")
        numbers = ("looked", "changed", "before USD", "after USD")
        rows = [
            [
                each["id"], _what(each), each["state"], each["began"], each["who"], f"{each['looked']:,}",
                f"{each['changed']:,}", each["before_usd"], each["after_usd"], each["why"],
            ]
            for each in found
        ]  # fmt: skip
        show(fitted([(name, name in numbers) for name in names], rows, droppable=("why", "by", "looked")))


def show_run(
    run: RunId,
    left: Left = 20,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Show a run: what it was asked, what it changed, and what of it could not be taken back."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, json=json)
        with _desk(loaded) as desk:
            _print_run(loaded, desk.show(run, changes=True, left=left))


def undo_run(
    run: RunId,
    why: Why = "",
    left: Left = 20,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Take a run back (`last` is the latest): every row whose price is still of it gets back what it had.

    Rows that were repriced or settled since keep what they have, and are named.
    """
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, json=json)
        with _desk(loaded) as desk:
            _follow(desk, desk.undo(run, why), loaded, left)


def resume_run(
    run: Annotated[str, typer.Argument(metavar="[RUN]", help="the run; else the latest that stopped")] = "",
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    prices: Prices = None,
    json: options.Json = None,
) -> None:
    """Go on with a run that was cancelled or interrupted, with the same prices."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, prices=prices, json=json)
        with _desk(loaded) as desk:
            _follow(desk, desk.resume(run or None), loaded)


def cancel_run(
    run: RunId,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Stop a run that a server is doing. What is done stays, and can be taken back or gone on with."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, json=json)
        with _desk(loaded) as desk:
            _follow(desk, desk.cancel(run), loaded)


reprice = typer.Typer(name="reprice", invoke_without_command=True)
reprice.callback()(reprice_calls)
reprice.command("list")(list_runs)
reprice.command("show")(show_run)
reprice.command("undo")(undo_run)
reprice.command("resume")(resume_run)
reprice.command("cancel")(cancel_run)


def _confirm(changes: Document) -> None:
    totals = changes["totals"]
    typer.echo(
        f"{changes['changed']:,} of {changes['looked']:,} calls change: {totals['before_usd']} → "
        f"{totals['after_usd']} US dollars ({totals['difference_usd']}).",
        err=True,
    )
    if changes["changed"]:
        typer.confirm("Write this?", abort=True, err=True)


def _follow(desk: _Desk, run: Document, loaded: Loaded, left: int = 20) -> None:
    """Show how far it is until it ends; Ctrl-C cancels it."""
    cancelled = False
    with _bar(run) as progress:
        while run["state"] == "running":
            try:
                desk.wait(_EACH_S)
                run = desk.show(run["id"])
                progress(run)
            except KeyboardInterrupt:
                cancelled = True
                run = desk.cancel(run["id"])
    run = desk.show(run["id"], changes=True, left=left)
    _print_run(loaded, run)
    if cancelled:
        raise typer.Exit(INTERRUPTED)
    if run["fault"]:
        raise StoreError(f"{run['id']} was interrupted: {run['fault']}; {_resume(run)}")


@contextmanager
def _bar(run: Document) -> Generator[Any]:
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{_what(run)} {run['id']}", total=max(1, run["chunks"]))
        yield lambda now: bar.update(task, completed=now["chunks_done"])


def _print_run(loaded: Loaded, run: Document) -> None:
    if loaded.settings.json:
        _print_json(run)
        return
    from watchglass.surfaces.cli.tables import fitted, show

    _print_tables(run["changes"])
    _print_expired(run)
    show(
        f"{run['id']} ({_what(run)}): {run['state']}, {run['chunks_done']} of {run['chunks']} chunks; "
        f"{run['changed']:,} of {run['looked']:,} rows changed, "
        f"{run['before_usd']} → {run['after_usd']} US dollars ({run['difference_usd']})."
    )
    if run["state"] in ("cancelled", "interrupted"):
        show(f"{run['fault'] or 'It was stopped'}: {_resume(run)}.")
    if (left := run.get("left")) and left["rows"]:
        whence = ", ".join(f"{rows:,} {whose}" for whose, rows in left["by"].items())
        show(f"{left['rows']:,} rows are not taken back; their price is from elsewhere now: {whence}.")
        names = ("call_id", "time", "tenant", "model", "price_from")
        rows = [[str(each[name] or "–") for name in names] for each in left["first"]]
        show(fitted([(name.replace("_", " "), False) for name in names], rows, droppable=("time",)))


def _print_changes(loaded: Loaded, changes: Document, what: str) -> None:
    if loaded.settings.json:
        _print_json(changes)
        return
    from watchglass.surfaces.cli.tables import show

    _print_tables(changes)
    _print_expired(changes)
    totals = changes["totals"]
    show(
        f"{changes['changed']:,} of {changes['looked']:,} rows {what}: {totals['before_usd']} → "
        f"{totals['after_usd']} US dollars ({totals['difference_usd']}). Nothing was written."
    )


def _print_tables(changes: Document) -> None:
    from watchglass.surfaces.cli.tables import fitted, show

    numbers = ("rows", "before USD", "after USD", "difference")
    amounts = ("before_usd", "after_usd", "difference_usd")
    for title, by in (("change", "by_kind"), ("model", "by_model"), ("tenant", "by_tenant")):
        if not changes[by]:
            continue
        rows = [
            [_named(each["name"], by), f"{each['rows']:,}", *(each[name] for name in amounts)]
            for each in changes[by]
        ]
        show(fitted([(title, False), *((name, True) for name in numbers)], rows))
    if changes["not_counted"]:
        show(f"{changes['not_counted']:,} more rows are duplicates, which count nowhere: they change too.")


def _print_expired(answer: Document) -> None:
    from watchglass.surfaces.cli.tables import show

    if expired := answer.get("expired"):
        calls = "" if expired["calls"] is None else f" ({expired['calls']:,} calls)"
        show(f"Expired: {expired['since']} to {expired['until']}{calls}. {expired['note']}")


def _named(name: str | None, by: str) -> str:
    from watchglass.surfaces.cli.tables import cell

    return cell(name).replace("_", " ") if by == "by_kind" else cell(name)


def _what(run: Document) -> str:
    return "reprice" if run["undoes"] is None else f"undo {run['undoes']}"


def _resume(run: Document) -> str:
    return f"`watchglass reprice resume {run['id']}` goes on with it"


def _print_json(document: Document) -> None:
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(document)))


@contextmanager
def _desk(loaded: Loaded) -> Generator[_Desk]:
    """As for readers: the server, or with `--data` the directory itself."""
    from watchglass.surfaces.cli.asking import local_data, server_url

    settings = loaded.settings
    if local_data(loaded) is None:
        from watchglass.surfaces.cli.remote_reprices import RemoteReprices

        yield RemoteReprices(server_url(loaded), timeout_s=120, key=settings.key)
        return
    from watchglass.surfaces.cli.local_reprices import opened

    with opened(settings) as desk:
        yield desk
