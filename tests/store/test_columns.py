"""What readers see is what is documented, and is free of duplicates."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from tests.new_store import prepared
from watchglass.store import SCHEMAS, Store, open_store
from watchglass.store.columns import COLUMNS, TABLES

_EMPTY: dict[str, object] = {"string": "", "list": [], "map": [], "bool": False}


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(prepared(tmp_path_factory.mktemp("views") / "data")) as opened:
        yield opened


def batch(table: str, *rows: dict[str, object]) -> pa.RecordBatch:
    """Rows with only the columns that matter; the rest is empty."""
    arrays = [
        pa.array(
            [
                row.get(
                    f.name,
                    None if f.nullable else _EMPTY.get(str(f.type).split("<")[0], 0),
                )
                for row in rows
            ],
            f.type,
        )
        for f in SCHEMAS[table]
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMAS[table])


def test_every_view_and_column_is_documented_in_its_order(store: Store) -> None:
    """The documented tables are the views there are, column for column in `SELECT *` order."""
    found = store.engine.execute(
        "SELECT table, groupArray(name) AS names FROM (SELECT table, name FROM system.columns "
        "WHERE database = 'watchglass' ORDER BY table, position) GROUP BY table"
    )
    actual = dict(zip(found["table"].to_pylist(), found["names"].to_pylist(), strict=True))
    assert actual == {table: [column.name for column in columns] for table, columns in COLUMNS.items()}
    assert set(TABLES) == set(COLUMNS)


@pytest.mark.parametrize("table", sorted(COLUMNS))
def test_every_view_can_be_read(store: Store, table: str) -> None:
    """Each documented table answers `SELECT *` with its columns, also when empty."""
    read = store.engine.execute(f"SELECT * FROM watchglass.{table}")
    assert read.column_names == [column.name for column in COLUMNS[table]]
    assert read.num_rows == 0


def test_a_row_sent_twice_is_seen_once_and_the_latest_version_wins(
    store: Store,
) -> None:
    """Duplicates collapse in the views, in one insert as in two, and settling's newer version shows."""
    first = {
        "call_id": "t:s",
        "trace_id": "t",
        "span_id": "s",
        "kind": "call",
        "counted": True,
        "version": 1,
    }
    store.engine.insert("store.calls", [batch("calls", first, first)])
    assert store.engine.execute("SELECT count() AS n FROM watchglass.usage")["n"].to_pylist() == [1]
    store.engine.insert("store.calls", [batch("calls", first)])
    assert store.engine.execute("SELECT count() AS n FROM watchglass.calls")["n"].to_pylist() == [1]
    settled = first | {
        "counted": False,
        "not_counted_reason": "duplicate",
        "duplicate_of": "u:v",
        "version": 2,
    }
    store.engine.insert("store.calls", [batch("calls", settled)])
    store.engine.insert("store.calls", [batch("calls", first)])
    assert store.engine.execute("SELECT duplicate_of AS d FROM watchglass.calls")["d"].to_pylist() == ["u:v"]
    assert store.engine.execute("SELECT count() AS n FROM watchglass.usage")["n"].to_pylist() == [0]


def test_usage_without_calls_below_it_has_its_own_table(store: Store) -> None:
    """An aggregate that nothing explains is unattributed usage, and is not counted usage."""
    bare = {
        "call_id": "t:a",
        "kind": "aggregate",
        "not_counted_reason": "unattributed",
        "input_tokens": 7,
    }
    explained = {
        "call_id": "t:b",
        "kind": "aggregate",
        "not_counted_reason": "cumulative",
        "input_tokens": 9,
    }
    store.engine.insert("store.calls", [batch("calls", bare, explained)])
    assert store.engine.execute("SELECT input_tokens FROM watchglass.unattributed_usage")[0].to_pylist() == [
        7
    ]
    assert store.engine.execute("SELECT * FROM watchglass.usage").num_rows == 0


def test_a_message_of_no_tenant_has_no_tenant(store: Store) -> None:
    """The empty tenant of the physical key is NULL to readers."""
    store.engine.insert("store.messages", [batch("messages", {"hash": "h", "content": "x"})])
    assert store.engine.execute("SELECT tenant FROM watchglass.messages")["tenant"].to_pylist() == [None]


def test_a_time_window_reads_only_its_own_parts_of_calls(store: Store) -> None:
    """A filter on `time` through the view reaches the primary key: granules outside it are not read."""
    hours = [
        {
            "call_id": str(n),
            "trace_id": f"{n:032x}",
            "time": n * 3_600_000_000_000 // 100,
        }
        for n in range(60_000)
    ]
    store.engine.insert("store.calls", [batch("calls", *hours)])
    plan = store.engine.execute(
        "EXPLAIN indexes = 1 SELECT count() FROM watchglass.calls WHERE time >= {since:DateTime64(9, 'UTC')}",
        {"since": "1970-01-25 00:00:00"},
    )
    granules = [line.strip() for line in plan["explain"].to_pylist() if "Granules:" in line]
    read, of = (int(n) for n in granules[-1].removeprefix("Granules: ").split("/"))
    assert read <= 2 < of, granules


@pytest.mark.parametrize(("table", "column"), [("calls", "trace_id"), ("spans", "trace_id")])
def test_a_trace_is_found_without_reading_the_table(store: Store, table: str, column: str) -> None:
    """Looking a trace up through the view reads a granule or two, whatever the table's size."""
    rows = [
        {
            "call_id": str(n),
            "trace_id": f"{n * 7919 % 65536:04x}{n:028x}",
            "time": n * 50_000_000_000,
        }
        for n in range(60_000)
    ]
    store.engine.insert(f"store.{table}", [batch(table, *rows)])
    plan = store.engine.execute(
        f"EXPLAIN indexes = 1 SELECT count() FROM watchglass.{table} WHERE {column} = {{id:String}}",
        {"id": rows[4321]["trace_id"]},
    )
    granules = [line.strip() for line in plan["explain"].to_pylist() if "Granules:" in line]
    read, _of = (int(n) for n in granules[-1].removeprefix("Granules: ").split("/"))
    assert read <= 2, granules
