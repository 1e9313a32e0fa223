"""A reservation while it is being written: disk and memory agree whatever comes in between."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from contextlib import closing
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest

from tests.ledger.budgets_made import budget
from watchglass.clock import ManualClock
from watchglass.errors import NotFound, StoreError, StoreFull
from watchglass.ledger.budgets.amounts import units
from watchglass.ledger.budgets.decisions import Asked
from watchglass.ledger.budgets.teller import LATE_NS, LEAST_DUE, MOST_AT_ONCE, REMEMBERED_NS, Teller
from watchglass.store import Budget, Control, ReservationLog
from watchglass.store.reservations import Group

SECOND_NS = 10**9
NOON_NS = 1_767_268_800 * SECOND_NS
DOLLAR = units(Decimal(1))
ALL = budget(id="all", limit_usd=Decimal(10))
ACME = budget(
    id="acme", scope={"tenant": "acme"}, limit_usd=Decimal(10), unsettled="release", created_ns=NOON_NS + 1
)


class SlowFile(ReservationLog):
    """A file whose next write waits until a test lets it go on, and then may fail."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self.full = False

    def write(self, group: Group) -> None:
        self.begun.set()
        assert self.go_on.wait(60)
        if self.full:
            raise StoreFull("there is no room")
        super().write(group)


class Desk:
    """A teller over such a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        Control(path, ManualClock()).close()
        self.clock, self.ids = ManualClock(NOON_NS), count(1)
        self.budgets: list[Budget] = [ALL]
        self.open()

    def open(self) -> None:
        self.file = SlowFile(self.path)
        self.teller = Teller(self.file, self.clock, new_id=lambda: f"r{next(self.ids)}")
        self.teller.define(self.budgets)

    async def restart(self) -> None:
        await self.teller.drained()
        await self.teller.stop()
        self.open()

    def define(self, *budgets: Budget) -> None:
        self.budgets = list(budgets)
        self.teller.define(self.budgets)

    async def held(self) -> None:
        """Let the next write begin, and not end."""
        self.file.begun.clear()
        self.file.go_on.clear()

    async def begun(self) -> None:
        """Wait until it has."""
        assert await asyncio.to_thread(self.file.begun.wait, 60)

    async def reserve(self, amount: int = DOLLAR, **said: object) -> str:
        asked = Asked(**{"amount": amount, "scope": {"tenant": "acme"}, "ttl_ns": 60 * SECOND_NS, **said})
        decision = await self.teller.reserve(asked)
        assert decision.reservation is not None
        return decision.reservation.id

    def figures(self, of: Budget = ALL) -> tuple[int, int, int]:
        """Dollars settled, taken for spent, and reserved."""
        found = self.teller.standing(of)
        assert found is not None
        return found.settled // DOLLAR, found.assumed // DOLLAR, found.reserved // DOLLAR

    def rows(self) -> int:
        with closing(sqlite3.connect(self.path)) as db:
            [(found,)] = db.execute("SELECT count(*) FROM budget_reservations").fetchall()
            return found


def run(path: Path, play: Callable[[Desk], Awaitable[None]]) -> None:
    async def playing() -> None:
        desk = Desk(path / "control.db")
        await play(desk)
        await desk.teller.stop()

    asyncio.run(playing())


@pytest.mark.parametrize("under_way", [True, False], ids=["being written", "waiting"])
def test_a_budget_made_while_a_reservation_is_settled(tmp_path: Path, under_way: bool) -> None:
    """What is settled at the moment that a further budget begins counts once in both, after a restart too."""

    async def play(desk: Desk) -> None:
        made, other = await desk.reserve(), await desk.reserve(2 * DOLLAR)
        await desk.held()
        first = asyncio.create_task(desk.teller.settle(made if under_way else other, DOLLAR, owner=None))
        await desk.begun()
        second = asyncio.create_task(desk.teller.settle(other if under_way else made, DOLLAR, owner=None))
        await asyncio.sleep(0)
        desk.define(ALL, ACME)
        desk.file.go_on.set()
        await asyncio.gather(first, second)
        await desk.teller.drained()
        assert desk.figures(ALL) == desk.figures(ACME) == (2, 0, 0)
        await desk.restart()
        assert desk.figures(ALL) == desk.figures(ACME) == (2, 0, 0)
        assert not (await desk.teller.settle(made, 5 * DOLLAR, owner=None)).now

    run(tmp_path, play)


def test_what_a_full_disk_took_back_does_not_come_again(tmp_path: Path) -> None:
    """A reservation that could not be written is not on disk later, though a budget that was made meanwhile
    had it charged too; its retry is asked anew."""

    async def play(desk: Desk) -> None:
        await desk.held()
        tries = [asyncio.create_task(desk.reserve(idempotency="k"))]
        await desk.begun()
        desk.define(ALL, ACME)
        tries.append(asyncio.create_task(desk.reserve(idempotency="k")))
        await asyncio.sleep(0)
        desk.file.full = True
        desk.file.go_on.set()
        with pytest.raises(StoreFull):
            await tries[0]
        desk.file.full = False
        await asyncio.gather(*tries, return_exceptions=True)
        await desk.teller.drained()
        desk.teller.sweep()
        await desk.restart()
        acknowledged = 0 if tries[1].exception() else 1
        assert desk.rows() == acknowledged
        assert desk.figures(ALL) == desk.figures(ACME) == (0, 0, acknowledged)

    run(tmp_path, play)


def test_what_is_admitted_between_a_budgets_making_and_its_beginning(tmp_path: Path) -> None:
    """A budget is made, and then taken up by the server: what is admitted in between is charged to it."""

    async def play(desk: Desk) -> None:
        made = budget(id="new", limit_usd=Decimal(1), created_ns=NOON_NS - SECOND_NS)
        await desk.reserve()
        desk.define(ALL, made)
        await desk.teller.drained()
        assert desk.figures(made) == (0, 0, 1)
        decision = await desk.teller.reserve(Asked(amount=1, scope={}))
        assert [each.id for each in decision.refused_by] == ["new"]

    run(tmp_path, play)


def test_clocks_that_go_back_charge_nothing_twice(tmp_path: Path) -> None:
    """A reservation belongs to its period, also when the clock is in the one before after a restart."""

    async def play(desk: Desk) -> None:
        await desk.reserve()
        desk.clock.advance_ns(-1800 * SECOND_NS)
        await desk.restart()
        assert desk.figures() == (0, 0, 0)
        desk.clock.advance_ns(1800 * SECOND_NS)
        assert desk.figures() == (0, 0, 1)

    run(tmp_path, play)


@pytest.mark.parametrize("what", ["reserving", "settling in vain"])
def test_what_is_being_written_when_its_time_is_over_expires_later(tmp_path: Path, what: str) -> None:
    """A reservation that is being written when its time is over, or whose settling fails then, expires."""

    async def play(desk: Desk) -> None:
        await desk.held()
        task: asyncio.Task[object] = asyncio.create_task(desk.reserve())
        if what != "reserving":
            desk.file.go_on.set()
            await task
            await desk.held()
            task = asyncio.create_task(desk.teller.settle("r1", DOLLAR, owner=None))
        await desk.begun()
        desk.clock.advance_ns(61 * SECOND_NS)
        desk.teller.sweep()
        desk.file.full = what != "reserving"
        desk.file.go_on.set()
        await asyncio.gather(task, return_exceptions=True)
        await desk.teller.drained()
        desk.file.full = False
        assert desk.figures() == (0, 0, 1)
        desk.teller.sweep()
        await desk.teller.drained()
        assert desk.figures() == (0, 1, 0)

    run(tmp_path, play)


@pytest.mark.parametrize("end", ["expired", "settled"])
def test_a_retry_of_what_has_ended_is_not_admitted(tmp_path: Path, end: str) -> None:
    """A reservation that holds no room any more is told again, as one that may not be spent."""

    async def play(desk: Desk) -> None:
        desk.define(ACME)
        made = await desk.reserve(10 * DOLLAR, idempotency="k")
        if end == "settled":
            await desk.teller.settle(made, 10 * DOLLAR, owner=None)
        desk.clock.advance_ns(61 * SECOND_NS)
        desk.teller.sweep()
        await desk.teller.drained()
        asked = Asked(amount=10 * DOLLAR, scope={"tenant": "acme"}, ttl_ns=60 * SECOND_NS, idempotency="k")
        again = await desk.teller.reserve(asked)
        assert again.reservation is not None and again.reservation.id == made
        assert not again.admitted

    run(tmp_path, play)


def test_very_many_expire_a_part_at_a_time(tmp_path: Path) -> None:
    """However many are due at once, a sweep ends only so many of them, and all of them are ended in time."""

    async def play(desk: Desk) -> None:
        wishes = MOST_AT_ONCE * 2 + 1
        await asyncio.gather(*(desk.reserve(DOLLAR // 10**6) for _ in range(wishes)))
        desk.clock.advance_ns(61 * SECOND_NS)
        left: list[int] = []
        for _ in range(3):
            desk.teller.sweep()
            await desk.teller.drained()
            found = desk.teller.standing(ALL)
            assert found is not None
            left.append(found.reserved * 10**6 // DOLLAR)
        assert left == [MOST_AT_ONCE + 1, 1, 0]
        for after_ns in (REMEMBERED_NS, LATE_NS, 0, 0):
            desk.clock.advance_ns(after_ns)
            desk.teller.sweep()
            await desk.teller.drained()
        assert desk.rows() == 0

    run(tmp_path, play)


def test_a_tenants_reservations_can_be_removed(tmp_path: Path) -> None:
    """No row of the tenant is left; what its open calls may cost stays charged to budgets of others."""

    async def play(desk: Desk) -> None:
        desk.define(ALL, ACME)
        await desk.reserve(owner="acme")
        settled = await desk.reserve(2 * DOLLAR)
        await desk.teller.settle(settled, 2 * DOLLAR, owner=None)
        other = await desk.reserve(scope={"tenant": "umbrella"})
        assert await desk.teller.remove("acme") == 2
        assert desk.figures(ALL) == (2, 1, 1)
        with pytest.raises(NotFound):
            await desk.teller.settle(settled, 0, owner=None)
        assert desk.rows() == 1
        assert (await desk.teller.settle(other, DOLLAR, owner=None)).now
        assert await desk.teller.remove("acme") == 0

    run(tmp_path, play)


def test_a_mistake_in_a_group_ends_no_more_than_the_group(tmp_path: Path) -> None:
    """Whatever goes wrong is told to those who wait, and the next ones are answered."""

    async def play(desk: Desk) -> None:
        with pytest.raises((StoreError, TypeError, AttributeError)):
            await desk.teller.settle(await desk.reserve(), "no amount", owner=None)  # type: ignore[arg-type] - a mistake
        assert await asyncio.wait_for(desk.reserve(), 60)

    run(tmp_path, play)


def test_what_was_settled_long_before_its_time_is_not_kept_until_then(tmp_path: Path) -> None:
    """Of thousands that are settled at once, a day before they would expire, hardly one is waited for; one
    that is open among them expires when it should."""

    async def play(desk: Desk) -> None:
        day_ns = 24 * 3600 * SECOND_NS
        made = await asyncio.gather(*(desk.reserve(0, ttl_ns=day_ns) for _ in range(3 * LEAST_DUE)))
        await desk.reserve(ttl_ns=day_ns - 1, scope={"tenant": "umbrella"})
        await asyncio.gather(*(desk.teller.settle(each, 0, owner=None) for each in made))
        desk.teller.sweep()
        assert len(desk.teller._due) == 1
        desk.clock.advance_ns(day_ns)
        desk.teller.sweep()
        await desk.teller.drained()
        assert desk.teller.find(f"r{len(made) + 1}", None).state == "expired"

    run(tmp_path, play)


def test_what_tells_a_retry_is_short() -> None:
    """Whatever was asked, 32 characters of it are kept to tell a retry from another wish."""
    asked = [Asked(amount=1, scope={}, wish=wish) for wish in ("a" * 10_000, "b" * 10_000)]
    assert {len(each.fingerprint) for each in asked} == {32}
    assert asked[0].fingerprint != asked[1].fingerprint
