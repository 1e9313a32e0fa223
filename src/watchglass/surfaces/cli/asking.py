"""Who answers a command: the server at `--url`, or the store in `--data`, opened here."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from watchglass.config import Loaded, Settings
from watchglass.errors import ConfigError, NotFound

if TYPE_CHECKING:
    from watchglass.queries.reader import Reader, StoreReader
    from watchglass.store import Store
    from watchglass.surfaces.cli.remote import RemoteReader


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
    server = remote_reader(loaded)
    if server is not None:
        yield server
        return
    with opened(loaded.settings) as store:
        yield local_reader(store, loaded.settings)


def remote_reader(loaded: Loaded) -> RemoteReader | None:
    """The server that `reader` asks; None where it opens the directory itself."""
    from watchglass.surfaces.cli.remote import RemoteReader

    settings, sources = loaded.settings, loaded.sources
    if sources["data"] == "flag" and sources["url"] == "flag":
        raise ConfigError("--url and --data both say where to read; give one of them")
    address = settings.url
    if sources["data"] != "default" and (sources["url"] == "default" or sources["data"] == "flag"):
        address = _address_of_holder(settings) if sources["data"] != "flag" else ""
    if not address:
        return None
    return RemoteReader(address, timeout_s=settings.query_time_s + 10, key=settings.key)


def _address_of_holder(settings: Settings) -> str:
    from watchglass.store import holder

    found = holder(Path(settings.data))
    return found.address if found else ""


@contextmanager
def opened(settings: Settings) -> Generator[Store, None, None]:
    """The directory of the settings. Raises `NotFound` where there is none, and `StoreError`."""
    from watchglass.store import open_store

    # Opening makes what is not there; a reader with a mistyped path must not leave a store behind.
    if not (Path(settings.data) / "engine").is_dir():
        raise NotFound(
            f"there is no store in {settings.data}; `watchglass serve --data {settings.data}` makes one"
        )
    with open_store(Path(settings.data), program="watchglass (reading)") as store:
        yield store


def local_reader(store: Store, settings: Settings) -> StoreReader:
    """Who may ask everything of an open directory, within the limits of the settings."""
    from watchglass.queries.reader import StoreReader
    from watchglass.store import Limits

    limits = Limits(settings.query_time_s, settings.query_memory_bytes, settings.query_rows)
    return StoreReader(store.engine, limits=limits)
