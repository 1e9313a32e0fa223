"""Deletes what has been kept long enough: whole partitions where that is possible, rows in the one between.

Calls leave their sums behind (`archive.py`).

Dropping a partition frees its disk at once. In the partition in which the limit lies the rows are
deleted by rewriting the parts that hold some, which frees the disk too (the engine's lightweight
DELETE would only hide them until some later merge). The limit moves in steps of a day, so that
this is done once a day, and then for one partition of a table.

A row's age counts from its own time; a text's from when it was last received, for the calls of many
days may share it. What is sent again after it was deleted is stored again, until the next pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from watchglass.errors import StoreError
from watchglass.store.rollup_engine import RolledEngine
from watchglass.store.rollup_hours import HOUR_NS

DAY_NS = 86_400 * 10**9

MOMENTS: Mapping[str, str] = {
    "messages": "fromUnixTimestamp64Nano(toInt64(version), 'UTC')",
    "spans": "start_time",
    "calls": "time",
    "tasks": "time",
    "logs": "time",
    "metrics": "time",
    "rejects": "time",
    "audit": "time",
    "repricings": "time",
}
"""The tables that can be kept for a limited time, and what says how old a row is."""

_PARTITION = re.compile(r"[0-9A-Za-z_-]+")


@dataclass(frozen=True, slots=True)
class Deleted:
    """What one pass took out of one table: everything from before `before_ns`."""

    table: str
    before_ns: int
    rows: int
    bytes: int
    """On disk."""


def limit_ns(now_ns: int, keep_ns: int) -> int:
    """The moment before which nothing is kept: a whole day, or hour where it is kept for less than two days.

    >>> limit_ns(5 * DAY_NS + 1, 3 * DAY_NS) == 2 * DAY_NS
    True
    """
    step = DAY_NS if keep_ns >= 2 * DAY_NS else HOUR_NS
    return (now_ns - keep_ns) // step * step


class Retention:
    """Deletes by age; `keep` is nanoseconds for a table, None for what is kept for ever."""

    def __init__(
        self,
        engine: RolledEngine,
        keep: Mapping[str, int | None],
        *,
        gone: Callable[[str, int], None] = lambda table, before_ns: None,
    ) -> None:
        """`gone(table, before_ns)` is told after rows of a table have been deleted."""
        self._engine = engine
        self._keep = {table: kept for table, kept in keep.items() if kept is not None}
        self._gone = gone

    def run(self, now_ns: int) -> list[Deleted]:
        """One pass over all tables. Raises `StoreError`; what was deleted before that stays so.

        `calls` come first: a call without its spans can be shown, spans without their call cannot be counted.
        """
        order = sorted(self._keep, key=lambda table: (table != "calls", table))
        found = [self._table(table, limit_ns(now_ns, self._keep[table])) for table in order]
        return [each for each in found if each is not None]

    def _table(self, table: str, before_ns: int) -> Deleted | None:
        moment, before = MOMENTS[table], {"before": before_ns}
        limit = "fromUnixTimestamp64Nano({before:Int64}, 'UTC')"
        aged = self._engine.execute(
            f"""
            SELECT _partition_id AS partition, countIf({moment} < {limit}) AS old, count() AS held
            FROM store.{table}
            GROUP BY partition
            HAVING old > 0
            ORDER BY partition
            """,
            before,
        ).to_pylist()
        if not aged:
            return None
        rows, size = self._size(table)
        for each in aged:
            partition = _checked(each["partition"])
            # Settling writes rows of all tables anew: what it has read must not come back after this.
            with self._engine.alone():
                if table == "calls":
                    self._expire(partition, before_ns)
                elif each["old"] == each["held"]:
                    # The number of rows is asked once more by nobody: what comes in between is as old.
                    self._engine.execute(f"ALTER TABLE store.{table} DROP PARTITION ID '{partition}'")
                else:
                    self._engine.execute(
                        f"ALTER TABLE store.{table} DELETE IN PARTITION ID '{partition}'"
                        f" WHERE {moment} < {limit} SETTINGS mutations_sync = 1",
                        before,
                    )
        self._gone(table, before_ns)
        rows_left, size_left = self._size(table)
        return Deleted(table, before_ns, rows - rows_left, size - size_left)

    def _expire(self, partition: str, before_ns: int) -> None:
        """Archive and delete the calls of a partition (a month) from before the limit."""
        first_ns, after_ns = _month(partition)
        delete = f"ALTER TABLE store.calls DROP PARTITION ID '{partition}'"
        if after_ns > before_ns:
            delete = (
                f"ALTER TABLE store.calls DELETE IN PARTITION ID '{partition}'"
                f" WHERE time < fromUnixTimestamp64Nano({before_ns}, 'UTC') SETTINGS mutations_sync = 1"
            )
        until_ns = min(after_ns, before_ns)
        self._engine.archive.expire(first_ns // 10**9, until_ns // 10**9, delete)

    def _size(self, table: str) -> tuple[int, int]:
        found = self._engine.execute(
            """
            SELECT toInt64(sum(rows)) AS rows, toInt64(sum(bytes_on_disk)) AS bytes
            FROM system.parts
            WHERE database = 'store' AND table = {table:String} AND active
            """,
            {"table": table},
        )
        return found["rows"][0].as_py() or 0, found["bytes"][0].as_py() or 0


def _month(partition: str) -> tuple[int, int]:
    """Start and end of a partition `YYYYMM`, in nanoseconds since 1970.

    >>> _month("197001") == (0, 31 * DAY_NS)
    True
    """
    year, month = int(partition[:-2]), int(partition[-2:])
    first = datetime(year, month, 1, tzinfo=UTC)
    after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return int(first.timestamp()) * 10**9, int(after.timestamp()) * 10**9


def _checked(partition: str) -> str:
    """It stands in a statement as it is, for the engine binds no names."""
    if not _PARTITION.fullmatch(partition):
        raise StoreError(f"a partition has the id {partition!r}, which cannot be; the store may be damaged")
    return partition
