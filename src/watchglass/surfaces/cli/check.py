"""`watchglass check`: handed on to the checker, which reads its options itself.

The program does not come through here (it starts the checker before it imports the command line): this is the
command's place in the help and in the reference.
"""

from __future__ import annotations

from typing import Annotated

import typer

from watchglass.check.command import main


def check(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH…", help="files and folders; `watchglass check --help` lists the options"
        ),
    ] = None,
) -> None:
    """Find in Python code and notebooks what observability would not see, before it is committed."""
    raise typer.Exit(main(arguments or []))
