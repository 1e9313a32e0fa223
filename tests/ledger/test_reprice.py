"""Repricing: what changes, what a second run and taking back do, and that no kill makes a difference."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.ledger.repricing_house import HOUR_NS, NOON_NS, House, Killed, priced_call
from tests.new_store import prepared
from watchglass.clock import ManualClock
from watchglass.errors import BadRequest, Conflict, NotFound
from watchglass.ledger.reprice_plan import Asked
from watchglass.store import Store, open_store

CLOCK = ManualClock(NOON_NS + 30 * 24 * HOUR_NS)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An open store."""
    with open_store(prepared(tmp_path_factory.mktemp("reprice")), clock=CLOCK) as opened:
        yield opened


@pytest.fixture
def house(store: Store) -> House:
    """No calls yet, and no prices."""
    return House(store, CLOCK)


def test_calls_without_a_price_get_the_one_that_the_book_has_by_now(house: House) -> None:
    """Two calls of a model that was unknown cost what its new price says, and say which run priced them."""
    house.write(priced_call(1), priced_call(2, tokens=1))
    house.prices(model_a="3")
    run = house.reprice()
    assert (run.state, run.id) == ("done", house.rows()[0]["price_run"])
    assert house.costs() == [Decimal(3), Decimal("0.000003")]
    assert house.rows()[0]["unpriced_reason"] is None


def test_a_second_run_changes_nothing(house: House) -> None:
    """It is recorded as a run that looked at all rows and changed none."""
    house.write(priced_call(1), priced_call(2))
    house.prices(model_a="3")
    house.reprice()
    before = house.rows("*")
    again = house.repricing.progress(house.reprice())
    assert (again.did.looked, again.did.changed, again.state) == (2, 0, "done")
    assert house.rows("*") == before


def test_looking_first_writes_nothing_and_says_what_a_run_then_does(house: House) -> None:
    """Rows and dollars by kind, model and tenant are the same before and after, to the last digit."""
    house.write(
        priced_call(1, tenant="acme"),
        priced_call(
            2, model="model-b", cost_usd=Decimal("0.1"), price_source="override", unpriced_reason=None
        ),
        priced_call(3, model="model-c", cost_usd=Decimal(7), price_source="override", unpriced_reason=None),
        priced_call(4, counted=False, tenant="acme"),
        priced_call(5, kind="aggregate", unpriced_reason=None, counted=False),
    )
    house.prices(model_a="3", model_b="0.2")
    before = house.rows("*")
    seen = house.repricing.look(Asked(), house.book)
    assert house.rows("*") == before
    assert house.repricing.runs.list() == []
    assert (seen.looked, seen.totals.rows, seen.not_counted) == (4, 3, 1)
    assert [(each.name, each.rows, each.before_usd, each.after_usd) for each in seen.by_kind] == [
        ("priced", 1, 0, 3),
        ("price_changed", 1, Decimal("0.1"), Decimal("0.2")),
        ("unpriced", 1, 7, 0),
    ]
    assert [(each.name, each.difference_usd) for each in seen.by_model] == [
        ("model-c", -7), ("model-a", 3), ("model-b", Decimal("0.1"))
    ]  # fmt: skip
    assert [(each.name, each.rows) for each in seen.by_tenant] == [(None, 2), ("acme", 1)]
    run = house.reprice()
    assert house.repricing.changes(run) == seen
    did = house.repricing.progress(run).did
    assert (did.before_usd, did.after_usd) == (Decimal("7.1"), Decimal("3.2"))
    assert house.costs() == [3, Decimal("0.2"), None, 3, None]


def test_only_what_is_asked_for_is_priced_anew(house: House) -> None:
    """A window, a filter and `unpriced` each leave the other calls as they are."""
    house.write(
        priced_call(0),
        priced_call(3600, tenant="acme"),
        priced_call(3601, tenant="acme", cost_usd=Decimal(1), unpriced_reason=None),
        priced_call(7200, tenant="acme"),
    )
    house.prices(model_a="3")
    house.reprice(since_ns=NOON_NS + HOUR_NS, until_ns=NOON_NS + 2 * HOUR_NS, unpriced=True)
    assert house.costs() == [None, 3, 1, None]
    house.reprice(filters={"tenant": ("acme",)})
    assert house.costs() == [None, 3, 3, 3]


def test_taking_a_run_back_restores_every_column_to_the_last_digit(house: House) -> None:
    """Also those of a call that was priced already, and of one whose provider was found anew."""
    house.write(
        priced_call(1, cost_usd=Decimal("0.123456789012345678"), price_id="old/one", price_source="litellm",
                    unpriced_reason=None),
        priced_call(2, provider=None, provider_source=None, provider_label=None,
                    request_model="openai/model-a", unpriced_reason="unknown_provider"),
    )  # fmt: skip
    before = house.rows()
    house.prices(model_a="3")
    run = house.reprice(detect_provider=True)
    assert house.costs() == [3, 3]
    assert house.rows()[1]["provider"] == "openai"
    assert house.undo(run).state == "done"
    assert house.rows() == before
    assert house.repricing.progress(run).state == "undone"
    assert house.repricing.left(run).rows == 0


def test_rows_that_came_or_were_repriced_since_are_left_and_named(house: House) -> None:
    """Run 1 can only be taken back where it still holds; after run 2 was taken back, everywhere else."""
    house.write(priced_call(1), priced_call(2, model="model-b"))
    original = house.rows()
    house.prices(model_a="3", model_b="3")
    first = house.reprice()
    house.prices(model_a="5", model_b="3")
    second = house.reprice()
    house.write(priced_call(3, cost_usd=Decimal(9), unpriced_reason=None))
    house.undo(first)
    assert house.costs() == [5, None, 9]
    assert house.repricing.progress(house.repricing.runs.get(first.id)).state == "partly undone"
    left = house.repricing.left(first)
    assert (left.rows, left.by, left.first[0].model) == (1, {second.id: 1}, "model-a")
    house.undo(second)
    assert [(row["cost_usd"], row["price_run"]) for row in house.rows()] == [
        (3, first.id),
        (None, ""),
        (9, ""),
    ]
    house.undo(first)
    assert house.rows()[:2] == original
    assert house.repricing.progress(house.repricing.runs.get(first.id)).state == "undone"


def test_rows_settled_since_are_left(house: House) -> None:
    """A row that was given another price by itself keeps it, and is named as settled."""
    house.write(priced_call(1))
    house.prices(model_a="3")
    run = house.reprice()
    house.write(
        priced_call(
            1, cost_usd=Decimal(8), price_run="", unpriced_reason=None, version=house.store.versions.next()
        )
    )
    house.undo(run)
    assert house.costs() == [8]
    assert house.repricing.left(run).by == {"settled": 1}


def test_what_retention_deleted_is_gone_and_does_not_come_back(house: House) -> None:
    """Taking a run back leaves deleted rows deleted."""
    house.write(priced_call(1), priced_call(2))
    house.prices(model_a="3")
    run = house.reprice()
    house.engine.execute("ALTER TABLE store.calls DELETE WHERE span_id LIKE '%1' SETTINGS mutations_sync = 1")
    house.undo(run)
    assert house.costs() == [None]
    assert house.repricing.left(run).by == {"gone": 1}


def test_a_retried_export_undoes_nothing(house: House) -> None:
    """The same call sent again, with the price it came with, changes nothing after a run."""
    house.write(priced_call(1))
    house.prices(model_a="3")
    house.reprice()
    house.write(priced_call(1))
    assert house.costs() == [3]


def test_an_imported_call_is_repriced_and_a_span_of_the_same_call_still_replaces_it(house: House) -> None:
    """Before and after taking back; merging changes nothing."""
    imported = priced_call(1, dialect="import", version=0)
    house.write(imported)
    house.prices(model_a="3")
    run = house.reprice()
    house.engine.execute("OPTIMIZE TABLE store.calls FINAL")
    assert house.costs() == [3]
    assert house.rows("version")[0]["version"] == 0
    house.undo(run)
    house.engine.execute("OPTIMIZE TABLE store.calls FINAL")
    assert house.costs() == [None]
    house.reprice()
    house.write(priced_call(1, cost_usd=Decimal(2), unpriced_reason=None))
    assert house.costs() == [2]


def many(house: House, count: int = 60) -> None:
    """Calls over five hours, most in one of them, of two models."""
    house.write(
        *(
            priced_call(number if number < 50 else 3600 * (number - 48), number + 1,
                        f"model-{'ab'[number % 2]}", trace_id=f"{number % 7:032x}", span_id=f"{number:016x}")
            for number in range(count)
        )
    )  # fmt: skip


def test_large_hours_are_cut_and_small_ones_put_together(house: House) -> None:
    """Each chunk is one part of its table, and all calls are in exactly one."""
    house.most_rows = 16
    house.reopen()
    many(house)
    house.engine.execute("OPTIMIZE TABLE store.calls FINAL")
    house.engine.execute("SYSTEM STOP MERGES store.calls")
    try:
        house.prices(model_a="3", model_b="5")
        chunks = house.repricing.runs.todo(house.begin())
        assert len([each for each in chunks if each.part.first or each.part.end]) == 4
        assert len(chunks) < 10
        run = house.reprice()
        assert house.repricing.progress(run).did.changed == 60
        parts = house.engine.execute(
            "SELECT count() AS n FROM system.parts WHERE database = 'store' AND table = 'calls' AND active"
        )
        assert parts["n"].to_pylist() == [1 + len(chunks)]
    finally:
        house.engine.execute("SYSTEM START MERGES store.calls")


STATEMENTS = ("INSERT INTO store.repricings", "INSERT INTO store.calls", "toString(ifNull(sumIf(old_cost_usd")


MOMENTS = [
    # Of each statement both moments and both directions; in the long run all pairs, and the first chunk's.
    pytest.param(
        when, nth, undoing, marks=() if nth == 3 and undoing is (when == "after") else pytest.mark.long
    )
    for when in ("before", "after")
    for nth in (1, 3)
    for undoing in (False, True)
]


@pytest.mark.parametrize(("when", "nth", "undoing"), MOMENTS)
@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_kill_anywhere_and_going_on_is_as_if_nothing_had_been(
    house: House, statement: str, when: str, nth: int, undoing: bool
) -> None:
    """Rows, totals and what taking back restores are those of a run that nobody disturbed."""
    house.most_rows = 16
    house.reopen()
    many(house)
    original = house.rows()
    house.prices(model_a="3", model_b="5")
    run = house.begin()
    if undoing:
        house.repricing.go(run, house.book)
        run = house.repricing.begin_undoing(house.repricing.runs.get(run.id), who="a test")
    count = [0]

    def dies(sql: str) -> bool:
        count[0] += statement in sql
        return count[0] >= nth and statement in sql

    setattr(house.killing, when, dies)
    with pytest.raises(Killed):
        house.repricing.go(run, house.book)
    house.reopen()
    assert [each.id for each in house.repricing.recover()] == [run.id]
    stopped = house.repricing.runs.get(run.id)
    assert stopped.state == "interrupted"
    noted = house.engine.execute(
        "SELECT count() AS n FROM store.repricings FINAL WHERE run = {run:String}", {"run": run.id}
    )
    assert noted["n"].to_pylist() == [house.repricing.progress(stopped).did.changed]
    done = house.repricing.go(house.repricing.resumed(stopped, house.book), house.book)
    assert (done.state, house.repricing.progress(done).did.changed) == ("done", 60)
    did = house.repricing.progress(done).did
    odd, even = sum(range(2, 61, 2)), sum(range(1, 61, 2))
    total = Decimal(even * 3 + odd * 5) / 10**6
    assert (did.before_usd, did.after_usd) == ((total, 0) if undoing else (0, total))
    if not undoing:
        assert sum(house.costs()) == total
        house.undo(done)
    assert house.rows() == original


def test_a_run_can_be_cancelled_taken_back_or_gone_on_with(house: House) -> None:
    """It stops between chunks; what is done stays until it is undone."""
    house.most_rows = 16
    house.reopen()
    many(house)
    house.prices(model_a="3", model_b="5")
    asked: list[int] = []

    def stop() -> Any:
        asked.append(1)
        return "cancelled" if len(asked) > 1 else None

    run = house.repricing.go(house.begin(), house.book, stop)
    some = house.repricing.progress(run).did.changed
    assert (run.state, 0 < some < 60) == ("cancelled", True)
    done = house.repricing.go(house.repricing.resumed(run, house.book), house.book)
    assert (done.state, house.repricing.progress(done).did.changed) == ("done", 60)
    with pytest.raises(Conflict, match="only what was cancelled or interrupted"):
        house.repricing.resumed(done, house.book)


def test_a_run_is_not_gone_on_with_by_other_prices(house: House) -> None:
    """It would be half of one book and half of another."""
    house.write(priced_call(1))
    house.prices(model_a="3")
    run = house.repricing.go(house.begin(), house.book, lambda: "cancelled")
    house.prices(model_a="4")
    with pytest.raises(Conflict, match="prices have changed"):
        house.repricing.resumed(run, house.book)


def test_what_takes_back_cannot_be_taken_back(house: House) -> None:
    """Nor can a run that there is not."""
    house.write(priced_call(1))
    house.prices(model_a="3")
    undo = house.undo(house.reprice())
    with pytest.raises(BadRequest, match="reprice again"):
        house.undo(undo)
    with pytest.raises(NotFound, match="no run 'r99'"):
        house.repricing.runs.get("r99")


def test_a_row_sent_anew_between_the_note_and_the_write_keeps_its_own_price(house: House) -> None:
    """Its note is dropped, so that totals tell of what was changed."""
    house.write(priced_call(1, dialect="import", version=0), priced_call(2))
    house.prices(model_a="3")

    def comes(sql: str) -> bool:
        if "INSERT INTO store.calls" in sql:
            house.write(priced_call(1, cost_usd=Decimal(2), unpriced_reason=None))
        return False

    house.killing.before = comes
    run = house.reprice()
    assert house.costs() == [2, 3]
    assert house.repricing.progress(run).did.changed == 1
    assert house.repricing.changes(run).changed == 1
