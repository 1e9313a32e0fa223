"""A price that no list has and that the bill keeps to for days: negotiated, missing in the book, or wrong.

The bill cannot vouch for itself, so this is a hint: its amount stays unexplained until the price is set."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import NamedTuple

from watchglass.ledger.reconcile.explain import Pending, plain, plain_price
from watchglass.ledger.reconcile.figures import EXACT, ZERO
from watchglass.ledger.reconcile.quotes import cost

FEWEST_DAYS = 3
"""Days that must agree on a price before it is one: on two, an error can look like it."""

_DECIMALS = 18
_MILLION = Decimal(1_000_000)


class _Span(NamedTuple):
    low: Decimal
    high: Decimal
    slot: Pending


def explain_implied(slots: Iterable[Pending]) -> None:
    """Say it of what is open in slots of one model and class that agree on a price, or on a share of ours."""
    groups: dict[tuple[object, ...], list[_Span]] = {}
    with localcontext(EXACT):
        for each in slots:
            if each.open and each.billed is not None:
                found = _span(each)
                if found is not None:
                    groups.setdefault(found[0], []).append(found[1])
        for (*_, price), spans in groups.items():
            while True:
                agreed = _most(spans)
                if len({each.slot.cell.key.since_ns for each in agreed}) < FEWEST_DAYS:
                    break
                value = simplest(max(each.low for each in agreed), min(each.high for each in agreed))
                for each in agreed:
                    _take(each.slot, value, isinstance(price, Decimal), len(agreed))
                spans = [each for each in spans if each not in agreed]


def _span(slot: Pending) -> tuple[tuple[object, ...], _Span] | None:
    """What the bill can mean, with all its roundings: a price a million tokens where we have one price,
    else a share of what we expect."""
    items = [each for each in slot.items if each.tokens]
    prices = {each.price for each in items}
    if None in prices or slot.billed is None:
        return None
    tokens = sum(each.tokens for each in items)
    expected = sum((cost(each.tokens, each.price) for each in items), ZERO)
    key = (slot.cell.key.provider, slot.cell.key.model, slot.slot)
    if len(prices) == 1 and tokens > 0:
        scale, mark = Decimal(tokens) / _MILLION, next(iter(prices))
    elif expected > 0:
        scale, mark = expected, None
    else:
        return None
    low, high = (slot.billed - slot.bound) / scale, (slot.billed + slot.bound) / scale
    return (*key, mark), _Span(max(low, ZERO), high, slot)


def _most(spans: list[_Span]) -> list[_Span]:
    """The largest set of spans that have a point in common."""
    best: list[_Span] = []
    for point in (each.low for each in spans):
        having = [each for each in spans if each.low <= point <= each.high]
        if len(having) > len(best):
            best = having
    return best


def simplest(low: Decimal, high: Decimal) -> Decimal:
    """The number with the fewest decimals in `[low, high]`.

    >>> simplest(Decimal("2.1249"), Decimal("2.12501"))
    Decimal('2.125')
    """
    for decimals in range(_DECIMALS + 1):
        unit = Decimal(1).scaleb(-decimals)
        least = low.quantize(unit, rounding=ROUND_CEILING)
        if least <= high:
            middle = ((low + high) / 2).quantize(unit, rounding=ROUND_FLOOR)
            return middle if low <= middle <= high else least
    return low


def _take(slot: Pending, value: Decimal, is_price: bool, days: int) -> None:
    items = [each for each in slot.items if each.tokens]
    expected = sum((cost(each.tokens, each.price) for each in items), ZERO)
    tokens = sum(each.tokens for each in items)
    if is_price:
        price = value / _MILLION
        amount, said = cost(tokens, price) - expected, plain_price(price)
        share = value / (items[0].price * _MILLION) if items[0].price else None
    else:
        amount, share = value * expected - expected, value
        said = f"{plain(value)} of the price"
    percent = (
        "" if share is None else f", {plain(((share - 1) * 100).quantize(Decimal('0.01')))} % of the book's"
    )
    ids = ", ".join(sorted({each.atom.price_id or "?" for each in items}))
    slot.explain(
        "price_implied", amount, f"billed at {said} on {days} days{percent} ({ids}); if it is agreed, "
        "say so: `watchglass prices set`", tokens=tokens,
    )  # fmt: skip
