"""Prices of one tenant, and percent off the list: exact, dated, and for nobody else."""

from __future__ import annotations

import pickle
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.model import Usage
from watchglass.pricing.book import Layers, PriceBook, Priced, PriceRequest
from watchglass.pricing.discounts import Discount
from watchglass.pricing.listed import AboveInput, ListedPrice

NEW_YEAR_NS = 1_767_225_600 * 10**9  # 2026-01-01T00:00:00Z
LIST = ListedPrice(
    provider="acme",
    model="m",
    input=Decimal(2),
    output=Decimal(8),
    above=(AboveInput(input_tokens=100, input=Decimal(4)),),
)
NIGHT = ListedPrice(provider="acme", model="m", input=Decimal(1), daily=(0, 3_600 * 10**9))


def off(percent: str, **given: object) -> Discount:
    """A discount on everything of one provider."""
    return Discount(**({"provider": "acme", "percent": Decimal(percent)} | given))


def ask(layers: Layers, *, tenant: str | None = None, at_ns: int = NEW_YEAR_NS, **given: object) -> Priced:
    """Price a hundred input and ten output tokens of the model `m`."""
    fields: dict[str, object] = {"usage": Usage(100, 10), "response_model": None} | given
    request = PriceRequest(provider="acme", request_model="m", at_ns=at_ns, tenant=tenant, **fields)
    return PriceBook(layers).price([request])[0]


def test_a_discount_is_taken_off_the_list_and_the_price_names_both() -> None:
    """15% off 0.00028 dollars is 0.000238; the id says which entry and which discount."""
    priced = ask(Layers(facts=(LIST,), discounts=(off("15", since_ns=NEW_YEAR_NS),)))
    assert priced.cost_usd == Decimal("0.000238")
    assert priced.price_source == "discount"
    assert priced.price_id == "watchglass:acme/m|discount:15%:acme/*@2026-01-01T00:00:00Z"


def test_a_discount_holds_in_its_interval_to_the_nanosecond() -> None:
    """It begins with its first moment and has ended with its last; outside, the list holds."""
    layers = Layers(facts=(LIST,), discounts=(off("50", since_ns=NEW_YEAR_NS, until_ns=NEW_YEAR_NS + 10),))
    costs = [ask(layers, at_ns=NEW_YEAR_NS + shift).cost_usd for shift in (-1, 0, 9, 10)]
    assert costs == [Decimal("0.00028"), Decimal("0.00014"), Decimal("0.00014"), Decimal("0.00028")]


def test_a_stated_price_is_what_is_paid() -> None:
    """No discount is taken off an override, be the discount a tenant's own."""
    layers = Layers(overrides=(LIST,), discounts=(off("50"), off("60", tenant="t")))
    assert ask(layers, tenant="t").cost_usd == Decimal("0.00028")


def test_a_tenants_own_comes_before_everybodys() -> None:
    """Price before price and discount before discount, however much closer the other one's pattern is."""
    own = ListedPrice(provider="*", model="*", input=Decimal(0), output=Decimal(1), tenant="t")
    layers = Layers(overrides=(LIST, own))
    assert (ask(layers, tenant="t").cost_usd, ask(layers, tenant="u").cost_usd) == (
        Decimal("0.00001"),
        Decimal("0.00028"),
    )
    layers = Layers(facts=(LIST,), discounts=(off("50", model="m"), off("25", tenant="t")))
    assert ask(layers, tenant="t").cost_usd == Decimal("0.00021")
    assert ask(layers).cost_usd == ask(layers, tenant="u").cost_usd == Decimal("0.00014")


def test_a_tenants_price_falls_back_on_everybodys_outside_its_time() -> None:
    """A price of a tenant's that has ended leaves the calls to the next layer, and so does a discount."""
    own = ListedPrice(provider="acme", model="m", input=Decimal(1), tenant="t", until_ns=NEW_YEAR_NS)
    discounts = (off("50", tenant="t", until_ns=NEW_YEAR_NS), off("25"))
    assert ask(Layers(overrides=(own, LIST)), tenant="t").cost_usd == Decimal("0.00028")
    assert ask(Layers(facts=(LIST,), discounts=discounts), tenant="t").cost_usd == Decimal("0.00021")


def test_the_book_says_for_whom_it_differs() -> None:
    """Only tenants that are named have a price of their own; without any, nobody needs to ask for whom."""
    assert not PriceBook(Layers(overrides=(LIST,))).by_tenant
    book = PriceBook(Layers(facts=(LIST,), discounts=(off("5"), off("7", tenant="t"))))
    assert book.by_tenant
    assert pickle.loads(pickle.dumps(book)).tenants == {"t"}


@pytest.mark.parametrize(
    ("tier", "called", "less"),
    [(None, "batch", True), ("batch", "batch", True), ("batch", None, False), ("standard", None, True)],
)
def test_a_discount_is_for_every_tier_or_for_one(tier: str | None, called: str | None, less: bool) -> None:
    """Without a tier it is off all of them; `standard` is the one that everybody gets."""
    batch = ListedPrice(provider="acme", model="m", input=Decimal(2), output=Decimal(8), tier="batch")
    priced = ask(Layers(facts=(LIST, batch), discounts=(off("50", tier=tier),)), service_tier=called)
    assert priced.cost_usd == (Decimal("0.00014") if less else Decimal("0.00028"))


def test_longer_requests_hours_of_the_day_and_requests_as_such_are_discounted_too() -> None:
    """Every part of a price is: above a threshold, at some hours."""
    layers = Layers(facts=(LIST, NIGHT), discounts=(off("50"),))
    noon = NEW_YEAR_NS + 12 * 3_600 * 10**9
    assert ask(layers, at_ns=noon, usage=Usage(101, 0)).cost_usd == Decimal("0.000202")
    assert ask(layers, usage=Usage(100, 0)).cost_usd == Decimal("0.00005")


@pytest.mark.parametrize("percent", ["0", "-1", "100.0001", "NaN", "Infinity", "1.00001"])
def test_what_is_no_percentage_is_refused(percent: str) -> None:
    """More than nothing, at most everything, four decimals."""
    with pytest.raises(ValueError, match="a discount"):
        off(percent)


@given(
    st.integers(1, 10**10).map(lambda units: Decimal(units).scaleb(-9)),
    st.integers(1, 10**6).map(lambda units: Decimal(units).scaleb(-4)),
    st.integers(0, 10**12),
    st.integers(0, 10**12),
)
def test_a_discount_is_exact_until_the_last_rounding(
    price: Decimal, percent: Decimal, tokens: int, output: int
) -> None:
    """Tokens times price times what is left of it, rounded once, half to even, at 18 decimals."""
    facts = (ListedPrice(provider="acme", model="m", input=price, output=price * 3),)
    priced = ask(Layers(facts=facts, discounts=(off(str(percent)),)), usage=Usage(tokens, output))
    with localcontext(prec=200):
        exact = (tokens * price + output * price * 3) / 10**6 * (100 - percent) / 100
        assert priced.cost_usd == exact.quantize(Decimal(1).scaleb(-18), ROUND_HALF_EVEN)


def test_all_off_costs_nothing() -> None:
    """100% off is a cost of 0, which is known, with its price."""
    priced = ask(Layers(facts=(LIST,), discounts=(off("100"),)))
    assert (priced.cost_usd, priced.price_source) == (0, "discount")
