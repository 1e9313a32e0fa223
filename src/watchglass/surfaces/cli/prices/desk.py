"""Where the commands about prices ask, and what their answers share."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from watchglass.errors import BadRequest, NotFound
from watchglass.surfaces.cli import options

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
Tier = Annotated[str | None, typer.Option("--tier", help="batch, flex, priority …")]
Tenant = Annotated[str | None, typer.Option("--tenant", help="for calls of this tenant")]
Prices = Annotated[str | None, options.option("prices")]

MOMENTS = ("since", "until", "time", "changed")
CLASSES = ("input", "output", "cache_read", "cache_write")
NUMBERS = (*CLASSES, "percent", "number")


class Desk(Protocol):
    """Where prices are asked for; the answers are what the API shows."""

    def list(self, asked: Mapping[str, str]) -> Document:
        """The prices at a moment."""
        ...

    def show(self, model: str, asked: Mapping[str, str]) -> Document:
        """All prices of a model."""
        ...

    def take(self, content: bytes, source: str) -> Document:
        """Import a price list."""
        ...

    def history(self, model: str, asked: Mapping[str, str]) -> Document:
        """What a model cost when."""
        ...

    def overrides(self) -> Document:
        """What was set one by one."""
        ...

    def versions(self) -> Document:
        """What became of the book."""
        ...

    def set(self, asked: Mapping[str, Any]) -> Document:
        """Set a price or a discount."""
        ...

    def diff(self, asked: Mapping[str, Any]) -> Document:
        """Two states of the book."""
        ...

    def what_if(self, model: str, asked: Mapping[str, Any]) -> Document:
        """Calls at another model's price."""
        ...

    def check(self, asked: Mapping[str, str]) -> Document:
        """What is odd."""
        ...

    def update(self, content: bytes, name: str) -> Document:
        """Take a newer list; no content goes back to the installed ones."""
        ...

    def unset(self, id: str) -> Document:
        """Take one back."""
        ...


def given(**asked: str | None) -> dict[str, str]:
    """What was asked, without what was not."""
    return {name: value for name, value in asked.items() if value is not None}


def content(file: str) -> bytes:
    """A file's. Raises `NotFound` and `BadRequest`."""
    try:
        return Path(file).read_bytes()
    except FileNotFoundError:
        raise NotFound(f"there is no file {file}") from None
    except OSError as fault:
        raise BadRequest(f"{file} cannot be read ({fault.strerror})") from None


def columns(names: tuple[str, ...]) -> list[tuple[str, bool]]:
    """Columns by the names of an answer's fields; amounts are numbers."""
    return [(name.replace("_", " "), name in NUMBERS) for name in names]


def cells(row: Document, names: tuple[str, ...]) -> list[str]:
    """The cells of those columns."""
    from watchglass.surfaces.cli.tables import cell

    return [short(cell(row.get(name))) if name in MOMENTS else cell(row.get(name)) for name in names]


def short(moment: str) -> str:
    """A moment without the zeros at its end: prices change at full hours, mostly of midnight UTC."""
    return moment.replace(".000000000Z", "Z").removesuffix("T00:00:00Z")


def print_json(document: Document) -> None:
    """For programs."""
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(document)))


@contextmanager
def desk_of(loaded: Loaded, *, make: bool = False) -> Generator[Desk]:
    """The book, as for readers: the server, or with `--data` the directory, even if a server holds it."""
    from watchglass.surfaces.cli.asking import local_data, server_url
    from watchglass.surfaces.cli.local_prices import LocalPrices
    from watchglass.surfaces.cli.remote_prices import RemotePrices

    settings, directory = loaded.settings, local_data(loaded)
    if directory is None:
        yield RemotePrices(server_url(loaded), timeout_s=60, key=settings.key)
        return
    from watchglass.store import open_kept_prices

    with open_kept_prices(directory, make=make) as kept:
        yield LocalPrices(settings, kept, directory)
