"""`watchglass prices`: what the book says, and price lists of one's own."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from watchglass.errors import BadRequest, NotFound
from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import REJECTED, reporting

if TYPE_CHECKING:
    from watchglass.config import Loaded

Document = dict[str, Any]

Data = Annotated[
    str | None,
    options.option(
        "data", meaning="the prices of this data directory, also while a server runs", panel="Where"
    ),
]
Provider = Annotated[
    str | None, typer.Option("--provider", help="of this provider only, by any of its names")
]
At = Annotated[str | None, typer.Option("--at", help="as of this moment: a date, an ISO time, or 30d ago")]
Prices = Annotated[str | None, options.option("prices")]

_MOMENTS = ("since", "until")
_CLASSES = ("input", "output", "cache_read", "cache_write")


class _Desk(Protocol):
    """Where prices are asked for; the answers are what the API shows."""

    def list(self, asked: Mapping[str, str]) -> Document: ...
    def show(self, model: str, asked: Mapping[str, str]) -> Document: ...
    def take(self, content: bytes, source: str) -> Document: ...


def list_prices(
    provider: Provider = None,
    model: Annotated[
        str | None, typer.Option("--model", help="a part of the model's name, or a pattern with *")
    ] = None,
    at: At = None,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    prices: Prices = None,
    json: options.Json = None,
) -> None:
    """List the price of each model: the one that wins, in US dollars a million tokens."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, prices=prices, json=json)
        with _desk(loaded) as desk:
            found = desk.list(_given(provider=provider, model=model, at=at))
        if loaded.settings.json:
            _print_json(found)
            return
        from watchglass.surfaces.cli.tables import fitted, show

        names = ("provider", "model", *_CLASSES, "since", "until", "source")
        rows = [_cells(each, names) for each in found["prices"]]
        show(fitted(_columns(names), rows, droppable=("until", "cache_write", "cache_read", "since")))
        show(f"{len(rows):,} prices at {found['at']}, in US dollars a million tokens.")


def show_price(
    model: Annotated[str, typer.Argument(help="the model's name, as a call has it")],
    provider: Provider = None,
    tier: Annotated[str | None, typer.Option("--tier", help="batch, flex, priority …")] = None,
    at: At = None,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    prices: Prices = None,
    json: options.Json = None,
) -> None:
    """Show all that the book knows of a model, layer by layer, and which price wins; or why none does."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, prices=prices, json=json)
        with _desk(loaded) as desk:
            found = desk.show(model, _given(provider=provider, tier=tier, at=at))
        if loaded.settings.json:
            _print_json(found)
            return
        _print_shown(found)


def import_prices(
    file: Annotated[str, typer.Argument(help="CSV or SQL (INSERT or COPY rows)")],
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Import a price list of your own; its prices win over all others, from their date on.

    The columns are provider, model, cost_per_1k_input_tokens, cost_per_1k_output_tokens and effective_date;
    others are left alone. Importing the same again changes nothing. Calls that are in the store already keep
    the price that they were given.
    """
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, json=json)
        content = _content(file)
        with _desk(loaded, make=True) as desk:
            done = desk.take(content, Path(file).name)
        for each in done["refused"]:
            typer.echo(f"{file}:{each['line']}: {each['reason']}", err=True)
        if loaded.settings.json:
            _print_json(done)
        else:
            typer.echo(
                f"{done['added']:,} prices added, {done['changed']:,} changed, "
                f"{done['unchanged']:,} there already, {len(done['refused']):,} refused."
            )
        if done["refused"]:
            raise typer.Exit(REJECTED)


prices = typer.Typer(name="prices", no_args_is_help=True, help="List, show and import prices.")
prices.command("list")(list_prices)
prices.command("show")(show_price)
prices.command("import")(import_prices)


def _given(**asked: str | None) -> dict[str, str]:
    return {name: value for name, value in asked.items() if value is not None}


def _content(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except FileNotFoundError:
        raise NotFound(f"there is no file {file}") from None
    except OSError as fault:
        raise BadRequest(f"{file} cannot be read ({fault.strerror})") from None


def _print_shown(found: Document) -> None:
    from watchglass.surfaces.cli.tables import fitted, show

    if found["prices"]:
        names = ("", *_CLASSES, "since", "until", "daily", "source", "where it stands")
        rows = [
            [
                "→" if each["wins"] else "",
                *_cells({**each, "where it stands": each["citation"] or each["price_id"]}, names[1:]),
            ]
            for each in found["prices"]
        ]
        show(
            fitted(_columns(names), rows, droppable=("where it stands", "daily", "cache_write", "cache_read"))
        )
    whose = f"{found['model']} of {found['provider'] or 'an unknown provider'}"
    tier = f" in the tier {found['tier']}" if found["tier"] else ""
    if found["price_id"] and not found["unpriced_reason"]:
        show(f"{whose}{tier} at {found['at']}: {found['price_id']}, in US dollars a million tokens.")
        return
    show(f"{whose}{tier} at {found['at']} has no price: {found['unpriced_reason']}.")
    if found["elsewhere"]:
        show("Of this name there are: " + ", ".join(found["elsewhere"]) + ".")


def _columns(names: tuple[str, ...]) -> list[tuple[str, bool]]:
    return [(name.replace("_", " "), name in _CLASSES) for name in names]


def _cells(row: Document, names: tuple[str, ...]) -> list[str]:
    from watchglass.surfaces.cli.tables import cell

    return [_short(cell(row[name])) if name in _MOMENTS else cell(row[name]) for name in names]


def _short(moment: str) -> str:
    """A moment without the zeros at its end: prices change at full hours, mostly of midnight UTC."""
    return moment.replace(".000000000Z", "Z").removesuffix("T00:00:00Z")


def _print_json(document: Document) -> None:
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(document)))


@contextmanager
def _desk(loaded: Loaded, *, make: bool = False) -> Generator[_Desk]:
    """As for readers: the server, or with `--data` the directory itself, even if a server holds it."""
    from watchglass.surfaces.cli.asking import local_data, server_url
    from watchglass.surfaces.cli.local_prices import LocalPrices
    from watchglass.surfaces.cli.remote_prices import RemotePrices

    settings, directory = loaded.settings, local_data(loaded)
    if directory is None:
        yield RemotePrices(server_url(loaded), timeout_s=60, key=settings.key)
        return
    from watchglass.store import open_imported_prices

    with open_imported_prices(directory, make=make) as imported:
        yield LocalPrices(settings, imported)
