"""The Arrow schemas are what the tables take, and what goes in comes out."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa
import pytest

from watchglass.store import SCHEMAS, Store, open_store

TEXTS = ["", "plain", "é中\U0001f600", "nul\x00inside", "tab\tnewline\n'quote\\back"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("tables") / "data") as opened:
        yield opened


def described(store: Store, table: str) -> dict[str, str]:
    rows = store.engine.execute(
        "SELECT name, type FROM system.columns WHERE database = 'store' AND table = {table:String}",
        {"table": table},
    )
    return dict(zip(rows["name"].to_pylist(), rows["type"].to_pylist(), strict=True))


@pytest.mark.parametrize("table", sorted(SCHEMAS))
def test_schema_has_exactly_the_columns_of_its_table(store: Store, table: str) -> None:
    """Every column of a table is in its Arrow schema, nullable there exactly if it is in the table."""
    columns = described(store, table)
    assert set(SCHEMAS[table].names) == set(columns)
    nullable = {
        name
        for name, kind in columns.items()
        if "Nullable(" in kind and not kind.startswith(("Map", "Array"))
    }
    assert {field.name for field in SCHEMAS[table] if field.nullable} == nullable


def value_of(field: pa.Field, row: int) -> object:
    """A value that is hard to store, different for each row; None in every third where it may be."""
    kind = field.type
    if field.nullable and row % 3 == 2:
        return None
    if pa.types.is_string(kind):
        return f"{row}:{TEXTS[row % len(TEXTS)]}"
    if pa.types.is_list(kind):
        return TEXTS[: row % 4]
    if pa.types.is_map(kind) and pa.types.is_integer(kind.item_type):
        return [(f"k{i}", row - i) for i in range(row % 4)]
    if pa.types.is_map(kind):
        return [(f"k{i}", text) for i, text in enumerate(TEXTS[: row % 4])]
    if pa.types.is_timestamp(kind):
        return pa.scalar(1_730_000_000_123_456_789 + row, kind)
    if pa.types.is_decimal(kind):
        return Decimal("12345678901234567890.000000000000000001") + row
    if pa.types.is_boolean(kind):
        return row % 2 == 0
    if pa.types.is_floating(kind):
        return row / 7
    return (1 << (kind.bit_width - 1)) - 1 - row


@pytest.mark.parametrize("table", sorted(SCHEMAS))
def test_rows_come_back_as_they_went_in(store: Store, table: str) -> None:
    """Every type survives the way in and out: decimals to the last digit, nanoseconds, NULL, NUL, Unicode."""
    schema = SCHEMAS[table]
    arrays = [pa.array([value_of(field, row) for row in range(12)], field.type) for field in schema]
    batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
    assert store.engine.insert(f"store.{table}", [batch]) == 12
    read = store.engine.execute(
        f"SELECT {', '.join(f'`{n}`' for n in schema.names)} FROM store.{table} ORDER BY ALL"
    )
    expected = sorted(batch.to_pylist(), key=repr)
    assert sorted(read.cast(schema).to_pylist(), key=repr) == expected
