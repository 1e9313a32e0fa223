"""A generated month: every difference between the books has its cause, and the causes are those put there."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.ledger.reconcile.month import Call, book, calls, files, stored
from tests.stored_rows import insert
from watchglass.ledger.bills.line import BillLine
from watchglass.ledger.reconcile.importing import bill_row
from watchglass.ledger.reconcile.ledger import Ledger
from watchglass.ledger.reconcile.run import Asked, reconcile
from watchglass.store import BillFile, Bills, Store, open_store

PROJECTS = {f"{kind}_{name}": name for kind in ("proj", "wrk") for name in ("acme", "beta")}


@pytest.fixture(scope="module")
def month() -> list[Call]:
    return calls()


@pytest.fixture(scope="module")
def store(month: list[Call], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("month") / "data") as opened:
        insert(opened.engine, "calls", stored(month, book()))
        take(opened, files(month))
        yield opened


def take(store: Store, exports: dict[str, list[BillLine]]) -> None:
    Bills(store.engine, store.versions).take(
        [
            BillFile(
                file=f"{name} of {len(lines)}",
                name=name,
                format=name,
                rows=[bill_row(each) for each in lines],
            )
            for name, lines in exports.items()
        ]
    )


@pytest.fixture(scope="module")
def ledger(store: Store) -> Ledger:
    return reconcile(store.engine, book(), Asked())


def test_nothing_is_left_unexplained(ledger: Ledger) -> None:
    """In a month in which each difference has a cause the unexplained rest is zero, exactly."""
    assert ledger.totals.lines > 200
    assert [(each.day, each.key.model, each.unexplained) for each in ledger.lines if each.unexplained] == []
    assert ledger.totals.unexplained_apart == 0


def test_each_cause_has_the_amount_that_was_put_there(ledger: Ledger, month: list[Call]) -> None:
    """What explains a kind of difference is what that kind was seeded with, to the last digit."""
    explained = ledger.totals.explained
    openai = [each for each in month if each.provider == "openai"]
    gpt = [each for each in openai if each.model.startswith("gpt-4o-2024") and each.billed]
    mini = [each for each in openai if each.model.startswith("gpt-4o-mini") and each.billed and each.seen]
    haiku = [each for each in month if each.model.startswith("claude-haiku")]
    assert explained["not_seen"] == total(each.charge() for each in openai if not each.seen and each.billed)
    known = [
        each for each in openai if each.seen and not each.billed and not each.model.startswith("gpt-next")
    ]
    assert explained["not_billed"] == -total(each.charge(each.list_prices) for each in known)
    assert explained["price_interval"] == total(each.charge() - each.charge(each.list_prices) for each in gpt)
    assert explained["price_tier"] == total(
        each.charge() - each.charge(each.list_prices) for each in mini if each.at.day == 20
    )
    assert explained["token_class"] == total(
        each.charge() - each.charge(tokens=each.classes) for each in mini if each.recorded
    )
    assert explained["price_implied"] == total(
        each.charge() - each.charge(each.list_prices) for each in haiku
    )
    assert explained["credit"] == Decimal("-25.00")
    assert explained["tax"] == Decimal("3.21")


def total(amounts: Iterator[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
