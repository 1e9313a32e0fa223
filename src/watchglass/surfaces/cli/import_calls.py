"""`watchglass import`: calls that others recorded, from JSON lines or CSV, to a server or into a store."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from watchglass.errors import BadRequest, NotFound
from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import REJECTED, reporting

if TYPE_CHECKING:
    from watchglass.config import Loaded
    from watchglass.ingest.importers.local import Progress
    from watchglass.ingest.importers.parts import Part
    from watchglass.ingest.importers.tally import Tally

NAMED_REJECTS = 20
"""Rejected lines that are named on stderr; the table `rejects` has all of them."""

Target: TypeAlias = "Callable[[Iterator[Part], str], Iterator[Progress]]"


def import_(
    files: Annotated[list[str], typer.Argument(help="JSON lines or CSV, also as .gz; - reads stdin")],
    map: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="OURS=THEIRS", help="read their column as ours; may be repeated"),
    ] = None,
    format: Annotated[
        Literal["auto", "jsonl", "csv"],
        typer.Option("--format", help="what the files are, if it is not plain"),
    ] = "auto",
    data: Annotated[
        str | None,
        options.option("data", meaning="import into this directory, with no server", panel="Where"),
    ] = None,
    url: options.Url = None,
    key: options.Key = None,
    prices: Annotated[str | None, options.option("prices")] = None,
    litellm_prices: Annotated[str | None, options.option("litellm_prices")] = None,
    json: options.Json = None,
) -> None:
    """Import calls that others recorded: columns named as in the table `calls`, any further ones as metadata.

    Importing the same again changes nothing, so an import that was stopped is simply run again. Rows that
    cannot be read are named by line, here and in the table `rejects`, and all others are kept.
    """
    with reporting():
        from watchglass.ingest.importers.columns import parse_maps

        maps = parse_maps(map or ())
        loaded = options.settings(
            data=data, url=url, key=key, prices=prices, litellm_prices=litellm_prices, json=json
        )
        with _target(loaded, maps) as target:
            tallies = {name: _one(name, format, maps, target) for name in files}
        _print(tallies, as_json=loaded.settings.json)
        if any(tally.rejected for tally in tallies.values()):
            raise typer.Exit(REJECTED)


@contextmanager
def _target(loaded: Loaded, maps: Mapping[str, str]) -> Generator[Target]:
    """What takes a file in parts: the store in a directory, or a server."""
    from watchglass.surfaces.cli.asking import local_data, server_url

    directory = local_data(loaded)
    if directory is None:
        from watchglass.surfaces.cli.import_remote import Sender

        sender = Sender(server_url(loaded), key=loaded.settings.key)
        yield lambda parts, name: sender.send(parts, name, maps)
        return
    from watchglass.clock import SystemClock
    from watchglass.ingest.importers.local import import_parts
    from watchglass.store import KeptPrices, open_store
    from watchglass.surfaces.price_book import open_book
    from watchglass.surfaces.price_desk import PriceDesk

    book = open_book(loaded.settings)
    with open_store(directory, program="watchglass import") as store:
        clock = SystemClock()
        PriceDesk(loaded.settings, book, KeptPrices(store.control, clock), clock)
        yield lambda parts, name: import_parts(parts, name, maps, store.engine, book, clock.now_ns)


def _one(
    name: str,
    form: Literal["auto", "jsonl", "csv"],
    maps: Mapping[str, str],
    target: Target,
) -> Tally:
    from watchglass.ingest.importers.lines import opened
    from watchglass.ingest.importers.parts import format_of, parts
    from watchglass.ingest.importers.tally import Tally

    called = "stdin" if name == "-" else name
    tally, noted = Tally(), dict[str, None]()
    with _file(name) as file, _bar(file, called) as advance:
        source = opened(file, called)
        named = format_of(called, source.peek(4096)) if form == "auto" else form
        for progress in target(parts(source, named, maps), called):
            before = tally.rejected
            tally += progress.tally
            advance()
            for each in progress.rejects[: max(0, NAMED_REJECTS - before)]:
                typer.echo(f"{called}:{each.line}: {each.reason}", err=True)
            noted.update(dict.fromkeys(progress.notices))
    if tally.rejected > NAMED_REJECTS:
        more = tally.rejected - NAMED_REJECTS
        typer.echo(f"{called}: {more:,} more lines were rejected; the table `rejects` names them", err=True)
    for notice in noted:
        typer.echo(f"{called}: {notice}", err=True)
    return tally


@contextmanager
def _file(name: str) -> Generator[IO[bytes]]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        file = open(name, "rb")  # noqa: SIM115  # closed below; only opening may fail with this sentence
    except FileNotFoundError:
        raise NotFound(f"there is no file {name}") from None
    except OSError as fault:
        raise BadRequest(f"{name} cannot be read ({fault.strerror})") from None
    with file:
        yield file


@contextmanager
def _bar(file: IO[bytes], name: str) -> Generator[Callable[[], None]]:
    """A progress bar over the bytes of the file, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    size = os.fstat(file.fileno()).st_size if file.seekable() else None
    columns = (TextColumn("{task.description}"), BarColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"importing {Path(name).name}", total=size or None)
        yield lambda: bar.update(task, completed=file.tell() if size else None)


def _print(tallies: Mapping[str, Tally], *, as_json: bool) -> None:
    import msgspec

    if as_json:
        typer.echo(msgspec.json.encode(tallies).decode())
        return
    for name, tally in tallies.items():
        typer.echo(f"{'stdin' if name == '-' else name}: {described(tally)}")


def described(tally: Tally) -> str:
    """What became of an import, as sentences."""
    unpriced = ", ".join(
        f"{reason} {count:,}"
        for reason, count in sorted(tally.unpriced.items(), key=lambda item: (-item[1], item[0]))
    )
    lines = [
        f"{tally.rows:,} rows: {tally.new:,} new, {tally.known:,} already there, {tally.rejected:,} rejected",
        f"{tally.priced:,} priced" + (f"; without a price: {unpriced}" if unpriced else ""),
    ]
    compared = tally.agree + tally.differ
    if tally.reported:
        share = f" ({tally.agree / compared:.2%})" if compared else ""
        lines.append(
            f"of {tally.reported:,} with a reported cost {tally.agree:,} agree with ours{share}, "
            f"{tally.differ:,} differ, {tally.reported - compared:,} have no cost of ours"
        )
    for why, count in sorted(tally.differences.items(), key=lambda item: (-item[1], item[0])):
        example = f"; for example {tally.examples[why]}" if why in tally.examples else ""
        lines.append(f"  {count:,} {why}{example}")
    return "\n  ".join(lines)
