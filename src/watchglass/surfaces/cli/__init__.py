"""The command line: one module a subject, each command a function that typer reads.

Nothing that opens a store or talks to a server is imported before a command needs it, so that
`--help` and completion are quick.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
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


@cache
def make_app(only: str | None = None) -> typer.Typer:
    """The typer application with every command; with the one named `only`, if there is one of that name.

    What typer makes of the others' options takes longer than many a command.
    """
    app = typer.Typer(
        name="watchglass", no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False
    )
    app.callback()(_watchglass)
    commands = {each.__name__.rstrip("_").replace("_", "-"): each for each in COMMANDS}
    groups = {str(each.info.name): each for each in GROUPS}
    known = only in commands or only in groups
    for name, command in commands.items():
        if name == only or not known:
            app.command(name)(command)
    for name, group in groups.items():
        if name == only or not known:
            app.add_typer(group)
    if not known:
        app.command("backfill", help="The same as `reprice`.")(reprice_calls)
    return app


def main() -> None:
    """The `watchglass` program."""
    try:
        make_app(sys.argv[1] if len(sys.argv) > 1 else None)()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
