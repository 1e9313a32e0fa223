"""Reserving and settling against a simple model: never past a limit, nothing lost, nothing counted twice."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ledger.budgets_made import budget
from watchglass.clock import ManualClock
from watchglass.errors import BadRequest, NotFound, StoreError, StoreFull
from watchglass.ledger.budgets.amounts import units
from watchglass.ledger.budgets.decisions import Asked
from watchglass.ledger.budgets.teller import LATE_NS, REMEMBERED_NS, Teller
from watchglass.store import Budget, Control, ReservationLog
from watchglass.store.reservations import Group

SECOND_NS = 10**9
HOUR_NS = 3600 * SECOND_NS
NOON_NS = 1_767_268_800 * SECOND_NS
DOLLAR = units(Decimal(1))

EVERYTHING = budget(id="all", limit_usd=Decimal(30))
ACME = budget(id="acme", scope={"tenant": "acme"}, limit_usd=Decimal(10), unsettled="release")
CHAT = budget(id="chat", scope={"feature": "chat", "tenant": "acme"}, limit_usd=Decimal(6), period="day")
BUDGETS = (EVERYTHING, ACME, CHAT)
SCOPES: tuple[dict[str, str], ...] = (
    {},
    {"tenant": "acme"},
    {"tenant": "umbrella", "feature": "chat"},
    {"tenant": "acme", "feature": "chat", "agent": "a"},
)


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """An empty control database, to be copied."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "control.db"
        Control(file, ManualClock()).close()
        yield file


@dataclass
class Made:
    """What the model knows of a reservation."""

    id: str
    scope: dict[str, str]
    amount: int
    made_ns: int
    expires_ns: int
    state: str = "open"
    actual: int = 0


class Model:
    """All reservations in a list, and sums over it."""

    def __init__(self) -> None:
        self.made: list[Made] = []

    def of(self, held: Budget, at_ns: int) -> list[Made]:
        """Those charged to a budget in the period of a moment."""
        length = HOUR_NS if held.period == "hour" else 24 * HOUR_NS
        return [
            each
            for each in self.made
            if each.made_ns // length == at_ns // length and held.scope.items() <= each.scope.items()
        ]

    def figures(self, held: Budget, at_ns: int) -> tuple[int, int, int]:
        """Settled, taken for spent, reserved."""
        mine = self.of(held, at_ns)
        assumed = sum(each.amount for each in mine if each.state == "expired")
        return (
            sum(each.actual for each in mine if each.state == "settled"),
            assumed if held.unsettled == "charge" else 0,
            sum(each.amount for each in mine if each.state == "open"),
        )


class Desk:
    """A teller over a file, that can be opened again, beside the model."""

    def __init__(self, file: Path, budgets: tuple[Budget, ...] = BUDGETS) -> None:
        self.file, self.budgets = file, budgets
        self.clock, self.ids = ManualClock(NOON_NS), count(1)
        self.model = Model()
        self.open()

    def open(self) -> None:
        self.teller = Teller(ReservationLog(self.file), self.clock, new_id=lambda: f"r{next(self.ids)}")
        self.teller.define(self.budgets)

    async def burst(self, wishes: list[tuple[int, int, int]]) -> None:
        """Ask for all of them at once: (scope, amount, seconds)."""
        asked = [
            Asked(amount=amount, scope=SCOPES[scope], ttl_ns=ttl_s * SECOND_NS)
            for scope, amount, ttl_s in wishes
        ]
        decisions = await asyncio.gather(*map(self.teller.reserve, asked))
        now_ns = self.clock.now_ns()
        for each, decision in zip(asked, decisions, strict=True):
            full = {
                held.id
                for held in self.budgets
                if held.scope.items() <= each.scope.items()
                and sum(self.model.figures(held, now_ns)) + each.amount > units(held.limit_usd)
            }
            assert {refused.id for refused in decision.refused_by} == full
            assert decision.admitted is (not full)
            if decision.reservation is not None:
                self.model.made.append(
                    Made(decision.reservation.id, each.scope, each.amount, now_ns, now_ns + each.ttl_ns)
                )

    async def settle(self, nth: int, actual: int) -> None:
        """Settle one of all that were ever made, twice at once."""
        if not self.model.made:
            return
        each = self.model.made[nth % len(self.model.made)]
        done = await asyncio.gather(
            *(self.teller.settle(each.id, actual, owner=None) for _ in range(2)), return_exceptions=True
        )
        if isinstance(done[0], NotFound):
            return
        assert not any(isinstance(one, BaseException) for one in done), done
        if each.state != "settled":
            each.state, each.actual = "settled", actual

    async def sweep(self, after_ns: int) -> None:
        self.clock.advance_ns(after_ns)
        self.teller.sweep()
        await self.teller.drained()
        for each in self.model.made:
            if each.state == "open" and each.expires_ns <= self.clock.now_ns():
                each.state = "expired"

    async def restart(self) -> None:
        await self.teller.stop()
        self.open()

    def left(self, held: Budget) -> int:
        found = self.teller.standing(held)
        assert found is not None
        return found.left

    def check(self) -> None:
        """The teller's figures are the model's, and no limit is passed by what was admitted."""
        for held in self.budgets:
            found = self.teller.standing(held)
            assert found is not None
            figures = self.model.figures(held, self.clock.now_ns())
            assert (found.settled, found.assumed, found.reserved) == figures
            mine = self.model.of(held, self.clock.now_ns())
            late = any(
                each.actual > each.amount or (each.state == "settled" and held.unsettled == "release")
                for each in mine
            )
            assert late or sum(figures) <= found.limit


AMOUNTS = st.builds(lambda halves, more: halves * DOLLAR // 2 + more, st.integers(0, 24), st.integers(0, 1))
WISHES = st.lists(st.tuples(st.integers(0, 3), AMOUNTS, st.integers(1, 4000)), min_size=1, max_size=8)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("burst"), WISHES),
        st.tuples(st.just("settle"), st.integers(0, 50), AMOUNTS),
        st.tuples(st.just("sweep"), st.sampled_from([0, HOUR_NS // 9, HOUR_NS // 2, HOUR_NS, 2 * HOUR_NS])),
        st.tuples(st.just("restart")),
    ),
    min_size=3,
    max_size=12,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_any_sequence_equals_the_model(template: Path, steps: list[tuple[Any, ...]]) -> None:
    """Whatever is asked at once, settled twice, left to expire or opened again: figures are the model's."""

    async def play(desk: Desk) -> None:
        doing: dict[str, Callable[..., Awaitable[None]]] = {
            "burst": desk.burst,
            "settle": desk.settle,
            "sweep": desk.sweep,
            "restart": desk.restart,
        }
        for name, *arguments in steps:
            await doing[name](*arguments)
            desk.check()
        await desk.restart()
        desk.check()
        await desk.teller.stop()

    run(template, play)


def run(template: Path, play: Callable[[Desk], Awaitable[None]], *budgets: Budget) -> None:
    """Play on a desk over an empty file."""

    async def playing(file: Path) -> None:
        await play(Desk(file, budgets or BUDGETS))

    with TemporaryDirectory() as folder:
        file = Path(shutil.copy(template, folder))
        asyncio.run(playing(file))


def test_a_retry_is_the_same_reservation(template: Path) -> None:
    """The same idempotency key gives the same reservation, at once, later, settled or after a restart; under
    it another wish is refused, and another tenant's same key is its own."""

    async def play(desk: Desk) -> None:
        asked = Asked(amount=DOLLAR, scope={"tenant": "acme"}, idempotency="k")
        at_once = await asyncio.gather(*(desk.teller.reserve(asked) for _ in range(5)))
        await desk.restart()
        later = await desk.teller.reserve(asked)
        await desk.teller.settle("r1", DOLLAR, owner=None)
        settled = await desk.teller.reserve(asked)
        assert {each.reservation.id for each in (*at_once, later, settled) if each.reservation} == {"r1"}
        assert desk.left(ACME) == 9 * DOLLAR
        with pytest.raises(BadRequest, match="idempotency key"):
            await desk.teller.reserve(Asked(amount=2, scope={"tenant": "acme"}, idempotency="k"))
        other = Asked(amount=DOLLAR, scope={"tenant": "acme"}, idempotency="k", owner="acme")
        assert (await desk.teller.reserve(other)).reservation != later.reservation
        await desk.teller.stop()

    run(template, play)


def test_settling_belongs_to_the_owner(template: Path) -> None:
    """A reservation of one tenant's key is not there for another tenant's; a key of no tenant finds it."""

    async def play(desk: Desk) -> None:
        await desk.teller.reserve(Asked(amount=DOLLAR, scope={"tenant": "acme"}, owner="acme"))
        with pytest.raises(NotFound):
            await desk.teller.settle("r1", 0, owner="umbrella")
        assert (await desk.teller.settle("r1", 0, owner=None)).now
        assert not (await desk.teller.settle("r1", 5, owner="acme")).now
        assert desk.left(ACME) == 10 * DOLLAR
        await desk.teller.stop()

    run(template, play)


def test_what_nobody_settles_stays_charged_or_is_released(template: Path) -> None:
    """After its time a reservation is taken for spent, or given back where the budget says so; settled late,
    what it cost is what counts in either."""

    async def play(desk: Desk) -> None:
        await desk.burst([(3, 4 * DOLLAR, 60)])
        await desk.sweep(61 * SECOND_NS)
        await desk.restart()
        assert (desk.left(CHAT), desk.left(ACME)) == (2 * DOLLAR, 10 * DOLLAR)
        refused = await desk.teller.reserve(Asked(amount=3 * DOLLAR, scope=SCOPES[3]))
        assert [each.id for each in refused.refused_by] == ["chat"]
        await desk.settle(0, DOLLAR)
        assert (desk.left(CHAT), desk.left(ACME)) == (5 * DOLLAR, 9 * DOLLAR)
        await desk.teller.stop()

    run(template, play)


def test_more_than_was_reserved_is_recorded(template: Path) -> None:
    """A call that cost more than was set aside counts in full, and nothing is admitted from then on."""

    async def play(desk: Desk) -> None:
        await desk.burst([(1, 9 * DOLLAR, 60)])
        await desk.settle(0, 12 * DOLLAR)
        assert desk.left(ACME) == -2 * DOLLAR
        decision = await desk.teller.reserve(Asked(amount=0, scope={"tenant": "acme"}))
        assert [each.id for each in decision.refused_by] == ["acme"]
        desk.clock.advance_ns(HOUR_NS)
        assert (await desk.teller.reserve(Asked(amount=DOLLAR, scope={"tenant": "acme"}))).admitted
        await desk.teller.stop()

    run(template, play)


def test_spent_is_the_larger_of_settled_and_recorded(template: Path) -> None:
    """Recorded calls count as spent unless settlements say more, and are there again after a restart."""

    async def play(desk: Desk) -> None:
        key = ("acme", NOON_NS)
        await desk.burst([(1, 2 * DOLLAR, 60)])
        desk.teller.record({key: 3 * DOLLAR})
        assert desk.left(ACME) == 5 * DOLLAR
        await desk.settle(0, 2 * DOLLAR)
        assert desk.left(ACME) == 7 * DOLLAR
        await desk.restart()
        assert desk.left(ACME) == 7 * DOLLAR
        desk.teller.record({key: DOLLAR})
        assert desk.left(ACME) == 8 * DOLLAR
        await desk.teller.stop()

    run(template, play)


def test_a_new_budget_counts_what_is_reserved_already(template: Path) -> None:
    """What was set aside before a budget was made, in its present period, is charged to it for good."""

    async def play(desk: Desk) -> None:
        await desk.burst([(1, 4 * DOLLAR, 60), (0, DOLLAR, 60)])
        desk.budgets = (ACME, made)
        desk.teller.define(desk.budgets)
        assert desk.left(made) == DOLLAR
        await desk.restart()
        assert desk.left(made) == DOLLAR
        await desk.settle(0, DOLLAR)
        assert desk.left(made) == 4 * DOLLAR
        await desk.teller.stop()

    made = budget(id="new", scope={"tenant": "acme"}, limit_usd=Decimal(5), created_ns=NOON_NS + 1)
    run(template, play, ACME)


def test_a_limit_can_change_and_a_budget_go(template: Path) -> None:
    """Another limit holds at once; a removed budget refuses nothing, what it had is settled without it."""

    async def play(desk: Desk) -> None:
        await desk.burst([(1, 4 * DOLLAR, 60)])
        desk.teller.define([budget(id="acme", scope={"tenant": "acme"}, limit_usd=Decimal(4))])
        assert not (await desk.teller.reserve(Asked(amount=1, scope={"tenant": "acme"}))).admitted
        desk.teller.define([])
        assert (await desk.teller.reserve(Asked(amount=100 * DOLLAR, scope={"tenant": "acme"}))).admitted
        assert (await desk.teller.settle("r1", DOLLAR, owner=None)).standings == ()
        await desk.teller.stop()

    run(template, play)


def test_what_is_old_is_forgotten(template: Path) -> None:
    """A settled reservation is known for an hour, one that expired for a day; then no row of it is left."""

    async def play(desk: Desk) -> None:
        await desk.burst([(1, DOLLAR, 60), (0, DOLLAR, 60)])
        await desk.settle(0, DOLLAR)
        await desk.sweep(REMEMBERED_NS)
        with pytest.raises(NotFound):
            await desk.teller.settle("r1", DOLLAR, owner=None)
        assert (await desk.teller.settle("r2", DOLLAR, owner=None)).now
        await desk.sweep(LATE_NS)
        await desk.sweep(60 * HOUR_NS)
        await desk.teller.stop()
        with closing(sqlite3.connect(desk.file)) as db:
            for table in ("budget_reservations", "budget_accounts"):
                assert db.execute(f"SELECT count(*) FROM {table}").fetchall() == [(0,)]

    run(template, play)


class Failing(ReservationLog):
    """A file on a disk that is full whenever a test says so."""

    full = False

    def write(self, group: Group) -> None:
        if self.full:
            raise StoreFull("there is no room")
        super().write(group)


def test_a_full_disk_refuses_and_loses_nothing(template: Path) -> None:
    """What cannot be written is an error and takes no room; room is given back only once that is written."""

    async def play(desk: Desk) -> None:
        await desk.teller.stop()
        file = Failing(desk.file)
        desk.teller = Teller(file, desk.clock, new_id=lambda: f"r{next(desk.ids)}")
        desk.teller.define(desk.budgets)
        await desk.burst([(1, 6 * DOLLAR, 60)])
        file.full = True
        asked = Asked(amount=DOLLAR, scope={"tenant": "acme"}, idempotency="k")
        failed = await asyncio.gather(*(desk.teller.reserve(asked) for _ in range(3)), return_exceptions=True)
        assert all(isinstance(each, StoreError) for each in failed)
        with pytest.raises(StoreFull):
            await desk.teller.settle("r1", DOLLAR, owner=None)
        desk.clock.advance_ns(60 * SECOND_NS)
        desk.teller.sweep()
        await desk.teller.drained()
        assert desk.left(ACME) == 4 * DOLLAR
        file.full = False
        assert (await desk.teller.reserve(asked)).admitted
        await desk.sweep(0)
        assert desk.left(ACME) == 9 * DOLLAR
        await desk.restart()
        assert desk.left(ACME) == 9 * DOLLAR
        await desk.teller.stop()

    run(template, play)
