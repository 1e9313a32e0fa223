"""Who answers a command: the server at `--url`, or the store in `--data`, opened here."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from watchglass.config import Loaded, Settings
from watchglass.errors import ConfigError, NotFound

if TYPE_CHECKING:
    from watchglass.queries.reader import Reader


def local_data(loaded: Loaded) -> Path | None:
    """The directory that a writing command opens itself; None when it writes to a server.

    As for readers: `--data` opens it, a directory that is only configured is left to a server that is named
    with `--url` or holds it. Raises `ConfigError` where both are given.
    """
    settings, sources = loaded.settings, loaded.sources
    if sources["data"] == "flag" and sources["url"] == "flag":
        raise ConfigError("--url and --data both say where to; give one of them")
    if sources["data"] == "flag":
        return Path(settings.data)
    if sources["data"] == "default" or sources["url"] != "default" or _address_of_holder(settings):
        return None
    return Path(settings.data)


def server_url(loaded: Loaded) -> str:
    """The server that a writing command talks to, where `local_data` has no directory for it."""
    settings, sources = loaded.settings, loaded.sources
    if sources["data"] != "default" and sources["url"] == "default":
        return _address_of_holder(settings) or settings.url
    return settings.url


@contextmanager
def reader(loaded: Loaded) -> Generator[Reader, None, None]:
    """A reader as the settings say.

    `--url` asks that server and `--data` opens that directory; a directory that only the
    environment or the file names is one that a server may well hold, so then that server is asked.
    Raises `Unreachable` without a server, `StoreBusy` naming the holder, `NotFound` without a store.
    """
    from watchglass.surfaces.cli.remote import RemoteReader

    settings, sources = loaded.settings, loaded.sources
    if sources["data"] == "flag" and sources["url"] == "flag":
        raise ConfigError("--url and --data both say where to read; give one of them")
    if sources["data"] == "default" or (sources["url"] != "default" and sources["data"] != "flag"):
        yield RemoteReader(settings.url, timeout_s=settings.query_time_s + 10, key=settings.key)
        return
    address = _address_of_holder(settings) if sources["data"] != "flag" else ""
    if address:
        yield RemoteReader(address, timeout_s=settings.query_time_s + 10, key=settings.key)
        return
    with _opened(settings) as local:
        yield local


def _address_of_holder(settings: Settings) -> str:
    from watchglass.store import holder

    found = holder(Path(settings.data))
    return found.address if found else ""


@contextmanager
def _opened(settings: Settings) -> Generator[Reader, None, None]:
    from watchglass.queries.reader import StoreReader
    from watchglass.store import Limits, open_store

    # Opening makes what is not there; a reader with a mistyped path must not leave a store behind.
    if not (Path(settings.data) / "engine").is_dir():
        raise NotFound(
            f"there is no store in {settings.data}; `watchglass serve --data {settings.data}` makes one"
        )
    limits = Limits(settings.query_time_s, settings.query_memory_bytes, settings.query_rows)
    with open_store(Path(settings.data), program="watchglass (reading)") as store:
        yield StoreReader(store.engine, limits=limits)
