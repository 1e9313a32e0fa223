"""Two states of a price book side by side: which models changed, came and went."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

from watchglass.pricing.listing import PriceRow

Change: TypeAlias = Literal["added", "removed", "changed"]
_Key = tuple[str, str, str | None, str | None]


class Changed(msgspec.Struct, frozen=True):
    """One model in one tier: its price in either state, None where it has none."""

    kind: Change
    before: PriceRow | None
    after: PriceRow | None


def compare(before: Iterable[PriceRow], after: Iterable[PriceRow]) -> list[Changed]:
    """By provider, model and tier; what costs the same in both is left out, whoever says so."""
    old, new = _by_key(before), _by_key(after)
    found: list[Changed] = []
    for key in sorted({*old, *new}, key=lambda key: tuple(part or "" for part in key)):
        one, other = old.get(key), new.get(key)
        if one is None or other is None:
            found.append(Changed("added" if one is None else "removed", one, other))
        elif _amounts(one) != _amounts(other):
            found.append(Changed("changed", one, other))
    return found


def at(rows: Iterable[PriceRow], at_ns: int) -> list[PriceRow]:
    """What holds at a moment, in every tier and at all hours of that day."""
    return [
        row
        for row in rows
        if (row.since_ns is None or row.since_ns <= at_ns) and (row.until_ns is None or at_ns < row.until_ns)
    ]


def _by_key(rows: Iterable[PriceRow]) -> dict[_Key, PriceRow]:
    return {(row.provider, row.model.lower(), row.tier, row.daily): row for row in rows}


def _amounts(
    row: PriceRow,
) -> tuple[dict[str, Decimal | None], dict[int, dict[str, Decimal | None]], Decimal]:
    return row.prices, row.above, row.per_request
