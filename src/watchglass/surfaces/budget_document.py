"""Budgets, and what is reserved of them, as the API and the command line show them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from watchglass.ledger.budgets.amounts import units, usd
from watchglass.ledger.budgets.decisions import Decision, Standing
from watchglass.ledger.budgets.forecasts import percent
from watchglass.ledger.budgets.statuses import Status
from watchglass.ledger.budgets.teller import Settled
from watchglass.queries.plain import moment, money
from watchglass.store.budgets import Budget, Event

Document = dict[str, Any]


def budget_document(budget: Budget) -> Document:
    """One budget; money is text, exact, moments are RFC 3339."""
    return {
        "id": budget.id,
        "name": budget.name,
        "kind": budget.kind,
        "limit_usd": money(budget.limit_usd),
        "period": budget.period,
        "zone": budget.zone,
        "scope": budget.scope,
        "unsettled": budget.unsettled,
        "warn": list(budget.warn),
        "since": _moment(budget.since_ns),
        "until": _moment(budget.until_ns),
        "created": moment(budget.created_ns),
        "created_by": budget.created_by,
        "changed": moment(budget.changed_ns),
        "changed_by": budget.changed_by,
    }


def status_document(status: Status) -> Document:
    """A budget and how it stands; figures are null for one that is not in force."""
    seen, held = status.seen, status.standing
    figures: Document = {
        "in_force": seen is not None,
        "period_since": None if seen is None else moment(seen.span.since_ns),
        "period_until": None if seen is None else moment(seen.span.until_ns),
        "spent_usd": None if seen is None else usd(status.spent),
        "percent": None if seen is None else percent(status.spent, units(status.budget.limit_usd)),
        "calls": None if seen is None else seen.calls,
        "unpriced_calls": None if seen is None else seen.unpriced_calls,
        "crossed": list(status.crossed),
        "forecast": None
        if seen is None
        else {"outlook": status.forecast.outlook, "crosses": _moment(status.forecast.crosses_ns)},
        "held": None,
    }
    if held is not None:
        figures["held"] = {
            "recorded_usd": usd(held.recorded),
            "settled_usd": usd(held.settled),
            "unsettled_usd": usd(held.assumed),
            "reserved_usd": usd(held.reserved),
            "left_usd": usd(held.left),
        }
    return {**budget_document(status.budget), **figures}


def event_document(event: Event) -> Document:
    """What was told of a budget."""
    return {
        "at": moment(event.at_ns),
        "event": event.event,
        "percent": event.percent if event.event == "threshold" else None,
        "spent_usd": event.spent_usd,
        "limit_usd": event.limit_usd,
        "period_since": moment(event.period_ns),
        "crosses": _moment(event.crosses_ns),
    }


def decision_document(decision: Decision, amount: int, tenant: str | None) -> Document:
    """The answer to a reservation; `tenant` is the one that the asking key is bound to.

    A budget that is not of that tenant alone is applied, and nothing is told of it: its figures are
    what others spend.
    """
    shown = [each for each in decision.standings if _is_shown(each.budget, tenant)]
    reservation = decision.reservation
    return {
        "admitted": decision.admitted,
        "reservation": None if reservation is None else reservation.id,
        "state": None if reservation is None else reservation.state,
        "amount_usd": usd(amount if reservation is None else reservation.amount),
        "expires": None if reservation is None else moment(reservation.expires_ns),
        "reason": _reason(decision, tenant),
        "refused_by": [each.name for each in decision.refused_by if _is_shown(each, tenant)],
        "budgets": [_standing(each) for each in shown],
    }


def settled_document(settled: Settled, tenant: str | None) -> Document:
    """The answer to settling; where it was settled before, it stays as it was, and `settled_now` is false."""
    reservation = settled.reservation
    return {
        "reservation": reservation.id,
        "state": reservation.state,
        "amount_usd": usd(reservation.amount),
        "actual_usd": None if reservation.actual is None else usd(reservation.actual),
        "settled_now": settled.now,
        "budgets": [_standing(each) for each in settled.standings if _is_shown(each.budget, tenant)],
    }


def _reason(decision: Decision, tenant: str | None) -> str | None:
    if decision.admitted:
        return None
    if decision.reservation is not None:
        return (
            f"the reservation of this idempotency_key is {decision.reservation.state} already; "
            "reserve with another key for another call"
        )
    shown = [each for each in decision.refused_by if _is_shown(each, tenant)]
    if not shown:
        return "a budget that is not your tenant's alone has not enough left"
    left = {each.budget.id: each for each in decision.standings}
    first = left[shown[0].id]
    return (
        f"the budget {shown[0].name} has ${usd(max(first.left, 0))} left of ${usd(first.limit)} "
        f"until {moment(first.span.until_ns)}"
    )


def _is_shown(budget: Budget, tenant: str | None) -> bool:
    return tenant is None or budget.tenant == tenant


def _standing(each: Standing) -> Document:
    return {
        "name": each.budget.name,
        "id": each.budget.id,
        "period_since": _bound(each.span.since_ns),
        "period_until": _bound(each.span.until_ns),
        "limit_usd": usd(each.limit),
        "spent_usd": usd(each.spent),
        "reserved_usd": usd(each.reserved),
        "left_usd": usd(each.left),
    }


@lru_cache(maxsize=10_000)
def _bound(ns: int) -> str:
    """The same moments are written into every answer of a period."""
    return moment(ns)


def _moment(ns: int | None) -> str | None:
    return None if ns is None else moment(ns)
