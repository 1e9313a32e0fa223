"""What has been kept long enough goes, from answers and from the disk; what is younger stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.new_store import prepared
from watchglass.clock import ManualClock
from watchglass.store import Retention, Store, open_store
from watchglass.store.retention import DAY_NS, MOMENTS, limit_ns

NOON = 1_790_000_000 * 10**9 // DAY_NS * DAY_NS + DAY_NS // 2
"""12:00 UTC of a day in September 2026."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(prepared(tmp_path / "data"), clock=ManualClock(NOON)) as opened:
        yield opened


def add_spans(store: Store, days_ago: int, count: int = 10) -> None:
    """Spans at noon of a day."""
    store.engine.execute(
        """
        INSERT INTO store.spans (trace_id, span_id, name, start_time, resource, version)
        SELECT hex(sipHash128(number, {at:Int64})), hex(number), 'x',
            fromUnixTimestamp64Nano({at:Int64}, 'UTC'), randomString(1000), 1
        FROM numbers({count:UInt64})
        """,
        {"at": NOON - days_ago * DAY_NS, "count": count},
    )


def add_text(store: Store, text: str, days_ago: int) -> None:
    """A text that was received at noon of a day."""
    store.engine.execute(
        """
        INSERT INTO store.messages (tenant, hash, role, content, last_time, version)
        SELECT 'acme', {text:String}, 'user', {text:String},
            fromUnixTimestamp64Nano({at:Int64}, 'UTC'), {at:Int64}
        """,
        {"text": text, "at": NOON - days_ago * DAY_NS},
    )


def ages(store: Store) -> dict[int, int]:
    """How many spans there are of each age in days."""
    found = store.engine.execute(
        "SELECT intDiv({now:Int64} - start_time_ns, 86400000000000) AS age, count() AS n"
        " FROM watchglass.spans GROUP BY age",
        {"now": NOON},
    )
    return dict(zip(found["age"].to_pylist(), found["n"].to_pylist(), strict=True))


def on_disk(store: Store) -> int:
    """Bytes of the files in the engine's directory, those of parts that are no longer in use left out."""
    store.engine.execute("SYSTEM START MERGES")
    paths = store.engine.execute(
        "SELECT path FROM system.parts WHERE active AND database = 'store' AND table = 'spans'"
    )
    return (
        sum(file.stat().st_size for path in paths["path"].to_pylist() for file in Path(path).iterdir())
        if paths.num_rows
        else 0
    )


def test_rows_go_by_their_own_time_in_whole_days(store: Store) -> None:
    """Kept for 30 days: what is from before the day that began 30 days ago is gone, all else is there."""
    for days_ago in (0, 29, 30, 31, 32, 200):
        add_spans(store, days_ago)
    deleted = Retention(store.engine, {"spans": 30 * DAY_NS}).run(NOON)
    assert ages(store) == {0: 10, 29: 10, 30: 10}
    assert [(each.table, each.rows) for each in deleted] == [("spans", 30)]


def test_the_disk_is_given_back(store: Store) -> None:
    """Dropped partitions and deleted rows are off the disk, not only out of answers."""
    for days_ago in (5, 40, 200):
        add_spans(store, days_ago, 1000)
    before = on_disk(store)
    deleted = Retention(store.engine, {"spans": 30 * DAY_NS}).run(NOON)
    assert on_disk(store) < before * 0.4
    assert deleted[0].bytes > before * 0.6


def test_what_is_kept_for_ever_is_not_touched(store: Store) -> None:
    """Without a limit nothing goes, however old."""
    add_spans(store, 20_000)
    assert Retention(store.engine, {"spans": None}).run(NOON) == []
    assert Retention(store.engine, dict.fromkeys(MOMENTS)).run(NOON) == []
    assert sum(ages(store).values()) == 10


def test_a_second_pass_finds_nothing_to_do(store: Store) -> None:
    """What is deleted stays deleted, and a pass with nothing to delete changes nothing."""
    add_spans(store, 1)
    add_spans(store, 40)
    retention = Retention(store.engine, {"spans": 30 * DAY_NS})
    assert len(retention.run(NOON)) == 1
    assert retention.run(NOON) == []


def test_a_text_is_kept_as_long_as_somebody_sends_it(store: Store) -> None:
    """A text counts from when it last came: what a younger call points at is there, however old it is."""
    for days_ago in (100, 50, 3):
        add_text(store, "system prompt", days_ago)
    add_text(store, "asked once", 50)
    add_text(store, "asked at the limit", 30)
    assert [each.table for each in Retention(store.engine, {"messages": 30 * DAY_NS}).run(NOON)] == [
        "messages"
    ]
    left = store.engine.execute("SELECT content FROM watchglass.messages ORDER BY content")
    assert left["content"].to_pylist() == ["asked at the limit", "system prompt"]


def test_who_keeps_sums_of_calls_is_told_what_is_gone(store: Store) -> None:
    """After rows of a table are deleted, the table and the limit are told, once."""
    add_spans(store, 40)
    told: list[tuple[str, int]] = []
    retention = Retention(
        store.engine, {"spans": 30 * DAY_NS, "calls": 30 * DAY_NS}, gone=lambda *what: told.append(what)
    )
    retention.run(NOON)
    retention.run(NOON)
    assert told == [("spans", limit_ns(NOON, 30 * DAY_NS))]


def test_every_table_can_be_cleared(store: Store) -> None:
    """The statements work on each of the tables, with and without rows."""
    add_spans(store, 40)
    add_text(store, "x", 40)
    store.engine.execute(
        "INSERT INTO store.rejects (time, signal)"
        " SELECT fromUnixTimestamp64Nano({at:Int64}, 'UTC'), 'traces'",
        {"at": NOON - 40 * DAY_NS},
    )
    deleted = Retention(store.engine, dict.fromkeys(MOMENTS, DAY_NS)).run(NOON)
    assert {each.table: each.rows for each in deleted} == {"messages": 1, "rejects": 1, "spans": 10}
