"""What readers can ask for: the documented tables with their columns, as the engine has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from watchglass.store import Engine
from watchglass.store.columns import COLUMNS
from watchglass.store.columns import Column as Documented

DATABASE = "watchglass"
"""Where the documented tables are; names without a database are looked up here."""

PHYSICAL = "store"


@dataclass(frozen=True, slots=True)
class Column:
    """One documented column; `type` is the engine's."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Documented tables by name, and the columns of everything that holds rows by `database.name`."""

    tables: Mapping[str, tuple[Column, ...]]
    everything: Mapping[str, frozenset[str]]
    closed_databases: frozenset[str]

    def has_column(self, name: str) -> bool:
        """Whether any documented table has a column of this name."""
        return any(column.name == name for columns in self.tables.values() for column in columns)

    @property
    def hint(self) -> str:
        """The end of a sentence that tells a reader what there is."""
        return f"the tables are {', '.join(sorted(self.tables))}"


def read_catalogue(engine: Engine) -> Catalogue:
    """Ask the engine; what it says does not change while the store is open."""
    found = engine.execute(
        """
        SELECT database, table, name, type
        FROM system.columns
        WHERE database IN ({documented:String}, {physical:String})
        ORDER BY database, table, position
        """,
        {"documented": DATABASE, "physical": PHYSICAL},
    ).to_pylist()
    meanings = {(table, c.name): _meaning(c) for table, columns in COLUMNS.items() for c in columns}
    tables: dict[str, tuple[Column, ...]] = {}
    everything: dict[str, frozenset[str]] = {}
    for row in found:
        key = f"{row['database']}.{row['table']}"
        everything[key] = everything.get(key, frozenset()) | {row["name"]}
        if row["database"] == DATABASE:
            column = Column(row["name"], row["type"], meanings.get((row["table"], row["name"]), ""))
            tables[row["table"]] = (*tables.get(row["table"], ()), column)
    databases = engine.execute("SELECT lower(name) AS name FROM system.databases")["name"].to_pylist()
    return Catalogue(tables, everything, frozenset(databases) - {DATABASE})


def _meaning(column: Documented) -> str:
    return f"{column.meaning} [{column.unit}]" if column.unit else column.meaning
