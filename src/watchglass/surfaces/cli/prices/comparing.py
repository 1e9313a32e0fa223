"""Prices against each other: two states of the book, another model, what is odd; and newer lists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import FOUND, reporting
from watchglass.surfaces.cli.prices.desk import (
    Data,
    Document,
    Prices,
    Provider,
    Tenant,
    cells,
    content,
    desk_of,
    given,
    print_json,
    short,
)

Since = Annotated[
    str | None, typer.Option(help="start of the calls it is weighed by: a date, or 30d ago as without")
]
Until = Annotated[str | None, typer.Option(help="end of these calls, not included")]
All = Annotated[bool, typer.Option("--all", help="every line, not only the first ones")]

_FEW = 20


def diff(
    a: Annotated[str, typer.Argument(help="a date or time, `book` for the book as it is, or a price file")],
    b: Annotated[str, typer.Argument(help="the same")] = "book",
    tenant: Tenant = None,
    since: Since = None,
    until: Until = None,
    all: All = False,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    prices: Prices = None,
    json: options.Json = None,
) -> None:
    """Show which models changed between two states of the book, and what calls cost by either.

    A file stands in for the list that it is: a prices.toml, a team's price list, genai-prices' data.json,
    LiteLLM's map.
    """
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, prices=prices, json=json)
        asked = {**given(tenant=tenant, since=since, until=until), "a": _side(a), "b": _side(b)}
        with desk_of(loaded) as desk:
            found = desk.diff(asked)
        print_json(found) if loaded.settings.json else _print_diff(found, all=all)


def what_if(
    model: Annotated[str, typer.Argument(help="at whose price")],
    provider: Provider = None,
    of: Annotated[list[str] | None, typer.Option(help="only calls of this model; may be repeated")] = None,
    tenant: Tenant = None,
    since: Since = None,
    until: Until = None,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    prices: Prices = None,
    json: options.Json = None,
) -> None:
    """Show what calls would have cost at another model's price, for the same tokens.

    Each call is priced by itself, at its time and in its tier. The difference is of those that have a price
    both ways; the others are counted.
    """
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, prices=prices, json=json)
        asked: dict[str, Any] = given(provider=provider, tenant=tenant, since=since, until=until)
        with desk_of(loaded) as desk:
            found = desk.what_if(model, {**asked, "of": of or []})
        if loaded.settings.json:
            print_json(found)
            return
        from watchglass.surfaces.cli.tables import show, table

        names = ("provider", "model", "calls", "cost_usd", "supposed_usd", "compared", "difference_usd")
        numbers = [(name.replace("_", " "), name not in names[:2]) for name in (*names, "unpriced")]
        rows = [_what_if_row(each, names) for each in found["rows"]]
        show(table(numbers, rows, totals=["total", "", *_what_if_row(found["total"], names)[2:]]))
        show(f"At the price of {found['model']} of {found['provider']}, {_between(found['window'])}.")


def check(
    since: Since = None,
    until: Until = None,
    all: All = False,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    prices: Prices = None,
    json: options.Json = None,
) -> None:
    """Look for what is odd in the book; exit code 7 if there are problems.

    Problems: prices of yours that clash, never hold or match nothing, gaps in the prices of models in use,
    prices without dates in use. Where lists disagree about models in use it is said, about others with --all.
    """
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, prices=prices, json=json)
        with desk_of(loaded) as desk:
            found = desk.check(given(since=since, until=until))
        print_json(found) if loaded.settings.json else _print_check(found, all=all)
        if found["problems"]:
            raise typer.Exit(FOUND)


def update(
    file: Annotated[str | None, typer.Argument(help="genai-prices' data.json, or LiteLLM's map")] = None,
    installed: Annotated[bool, typer.Option("--installed", help="back to the installed lists")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show what would change")] = False,
    since: Since = None,
    until: Until = None,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Take a newer list of prices from a file, for calls from now on, and show what changes by it.

    Nothing is downloaded. The file is kept in the data directory and holds in place of the installed list
    until --installed. `watchglass reprice` prices calls that are in the store anew.
    """
    from watchglass.errors import BadRequest

    with reporting():
        if (file is None) != installed:
            raise BadRequest("name a file, or --installed to go back to the installed lists")
        loaded = options.settings(data=data, url=url, key=key, json=json)
        found: Document = {}
        with desk_of(loaded, make=not dry_run) as desk:
            if file is not None:
                side = {"name": Path(file).name, "content": content(file).decode("utf-8", "replace")}
                found = desk.diff({**given(since=since, until=until), "a": {}, "b": side})
            if not dry_run:
                found |= desk.update(content(file) if file else b"", Path(file).name if file else "")
        if loaded.settings.json:
            print_json(found)
            return
        if file is not None:
            _print_diff(found, all=False)
        if found.get("taken"):
            typer.echo(f"{found['taken']}: {file} holds for calls from now on.")
        elif not dry_run:
            typer.echo("The installed lists hold.")


def _side(named: str) -> dict[str, str]:
    if named == "book":
        return {}
    path = Path(named)
    if path.is_file():
        return {"name": path.name, "content": content(named).decode("utf-8", "replace")}
    return {"at": named}


def _print_diff(found: Document, *, all: bool) -> None:
    from watchglass.surfaces.cli.tables import show, table

    used = {(each["provider"], each["model"]) for each in found["spent"]["rows"]}
    changes = sorted(
        found["changes"],
        key=lambda each: ((each["provider"], each["model"]) not in used, each["kind"] != "changed"),
    )
    rows = [
        [
            *(each["kind"], each["provider"], each["model"], each["tier"] or "–"),
            *map(_both(each), ("input", "output")),
            _elsewhere(each),
        ]
        for each in changes
    ]
    heads = [(name, False) for name in ("", "provider", "model", "tier", "input", "output", "also")]
    if rows:
        show(table(heads, rows if all else rows[:_FEW]))
    if len(rows) > _FEW and not all:
        show(f"… and {len(rows) - _FEW:,} more; --all shows them.")
    show(f"{found['changed']:,} prices changed, {found['added']:,} added, {found['removed']:,} removed.")
    names = ("provider", "model", "calls", "a_usd", "b_usd", "difference_usd", "a_unpriced", "b_unpriced")
    spent = found["spent"]
    if not spent["rows"]:
        show(f"There are no calls {_between(found['window'])} to weigh that by.")
        return
    weighed = (
        spent["rows"] if all else [each for each in spent["rows"] if each["difference_usd"] != "0"][:_FEW]
    )
    totals = ["total", "", *cells(spent["total"], names)[2:]]
    heads = [(name.replace("_", " "), name not in names[:2]) for name in names]
    show(table(heads, [cells(each, names) for each in weighed], totals=totals))
    show(f"Calls {_between(found['window'])} in US dollars, by either state.")


def _both(change: Document) -> Any:
    def said(name: str) -> str:
        before, after = (each and each[name] for each in (change["before"], change["after"]))
        if before == after:
            return str(before or "–")
        percent = change["change"].get(name)
        return f"{before or '–'} → {after or '–'}" + (f" ({percent}%)" if percent else "")

    return said


def _elsewhere(change: Document) -> str:
    """What changed besides the prices of input and output."""
    others = [name.replace("_", " ") for name in change["change"] if name not in ("input", "output")]
    before, after = change["before"], change["after"]
    if before and after and before["above"] != after["above"]:
        others.append("longer requests")
    return ", ".join(others) or "–"


def _what_if_row(row: Document, names: tuple[str, ...]) -> list[str]:
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(row["unpriced"].items()))
    return [*cells(row, names), reasons or "0"]


def _print_check(found: Document, *, all: bool) -> None:
    from watchglass.surfaces.cli.tables import show

    for each in found["problems"]:
        place = "/".join(part or "?" for part in (each["provider"], each["model"]))
        calls = f" ({each['calls']:,} calls)" if each["calls"] else ""
        show(f"{each['kind']}: {place}: {each['says']}{calls}")
    used = [each for each in found["disagreements"] if each["calls"]]
    for each in found["disagreements"] if all else used:
        show(f"disagreement: {each['provider']}/{each['model']} {each['tier'] or ''}: {each['says']}")
    others = len(found["disagreements"]) - len(used)
    show(
        f"{len(found['problems']):,} problems. Lists disagree about {len(used):,} prices in use"
        + (f", and about {others:,} that are not; --all shows them." if others and not all else ".")
    )


def _between(window: Document) -> str:
    return f"from {short(window['since'])} to {short(window['until'])}"
