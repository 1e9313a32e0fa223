"""The user's own prices: how they are named, and when they hold."""

from __future__ import annotations

from decimal import Decimal

import pytest

from watchglass.model import Usage
from watchglass.pricing.book import PriceBook, Priced, PriceRequest
from watchglass.pricing.listed import AboveInput, ListedPrice, PriceList

NEW_YEAR_NS = 1_767_225_600 * 10**9  # 2026-01-01T00:00:00Z
DAY_NS = 86_400 * 10**9


def override(provider: str = "acme", model: str = "m", dollars: int = 1, **given: object) -> ListedPrice:
    """A price for input and output alike."""
    price = Decimal(dollars)
    return ListedPrice(provider=provider, model=model, input=price, output=price, **given)


def ask(
    *overrides: ListedPrice, provider: str = "acme", tier: str | None = None, at_ns: int = NEW_YEAR_NS
) -> Priced:
    """Price a million tokens of the model `m`."""
    request = PriceRequest(
        provider=provider, request_model="m", response_model=None, at_ns=at_ns,
        usage=Usage(10**6, 0), service_tier=tier,
    )  # fmt: skip
    return PriceBook(overrides).price([request])[0]


@pytest.mark.parametrize("tier", ["batch", "Batch", "BATCH", " batch "])
def test_a_tier_is_read_in_any_case(tier: str) -> None:
    """`Batch` in the file and `BATCH` in the span are the batch tier."""
    assert ask(override(tier=tier), tier="BATCH").cost_usd == 1


@pytest.mark.parametrize("tier", ["default", "Standard", "", None])
def test_the_standard_tier_has_many_names(tier: str | None) -> None:
    """An override for the tier that everybody gets holds for a call that names none."""
    assert ask(override(tier=tier)).cost_usd == 1
    assert ask(override(tier=tier), tier="auto").cost_usd == 1


@pytest.mark.parametrize("name", ["bedrock", "aws.bedrock", "AWS_Bedrock", "amazon-bedrock", "*"])
def test_a_provider_goes_by_any_of_its_names(name: str) -> None:
    """A user need not know our id of a provider."""
    assert ask(override(name), provider="aws_bedrock").cost_usd == 1


def test_a_provider_of_the_users_own_is_read_in_any_case() -> None:
    """A name that is no provider's alias stands for itself."""
    assert ask(override("Acme")).cost_usd == 1
    assert ask(override("other")).unpriced_reason == "unknown_model"


@pytest.mark.parametrize(
    ("given", "price_id"),
    [
        ({}, "override:acme/m"),
        ({"since_ns": NEW_YEAR_NS}, "override:acme/m@2026-01-01T00:00:00Z"),
        ({"since_ns": NEW_YEAR_NS, "tier": "Batch"}, "override:acme/m@2026-01-01T00:00:00Z+batch"),
        (
            {"since_ns": NEW_YEAR_NS - 1500, "until_ns": NEW_YEAR_NS + DAY_NS},
            "override:acme/m@2025-12-31T23:59:59.9999985Z/2026-01-02T00:00:00Z",
        ),
        ({"until_ns": NEW_YEAR_NS + DAY_NS}, "override:acme/m@/2026-01-02T00:00:00Z"),
        ({"since_ns": -(10**9), "tier": "default"}, "override:acme/m@1969-12-31T23:59:59Z"),
    ],
)
def test_the_price_id_names_the_interval_and_the_tier(given: dict[str, object], price_id: str) -> None:
    """Whoever reads a cost can say which entry it came from."""
    tier = given.get("tier")
    assert (
        ask(
            override(**given),
            tier=str(tier) if tier else None,
            at_ns=NEW_YEAR_NS - 1000 if "until_ns" in given else NEW_YEAR_NS,
        ).price_id
        == price_id
    )


def test_the_latest_start_wins_and_every_interval_has_its_own_id() -> None:
    """Prices that follow each other are told apart by their ids."""
    prices = [
        override(dollars=1),
        override(dollars=2, since_ns=NEW_YEAR_NS),
        override(dollars=3, since_ns=NEW_YEAR_NS + DAY_NS),
        override(dollars=4, since_ns=-DAY_NS),
    ]
    times = (NEW_YEAR_NS + DAY_NS, NEW_YEAR_NS, NEW_YEAR_NS - 1, -2 * DAY_NS)
    found = [ask(*prices, at_ns=at) for at in times]
    assert [each.cost_usd for each in found] == [3, 2, 4, 1]
    assert len({each.price_id for each in found}) == 4


LONG = AboveInput(
    input_tokens=1000,
    input=Decimal(20),
    output=Decimal(30),
    cache_write_1h=Decimal(40),
    reasoning=Decimal(50),
    input_audio=Decimal(60),
    output_audio=Decimal(70),
)


@pytest.mark.parametrize(
    ("part", "dollars"),
    [
        ({"cache_write_tokens": 10**6, "cache_write_1h_tokens": 10**6}, 40),
        ({"cache_write_tokens": 10**6}, 20),
        ({"input_audio_tokens": 10**6}, 60),
        ({"cache_read_tokens": 10**6}, 20),
        ({"input_tokens": 1001, "output_tokens": 10**6, "reasoning_tokens": 10**6}, 50),
        ({"input_tokens": 1001, "output_tokens": 10**6, "output_audio_tokens": 10**6}, 70),
    ],
)
def test_every_class_may_cost_more_in_a_longer_request(part: dict[str, int], dollars: int) -> None:
    """Also one that has no price of its own in a shorter one; without any it costs what its parent does."""
    usage = Usage(**{"input_tokens": 10**6, "output_tokens": 0} | part)
    asked = PriceRequest(
        provider="acme", request_model="m", response_model=None, at_ns=NEW_YEAR_NS, usage=usage
    )  # fmt: skip
    found = PriceBook([override(above=(LONG,))]).price([asked])[0].cost_usd
    rest = 0 if usage.input_tokens == 10**6 else Decimal("0.02002")
    assert found == dollars + rest


def test_a_class_of_its_own_keeps_its_price_until_one_above_is_stated() -> None:
    """The first step changes the input only, the second the cached reads; nothing else moves."""
    first, second = (
        AboveInput(input_tokens=10, input=Decimal(8)),
        AboveInput(input_tokens=20, cache_read=Decimal(3)),
    )
    period = next(PriceList("override", [override(above=(second, first), cache_read=Decimal(2))]).entries())
    found = period.schedule.periods[0].rates
    costs = [
        (found.dollars(prices.input * 10**6), found.dollars(prices.cache_read * 10**6))
        for prices in (found.prices, *(prices for _, prices in found.above))
    ]
    assert costs == [(1, 2), (8, 2), (8, 3)]
    parent = next(PriceList("override", [override(above=(first, second))]).entries())
    rates = parent.schedule.periods[0].rates
    assert [rates.dollars(prices.cache_read * 10**6) for _, prices in rates.above] == [8, 3]
