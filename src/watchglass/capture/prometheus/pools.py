"""Gauges of a SQLAlchemy engine's pool of connections, read off with the others of the process."""

from __future__ import annotations

import weakref
from typing import Any

from watchglass.capture.prometheus.runtime import metric, on_refresh
from watchglass.errors import ConfigError


def observe_pool(engine: Any, name: str | None = None) -> None:
    """Show the pool of a SQLAlchemy engine, sync or async, as `db_pool_*`, as long as the engine lives.

    `name` is the label `pool`, by default the database's name: give engines of one database names of their
    own. Raises `ConfigError` for what is no engine.
    """
    inner = getattr(engine, "sync_engine", engine)
    if not hasattr(inner, "pool") or not hasattr(inner, "url"):
        raise ConfigError(f"observe_pool takes an engine of SQLAlchemy, not {type(engine).__name__}")
    label = name or inner.url.database or inner.url.get_backend_name()
    alive = weakref.ref(inner)

    def read() -> None:
        found = alive()
        if found is None:
            remove()
        else:
            _read(found.pool, label)  # asked for each time: `dispose` makes a new pool

    remove = on_refresh(read)


def _read(pool: Any, label: str) -> None:
    # Pools without a limit (NullPool, StaticPool) have not all of these; what they do not say is absent.
    size, active, idle = (_said(pool, what) for what in ("size", "checkedout", "checkedin"))
    total = active + idle if active is not None and idle is not None else None
    for name, value in (
        ("db_pool_size", size),
        ("db_pool_active_connections", active),
        ("db_pool_idle_connections", idle),
        ("db_connections", total),
    ):
        if value is not None:
            metric(name, pool=label).set(value)


def _said(pool: Any, what: str) -> int | None:
    ask = getattr(pool, what, None)
    return None if ask is None else ask()
