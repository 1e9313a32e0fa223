"""Whether the tables are those that this program writes and reads."""

from __future__ import annotations

from dataclasses import dataclass

from watchglass.store.columns import COLUMNS
from watchglass.store.engine import Engine
from watchglass.store.tables import SCHEMAS


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """A table or view that should have this column, or that should be there (`column` '')."""

    table: str
    column: str


def schema_faults(engine: Engine) -> list[SchemaFault]:
    """What is missing, by table. A restored or hand-made data directory may lack what its history says it
    has."""
    found = engine.execute(
        "SELECT database, table, name FROM system.columns WHERE database IN ('store', 'watchglass')"
    ).to_pylist()
    held: dict[str, set[str]] = {}
    for row in found:
        held.setdefault(f"{row['database']}.{row['table']}", set()).add(row["name"])
    wanted = {f"store.{table}": list(schema.names) for table, schema in SCHEMAS.items()}
    wanted |= {f"watchglass.{table}": [each.name for each in columns] for table, columns in COLUMNS.items()}
    faults: list[SchemaFault] = []
    for table, columns in wanted.items():
        there = held.get(table)
        if there is None:
            faults.append(SchemaFault(table, ""))
            continue
        faults += [SchemaFault(table, column) for column in columns if column not in there]
    return faults
