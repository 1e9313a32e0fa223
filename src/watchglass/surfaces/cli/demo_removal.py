"""`watchglass demo --remove`: the demo's tenants leave the store, over the API or in a directory."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import msgspec
import typer

from watchglass.config import Loaded
from watchglass.errors import NotFound
from watchglass.surfaces.cli import asking

TIMEOUT_S = 600
"""Deleting rewrites what is left of each file that has some."""


class _Removed(msgspec.Struct, frozen=True):
    removed: dict[str, int]


def remove_demo(loaded: Loaded, *, ask: bool) -> None:
    """Delete the demo's tenants and say how many rows went; `ask` before, where somebody can answer."""
    from watchglass.surfaces.demo.workloads import TENANTS

    named = ", ".join(TENANTS)
    directory = asking.local_data(loaded)
    where = str(directory) if directory is not None else asking.server_url(loaded)
    if ask:
        typer.confirm(f"Delete every row of {named} from {where}?", abort=True)
    local = directory is not None
    removed = _in_directory(directory, TENANTS) if local else _over_http(loaded, where, TENANTS)
    rows = ", ".join(f"{table} {count:,}" for table, count in removed.items() if count)
    typer.echo(f"Removed {named}: {rows or 'there was nothing'}.")


def _over_http(loaded: Loaded, url: str, tenants: tuple[str, ...]) -> dict[str, int]:
    from watchglass.surfaces.cli.remote import RemoteReader

    server = RemoteReader(url, timeout_s=TIMEOUT_S, key=loaded.settings.key)
    removed: dict[str, int] = {}
    for tenant in tenants:
        answer = server.fetch(f"/api/v1/tenants/{quote(tenant, safe='')}", None, "DELETE")
        for table, count in msgspec.json.decode(answer, type=_Removed).removed.items():
            removed[table] = removed.get(table, 0) + count
    return removed


def _in_directory(directory: Path, tenants: tuple[str, ...]) -> dict[str, int]:
    from watchglass.clock import SystemClock
    from watchglass.store import Budgets, open_store, remove_tenants

    # Opening makes what is not there; a mistyped path must not leave a store behind.
    if not (directory / "engine").is_dir():
        raise NotFound(
            f"there is no store in {directory}; give the directory that --data names for the server"
        )
    with open_store(directory, program="watchglass demo --remove") as store:
        removed, budgets = remove_tenants(store.engine, tenants), Budgets(store.control, SystemClock())
        return removed | {"budgets": sum(budgets.erase(each, reservations=True) for each in tenants)}
