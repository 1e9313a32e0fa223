"""Runs of repricing and what they change, as the command line shows them."""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from watchglass.config import Loaded

Document = dict[str, Any]


def print_run(loaded: Loaded, run: Document) -> None:
    """A run: what it changed, how far it is, and what of it could not be taken back."""
    if loaded.settings.json:
        print_json(run)
        return
    from watchglass.surfaces.cli.tables import fitted, show

    _print_tables(run["changes"])
    _print_expired(run)
    show(
        f"{run['id']} ({what(run)}): {run['state']}, {run['chunks_done']} of {run['chunks']} chunks; "
        f"{run['changed']:,} of {run['looked']:,} rows changed, "
        f"{run['before_usd']} → {run['after_usd']} US dollars ({run['difference_usd']})."
    )
    if run["state"] in ("cancelled", "interrupted"):
        show(f"{run['fault'] or 'It was stopped'}: {how_to_resume(run)}.")
    if (left := run.get("left")) and left["rows"]:
        whence = ", ".join(f"{rows:,} {whose}" for whose, rows in left["by"].items())
        show(f"{left['rows']:,} rows are not taken back; their price is from elsewhere now: {whence}.")
        names = ("call_id", "time", "tenant", "model", "price_from")
        rows = [[str(each[name] or "–") for name in names] for each in left["first"]]
        show(fitted([(name.replace("_", " "), False) for name in names], rows, droppable=("time",)))


def print_changes(loaded: Loaded, changes: Document, said: str) -> None:
    """What changes by kind, model and tenant; `said` is what becomes of the rows."""
    if loaded.settings.json:
        print_json(changes)
        return
    from watchglass.surfaces.cli.tables import show

    _print_tables(changes)
    _print_expired(changes)
    totals = changes["totals"]
    show(
        f"{changes['changed']:,} of {changes['looked']:,} rows {said}: {totals['before_usd']} → "
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


def what(run: Document) -> str:
    """Whether it reprices or takes back."""
    return "reprice" if run["undoes"] is None else f"undo {run['undoes']}"


def how_to_resume(run: Document) -> str:
    """What to do with a run that stopped."""
    return f"`watchglass reprice resume {run['id']}` goes on with it"


def print_json(document: Document) -> None:
    """As `--json` shows everything."""
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(document)))


def print_runs(found: Sequence[Document]) -> None:
    """The list of them."""
    from watchglass.surfaces.cli.tables import fitted, show

    names = ("run", "what", "state", "began", "by", "looked", "changed", "before USD", "after USD", "why")
    numbers = ("looked", "changed", "before USD", "after USD")
    rows = [
        [
            each["id"], what(each), each["state"], each["began"], each["who"], f"{each['looked']:,}",
            f"{each['changed']:,}", each["before_usd"], each["after_usd"], each["why"],
        ]
        for each in found
    ]  # fmt: skip
    show(fitted([(name, name in numbers) for name in names], rows, droppable=("why", "by", "looked")))


@contextmanager
def bar(run: Document) -> Generator[Any]:
    """Shows how far a run is, where somebody looks."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(f"{what(run)} {run['id']}", total=max(1, run["chunks"]))
        yield lambda now: shown.update(task, completed=now["chunks_done"])
