"""`watchglass settings`: every setting, its value here, and where that comes from."""

from __future__ import annotations

import msgspec
import typer

from watchglass import config
from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import reporting


def _shown(name: str, value: object) -> object:
    """A key is no more than begun: what this prints ends in terminals' histories and in bug reports."""
    return f"{value[:15]}…" if name == "key" and isinstance(value, str) else value


def settings(json: options.Json = None) -> None:
    """List every setting: its value here, where that comes from, its variable and what it means."""
    with reporting():
        loaded = options.settings(json=json)
        rows = [
            {
                "name": row.name,
                "value": _shown(row.name, getattr(loaded.settings, row.name)),
                "source": loaded.sources[row.name],
                "env": row.env,
                "meaning": row.meaning,
            }
            for row in config.table()
        ]
        if loaded.settings.json:
            typer.echo(msgspec.json.format(msgspec.json.encode(rows)))
            return
        from watchglass.surfaces.cli.tables import cell, show, table

        show(f"file: {loaded.file or 'none found'}")
        names = [(name, False) for name in rows[0]]
        show(table(names, [[cell(msgspec.to_builtins(value)) for value in row.values()] for row in rows]))
