"""A generated month: every difference between the books has its cause, and the causes are those put there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec
import pytest

from tests.ledger.bills import generated
from tests.ledger.reconcile.month import (
    MILLION,
    SONNET,
    SONNET_LONG,
    Call,
    book,
    calls,
    exported,
    exports,
    files,
    stored,
)
from tests.new_store import prepared
from tests.stored_rows import insert
from watchglass.ledger.bills.line import BillLine
from watchglass.ledger.reconcile.asked import Asked
from watchglass.ledger.reconcile.importing import bill_row, import_bills
from watchglass.ledger.reconcile.ledger import Ledger
from watchglass.ledger.reconcile.run import reconcile
from watchglass.store import BillFile, Bills, Store, open_store

PROJECTS = {f"{kind}_{name}": name for kind in ("proj", "wrk") for name in ("acme", "beta")}


@pytest.fixture(scope="module")
def month() -> list[Call]:
    return calls()


def compare(store: Store, asked: Asked, *, agreed: bool = False) -> Ledger:
    return reconcile(
        store.engine, book(agreed=agreed), asked, live=Bills(store.engine, store.versions).live()
    )


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
def ledger(month: list[Call], tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """The month with bills that round, and with dates that do not say their zone."""
    with open_store(prepared(tmp_path_factory.mktemp("month") / "data")) as opened:
        insert(opened.engine, "calls", stored(month, book()))
        take(opened, files(month))
        return compare(opened, Asked())


@pytest.fixture(scope="module")
def from_files(
    month: list[Call], ledger: Ledger, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """The month as the providers' own files have it, priced by a book with every price; opened
    after `ledger`, as a process has one store."""
    with open_store(prepared(tmp_path_factory.mktemp("files") / "data")) as opened:
        insert(opened.engine, "calls", stored(month, book(agreed=True)))
        kept = import_bills(Bills(opened.engine, opened.versions), list(exports(month).items()))
        assert [each.refused for each in kept] == [[]] * 5
        yield opened


def test_the_providers_own_files_leave_nothing_unexplained(from_files: Store, ledger: Ledger) -> None:
    """Read from their files, with all digits and the zone said, the same causes have the same amounts; and
    with the prices set that only the bill told, nothing at all is unexplained."""
    found = compare(from_files, Asked(), agreed=True)
    assert found.totals.unexplained_apart == 0
    assert found.totals.hints == {}
    ignored = {"rounding", "time_zone", "credit", "tax", "other_charge", "not_billed"}
    assert {kind: amount for kind, amount in found.totals.explained.items() if kind not in ignored} == {
        kind: amount for kind, amount in ledger.totals.explained.items() if kind not in ignored
    }
    assert found.totals.explained["other_charge"] == Decimal(-25)
    assert "rounding" not in found.totals.explained
    assert "time_zone" not in found.totals.explained


def test_projects_are_told_apart_when_asked(from_files: Store) -> None:
    """With a map of their projects to ours each is compared by itself, and what is missing is in its own."""
    found = compare(from_files, Asked(project_by="engagement", project_map=PROJECTS), agreed=True)
    assert found.totals.unexplained_apart == 0
    missing = {
        line.key.project
        for line in found.lines
        for each in line.explanations
        if each.kind == "not_seen" and line.key.model == "o3-2025-04-16"
    }
    assert missing == {"beta"}
    nothing = [
        each.evidence
        for line in found.lines
        for each in line.explanations
        if line.key.project == "beta" and line.key.model == "o3-2025-04-16" and each.kind == "not_seen"
    ]
    assert all("no call of this model at all is recorded" in each for each in nothing)


def test_a_difference_that_nothing_explains_is_the_unexplained_rest(
    from_files: Store, month: list[Call]
) -> None:
    """An amount that was put on one day's bill for no reason is unexplained there, to the last digit."""
    sonnet = [each for each in month if each.at.day == 10 and each.model == "claude-sonnet-4-5-20250929"]
    planted = Decimal("0.0123456789")
    charged = [exported(each) for each in sonnet]
    charged[0] = msgspec.structs.replace(
        charged[0], usd=charged[0].usd | {"output": charged[0].usd["output"] + planted}
    )
    bills = Bills(from_files.engine, from_files.versions)
    import_bills(bills, [("later.json", generated.anthropic_costs(charged))])
    found = compare(from_files, Asked(), agreed=True)
    assert found.totals.unexplained == found.totals.unexplained_apart == planted
    [line] = [each for each in found.lines if each.unexplained]
    assert (line.day, line.key.model) == ("2026-03-10", "claude-sonnet-4-5-20250929")
    [slot] = [each for each in line.classes if each.unexplained]
    assert (slot.slot.token_class, slot.slot.long) == ("output", charged[0].long_context)


def test_only_what_nobody_knows_a_price_of_is_unexplained(ledger: Ledger, month: list[Call]) -> None:
    """In a month in which each difference has a cause the rest is zero, exactly, but for two models whose
    prices only the bill tells: these are hints, and their amounts the headline."""
    assert ledger.totals.lines > 200 and ledger.totals.calls > 4_000
    models = {each.key.model for each in ledger.lines if each.unexplained}
    assert models == {"claude-haiku-4-5-20251001", "gpt-next-2026-02-20"}
    for each in ledger.lines:
        assert each.unexplained == total(hint.amount_usd for hint in each.hints)
    hints = ledger.totals.hints
    assert set(hints) == {"price_implied", "price_unknown"}
    assert ledger.totals.unexplained == total(hints.values())
    haiku = [each for each in month if each.model.startswith("claude-haiku")]
    assert hints["price_implied"] == total(each.charge() - each.charge(each.list_prices) for each in haiku)
    unknown = [each for each in month if each.model.startswith("gpt-next") and each.billed]
    assert abs(hints["price_unknown"] - total(each.charge() for each in unknown)) < Decimal("0.001")
    assert ledger.totals.unexplained_apart >= abs(ledger.totals.unexplained)


def test_each_cause_has_the_amount_that_was_put_there(ledger: Ledger, month: list[Call]) -> None:
    """What explains a kind of difference is what that kind was seeded with, to the last digit."""
    explained = ledger.totals.explained
    openai = [each for each in month if each.provider == "openai"]
    gpt = [each for each in openai if each.model.startswith("gpt-4o-2024") and each.billed]
    mini = [each for each in openai if each.model.startswith("gpt-4o-mini") and each.billed and each.seen]
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
    assert explained["price_source"] == total(
        (SONNET_LONG["cache_write_1h"] - SONNET["cache_write_1h"]) * each.tokens["cache_write_1h"] / MILLION
        for each in month
        if each.long
    )
    assert "unpriced" not in explained
    [zone] = ledger.zones
    assert (zone.provider, zone.zone, zone.agree) == ("mistral", "America/Los_Angeles", zone.compared)
    assert explained["time_zone"] == total(
        each.charge()
        for each in month
        if each.provider == "mistral" and each.at >= dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
    )
    assert explained["credit"] == Decimal("-25.00")
    assert explained["tax"] == Decimal("3.21")


def total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
