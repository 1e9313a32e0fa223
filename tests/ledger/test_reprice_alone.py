"""Repricing beside settling, retention and a tenant's removal: nobody undoes what another has done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from tests.ledger.repricing_house import HOUR_NS, NOON_NS, House, priced_call
from tests.new_store import prepared
from watchglass.clock import ManualClock
from watchglass.ingest.settle_rows import SettleRows
from watchglass.store import Retention, Store, open_store, remove_tenants

CLOCK = ManualClock(NOON_NS + 30 * 24 * HOUR_NS)
PATIENCE_S = 60


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An open store."""
    with open_store(prepared(tmp_path_factory.mktemp("alone")), clock=CLOCK) as opened:
        yield opened


@pytest.fixture
def house(store: Store) -> House:
    """No calls yet, and no prices."""
    return House(store, CLOCK)


def meanwhile(house: House, other: Callable[[], object]) -> None:
    """Reprice everything; `other` begins after calls were read for the notes, before they are written."""
    thread = threading.Thread(target=other)
    begun: list[bool] = []

    def begin(sql: str) -> bool:
        if "INSERT INTO store.calls" in sql and not begun:
            begun.append(True)
            thread.start()
            thread.join(0.3)  # time enough to do harm, if nothing held it back
            begun.append(thread.is_alive())
        return False

    house.killing.before = begin
    house.reprice()
    thread.join(PATIENCE_S)
    assert begun == [True, True], "the other did not wait"
    assert not thread.is_alive()


def test_what_a_tenants_removal_deletes_does_not_come_back(house: House) -> None:
    """Neither as a call nor as a note of what it cost."""
    house.write(priced_call(1, tenant="acme"), priced_call(2))
    house.prices(model_a="3")
    meanwhile(house, lambda: remove_tenants(house.engine, ["acme"]))
    assert house.costs() == [3]
    notes = house.engine.execute("SELECT call_id FROM store.repricings FINAL").num_rows
    assert notes == 1


def test_what_retention_deletes_does_not_come_back(house: House) -> None:
    """The row is gone after both, whichever came first."""
    house.write(priced_call(1), priced_call(2, time=NOON_NS + 5 * 24 * HOUR_NS))
    house.prices(model_a="3")
    kept = Retention(house.engine, {"calls": 27 * 24 * HOUR_NS})
    meanwhile(house, lambda: kept.run(CLOCK.now_ns()))
    assert house.costs() == [3]


def test_what_settling_decides_stays_decided(house: House) -> None:
    """An imported call that a span tells of too no longer counts, and has its new price."""
    trace = f"{7:032x}"
    twice = {"trace_id": trace, "span_id": f"{7:016x}"}
    house.write(
        priced_call(1, dialect="import", version=0, **twice),
        priced_call(2, time=NOON_NS + HOUR_NS, dialect="openinference", **twice),
    )
    house.prices(model_a="3")
    meanwhile(house, lambda: SettleRows(house.engine, house.book, house.store.versions)([trace]))
    found = house.rows("dialect, counted, cost_usd")
    assert sorted((row["dialect"], row["counted"], row["cost_usd"]) for row in found) == [
        ("import", False, 3),
        ("openinference", True, 3),
    ]
