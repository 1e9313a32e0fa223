"""What is watched: spending of many budgets in few questions, and each warning told once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, SECOND_NS, call, insert
from watchglass.clock import ManualClock
from watchglass.ledger.budgets.desk import PASS_NS, BudgetDesk
from watchglass.ledger.budgets.spending import spending
from watchglass.ledger.budgets.teller import Teller
from watchglass.queries.reader import StoreReader
from watchglass.queries.usage import UsageQuestion, UsageReport
from watchglass.store import Budget, Budgets, ReservationLog, Store, WantedBudget, open_store


class Counting:
    """A reader that counts the questions."""

    def __init__(self, store: Store) -> None:
        self._reader = StoreReader(store.engine)
        self.asked = 0
        self.held: threading.Event | None = None

    def usage(self, question: UsageQuestion) -> UsageReport:
        self.asked += 1
        found, held = self._reader.usage(question), self.held
        if held is not None:
            self.held = None
            assert held.wait(60)
        return found


class Desk:
    """A desk over a real store, with what it told."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.store, self.clock = store, clock
        self.reader = Counting(store)
        self.told: list[tuple[str, str]] = []

    async def __aenter__(self) -> BudgetDesk:
        self.teller = Teller(ReservationLog(self.store.place.control_file), self.clock)
        self.desk = BudgetDesk(
            Budgets(self.store.control, self.clock),
            self.teller,
            self.reader,
            self.clock,
            lambda event, budget, said: self.told.append((event, said)),
        )
        await self.desk.open()
        return self.desk

    async def __aexit__(self, *_: object) -> None:
        await self.teller.stop()


def play(folder: Path, steps: Callable[[Desk], Awaitable[None]]) -> None:
    clock = ManualClock(NOON_NS)
    with open_store(prepared(folder / "data"), clock=clock) as store:
        asyncio.run(steps(Desk(store, clock)))


def test_each_warning_is_told_once(tmp_path: Path) -> None:
    """Thresholds and the forecast are told when they are reached, and not again, after a restart either."""

    async def steps(desk: Desk) -> None:
        cost = {"cost_usd": Decimal("0.4"), "tenant": "acme"}
        async with desk as open_desk:
            await open_desk.set(
                WantedBudget(name="acme", limit_usd=Decimal(10), period="hour", scope={"tenant": "acme"}),
                "me",
            )
            insert(desk.store.engine, "calls", [call(number, **cost) for number in range(1, 14)])
            desk.clock.advance_ns(1800 * SECOND_NS)
            await open_desk.watch()
            await open_desk.watch()
        assert desk.told == [
            ("budget_set", "acme: soft, $10 a hour for tenant acme, by me"),
            (
                "budget_threshold",
                "acme: $5.2 of $10 spent in the hour from 2026-01-01T12:00Z, 50% reached",
            ),
            (
                "budget_forecast",
                "acme: $5.2 of $10 spent in the hour from 2026-01-01T12:00Z; at this pace all of it by "
                "2026-01-01T12:57Z",
            ),
        ]
        desk.told.clear()
        async with desk as open_desk:
            insert(desk.store.engine, "calls", [call(number, **cost) for number in range(14, 26)])
            await open_desk.tick()
            assert [event for event, _ in desk.told] == ["budget_threshold", "budget_spent"]
            [status] = await open_desk.statuses(open_desk.list())
            assert (status.crossed, status.forecast.outlook) == ((50, 80, 100), "crossed")
            desk.clock.advance_ns(1800 * SECOND_NS)
            [status] = await open_desk.statuses(open_desk.list())
            assert (status.spent, status.crossed) == (0, ())

    play(tmp_path, steps)


def test_what_has_no_price_is_beside_what_has(tmp_path: Path) -> None:
    """Calls without a cost are counted beside the spending, not as nothing spent; uncounted ones are not."""

    async def steps(desk: Desk) -> None:
        rows = [
            call(1, cost_usd=Decimal("0.4"), tenant="acme", metadata={"key": "prod"}),
            call(2, cost_usd=None, unpriced_reason="unknown_model", tenant="acme", metadata={"key": "prod"}),
            call(3, cost_usd=Decimal(9), tenant="acme", counted=False, not_counted_reason="duplicate"),
            call(4, cost_usd=Decimal(9), tenant="umbrella", metadata={"key": "prod"}),
        ]
        insert(desk.store.engine, "calls", rows)
        async with desk as open_desk:
            for name, scope in {
                "a": {"tenant": "acme"},
                "k": {"key": "prod"},
                "n": {"agent": "none"},
            }.items():
                await open_desk.set(WantedBudget(name=name, limit_usd=Decimal(10), scope=scope), "me")
            found = {each.budget.name: each.seen for each in await open_desk.statuses(open_desk.list())}
        figures = {
            name: (seen.spent_usd, seen.calls, seen.unpriced_calls)
            for name, seen in found.items()
            if seen is not None
        }
        assert figures == {
            "a": (Decimal("0.4"), 2, 1),
            "k": (Decimal("9.4"), 3, 1),
            "n": (Decimal(0), 0, 0),
        }

    play(tmp_path, steps)


@pytest.mark.parametrize("count", [3, 300])
def test_many_budgets_are_one_question(tmp_path: Path, count: int) -> None:
    """Budgets of one kind of scope and one period are asked for together, however many there are."""

    async def steps(desk: Desk) -> None:
        rows = [call(each, cost_usd=Decimal(each), tenant=f"t{each}") for each in range(1, 4)]
        insert(desk.store.engine, "calls", rows)
        budgets = [
            Budget(
                **{
                    **dict(id=f"b{each}", name=f"b{each}", kind="soft", period="month", zone="UTC"),
                    **dict(scope={"tenant": f"t{each}"}, unsettled="charge", limit_usd=Decimal(1), warn=()),
                    **dict(since_ns=None, until_ns=None, created_ns=0, created_by="", changed_ns=0),
                    **dict(changed_by=""),
                }
            )
            for each in range(1, count + 1)
        ]
        found = spending(desk.reader, budgets, NOON_NS)
        assert desk.reader.asked == 1
        assert [found[f"b{each}"].spent_usd for each in range(1, 4)] == [1, 2, 3]
        assert sum(each.spent_usd for each in found.values()) == 6

    play(tmp_path, steps)


def test_a_change_elsewhere_is_taken_up(tmp_path: Path) -> None:
    """A hard budget that another process makes holds from the next tick on, for what is spent already too."""

    async def steps(desk: Desk) -> None:
        insert(desk.store.engine, "calls", [call(1, cost_usd=Decimal(4), tenant="acme")])
        async with desk as open_desk:
            other = Budgets(desk.store.control, desk.clock)
            made = other.set(
                WantedBudget(name="a", limit_usd=Decimal(10), kind="hard", scope={"tenant": "acme"})
            )
            await open_desk.tick()
            standing = desk.teller.standing(made)
            assert standing is not None and standing.left == 6 * 10**18
            other.remove("a")
            desk.clock.advance_ns(PASS_NS)
            await open_desk.tick()
            assert desk.teller.standing(made) is None and open_desk.list() == []
        assert [event for event, _ in desk.told] == ["budget_set", "budget_removed"]

    play(tmp_path, steps)


def test_an_older_answer_takes_nothing_back(tmp_path: Path) -> None:
    """Of two questions under way at once the later one's answer stays, whichever comes first."""

    async def steps(desk: Desk) -> None:
        async with desk as open_desk:
            wanted = WantedBudget(name="a", limit_usd=Decimal(10), kind="hard", scope={"tenant": "acme"})
            made = await open_desk.set(wanted, "me")
            insert(desk.store.engine, "calls", [call(1, cost_usd=Decimal(1), tenant="acme")])
            desk.reader.held = held = threading.Event()
            first = asyncio.create_task(open_desk.statuses([made]))
            while desk.reader.held is not None:
                await asyncio.to_thread(threading.Event().wait, 0.01)
            insert(desk.store.engine, "calls", [call(2, cost_usd=Decimal(4), tenant="acme")])
            await open_desk.statuses([made])
            held.set()
            await first
            standing = desk.teller.standing(made)
            assert standing is not None and standing.recorded == 5 * 10**18

    play(tmp_path, steps)
