"""What hard budgets have left, in memory, and the decision whether a reservation fits: no clock, no file.

The rule: *spent + reserved ≤ limit*, where spent is the larger of what was settled (and what is taken for
spent, because nobody settled it) and what the recorded calls cost. What fits is set aside at once, before it
is on disk; what gives room back (settling, expiry) does so only once it is on disk. So whatever a crash or a
full disk takes away, nothing that was admitted rested on it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence

from watchglass.ledger.budgets.amounts import units
from watchglass.ledger.budgets.decisions import Asked, Change, Close, Decision, Forget, Key, Put, Standing
from watchglass.ledger.budgets.periods import Span, period_at
from watchglass.store.budgets import SCOPE_DIMENSIONS, Budget
from watchglass.store.reservations import AccountRow, Group, Reservation

KEEP_NS = 50 * 3_600_000_000_000
"""How long a period's account stays after its end: longer than any reservation of it is known."""

_LONGEST_PERIOD_NS = 32 * 24 * 3_600_000_000_000


class Account:
    """One period of one budget; amounts in 1e-18 dollars."""

    __slots__ = ("assumed", "budget", "limit", "recorded", "reserved", "settled", "span")

    def __init__(self, budget: Budget, span: Span) -> None:
        self.budget = budget
        self.limit = units(budget.limit_usd)
        self.span = span
        self.settled = self.assumed = self.recorded = self.reserved = 0

    @property
    def key(self) -> Key:
        """What it is found by."""
        return self.budget.id, self.span.since_ns

    @property
    def spent(self) -> int:
        """What counts as spent. Settled and recorded are two reports of the same calls, of which either
        may be behind: the larger one is never too little for what asked first."""
        return max(self.settled + self.assumed, self.recorded)

    @property
    def left(self) -> int:
        """What can still be reserved; below 0 where more was spent than was reserved."""
        return self.limit - self.spent - self.reserved


class Accounts:
    """All of them. For one thread."""

    def __init__(self, reservations: Iterable[Reservation], rows: Iterable[AccountRow]) -> None:
        """From what is on disk; nothing is charged to before `define`."""
        self.reservations = {each.id: each for each in reservations}
        self._rows = {(row.budget, row.period_ns): row for row in rows}
        self._accounts: dict[Key, Account] = {}
        self._budgets: dict[str, Budget] = {}
        self._index: dict[tuple[str, ...], dict[tuple[str, ...], list[Budget]]] = {}
        self._dirty: set[Key] = set()
        self.last_number = max((each.number for each in self.reservations.values()), default=0)

    def define(self, budgets: Sequence[Budget], now_ns: int) -> list[Put]:
        """These are the budgets from now on; soft ones are left out. Returns what must be written.

        What was set aside in the present period of a budget, before this was known here, is charged to it
        too: also what was admitted between its making and now.
        """
        hard = {each.id: each for each in budgets if each.kind == "hard"}
        new = hard.keys() - self._budgets.keys()
        self._budgets, self._index = hard, _indexed(hard.values())
        for key in [key for key in self._accounts if key[0] not in hard]:
            del self._accounts[key]
        for account in self._accounts.values():
            account.budget = hard[account.budget.id]
            account.limit = units(account.budget.limit_usd)
        self._bring(new)
        return self._adopt(new, now_ns)

    def reserve(self, asked: Asked, id: str, now_ns: int) -> Decision:
        """Set it aside in every budget that it is for, or in none."""
        touched = [self._account(each, now_ns) for each in self._matching(asked.scope) if each.holds(now_ns)]
        refused = tuple(each.budget for each in touched if asked.amount > each.left)
        if refused:
            return Decision(reservation=None, standings=_standings(touched), refused_by=refused)
        self.last_number += 1
        reservation = Reservation(
            number=self.last_number,
            id=id,
            owner=asked.owner,
            idempotency=asked.idempotency,
            asked=asked.fingerprint,
            scope=asked.scope,
            amount=asked.amount,
            made_ns=now_ns,
            expires_ns=now_ns + asked.ttl_ns,
            charges=tuple(each.key for each in touched),
        )
        self.reservations[id] = reservation
        for each in touched:
            each.reserved += asked.amount
        return Decision(reservation=reservation, standings=_standings(touched))

    def again(self, reservation: Reservation) -> Decision:
        """The decision that was made, with figures of now."""
        return Decision(reservation=reservation, standings=_standings(self._charged(reservation)))

    def undo(self, reservation: Reservation) -> None:
        """It could not be written: as if nobody had asked."""
        del self.reservations[reservation.id]
        for account in self._charged(reservation):
            account.reserved -= reservation.amount

    def record(self, amounts: Mapping[Key, int]) -> bool:
        """What recorded calls of these accounts cost by now; says whether anything is to be written."""
        for key, amount in amounts.items():
            if amount and key not in self._accounts and key[0] in self._budgets:
                budget = self._budgets[key[0]]
                self._accounts[key] = Account(budget, period_at(budget.period, budget.zone, key[1]))
            account = self._accounts.get(key)
            if account is not None and account.recorded != amount:
                account.recorded = amount
                self._dirty.add(key)
        return bool(self._dirty)

    def group(self, changes: Sequence[Change]) -> Group:
        """What a transaction must write for these changes. At most one of them closes a reservation."""
        group, newest = Group(), dict[int, Reservation]()
        sums: dict[Key, list[int]] = {key: [0, 0] for key in self._dirty}
        for change in changes:
            match change:
                case Put(reservation, _):
                    if reservation.id in self.reservations:  # and not taken back meanwhile
                        newest.setdefault(reservation.number, reservation)
                case Close():
                    newest[change.reservation.number] = change.after
                    for account, settled, assumed, _ in self._effects(change):
                        held = sums.setdefault(account.key, [0, 0])
                        held[0] += settled
                        held[1] += assumed
                case Forget(reservations, ended):
                    group.forgotten += [each.number for each in reservations]
                    group.ended += ended
        for key, (settled, assumed) in sums.items():
            if (account := self._accounts.get(key)) is not None:
                row = AccountRow(*key, account.settled + settled, account.assumed + assumed, account.recorded)
                group.accounts.append(row)
        group.reservations = list(newest.values())
        return group

    def written(self, group: Group, changes: Sequence[Change]) -> None:
        """The changes are on disk: let them count."""
        for row in group.accounts:
            account = self._accounts.get((row.budget, row.period_ns))
            if account is not None and account.recorded == row.recorded:
                self._dirty.discard(account.key)
        for change in changes:
            match change:
                case Close():
                    reservation = change.reservation
                    for account, settled, assumed, reserved in self._effects(change):
                        account.settled += settled
                        account.assumed += assumed
                        account.reserved += reserved
                    after = change.after
                    reservation.state, reservation.actual = after.state, after.actual
                    reservation.closed_ns = after.closed_ns
                case Forget(reservations, ended):
                    for each in reservations:
                        self.reservations.pop(each.id, None)
                    for key in ended:
                        self._accounts.pop(key, None)
                        self._rows.pop(key, None)
                case Put():
                    pass

    def ended(self, now_ns: int) -> tuple[Key, ...]:
        """Accounts that no reservation can be charged to any more."""
        before_ns = now_ns - KEEP_NS
        ended = [key for key, account in self._accounts.items() if account.span.until_ns < before_ns]
        # Of budgets that are no more:
        return (*ended, *(key for key in self._rows if key[1] + _LONGEST_PERIOD_NS < before_ns))

    def standing(self, budget: Budget, now_ns: int) -> Standing | None:
        """A budget's figures in the present period; None for one that is not held to anything."""
        held = self._budgets.get(budget.id)
        return None if held is None else _standing(self._account(held, now_ns))

    def standings_of(self, reservation: Reservation) -> tuple[Standing, ...]:
        """Figures of what a reservation is charged to."""
        return _standings(self._charged(reservation))

    def _account(self, budget: Budget, now_ns: int) -> Account:
        span = period_at(budget.period, budget.zone, now_ns)
        key = budget.id, span.since_ns
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = Account(budget, span)
        return account

    def _matching(self, scope: Mapping[str, str]) -> Generator[Budget]:
        for names, found in self._index.items():
            yield from found.get(tuple(scope.get(name, "") for name in names), ())

    def _charged(self, reservation: Reservation) -> list[Account]:
        return [self._accounts[key] for key in reservation.charges if key in self._accounts]

    def _effects(self, close: Close) -> Generator[tuple[Account, int, int, int]]:
        """What closing adds to settled, assumed and reserved of each account."""
        was_open, amount = close.was_open, close.reservation.amount
        for account in self._charged(close.reservation):
            charge = account.budget.unsettled == "charge"
            reserved = -amount if was_open else 0
            if close.actual is None:
                yield account, 0, amount if charge else 0, reserved
            else:
                yield account, close.actual, -amount if charge and not was_open else 0, reserved

    def _bring(self, new: Iterable[str]) -> None:
        """Accounts of budgets that were not known before, as the disk has them."""
        for key in [key for key in self._rows if key[0] in new]:
            row, budget = self._rows.pop(key), self._budgets[key[0]]
            account = Account(budget, period_at(budget.period, budget.zone, row.period_ns))
            account.settled, account.assumed, account.recorded = row.settled, row.assumed, row.recorded
            self._accounts[key] = account
        for each in self.reservations.values():
            for id, period_ns in each.charges:
                if id in new and each.state == "open":
                    budget = self._budgets[id]
                    span = period_at(budget.period, budget.zone, period_ns)
                    account = self._accounts.setdefault((id, period_ns), Account(budget, span))
                    account.reserved += each.amount

    def _adopt(self, new: Iterable[str], now_ns: int) -> list[Put]:
        adopted: list[Put] = []
        for each in self.reservations.values() if new else ():
            if each.state != "open":
                continue
            for budget in self._matching(each.scope):
                if budget.id not in new or not budget.holds(each.made_ns):
                    continue
                account = self._account(budget, now_ns)
                if account.key not in each.charges and each.made_ns in range(*account.span):
                    account.reserved += each.amount
                    each.charges = (*each.charges, account.key)
                    self._dirty.add(account.key)  # what is being settled now is written without it
                    adopted.append(Put(each, new=False))
        return adopted


def _indexed(budgets: Iterable[Budget]) -> dict[tuple[str, ...], dict[tuple[str, ...], list[Budget]]]:
    """By which dimensions they name, then by the values: a decision looks at each combination once."""
    index: dict[tuple[str, ...], dict[tuple[str, ...], list[Budget]]] = {}
    for budget in budgets:
        names = tuple(name for name in SCOPE_DIMENSIONS if name in budget.scope)
        values = tuple(budget.scope[name] for name in names)
        index.setdefault(names, {}).setdefault(values, []).append(budget)
    return index


def _standing(account: Account) -> Standing:
    return Standing(
        account.budget,
        account.span,
        account.limit,
        account.settled,
        account.assumed,
        account.recorded,
        account.reserved,
        account.spent,
        account.left,
    )


def _standings(accounts: Iterable[Account]) -> tuple[Standing, ...]:
    return tuple(map(_standing, accounts))
