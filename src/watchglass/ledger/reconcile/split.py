"""Our cost of a group of calls by class of tokens, so that the classes add up to it to the last digit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from watchglass.ledger.reconcile.figures import EXACT, ZERO, Atom, Names
from watchglass.ledger.reconcile.quotes import Quotes, cost
from watchglass.ledger.reconcile.told import REQUEST, UNSPLIT
from watchglass.pricing.rates import CLASSES, Rates
from watchglass.pricing.source import named_tier


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of one model at one price and of one length; tokens by class, each token in one class."""

    names: Names
    tier: str | None
    above: int
    """The highest of the asked thresholds that each request's input was above; 0 for none."""
    price_id: str | None
    unpriced: str | None
    """Why there is no cost, where there is none."""
    calls: int
    uncounted_calls: int
    tokens: Mapping[str, int]
    cost: Decimal
    reported: Decimal | None
    reported_calls: int
    cost_of_reported: Decimal


def atoms(group: Group, quotes: Quotes) -> list[Atom]:
    """The group's tokens and cost by class.

    Costs are the rates' own products of tokens and price. What they leave of the stored cost is `UNSPLIT`:
    nothing, unless the calls were priced by rates that are no longer in the book, or by ones so fine that
    each call's cost was rounded at its 18th decimal.
    """
    if group.price_id is None:
        return [_unpriced(group, name, count) for name, count in group.tokens.items() if count]
    best: list[Atom] | None = None
    for rates in quotes.entry(group.names, group.tier, group.price_id):
        found = _priced(group, rates)
        if not any(each.token_class == UNSPLIT for each in found):
            return found
        best = best or found
    tier, long = named_tier(group.tier), bool(group.above)
    return best or [
        *(_unpriced(group, name, count) for name, count in group.tokens.items() if count),
        Atom(
            tier=tier, long=long, token_class=UNSPLIT, tokens=0, cost=group.cost,
            price_id=group.price_id, names=group.names,
        ),
    ]  # fmt: skip


def _priced(group: Group, rates: Rates) -> list[Atom]:
    prices = rates.of_request(group.above + 1 if group.above else 0)
    long = any(threshold <= group.above for threshold, _ in rates.above)
    units: Sequence[tuple[str, int, int]] = [
        *((name, group.tokens.get(name, 0), getattr(prices, name)) for name in CLASSES),
        (REQUEST, group.calls, rates.request),
    ]
    found = [
        Atom(
            tier=named_tier(group.tier), long=long, token_class=name, tokens=count, price=price,
            cost=cost(count, price), price_id=group.price_id, names=group.names,
        )
        for name, count, each in units
        if count and (name != REQUEST or each)
        for price in [EXACT.normalize(rates.dollars(each))]
    ]  # fmt: skip
    total = ZERO
    for each in found:
        total = EXACT.add(total, each.cost)
    rest = EXACT.subtract(group.cost, total)
    if rest:
        found.append(
            Atom(
                tier=named_tier(group.tier), long=long, token_class=UNSPLIT, tokens=0, cost=rest,
                price_id=group.price_id, names=group.names,
            )
        )  # fmt: skip
    return found


def _unpriced(group: Group, name: str, count: int) -> Atom:
    return Atom(
        tier=named_tier(group.tier), long=bool(group.above), token_class=name, tokens=count,
        names=group.names, price_id=group.price_id, unpriced=group.unpriced,
    )  # fmt: skip
