"""`watchglass spool`: what applications on this machine have recorded and no server has yet."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchglass.errors import NotFound, Unreachable, WatchglassError
from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import reporting

if TYPE_CHECKING:
    from watchglass.capture.settings import CaptureSettings
    from watchglass.capture.spool.inspecting import SpoolFound

SpoolDir = Annotated[
    str | None,
    typer.Option(
        "--spool-dir",
        help="where the spools are [WATCHGLASS_SPOOL_DIR; default: the user state directory]",
        show_default=False,
    ),
]
_FLUSH_S = 60.0


def status(spool_dir: SpoolDir = None, json: options.Json = None) -> None:
    """Show what waits, by process, alive or dead, and what was ever dropped."""
    with reporting():
        found = _found(_capture(spool_dir))
        if options.settings(json=json).settings.json:
            _print_json({"spools": [_document(each) for each in found]})
        else:
            _print_status(found)


def flush(
    spool_dir: SpoolDir = None,
    key: options.Key = None,
    timeout: Annotated[
        float, typer.Option("--timeout", help="longest to go on, in seconds", min=0.1)
    ] = _FLUSH_S,
    json: options.Json = None,
) -> None:
    """Deliver what processes that have ended left; those that live deliver theirs themselves."""
    with reporting():
        settings = _capture(spool_dir, key)
        done: list[dict[str, Any]] = []
        for each in _found(settings):
            if any(process.records and not process.alive for process in each.processes):
                done.append(_flushed(each, settings, timeout))
        if options.settings(json=json).settings.json:
            _print_json({"spools": done})
        else:
            for each in done:
                typer.echo(f"{each['endpoint'] or each['spool']}: {each['delivered']:,} records delivered")
            if not done:
                typer.echo("No process that has ended left anything to deliver.")
        problems = [each["problem"] for each in done if each["problem"]]
        if problems:
            raise Unreachable("; ".join(problems))


def verify(spool_dir: SpoolDir = None, json: options.Json = None) -> None:
    """Read every record that waits; exit code 1 if one is not as it was written."""
    from watchglass.capture.spool import inspecting

    with reporting():
        whole, damage = 0, list[inspecting.Damage]()
        for each in inspecting.spools(Path(_capture(spool_dir).spool_dir)):
            fine, wrong = inspecting.verify(each)
            whole += fine
            damage += wrong
        if options.settings(json=json).settings.json:
            shown = [{"segment": str(each.segment), "problem": each.message} for each in damage]
            _print_json({"intact": whole, "damage": shown})
        else:
            typer.echo(f"{whole:,} records that wait are intact.")
            for each in damage:
                typer.echo(f"{each.segment}: {each.message}")
        if damage:
            raise WatchglassError(
                "the spool is damaged; what is intact is delivered all the same, the rest dropped and counted"
            )


spool = typer.Typer(
    name="spool",
    no_args_is_help=True,
    help="Look at what applications on this machine have recorded and no server has yet.",
)
for _command in (status, flush, verify):
    spool.command(_command.__name__)(_command)


def _capture(spool_dir: str | None, key: str | None = None) -> CaptureSettings:
    """The settings of applications that start here, as far as a spool needs them. Raises `ConfigError`."""
    from watchglass.capture.settings import CaptureSettings
    from watchglass.config import load_as

    given = {"--spool-dir": ("spool_dir", spool_dir), "--key": ("key", key)}
    return load_as(CaptureSettings, given, table="capture").settings


def _found(settings: CaptureSettings) -> list[SpoolFound]:
    from watchglass.capture.spool import inspecting

    return [inspecting.look(each) for each in inspecting.spools(Path(settings.spool_dir))]


def _flushed(found: SpoolFound, settings: CaptureSettings, timeout: float) -> dict[str, Any]:
    """Deliver one spool's dead processes; says what came of it."""
    from watchglass.capture.delivery import Delivery
    from watchglass.capture.encoder import requests
    from watchglass.capture.spool import Spool, inspecting, place

    root, endpoint = found.directory.parent, found.endpoint
    done: dict[str, Any] = {"spool": str(found.directory), "endpoint": endpoint, "delivered": 0}
    key = next(
        (
            each
            for each in (settings.key, None)
            if endpoint and place.directory(root, endpoint, each) == found.directory
        ),
        settings.key,
    )
    if endpoint is None or place.directory(root, endpoint, key) != found.directory:
        what = "another key; give it with --key" if endpoint else "a server that it does not name"
        return {**done, "waiting": found.records, "problem": f"{found.directory} is for {what}"}
    opened = Spool(found.directory, about=b"")
    delivery = Delivery(opened, requests, endpoint, key)
    opened.adopt()
    drained = delivery.drain(timeout)
    opened.close()
    left = inspecting.look(found.directory)
    waiting = sum(each.records for each in left.processes if not each.alive)
    problem = None if drained else delivery.stats.last_error or f"not done within {timeout:.0f} s"
    if problem:
        problem = f"{waiting:,} records still wait: {problem}"
    return {**done, "delivered": opened.stats().delivered, "waiting": waiting, "problem": problem}


def _print_status(found: list[SpoolFound]) -> None:
    from watchglass.surfaces.cli.tables import cell, count, duration, show, table

    if not found:
        raise NotFound("there is no spool here: no application has recorded anything; see --spool-dir")
    now = time.time_ns()
    columns = (("process", True), ("program", False), ("", False), ("records", True), ("bytes", True))
    for each in found:
        show(f"{each.endpoint or each.directory.name}: {count(each.records)} records wait")
        rows = [
            [
                cell(process.pid),
                cell(process.program),
                "alive" if process.alive else "dead",
                count(process.records),
                count(process.bytes),
                duration(now - process.oldest_ns) if process.oldest_ns else "",
                count(process.damaged),
            ]
            for process in each.processes
        ]
        if rows:
            show(table([*columns, ("waiting since", True), ("damaged", True)], rows))
        if each.dropped:
            show(f"Ever dropped: {_spelled(each.dropped.items())}")


def _spelled(items: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{records:,} ({reason})" for reason, records in items)


def _document(found: SpoolFound) -> dict[str, Any]:
    from watchglass.queries.plain import moment

    return {
        "spool": str(found.directory),
        "endpoint": found.endpoint,
        "waiting": found.records,
        "dropped": found.dropped,
        "processes": [
            {
                "pid": each.pid,
                "program": each.program,
                "alive": each.alive,
                "waiting": each.records,
                "bytes": each.bytes,
                "damaged": each.damaged,
                "oldest": moment(each.oldest_ns) if each.oldest_ns else None,
            }
            for each in found.processes
        ],
    }


def _print_json(document: Any) -> None:
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(document)).decode())
