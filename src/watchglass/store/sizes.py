"""How much room each table takes on disk."""

from __future__ import annotations

from typing import NamedTuple

from watchglass.store.engine import Engine


class TableSize(NamedTuple):
    """One table: rows as they were written, older versions included until a merge drops them."""

    table: str
    rows: int
    bytes: int


def table_sizes(engine: Engine) -> list[TableSize]:
    """Every table of the store that holds something, the largest first. The engine knows these sums."""
    found = engine.execute(
        """
        SELECT table, toInt64(sum(rows)) AS rows, toInt64(sum(bytes_on_disk)) AS bytes
        FROM system.parts
        WHERE active AND database = 'store'
        GROUP BY table
        ORDER BY bytes DESC, table
        """
    ).to_pylist()
    return [TableSize(**row) for row in found]
