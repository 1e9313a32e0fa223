"""A backup holds what was there, stores each part once, names what is damaged, comes back whole or not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from tests.new_store import prepared
from tests.stored_rows import call, insert
from watchglass.clock import ManualClock
from watchglass.errors import NotFound, StoreBusy, StoreError
from watchglass.store import Retention, Store, open_store
from watchglass.store import backup as backups
from watchglass.store.restore import chosen, restore
from watchglass.store.retention import DAY_NS
from watchglass.store.snapshot import freezer, frozen

START_NS = 1_790_000_000 * 10**9


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_NS)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    with open_store(prepared(tmp_path / "data"), clock=clock) as opened:
        yield opened


def add_calls(store: Store, first: int, count: int) -> None:
    """Calls with ids of their own."""
    store.engine.execute(
        """
        INSERT INTO store.calls (call_id, trace_id, span_id, time, kind, counted, cost_usd, version)
        SELECT toString(number), toString(number), toString(number),
            fromUnixTimestamp64Nano({at:Int64}, 'UTC'), 'call', true,
            toDecimal128('0.000000000000000001', 18), 1
        FROM numbers({first:UInt64}, {count:UInt64})
        """,
        {"at": START_NS, "first": first, "count": count},
    )


def back_up(store: Store, clock: ManualClock, folder: Path) -> backups.Written:
    """As the command does."""
    clock.advance_ns(10**9)
    with frozen(store.place, store.control, store.engine, clock) as source:
        return backups.write(source, folder)


def calls(directory: Path) -> dict[str, list[object]]:
    """How many calls a data directory has, how many different ones, and what they cost."""
    with open_store(directory) as store:
        return store.engine.execute(
            "SELECT count() AS n, uniqExact(call_id) AS ids, toString(sum(cost_usd)) AS cost"
            " FROM watchglass.usage"
        ).to_pydict()


def test_what_comes_back_is_what_was_there(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    """Rows, money to the last digit and the small state are in the restored store as they were."""
    add_calls(store, 0, 1000)
    store.control.put("a fact", "42")
    written = back_up(store, clock, tmp_path / "backups")
    assert written.backup.rows() == {"calls": 1000}
    store.close()
    restore(tmp_path / "backups", written.backup, tmp_path / "back")
    assert calls(tmp_path / "back") == {"n": [1000], "ids": [1000], "cost": ["0.000000000000001"]}
    with open_store(tmp_path / "back") as back:
        assert back.control.get("a fact") == "42"
        add_calls(back, 1000, 5)
    assert calls(tmp_path / "back")["n"] == [1005]


def test_a_second_backup_stores_only_what_is_new(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    """Parts that are stored already are only listed, and either backup comes back by itself."""
    store.engine.execute("SYSTEM STOP MERGES")
    add_calls(store, 0, 5000)
    first = back_up(store, clock, tmp_path / "backups")
    add_calls(store, 5000, 10)
    second = back_up(store, clock, tmp_path / "backups")
    assert (first.new_parts, second.new_parts, len(second.backup.parts)) == (1, 1, 2)
    assert second.backup.rows() == {"calls": 5010}
    nothing = back_up(store, clock, tmp_path / "backups")
    assert nothing.new_parts == 0
    store.close()
    restore(tmp_path / "backups", chosen(tmp_path / "backups", first.backup.name), tmp_path / "old")
    assert calls(tmp_path / "old")["n"] == [5000]
    restore(tmp_path / "backups", chosen(tmp_path / "backups", None), tmp_path / "new")
    assert calls(tmp_path / "new")["n"] == [5010]


def test_a_backup_is_of_one_moment_though_rows_keep_coming(
    store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    """What was there before the backup began is in it, whatever is written and merged meanwhile."""
    add_calls(store, 0, 500)
    ended = threading.Event()

    def write() -> None:
        first = 1000
        while not ended.is_set():
            add_calls(store, first, 20)
            store.engine.execute("OPTIMIZE TABLE store.calls")
            first += 20

    writer = threading.Thread(target=write)
    writer.start()
    try:
        written = [back_up(store, clock, tmp_path / "backups") for _ in range(4)]
    finally:
        ended.set()
        writer.join()
    store.close()
    for number, each in enumerate(written):
        restore(tmp_path / "backups", each.backup, tmp_path / f"back{number}")
        with open_store(tmp_path / f"back{number}") as back:
            found = back.engine.execute(
                "SELECT uniqExact(call_id) AS n FROM store.calls WHERE toUInt64(call_id) < 500"
            )
            assert found["n"].to_pylist() == [500]


def test_nothing_is_left_of_a_snapshot(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    """A snapshot goes with the backup, and what a kill left of one with the next opening."""
    add_calls(store, 0, 10)
    back_up(store, clock, tmp_path / "backups")
    assert [each for each in freezer(store.place).iterdir() if each.is_dir()] == []
    (freezer(store.place) / "snapshotleft").mkdir()
    directory = store.place.directory
    store.close()
    with open_store(directory) as again:
        assert not freezer(again.place).exists()


def test_removing_old_backups_keeps_what_the_others_need(
    store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    """After pruning the latest are whole, and parts that nobody needs are gone."""
    folder = tmp_path / "backups"
    add_calls(store, 0, 100)
    back_up(store, clock, folder)
    store.engine.execute("TRUNCATE TABLE store.calls")
    add_calls(store, 0, 7)
    for _ in range(2):
        back_up(store, clock, folder)
    assert len(backups.prune(folder, 2)) == 1
    left = backups.listed(folder)
    assert [each.rows() for each in left] == [{"calls": 7}, {"calls": 7}]
    assert backups.verify(folder, left) == []
    assert len(list(folder.glob("parts/calls/*"))) == 1


@pytest.mark.parametrize("harm", ["other", "short", "missing", "list"])
def test_what_is_damaged_is_named_and_not_restored(
    store: Store, clock: ManualClock, tmp_path: Path, harm: str
) -> None:
    """Changed, cut and missing files are named by `verify`, and `restore` leaves nothing behind."""
    folder = tmp_path / "backups"
    add_calls(store, 0, 100)
    made = back_up(store, clock, folder).backup
    store.close()
    victim = next(folder.glob("parts/calls/*/" + ("files.json" if harm == "list" else "data.bin")))
    match harm:
        case "other" | "list":
            victim.write_bytes(victim.read_bytes()[:-1] + b"?")
        case "short":
            victim.write_bytes(victim.read_bytes()[:-1])
        case _:
            victim.unlink()
    (sentence,) = backups.verify(folder, [made])
    assert str(victim) in sentence and "damaged" in sentence
    with pytest.raises(StoreError, match="damaged"):
        restore(folder, made, tmp_path / "back")
    assert not (tmp_path / "back").exists()
    assert not list(tmp_path.glob(".back*"))


def test_a_backup_that_was_not_finished_is_none(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    """Parts without a list are said to be just that; the next backup uses them."""
    folder = tmp_path / "backups"
    add_calls(store, 0, 100)
    made = back_up(store, clock, folder).backup
    (folder / "backups" / f"{made.name}.json").unlink()
    with pytest.raises(NotFound, match="no whole backup"):
        chosen(folder, None)
    assert back_up(store, clock, folder).new_parts == 0


def test_only_its_own_folders_are_written_to(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    """A folder with something else in it is refused, by backup and by restore."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    add_calls(store, 0, 10)
    with pytest.raises(StoreError, match="something else"):
        back_up(store, clock, tmp_path / "other")
    with pytest.raises(NotFound, match="no backup of watchglass"):
        chosen(tmp_path / "other", None)
    made = back_up(store, clock, tmp_path / "backups").backup
    store.close()
    with pytest.raises(StoreError, match="not empty"):
        restore(tmp_path / "backups", made, tmp_path / "other")
    assert [each.name for each in (tmp_path / "other").iterdir()] == ["thesis.txt"]


def test_a_backup_of_a_newer_watchglass_is_refused(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    """A schema step that this program does not know is said, and nothing is made."""
    from watchglass.store.migrate import Migration

    store.control.record("engine", Migration(9999, "of_the_future", "SELECT 1;"))
    made = back_up(store, clock, tmp_path / "backups").backup
    store.close()
    with pytest.raises(StoreError, match="newer watchglass"):
        restore(tmp_path / "backups", made, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_two_backups_to_one_folder_wait_for_each_other(
    store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    """The second is told that there is a first."""
    folder = tmp_path / "backups"
    with (
        frozen(store.place, store.control, store.engine, clock) as source,
        backups._held(folder),  # pyright: ignore[reportPrivateUsage]  # what the other process would hold
        pytest.raises(StoreBusy, match="under way"),
    ):
        backups.write(source, folder)


def test_files_of_a_part_cannot_lie_elsewhere(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    """A made-up backup that names a file outside of its part is damaged, not obeyed."""
    folder = tmp_path / "backups"
    add_calls(store, 0, 10)
    made = back_up(store, clock, folder).backup
    part = made.parts[0]
    text = msgspec.json.encode([backups.Stored("../../evil", 0, "")])
    (folder / part.folder / backups.FILES).write_bytes(text)
    made_up = msgspec.structs.replace(part, files=backups._digest(text))  # pyright: ignore[reportPrivateUsage]  # a forger
    with pytest.raises(StoreError, match=r"no file '\.\./\.\./evil'"):
        backups.copy_part(folder, made_up, tmp_path / "target")


def test_sums_are_made_again_from_what_was_restored(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    """Which hours were summed up is not restored: the sums themselves are not in a backup."""
    store.control.put("rollup_hours_known", "1")
    store.control.change(("INSERT INTO rollup_sites VALUES (1, 1, '')", ()))
    add_calls(store, 0, 10)
    made = back_up(store, clock, tmp_path / "backups").backup
    store.close()
    assert not {"usage_hourly", "usage_daily", "sites_daily"} & made.rows().keys()
    restore(tmp_path / "backups", made, tmp_path / "back")
    with open_store(tmp_path / "back", clock=clock) as back:
        assert back.control.get("rollup_hours_known") is None
        assert back.control.run("SELECT * FROM rollup_sites") == []


def test_sums_of_expired_calls_come_back(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    """Of calls that are deleted nothing else is left; and they are known when they are sent again."""
    rows = [call(number, time=START_NS - 100 * DAY_NS + number, cost_usd=Decimal(1)) for number in range(5)]
    insert(store.engine, "calls", rows)
    Retention(store.engine, {"calls": 30 * DAY_NS}).run(START_NS)
    made = back_up(store, clock, tmp_path / "backups").backup
    store.close()
    restore(tmp_path / "backups", made, tmp_path / "back")
    with open_store(tmp_path / "back", clock=clock) as back:
        insert(back.engine, "calls", rows)
        found = back.engine.execute("SELECT calls, total_cost, expired FROM watchglass.llm_usage_summary")
        assert found.to_pylist() == [{"calls": 5, "total_cost": Decimal(5), "expired": True}]


def test_price_files_are_backed_up_checked_and_restored(
    store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    """The user's prices and the lists that were taken; an older backup keeps what was there then."""
    data, folder = store.place.directory, tmp_path / "backups"
    (data / "prices.toml").write_text("old")
    first = back_up(store, clock, folder).backup
    (data / "prices.toml").write_text("new")
    (data / "genai-prices.json").write_text("[]")
    second = back_up(store, clock, folder).backup
    store.close()
    restore(folder, first, tmp_path / "first")
    restore(folder, second, tmp_path / "second")
    found = [
        sorted(each.name for each in (tmp_path / name).glob("*-prices.json")) for name in ("first", "second")
    ]
    assert found == [[], ["genai-prices.json"]]
    assert [(tmp_path / name / "prices.toml").read_text() for name in ("first", "second")] == ["old", "new"]
    backups.prune(folder, 1)
    assert backups.verify(folder, backups.listed(folder)) == []
    assert len(list((folder / "prices").iterdir())) == 2
    (folder / second.prices["prices.toml"].path).write_text("bad")
    assert "is damaged" in backups.verify(folder, [second])[0]
    made_up = msgspec.structs.replace(second, prices={"../x": second.control})
    with pytest.raises(StoreError, match="no price file"):
        restore(folder, made_up, tmp_path / "third")
