"""How budgets stand: what is spent, reserved and left in the present period, and what is to be expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from watchglass.ledger.budgets.amounts import units, usd
from watchglass.ledger.budgets.decisions import Standing
from watchglass.ledger.budgets.forecasts import Forecast, crossed, outlook
from watchglass.ledger.budgets.spending import Spending
from watchglass.store.budgets import Budget, Event


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """One budget now. `spent` is in 1e-18 dollars; `seen` is None for a budget that is not in force."""

    budget: Budget
    seen: Spending | None = None
    standing: Standing | None = None
    spent: int = 0
    crossed: tuple[int, ...] = ()
    forecast: Forecast = Forecast("not_enough_data")


def statuses(
    budgets: Iterable[Budget], seen: Mapping[str, Spending], held: Mapping[str, Standing], now_ns: int
) -> list[Status]:
    """Of each budget, in their order. What recorded calls cost is taken from `seen`, which is newer."""
    return [_status(each, seen.get(each.id), held.get(each.id), now_ns) for each in budgets]


def events(found: Iterable[Status], now_ns: int) -> list[Event]:
    """All that there is to tell, whether or not it was told."""
    told: list[Event] = []
    for each in found:
        if each.seen is None:
            continue
        said = (now_ns, usd(each.spent), usd(units(each.budget.limit_usd)))
        start_ns = each.seen.span.since_ns
        told += [Event(each.budget.id, start_ns, "threshold", at, *said) for at in each.crossed]
        if each.forecast.outlook == "crosses":
            told.append(Event(each.budget.id, start_ns, "forecast", 0, *said, each.forecast.crosses_ns))
    return told


def _status(budget: Budget, seen: Spending | None, held: Standing | None, now_ns: int) -> Status:
    if seen is None:
        return Status(budget=budget)
    spent = units(seen.spent_usd)
    # Figures of the period before, right after its end, are not this one's.
    if held is not None and held.span == seen.span:
        spent = max(spent, held.settled + held.assumed)
        left = held.limit - spent - held.reserved
        held = msgspec.structs.replace(held, recorded=units(seen.spent_usd), spent=spent, left=left)
    else:
        held = None
    return Status(
        budget=budget,
        seen=seen,
        standing=held,
        spent=spent,
        crossed=crossed(budget, spent),
        forecast=outlook(budget, seen, spent, now_ns),
    )
