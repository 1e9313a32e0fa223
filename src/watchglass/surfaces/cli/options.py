"""The options of every command: each is a setting, so its meaning, variable and default come from `config`.

An option that is not given is `None`; `settings` then takes the value from the environment, the
file or the default.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import typer

from watchglass import config
from watchglass.surfaces.cli import completion


def option(
    name: str,
    *flags: str,
    meaning: str | None = None,
    panel: str | None = None,
    completed: completion.Completed | None = None,
) -> Any:
    """A typer option for a setting, with its variable and default in the help.

    `completed` gives the words that a shell completes its value with.
    """
    row = next(row for row in config.table() if row.name == name)
    default = "" if row.default in ("nothing", "false") else f"; default: {row.default}"
    return typer.Option(
        *(flags or (f"--{name.replace('_', '-')}",)),
        help=f"{meaning or row.meaning} [{row.env}{default}]",
        rich_help_panel=panel,
        show_default=False,
        autocompletion=completed,
    )


Data: TypeAlias = Annotated[
    str | None, option("data", meaning="ask the store in this directory, with no server", panel="Where")
]
Url: TypeAlias = Annotated[str | None, option("url", panel="Where")]
Key: TypeAlias = Annotated[str | None, option("key", panel="Where")]
Json: TypeAlias = Annotated[bool | None, option("json", "--json")]


def settings(**flags: object) -> config.Loaded:
    """The settings in force, given this command's options. Raises `ConfigError`."""
    return config.load({name: value for name, value in flags.items() if value not in (None, [], ())})
