"""`watchglass backup` and `watchglass restore`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from watchglass.errors import NotFound, StoreError, Unreachable
from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import reporting

if TYPE_CHECKING:
    from watchglass.config import Loaded
    from watchglass.store.backup import Backup, Written

Data = Annotated[
    str | None,
    options.option("data", meaning="back up this directory, which no server has open", panel="Where"),
]
NewData = Annotated[str | None, options.option("data", meaning="new directory to make", panel="Where")]


def backup(
    folder: Annotated[
        Path, typer.Argument(help="folder of backups; what is in it already is not stored again")
    ],
    verify: Annotated[
        bool, typer.Option("--verify", help="make none: read all backups there and say what is damaged")
    ] = False,
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, help="afterwards remove all but so many latest backups")
    ] = None,
    data: Data = None,
    url: options.Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Back up all that a store holds, keys included, while its server runs; checked as it is written."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, json=json)
        if verify:
            _verify(folder, as_json=loaded.settings.json)
            return
        from watchglass.store import backup as backups

        with _snapshot(loaded) as source, _bar(f"backing up to {folder.name}") as progress:
            try:
                written = backups.write(source, folder, progress)
            except StoreError:
                if source.is_dir():
                    raise
                raise Unreachable("the server stopped before the backup was whole; run it again") from None
        removed = backups.prune(folder, keep) if keep else []
        _tell(folder, written, removed, as_json=loaded.settings.json)


def restore(
    folder: Annotated[Path, typer.Argument(help="folder of backups")],
    at: Annotated[
        str | None, typer.Option("--at", help="the backup whose time begins so; the latest if not given")
    ] = None,
    data: NewData = None,
    json: options.Json = None,
) -> None:
    """Make a new data directory from a backup: whole and checked, or not at all."""
    with reporting():
        loaded = options.settings(data=data, json=json)
        from watchglass.store.restore import chosen
        from watchglass.store.restore import restore as run

        found = chosen(folder, at)
        target = Path(loaded.settings.data)
        with _bar(f"restoring {found.name}") as progress:
            run(folder, found, target, progress)
        if loaded.settings.json:
            _json({"backup": found.name, "data": str(target), "rows": found.rows(), "bytes": found.bytes})
            return
        typer.echo(f"{target} holds the backup of {found.name}: {_rows(found)}")
        typer.echo(f"Look at it with: watchglass serve --data {target}")


@contextmanager
def _snapshot(loaded: Loaded) -> Generator[Path]:
    """The folder of a snapshot, of the server that is asked or of the directory that is opened here."""
    from watchglass.surfaces.cli.asking import local_data, server_url
    from watchglass.surfaces.cli.remote import RemoteReader

    directory = local_data(loaded)
    if directory is None:
        settings = loaded.settings
        server = RemoteReader(server_url(loaded), timeout_s=settings.query_time_s + 10, key=settings.key)
        with server.held("/api/v1/backup") as line:
            folder = Path(str(msgspec.json.decode(line)["snapshot"]))
            if not folder.is_dir():
                raise NotFound(
                    f"the server's snapshot is at {folder} on its own machine, and cannot be read from here; "
                    "run this there, as the server's user"
                )
            yield folder
        return
    if not (directory / "engine").is_dir():
        raise NotFound(f"there is no store in {directory}; name another with --data")
    from watchglass.clock import SystemClock
    from watchglass.store import open_store
    from watchglass.store.snapshot import frozen

    clock = SystemClock()
    with (
        open_store(directory, program="watchglass backup", clock=clock) as store,
        frozen(store.place, store.control, store.engine, clock) as folder,
    ):
        yield folder


def _verify(folder: Path, *, as_json: bool) -> None:
    from watchglass.store import backup as backups

    found = backups.listed(folder)
    with _bar(f"reading {folder.name}") as progress:
        wrong = backups.verify(folder, found, progress)
    if as_json:
        _json({"backups": [{"backup": each.name, "rows": each.rows()} for each in found], "damaged": wrong})
    else:
        for each in found:
            typer.echo(f"{each.name}: {_rows(each)}")
        typer.echo("All of it is as it was written." if not wrong else "\n".join(wrong))
    if wrong:
        raise StoreError(
            f"{len(wrong)} of the files in {folder} are damaged; back up anew, to another folder"
        )


def _tell(folder: Path, written: Written, removed: list[str], *, as_json: bool) -> None:
    made = written.backup
    if as_json:
        _json(
            {
                "backup": made.name,
                "folder": str(folder),
                "rows": made.rows(),
                "bytes": made.bytes,
                "new_bytes": written.new_bytes,
                "parts": len(made.parts),
                "new_parts": written.new_parts,
                "removed": removed,
            }
        )
        return
    typer.echo(f"{made.name}: {_rows(made)}")
    typer.echo(
        f"{_size(made.bytes)} in all, {_size(written.new_bytes)} of it new; "
        "every new file read back and checked"
    )
    if removed:
        typer.echo(f"Removed: {', '.join(removed)}")


def _rows(made: Backup) -> str:
    return ", ".join(f"{rows:,} {table}" for table, rows in sorted(made.rows().items())) or "no rows"


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _json(document: dict[str, Any]) -> None:
    typer.echo(msgspec.json.encode(document).decode())


@contextmanager
def _bar(what: str) -> Generator[Callable[[int, int], None]]:
    """A progress bar over bytes, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda done, all: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, all: bar.update(task, completed=done, total=all)
