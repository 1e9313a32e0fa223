"""All that can be done with budgets beside a running server: changed, watched, reserved.

For one event loop; what asks the store runs in threads.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from itertools import count
from typing import Literal, TypeAlias

from watchglass.clock import Clock
from watchglass.errors import QueryError
from watchglass.ledger.budgets.amounts import units
from watchglass.ledger.budgets.spending import Asks, Spending, spending
from watchglass.ledger.budgets.statuses import Status, events, statuses
from watchglass.ledger.budgets.teller import Teller
from watchglass.queries.plain import moment
from watchglass.store.budgets import Budget, Event, WantedBudget
from watchglass.store.kept_budgets import Budgets

log = logging.getLogger(__name__)

Notice: TypeAlias = Literal[
    "budget_set", "budget_removed", "budget_threshold", "budget_spent", "budget_forecast"
]

Tell: TypeAlias = Callable[[Notice, Budget, str], None]
"""What became of a budget, with a sentence (of a change: who made it)."""

PASS_NS = 60 * 10**9
"""How often recorded calls are asked what they cost."""

SHARE = 20
"""… and never more than one part in so many of the time: budgets of a key read calls, which may be many."""

TOLD_NS = 400 * 24 * 3600 * 10**9
"""How long it is kept what was told."""


class BudgetDesk:
    """The budgets of an open store."""

    def __init__(self, budgets: Budgets, teller: Teller, reader: Asks, clock: Clock, tell: Tell) -> None:
        """`reader` sees all rows; `tell` is told of changes, whoever made them, and of warnings."""
        self.teller = teller
        self._budgets = budgets
        self._reader = reader
        self._clock = clock
        self._tell = tell
        self._edition = ""
        self._known: dict[str, Budget] = {}
        self._told: set[Event] = set()
        self._next_ns = 0
        self._looking = asyncio.Lock()
        self._questions = count(1)
        self._answered: dict[str, int] = {}  # by budget: the latest question whose answer is known

    async def open(self) -> None:
        """Bring what is defined into force."""
        await self._look()

    async def tick(self) -> None:
        """Once a second: what has expired, what was changed elsewhere, and each minute what was spent."""
        self.teller.sweep()
        await self._look()
        if (began_ns := self._clock.now_ns()) >= self._next_ns:
            self._next_ns = began_ns + PASS_NS
            await self.watch()
            ended_ns = self._clock.now_ns()
            self._next_ns = max(self._next_ns, ended_ns + SHARE * (ended_ns - began_ns))

    def list(self) -> list[Budget]:
        """Those in force or to come, by name."""
        return sorted(self._known.values(), key=lambda each: each.name)

    async def set(self, wanted: WantedBudget, by: str) -> Budget:
        """Make or change one; it holds when this returns. Raises `BadRequest`."""
        budget = await asyncio.to_thread(self._budgets.set, wanted, by)
        await self._look()
        return budget

    async def remove(self, name: str, by: str) -> Budget:
        """End one. Raises `NotFound`."""
        budget = await asyncio.to_thread(self._budgets.remove, name, by)
        await self._look()
        return budget

    async def remove_tenant(self, tenant: str, by: str) -> dict[str, int]:
        """Take away a tenant's budgets, earlier ones too, with what was told of them, and its reservations.
        Says how many. Sums of others' budgets stay, which do not say whose they are. Raises `StoreError`."""
        for each in self.list():
            if each.tenant == tenant:
                await asyncio.to_thread(self._budgets.remove, each.id, by)
        await self._look()
        reservations = await self.teller.remove(tenant)
        return {
            "budgets": await asyncio.to_thread(self._budgets.erase, tenant),
            "reservations": reservations,
        }

    async def told(self, budget: Budget) -> list[Event]:
        """What was told of one, the latest first."""
        return await asyncio.to_thread(self._budgets.told, budget.id)

    async def statuses(self, budgets: Sequence[Budget]) -> list[Status]:
        """How they stand now."""
        now_ns, question = self._clock.now_ns(), next(self._questions)
        seen = await asyncio.to_thread(spending, self._reader, budgets, now_ns)
        self._record(seen, question)
        return self._standing(budgets, seen, now_ns)

    async def watch(self) -> None:
        """Ask what was spent of each budget, and tell what was not told before."""
        now_ns = self._clock.now_ns()
        found = await self.statuses(self.list())
        new = [each for each in events(found, now_ns) if _once(each) not in self._told]
        first = await asyncio.to_thread(self._keep, new, now_ns)
        starts = {each.seen.span.since_ns for each in found if each.seen is not None}
        self._told = {each for each in self._told if each.period_ns in starts} | set(map(_once, new))
        for event in first:
            if (budget := self._known.get(event.budget)) is not None:
                self._warn(budget, event)

    def _keep(self, new: Sequence[Event], now_ns: int) -> list[Event]:
        self._budgets.forget_told(now_ns - TOLD_NS)
        return [each for each in new if self._budgets.tell(each)]

    def _warn(self, budget: Budget, event: Event) -> None:
        said = sentence(budget, event)
        log.warning("budget %s", said, extra={"budget": budget.name, "tenant": budget.tenant})
        if event.event == "forecast":
            self._tell("budget_forecast", budget, said)
        else:
            self._tell("budget_spent" if event.percent >= 100 else "budget_threshold", budget, said)

    async def _look(self) -> None:
        async with self._looking:
            edition = await asyncio.to_thread(self._budgets.edition)
            if edition == self._edition:
                return
            found = {each.id: each for each in await asyncio.to_thread(self._budgets.list)}
            hard = [each for id, each in found.items() if id not in self._known and each.kind == "hard"]
            # A budget that begins in the middle of its period holds from what is spent already.
            question, seen = next(self._questions), await self._spent_already(hard)
            self.teller.define(list(found.values()))
            self._record(seen, question)
            before, self._known = self._known, found
            self._answered = {id: latest for id, latest in self._answered.items() if id in found}
            first, self._edition = not self._edition, edition
            if not first:
                await self._tell_changes(before)

    async def _spent_already(self, hard: Sequence[Budget]) -> dict[str, Spending]:
        try:
            return await asyncio.to_thread(spending, self._reader, hard, self._clock.now_ns())
        except QueryError as error:
            if self._edition:
                raise
            # A server must start: what was recorded when it last looked is known, and each pass asks again.
            log.warning("what budgets have spent could not be asked: %s", error)
            return {}

    async def _tell_changes(self, before: dict[str, Budget]) -> None:
        for id, budget in self._known.items():
            if before.get(id) != budget:
                self._tell("budget_set", budget, f"{described(budget)}, by {budget.changed_by}")
        for id in before.keys() - self._known.keys():
            by = await asyncio.to_thread(self._budgets.last_by, id)
            self._tell("budget_removed", before[id], f"{before[id].name}, by {by}")

    def _record(self, seen: dict[str, Spending], question: int) -> None:
        """Answers come in any order; what a later question was told already stays."""
        new = {id: each for id, each in seen.items() if self._answered.get(id, 0) < question}
        self._answered |= dict.fromkeys(new, question)
        self.teller.record({(id, each.span.since_ns): units(each.spent_usd) for id, each in new.items()})

    def _standing(self, budgets: Sequence[Budget], seen: dict[str, Spending], now_ns: int) -> list[Status]:
        held = {each.id: self.teller.standing(each) for each in budgets if each.kind == "hard"}
        return statuses(budgets, seen, {id: each for id, each in held.items() if each is not None}, now_ns)


def described(budget: Budget) -> str:
    """A budget in a few words: `acme: hard, $50 a month for tenant acme`."""
    whose = ", ".join(f"{name} {value}" for name, value in budget.scope.items()) or "everything"
    return f"{budget.name}: {budget.kind}, ${budget.limit_usd:f} a {budget.period} for {whose}"


def sentence(budget: Budget, event: Event) -> str:
    """What is told of a budget: which, how much, since when."""
    since = f"{moment(event.period_ns)[:16]}Z"
    spent = (
        f"{budget.name}: ${event.spent_usd} of ${event.limit_usd} spent in the {budget.period} from {since}"
    )
    if event.event == "forecast" and event.crosses_ns is not None:
        return f"{spent}; at this pace all of it by {moment(event.crosses_ns)[:16]}Z"
    return f"{spent}, {event.percent}% reached"


def _once(event: Event) -> Event:
    """What makes it the same event again: not when, and not how much by then."""
    return Event(event.budget, event.period_ns, event.event, event.percent, 0, "", event.limit_usd)
