"""How budgets stand, for pages that show them beside what they count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from watchglass.ledger.budgets.desk import BudgetDesk
from watchglass.store.budgets import SCOPE_DIMENSIONS, Budget
from watchglass.surfaces.access import current_scope
from watchglass.surfaces.budget_document import status_document


class BudgetStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A budget and how it stands in its present period. `outlook` is the pace so far, carried on.
    Figures are null for one that is not in force."""

    name: str
    kind: str
    period: str
    scope: dict[str, str]
    limit_usd: str
    spent_usd: str | None
    percent: int | None
    warn: list[int]
    crossed: list[int]
    outlook: Literal["crosses", "crossed", "stays_below", "not_enough_data"] | None
    crosses: str | None
    period_until: str | None


async def standings(desk: BudgetDesk, filters: Mapping[str, tuple[str, ...]]) -> list[BudgetStanding]:
    """The budgets that a reader may see and that count calls which these filters let through."""
    tenants = current_scope().tenants
    visible = [
        each for each in desk.list() if (tenants is None or each.tenant in tenants) and _counts(each, filters)
    ]
    found = [status_document(each) for each in await desk.statuses(visible)]
    return [
        msgspec.convert(
            {**each, **(each["forecast"] or {"outlook": None, "crosses": None})},
            BudgetStanding,
        )
        for each in found
    ]


def _counts(budget: Budget, filters: Mapping[str, tuple[str, ...]]) -> bool:
    return all(
        name not in filters or budget.scope.get(name, filters[name][0]) in filters[name]
        for name in SCOPE_DIMENSIONS
    )
