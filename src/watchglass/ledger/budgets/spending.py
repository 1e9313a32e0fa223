"""What recorded calls have spent of each budget in its present period: one question for many budgets.

Budgets of the same dimensions and the same period are told apart by the groups of one answer, so that a
thousand tenants' monthly budgets cost one question, and not a thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

from watchglass.ledger.budgets.periods import Span, period_at
from watchglass.queries.usage import UsageQuestion, UsageReport
from watchglass.store.budgets import SCOPE_DIMENSIONS, Budget

MOST_NAMED = 200
"""With more budgets than this in one question, all groups are asked for and not only theirs."""


class Asks(Protocol):
    """Who answers usage questions (`queries.reader.Reader`)."""

    def usage(self, question: UsageQuestion) -> UsageReport:
        """What was spent."""
        ...


class Spending(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted for a budget. `spent_usd` is the sum of the calls that have a cost; the
    `unpriced_calls` beside it cost an unknown amount more."""

    span: Span
    spent_usd: Decimal = Decimal(0)
    calls: int = 0
    unpriced_calls: int = 0


def spending(reader: Asks, budgets: Sequence[Budget], now_ns: int) -> dict[str, Spending]:
    """By budget id, of those in force. Blocks until the store has answered."""
    found: dict[str, Spending] = {}
    for (names, span, since_ns), group in _groups(budgets, now_ns).items():
        report = reader.usage(
            UsageQuestion(
                by=names,
                since_ns=since_ns,
                until_ns=span.until_ns,
                filters=_filters(names, group),
                durations=False,
            )
        )
        rows = {tuple(row.group[name] for name in names): row for row in report.counted.rows}
        for budget in group:
            row = rows.get(tuple(budget.scope[name] for name in names)) if names else report.counted.totals
            found[budget.id] = Spending(
                span=span,
                spent_usd=(row.cost_usd if row and row.cost_usd is not None else Decimal(0)),
                calls=row.calls if row else 0,
                unpriced_calls=row.calls - row.priced_calls if row else 0,
            )
    return found


_Group = tuple[tuple[str, ...], Span, int]


def _groups(budgets: Iterable[Budget], now_ns: int) -> Mapping[_Group, list[Budget]]:
    groups: dict[_Group, list[Budget]] = {}
    for budget in budgets:
        if budget.holds(now_ns):
            names = tuple(name for name in SCOPE_DIMENSIONS if name in budget.scope)
            span = period_at(budget.period, budget.zone, now_ns)
            since_ns = max(span.since_ns, budget.since_ns or 0)
            groups.setdefault((names, span, since_ns), []).append(budget)
    return groups


def _filters(names: Iterable[str], group: Sequence[Budget]) -> dict[str, tuple[str, ...]]:
    if len(group) > MOST_NAMED:
        return {}
    return {name: tuple(sorted({budget.scope[name] for budget in group})) for name in names}
