"""What of the tables could not be read when the store was opened, and is in no answer since."""

from __future__ import annotations

from typing import NamedTuple

from watchglass.store.engine import Engine


class Damage(NamedTuple):
    """Parts of a table that the engine put aside because their files do not add up."""

    table: str
    parts: int
    size: int
    """Bytes on disk; how many rows they held nobody can tell."""


def damage(engine: Engine) -> list[Damage]:
    """What was put aside, the largest first. The engine then goes on without it and says nothing."""
    found = engine.execute(
        """
        SELECT concat(database, '.', table) AS table, count() AS parts, sum(bytes_on_disk) AS size
        FROM system.detached_parts
        WHERE database IN ('store', 'watchglass') AND startsWith(ifNull(reason, ''), 'broken')
        GROUP BY ALL ORDER BY size DESC, table
        """
    ).to_pylist()
    return [Damage(row["table"], row["parts"], row["size"]) for row in found]
