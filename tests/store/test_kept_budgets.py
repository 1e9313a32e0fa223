"""Budgets as they are kept: several may change them at once, and none of it is overlooked or lost."""

from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path

import pytest

from watchglass.clock import ManualClock
from watchglass.errors import BadRequest
from watchglass.store import Budgets, Control, WantedBudget
from watchglass.store.budgets import checked_usd
from watchglass.store.reservations import AccountRow, Group, Reservation, ReservationLog

CALLERS = 8


@pytest.fixture
def control(tmp_path: Path) -> Control:
    return Control(tmp_path / "control.db", ManualClock())


def wanted(name: str, limit: int = 1, **scope: str) -> WantedBudget:
    return WantedBudget(name=name, limit_usd=Decimal(limit), scope=scope)


def test_the_same_new_budget_made_at_once_is_one(control: Control) -> None:
    """Whoever sets a new name at the same moment gets the one budget of that name, and no error."""
    budgets = Budgets(control, ManualClock())
    gate = threading.Barrier(CALLERS)
    ids: list[set[str]] = [set() for _ in range(30)]
    faults: list[BaseException] = []

    def make() -> None:
        for number, found in enumerate(ids):
            gate.wait()
            try:
                found.add(budgets.set(wanted(f"b{number}")).id)
            except Exception as fault:  # noqa: BLE001 - whatever it is, the test shows it
                faults.append(fault)

    callers = [threading.Thread(target=make) for _ in range(CALLERS)]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    assert not faults
    assert [len(found) for found in ids] == [1] * len(ids)


def test_every_change_is_seen(tmp_path: Path, control: Control) -> None:
    """A change makes another edition, also one of a process whose clock is behind."""
    here = Budgets(control, ManualClock(2_000_000))
    other = Budgets(Control(tmp_path / "control.db", ManualClock()), ManualClock(1_000_000))
    editions = [here.edition()]
    for change in (
        lambda: here.set(wanted("a")),
        lambda: other.set(wanted("b")),
        lambda: here.set(wanted("a", 2)),
        lambda: other.set(wanted("b", 2)),
        lambda: other.set(wanted("a", 3)),
        lambda: other.remove("a"),
        lambda: other.set(wanted("a", 3)),
    ):
        change()
        editions.append(here.edition())
    assert len(set(editions)) == len(editions)


@pytest.mark.parametrize("text", ["100000000000.0000000000000000001", "1." + "0" * 70 + "1", "1e-19"])
def test_amounts_of_more_than_18_digits_are_refused(text: str) -> None:
    """… however many digits stand before them."""
    with pytest.raises(BadRequest, match="18 digits"):
        checked_usd(Decimal(text), "limit_usd")
    assert checked_usd(Decimal("999999999999.999999999999999999"), "limit_usd")


def test_a_tenants_budgets_are_erased_with_all_that_is_kept_of_them(tmp_path: Path, control: Control) -> None:
    """Those of the tenant, removed ones too, their accounts, and its reservations where that is asked for."""
    budgets = Budgets(control, ManualClock())
    gone = budgets.set(wanted("old", tenant="acme"))
    budgets.remove("old")
    mine = budgets.set(wanted("mine", tenant="acme", feature="chat"))
    kept = budgets.set(wanted("kept", tenant="umbrella"))
    file = ReservationLog(tmp_path / "control.db")
    made = [
        Reservation(
            number=number,
            id=f"r{number}",
            owner=owner,
            idempotency="",
            asked="",
            scope={"tenant": tenant},
            amount=1,
            made_ns=0,
            expires_ns=1,
            charges=(),
        )
        for number, (owner, tenant) in enumerate([("acme", "acme"), ("", "acme"), ("", "umbrella")], 1)
    ]
    file.write(Group(made, [AccountRow(each.id, 0) for each in (gone, mine, kept)]))
    assert budgets.erase("acme") == 2
    assert [each.name for each in budgets.list()] == ["kept"]
    reservations, accounts = file.read()
    assert [each.budget for each in accounts] == [kept.id] and len(reservations) == 3
    assert budgets.erase("acme", reservations=True) == 0
    assert [each.id for each in file.read()[0]] == ["r3"]
