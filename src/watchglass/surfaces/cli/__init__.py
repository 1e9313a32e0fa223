"""The command line: one module a subject, each command a function that typer reads.

Nothing that opens a store or talks to a server is imported before a command needs it, so that
`--help` and completion are quick.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from watchglass.surfaces.cli.backup import backup, restore
from watchglass.surfaces.cli.budgets import budgets
from watchglass.surfaces.cli.call import call
from watchglass.surfaces.cli.check import check
from watchglass.surfaces.cli.coverage import coverage
from watchglass.surfaces.cli.demo import demo
from watchglass.surfaces.cli.doctor import doctor
from watchglass.surfaces.cli.exits import INTERRUPTED
from watchglass.surfaces.cli.import_calls import import_
from watchglass.surfaces.cli.keys import keys
from watchglass.surfaces.cli.lists import calls, flows, sessions, tasks, traces
from watchglass.surfaces.cli.prices import prices
from watchglass.surfaces.cli.query import query
from watchglass.surfaces.cli.reconcile import reconcile
from watchglass.surfaces.cli.reprice import reprice, reprice_calls
from watchglass.surfaces.cli.serve import serve
from watchglass.surfaces.cli.settings import settings
from watchglass.surfaces.cli.spool import spool
from watchglass.surfaces.cli.trace import trace
from watchglass.surfaces.cli.up import up
from watchglass.surfaces.cli.usage import usage

COMMANDS: tuple[Callable[..., None], ...] = (
    up,
    serve,
    usage,
    calls,
    tasks,
    traces,
    flows,
    sessions,
    call,
    trace,
    query,
    doctor,
    check,
    coverage,
    import_,
    reconcile,
    backup,
    restore,
    demo,
    settings,
)
"""Every command, in the order of the help; a command's name is its function's, its last underscore aside."""

GROUPS: tuple[typer.Typer, ...] = (keys, prices, reprice, budgets, spool)
"""Commands that have commands of their own."""


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"watchglass {version('watchglass')}")
        raise typer.Exit


def _watchglass(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Bill-grade observability for LLM agents: what every call cost, and how far to trust the figure.

    Every option can also be set as WATCHGLASS_… in the environment or in watchglass.toml.
    """


def make_app() -> typer.Typer:
    """The typer application with every command."""
    app = typer.Typer(
        name="watchglass", no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False
    )
    app.callback()(_watchglass)
    for command in COMMANDS:
        app.command(command.__name__.rstrip("_").replace("_", "-"))(command)
    for group in GROUPS:
        app.add_typer(group)
    app.command("backfill", help="The same as `reprice`.")(reprice_calls)
    return app


def main() -> None:
    """The `watchglass` program."""
    try:
        make_app()()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
