"""The desk of repricing: one run at a time, and each tenant's key for itself."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.ledger.repricing_house import NOON_NS, priced_call
from tests.new_store import prepared
from tests.stored_rows import insert
from watchglass.clock import SystemClock
from watchglass.config import Settings
from watchglass.errors import Conflict, NotFound, Refused
from watchglass.ledger.reprice_plan import Asked
from watchglass.store import KeptPrices, Retention, Store, open_store
from watchglass.store.retention import DAY_NS
from watchglass.surfaces.price_book import open_book
from watchglass.surfaces.price_desk import PriceDesk
from watchglass.surfaces.reprice_desk import RepriceDesk

HEAD = b"provider,model,cost_per_1k_input_tokens,cost_per_1k_output_tokens,effective_date\n"
PRICES = HEAD + b"openai,model-a,0.003,0,\n"
MONTH = 31 * 24 * 3600


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Six calls of two tenants, each in a month of its own, so that a run has six chunks."""
    with open_store(prepared(tmp_path / "data")) as opened:
        rows = [priced_call(number * MONTH, tenant=("acme", "umbrella")[number % 2]) for number in range(6)]
        insert(opened.engine, "calls", rows)
        yield opened


@pytest.fixture
def desk(store: Store) -> Iterator[RepriceDesk]:
    """With a price for them."""
    clock, book = SystemClock(), open_book(Settings())
    prices = PriceDesk(Settings(), book, KeptPrices(store.control, clock), clock)
    prices.take(PRICES, "theirs")
    made = RepriceDesk(store, prices, book, clock)
    yield made
    made.stop()


def costs(store: Store) -> list[Decimal | None]:
    """Of all calls by their time."""
    found = store.engine.execute("SELECT cost_usd FROM store.calls FINAL ORDER BY time")
    return found["cost_usd"].to_pylist()


def test_a_second_run_is_refused_while_one_runs_which_can_be_cancelled(
    store: Store, desk: RepriceDesk
) -> None:
    """The refusal names who runs; what was under way when it was cancelled is done, the rest is not."""
    with store.engine.alone():  # so it cannot get on
        run = desk.start(Asked(), who="key-1", why="", tenant=None)
        with pytest.raises(Conflict, match=r"r1, begun by key-1, is running"):
            desk.start(Asked(), who="key-2", why="", tenant=None)
        with pytest.raises(Conflict, match="another run is running"):
            desk.undo("last", who="key-2", why="", tenant="acme")
        desk.cancel(run["id"], None)
    assert desk.wait(60)
    cancelled = desk.show(run["id"], None)
    assert cancelled["state"] == "cancelled"
    assert cancelled["chunks_done"] < 6
    assert costs(store).count(Decimal(3)) == cancelled["changed"]
    desk.resume(None, None)
    assert desk.wait(60)
    assert costs(store) == [3] * 6
    assert desk.show(run["id"], None)["state"] == "done"


def test_stopping_the_server_interrupts_a_run(store: Store, desk: RepriceDesk) -> None:
    """It can be gone on with."""
    with store.engine.alone():
        run = desk.start(Asked(), who="a key", why="", tenant=None)
        desk._stop = "interrupted"
    desk.stop()
    assert desk.show(run["id"], None)["state"] == "interrupted"
    desk.resume(run["id"], None)
    assert desk.wait(60)
    assert costs(store) == [3] * 6


def test_a_bound_key_reprices_its_tenants_calls_alone(store: Store, desk: RepriceDesk) -> None:
    """It sees no other's runs, takes none back, and its own figures tell of no other's money."""
    everybodys = desk.start(Asked(until_ns=NOON_NS + MONTH * 10**9 * 2 - 1), who="boss", why="", tenant=None)
    assert desk.wait(60)
    seen = desk.look(Asked(), "acme")
    assert (seen["looked"], [each["name"] for each in seen["by_tenant"]]) == (3, ["acme"])
    with pytest.raises(Refused, match="bound to tenant 'acme'"):
        desk.look(Asked(filters={"tenant": ("umbrella",)}), "acme")
    own = desk.start(Asked(), who="key", why="", tenant="acme")
    assert desk.wait(60)
    assert costs(store) == [3, 3, 3, None, 3, None]
    assert [each["id"] for each in desk.list("acme")] == [own["id"]]
    assert desk.list("umbrella") == []
    for ask in (desk.show, desk.cancel, desk.resume):
        with pytest.raises(NotFound):
            ask(everybodys["id"], "acme")
    with pytest.raises(NotFound):
        desk.undo(everybodys["id"], who="key", why="", tenant="acme")
    desk.undo("last", who="key", why="", tenant="acme")
    assert desk.wait(60)
    assert costs(store) == [3, 3, None, None, None, None]


def test_hours_that_have_expired_are_named_and_left_alone(store: Store, desk: RepriceDesk) -> None:
    """Looking and a run say which hours of theirs are out of reach; of another tenant's nobody learns."""
    Retention(store.engine, {"calls": 30 * DAY_NS}).run(NOON_NS + 2 * MONTH * 10**9)
    seen = desk.look(Asked(), None)
    assert (seen["looked"], seen["expired"]["calls"]) == (4, 2)
    assert seen["expired"]["since"] == "2026-01-01T12:00:00.000000000Z"
    assert desk.look(Asked(), "acme")["expired"]["calls"] == 1
    assert desk.look(Asked(since_ns=NOON_NS + 2 * MONTH * 10**9), None)["expired"] is None
    assert desk.look(Asked(filters={"tenant": ("nobody",)}), None)["expired"] is None
    desk.start(Asked(), who="key-1", why="", tenant="umbrella")
    assert desk.wait(60)
    assert desk.show("r1", "umbrella", changes=True)["expired"]["calls"] == 1


def test_the_last_run_to_take_back_is_the_latest_that_changed_something(
    store: Store, desk: RepriceDesk
) -> None:
    """A second run, which changed nothing, is not in its way."""
    first = Asked(until_ns=NOON_NS + 1)
    for _ in range(2):
        desk.start(first, who="a key", why="", tenant=None)
        assert desk.wait(60)
    assert [each["changed"] for each in desk.list(None)] == [0, 1]
    assert desk.undo("last", who="a key", why="", tenant=None)["undoes"] == "r1"
    assert desk.wait(60)
    assert costs(store) == [None] * 6
    with pytest.raises(NotFound, match="no run that changed something"):
        desk.undo("last", who="a key", why="", tenant=None)
