"""`watchglass reprice`: past calls priced anew, looked at first, taken back if need be."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from watchglass.errors import BadRequest, StoreError
from watchglass.surfaces.cli import completion, options
from watchglass.surfaces.cli.exits import INTERRUPTED, reporting
from watchglass.surfaces.cli.reprice_shown import (
    Document,
    bar,
    how_to_resume,
    print_changes,
    print_json,
    print_run,
    print_runs,
)
from watchglass.surfaces.cli.usage import SHORTHANDS, Only, only

if TYPE_CHECKING:
    from watchglass.config import Loaded

_HERE = "the store in this directory, with no server"

Data = Annotated[str | None, options.option("data", meaning=_HERE, panel="Where")]
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
                print_changes(loaded, desk.start({**wanted, "dry_run": True}), "would change")
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
            print_json({"runs": found})
            return
        print_runs(found)


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
            print_run(loaded, desk.show(run, changes=True, left=left))


def undo_run(
    run: RunId,
    why: Why = "",
    left: Left = 20,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Take a run back (`last` is the latest that changed something): what is still priced by it gets
    back what it had.

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
    with bar(run) as progress:
        while run["state"] == "running":
            try:
                desk.wait(0.2)
                run = desk.show(run["id"])
                progress(run)
            except KeyboardInterrupt:
                cancelled = True
                run = desk.cancel(run["id"])
    run = desk.show(run["id"], changes=True, left=left)
    print_run(loaded, run)
    if cancelled:
        raise typer.Exit(INTERRUPTED)
    if run["fault"]:
        raise StoreError(f"{run['id']} was interrupted: {run['fault']}; {how_to_resume(run)}")


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
