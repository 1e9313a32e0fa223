"""`watchglass check`: handed on to the checker, which reads its options itself.

The program does not come through here (it starts the checker before it imports the command line): this is the
command's place in the help, in completion and in the reference, made of the checker's own list of options.
"""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer

from watchglass.check.options import OPTIONS, Option


def check(**given: Any) -> None:
    """Find in Python code and notebooks what observability would not see, before it is committed."""
    from watchglass.check.command import main

    arguments: list[str] = list(given.pop("paths", None) or ())
    for option in OPTIONS:
        value = given.get(_named(option))
        if value:
            arguments += [option.name] if value is True else [f"{option.name}={value}"]
    raise typer.Exit(main(arguments))


def _named(option: Option) -> str:
    return option.name[2:].replace("-", "_")


def _parameter(option: Option) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    if option.metavar:
        asked = typer.Option(option.name, metavar=option.metavar, help=option.help)
        return inspect.Parameter(_named(option), kind, default=None, annotation=Annotated[str | None, asked])
    switch = typer.Option(option.name, help=option.help)
    return inspect.Parameter(_named(option), kind, default=False, annotation=Annotated[bool, switch])


_PATHS = inspect.Parameter(
    "paths",
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    default=None,
    annotation=Annotated[
        list[str] | None, typer.Argument(help="files and folders (default: the working directory)")
    ],
)
_PARAMETERS = [_PATHS, *(_parameter(each) for each in OPTIONS)]
check.__signature__ = inspect.Signature(_PARAMETERS)  # type: ignore[attr-defined]  # what typer reads
check.__annotations__ = {each.name: each.annotation for each in _PARAMETERS}
