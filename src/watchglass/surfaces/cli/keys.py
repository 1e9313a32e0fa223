"""`watchglass keys`: who may send and who may ask."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from watchglass.config import Loaded
from watchglass.errors import BadRequest
from watchglass.surfaces.cli import options
from watchglass.surfaces.cli.exits import reporting

if TYPE_CHECKING:
    from watchglass.store import Wanted

Data = Annotated[
    str | None, options.option("data", meaning="the keys of this data directory, also while a server runs")
]
Url = Annotated[str | None, options.option("url", meaning="the keys of this server, with an admin key")]

_LIMIT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kKMG]?i?B)?\s*/\s*s\s*")
_SIZES = dict(B=1, kB=10**3, KB=10**3, MB=10**6, GB=10**9, KiB=2**10, kiB=2**10, MiB=2**20, GiB=2**30)


class _Desk(Protocol):
    """Where keys are made and revoked; a key is what the API shows of one."""

    def create(self, wanted: Wanted) -> dict[str, Any]: ...
    def list(self) -> list[dict[str, Any]]: ...
    def revoke(self, id: str, *, forget: bool) -> dict[str, Any]: ...


def create(
    role: Annotated[str, typer.Option("--role", help="ingest (only sends), read (only asks) or admin (all)")],
    tenant: Annotated[
        str | None, typer.Option("--tenant", help="write as this tenant only, and read only its rows")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="what it is for, to tell keys apart")] = "",
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit", help="most it may do, as 5MB/s (bodies) or 100/s (requests); may be repeated"
        ),
    ] = None,
    data: Data = None,
    url: Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """Make a key and show it, this once. With the first one, everybody needs one."""
    with reporting():
        from typing import cast

        from watchglass.store import Role, Wanted

        loaded = options.settings(data=data, url=url, key=key, json=json)
        limits = dict(map(parsed_limit, limit or ()))
        wanted = Wanted(role=cast("Role", role), tenant=tenant, name=name, **limits).checked()
        with _desk(loaded, make=True) as desk:
            made = desk.create(wanted)
        if loaded.settings.json:
            _print_json(made)
            return
        typer.echo(made["key"])
        typer.echo(
            f"Key {made['id']} is shown this once; what is kept of it cannot be turned back into it.",
            err=True,
        )


def list_keys(data: Data = None, url: Url = None, key: options.Key = None, json: options.Json = None) -> None:
    """List the keys: what they may do, for whom, and whether they still work; never the keys themselves."""
    with reporting():
        from watchglass.surfaces.cli.tables import cell, show, table

        loaded = options.settings(data=data, url=url, key=key, json=json)
        with _desk(loaded) as desk:
            found = desk.list()
        if loaded.settings.json:
            _print_json({"keys": found})
            return
        names = ("id", "name", "role", "tenant", "bytes_per_s", "requests_per_s", "created", "revoked")
        rows = [[cell(each[name]) for name in names] for each in found]
        show(table([(name, name.endswith("_per_s")) for name in names], rows))
        if not found:
            typer.echo("There are no keys: the server answers everybody on this machine, and nobody else.")


def revoke(
    id: Annotated[str, typer.Argument(help="the key's id, as `watchglass keys list` shows it")],
    forget: Annotated[
        bool,
        typer.Option("--forget", help="take it off the list too; a server without any key is open again"),
    ] = False,
    data: Data = None,
    url: Url = None,
    key: options.Key = None,
    json: options.Json = None,
) -> None:
    """End a key; a running server stops taking it within a second."""
    with reporting():
        loaded = options.settings(data=data, url=url, key=key, json=json)
        with _desk(loaded) as desk:
            ended = desk.revoke(id, forget=forget)
            left = [each for each in desk.list() if each["revoked"] is None]
        if loaded.settings.json:
            _print_json(ended)
            return
        typer.echo(f"Key {ended['id']} works no more.")
        if not left and not forget:
            typer.echo("No key is left that works, so nobody gets in until one is made.", err=True)


keys = typer.Typer(name="keys", no_args_is_help=True, help="Make, list and revoke keys.")
keys.command("create")(create)
keys.command("list")(list_keys)
keys.command("revoke")(revoke)


def parsed_limit(text: str) -> tuple[str, Any]:
    """`5MB/s` as bytes_per_s, `100/s` as requests_per_s.

    >>> parsed_limit("5MB/s"), parsed_limit("0.5 / s")
    (('bytes_per_s', 5000000), ('requests_per_s', 0.5))
    """
    match = _LIMIT.fullmatch(text)
    if match is None or (match[2] and match[2] not in _SIZES):
        raise BadRequest(f"--limit {text!r} is no rate; write 5MB/s for bytes or 100/s for requests")
    if match[2]:
        return "bytes_per_s", int(float(match[1]) * _SIZES[match[2]])
    return "requests_per_s", float(match[1])


def _print_json(document: Any) -> None:
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(document)))


@contextmanager
def _desk(loaded: Loaded, *, make: bool = False) -> Generator[_Desk]:
    """The data directory itself, unless a server is named: whoever may write there needs no key."""
    from watchglass.store import open_keys
    from watchglass.surfaces.cli.remote_keys import RemoteKeys

    settings, sources = loaded.settings, loaded.sources
    if sources["url"] != "default" and sources["data"] != "flag":
        yield RemoteKeys(settings.url, timeout_s=30, key=settings.key)
        return
    with open_keys(Path(settings.data), make=make) as local:
        yield _Local(local)


class _Local:
    """Keys of a data directory on this machine."""

    def __init__(self, keys: Any) -> None:
        self._keys = keys

    def create(self, wanted: Wanted) -> dict[str, Any]:
        from watchglass.surfaces.key_document import key_document

        made, text = self._keys.create(wanted)
        return {**key_document(made), "key": text}

    def list(self) -> list[dict[str, Any]]:
        from watchglass.surfaces.key_document import key_document

        return [key_document(each) for each in self._keys.list()]

    def revoke(self, id: str, *, forget: bool) -> dict[str, Any]:
        from watchglass.surfaces.key_document import key_document

        return key_document(self._keys.forget(id) if forget else self._keys.revoke(id))
