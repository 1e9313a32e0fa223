"""Small tables in the engine, looked up by number a row at a time, for as long as a question takes.

Each is an engine's dictionary over a table in memory. Their names are used once. A process that was killed
leaves some behind, empty: whoever comes next drops what no living process can have made (a store is open
in one process at a time).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import count
from uuid import uuid4

import pyarrow as pa

from watchglass.store import Engine

_PREFIX = "priced_by_"
_PROCESS = f"{_PREFIX}{uuid4().hex}_"
_numbers = count()

_FLAT_KEYS = 4_000_000
_TYPES = {
    pa.uint8(): "UInt8",
    pa.uint32(): "UInt32",
    pa.uint64(): "UInt64",
    pa.int64(): "Int64",
    pa.string(): "String",
}


class Lookups:
    """Makes them; `drop` takes all of them away again."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._made: list[tuple[str, str]] = []

    def add(
        self, rows: pa.Table, key: Sequence[str] = ("place",), *, flat: bool = True, wide: Sequence[str] = ()
    ) -> str:
        """Make one of rows that have the key's columns first; `wide` columns are 256 bits as text. Its name.

        A flat one has one key, of small numbers; any other may have anything.
        """
        name = f"store.{_PROCESS}{next(_numbers)}"
        table = f"{name}_rows"
        kinds = {field.name: _TYPES[field.type] for field in rows.schema}
        self._create("TABLE", table, f"({_columns(kinds)}) ENGINE = Memory")
        self._engine.insert(table, rows.combine_chunks().to_batches())
        kinds |= dict.fromkeys(wide, "Int256")
        simple = len(key) == 1 and kinds[key[0]] == "UInt64"
        if flat:
            layout = f"FLAT(INITIAL_ARRAY_SIZE 1024 MAX_ARRAY_SIZE {_FLAT_KEYS})"
        else:
            layout = "HASHED()" if simple else "COMPLEX_KEY_HASHED()"
        source = table.removeprefix("store.")
        self._create(
            "DICTIONARY",
            name,
            f"({_columns(kinds)}) PRIMARY KEY {', '.join(key)}"
            f" SOURCE(CLICKHOUSE(DB 'store' TABLE '{source}')) LAYOUT({layout}) LIFETIME(0)",
        )
        return name

    def numbered(self, rows: pa.Table, *, wide: Sequence[str] = ()) -> str:
        """A dictionary of rows by their position."""
        ids = pa.array(range(rows.num_rows), pa.uint64())
        flat = rows.num_rows <= _FLAT_KEYS
        return self.add(rows.add_column(0, "place", ids), flat=flat, wide=wide)

    def drop(self) -> None:
        """Take away what was made."""
        while self._made:
            self._engine.execute("DROP {} IF EXISTS {} SYNC".format(*self._made.pop()))

    def _create(self, kind: str, name: str, definition: str) -> None:
        self._made.append((kind, name))
        self._engine.execute(f"CREATE {kind} {name} {definition}")


@contextmanager
def lookups(engine: Engine) -> Generator[Lookups]:
    """For one question; drops before it begins what a killed process has left."""
    _drop_left_overs(engine)
    made = Lookups(engine)
    try:
        yield made
    finally:
        made.drop()


def _drop_left_overs(engine: Engine) -> None:
    found = engine.execute(
        """
        SELECT name, engine = 'Dictionary' AS is_dictionary
        FROM system.tables
        WHERE database = 'store' AND startsWith(name, {prefix:String}) AND NOT startsWith(name, {ours:String})
        ORDER BY is_dictionary DESC
        """,
        {"prefix": _PREFIX, "ours": _PROCESS},
    )
    for row in found.to_pylist():
        kind = "DICTIONARY" if row["is_dictionary"] else "TABLE"
        engine.execute(f"DROP {kind} IF EXISTS store.`{row['name']}` SYNC")


def _columns(kinds: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in kinds.items())
