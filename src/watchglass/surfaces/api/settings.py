"""What the server runs with, over HTTP: settings and where each comes from, versions, room on disk."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchglass import config
from watchglass.clock import Clock
from watchglass.config import Loaded, Settings, Source, kept_ns
from watchglass.queries.plain import moment
from watchglass.store import Engine
from watchglass.store.sizes import table_sizes
from watchglass.store.space import free_bytes
from watchglass.surfaces.api.endpoint import JSON, Endpoint

PATH = "/api/v1/settings"

_OF_COMMANDS = frozenset({"url", "key", "by", "since", "until", "filter", "json"})
"""Settings of those who ask; the server has no use for them, and one is a secret."""

_RETENTION = {
    "messages": "retention_content",
    **{
        name: f"retention_{name}"
        for name in ("calls", "tasks", "spans", "logs", "metrics", "rejects", "audit")
    },
    "repricings": "retention_calls",
}
"""The setting that says how long the rows of a table are kept."""


class ServerSetting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting: its value as a person writes it, where that comes from, and how else it could be set."""

    name: str
    value: str
    default: str
    source: Source
    flag: str
    env: str
    meaning: str


class ServerTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the store. `kept_ns` is how long its rows are kept, null for ever, by the setting `kept_by`;
    without one they stay. `rows` counts older versions too, until the engine has merged them away."""

    table: str
    rows: int
    bytes: int
    kept_by: str | None
    kept_ns: int | None


class ServerState(msgspec.Struct, frozen=True, kw_only=True):
    """What this server is and runs with. `file` is the settings file that was read, if there was one;
    `room_bytes` is what the store takes on disk, `disk_free_bytes` what this user may still write there."""

    version: str
    python: str
    engine: str
    price_list: str
    pid: int
    started: str
    address: str
    file: str | None
    settings: list[ServerSetting]
    data: str
    room_bytes: int
    disk_free_bytes: int
    tables: list[ServerTable]


def settings_endpoints(settings: Settings, address: str, engine: Engine, *, clock: Clock) -> list[Endpoint]:
    """The one question."""
    started, loaded = moment(clock.now_ns()), config.load()

    def state() -> ServerState:
        sizes = table_sizes(engine)
        (engine_version,) = engine.execute("SELECT version() AS version")["version"].to_pylist()
        control = sum(file.stat().st_size for file in Path(settings.data).glob("control.db*"))
        return ServerState(
            version=version("watchglass"),
            python=platform.python_version(),
            engine=engine_version,
            price_list=f"genai-prices {version('genai-prices')}",
            pid=os.getpid(),
            started=started,
            address=address,
            file=None if loaded.file is None else str(loaded.file),
            settings=shown(settings, loaded),
            data=str(Path(settings.data).absolute()),
            room_bytes=sum(each.bytes for each in sizes) + control,
            disk_free_bytes=free_bytes(Path(settings.data)),
            tables=[
                ServerTable(
                    table=each.table,
                    rows=each.rows,
                    bytes=each.bytes,
                    kept_by=_RETENTION.get(each.table),
                    kept_ns=_kept(settings, each.table),
                )
                for each in sizes
            ],
        )

    async def answer(_: Request) -> Response:
        found = await anyio.to_thread.run_sync(state)
        return Response(msgspec.json.encode(found), media_type=JSON)

    return [
        Endpoint(
            method="GET",
            path=PATH,
            summary="What the server runs with: settings, versions, room on disk",
            details="Settings are read when the server starts; change them where they come from, and start "
            "it again. No secret is among them.",
            needs="admin",
            handler=answer,
            answer=ServerState,
        )
    ]


def shown(settings: Settings, loaded: Loaded) -> list[ServerSetting]:
    """The server's settings. `loaded` is what environment, file and defaults say: what differs from that
    was given as a flag."""
    found: list[ServerSetting] = []
    for row in config.table():
        if row.name in _OF_COMMANDS:
            continue
        value = getattr(settings, row.name)
        told = value == getattr(loaded.settings, row.name)
        found.append(
            ServerSetting(
                name=row.name,
                value=config.written(value),
                default=row.default,
                source=loaded.sources[row.name] if told else "flag",
                flag=f"--{row.name.replace('_', '-')}",
                env=row.env,
                meaning=row.meaning,
            )
        )
    return found


def _kept(settings: Settings, table: str) -> int | None:
    name = _RETENTION.get(table)
    return None if name is None else kept_ns(getattr(settings, name))
