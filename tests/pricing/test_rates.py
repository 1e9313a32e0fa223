"""Nothing between a list price and a cost is a float, and every entry has its own name."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest
from genai_prices.data import providers
from hypothesis import given
from hypothesis import strategies as st

from watchglass.model import Usage
from watchglass.pricing.genai import PROVIDERS, GenaiPrices
from watchglass.pricing.rates import rate, rates
from watchglass.pricing.source import Schedule

TIERS = (None, "batch", "flex", "priority", "fast")
OURS = {theirs: ours for ours, theirs in PROVIDERS.items()}


def schedules() -> Iterator[Schedule]:
    """Every price of the package's book, in every tier."""
    book = GenaiPrices()
    for provider in providers:
        for model in provider.models:
            for tier in TIERS:
                found = book.find(OURS.get(provider.id, provider.id), model.id, tier)
                if found is not None:
                    yield found


def leaves(value: object) -> Iterator[object]:
    """What a record holds, however deep."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.astuple(value)
    if isinstance(value, tuple | list | frozenset):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def test_no_float_is_on_the_way_from_price_to_cost() -> None:
    """Walk everything that the book holds, and what it makes of usages: ints and decimals."""
    usages = (Usage(7, 3), Usage(7, 3, 2, 1, 1, 1, 1, 1), Usage(10**6, 10**5, 10**5))
    for schedule in schedules():
        assert {type(leaf) for leaf in leaves(schedule)} <= {int, bool, str, type(None)}
        for period in schedule.periods:
            costs = [period.rates.cost(usage) for usage in usages]
            assert {type(cost) for cost in costs} <= {Decimal, type(None)}


def test_an_entry_is_named_once() -> None:
    """Two prices of a model that can both be charged never share a price id."""
    for schedule in schedules():
        named: dict[str, set[int | None]] = {}
        for period in schedule.periods:
            named.setdefault(period.rates.price_id, set()).add(period.since_ns)
        assert all(len(starts) == 1 for starts in named.values()), named


@given(st.integers(0, 10**18), st.integers(0, 2**63))
def test_a_price_of_eighteen_decimals_is_exact_until_the_last_rounding(units: int, tokens: int) -> None:
    """The cost is the true product, rounded half to even to 18 decimals, however many its digits."""
    price = Decimal(units).scaleb(-18)
    found = rates("x", "test", {"input": rate(price), "output": rate(Decimal(0))}).cost(Usage(tokens, 0))
    whole, rest = divmod(units * tokens, 10**6)
    whole += rest * 2 > 10**6 or (rest * 2 == 10**6 and whole % 2 == 1)
    assert found is not None
    sign, digits, exponent = found.as_tuple()
    assert (sign, exponent) == (0, -18)
    assert int("".join(map(str, digits))) == whole


def test_a_price_that_cannot_be_held_exactly_is_refused() -> None:
    """More than 18 decimals, or less than nothing, is no price."""
    for dollars in (Decimal("1e-19"), Decimal(-1)):
        with pytest.raises(ValueError, match="at most 18 decimals"):
            rate(dollars)
