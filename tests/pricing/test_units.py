"""Counts finer than a stored usage, priced by unit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.model import Usage
from watchglass.pricing.book import Layers, PriceBook, PriceRequest
from watchglass.pricing.discounts import Discount
from watchglass.pricing.units import Rate, Spent, Units

AUDIO = Units(
    (
        *(("input", Rate(3)), ("output", Rate(25)), ("cache_read", Rate(1)), ("input_audio", Rate(10))),
        *(("cache_audio_read", Rate(2)), ("output_image", Rate(300)), ("web_searches", Rate(1000))),
    )
)


@pytest.mark.parametrize(
    ("counts", "spent"),
    [
        ({"input": 10, "output": 2}, Spent(30, 50)),
        ({"input": 10, "cache_read": 4}, Spent(6 * 3 + 4)),
        ({"input": 10, "cache_read": 4, "input_audio": 5, "cache_audio_read": 3}, Spent(4 * 3 + 1 + 20 + 6)),
        ({"output": 5, "output_image": 3}, Spent(0, 2 * 25 + 900)),
        ({"input": 1, "web_searches": 2}, Spent(3, 0, 2000)),
        ({"input": 10, "input_text": 7, "input_video": 3}, Spent(30)),
        ({"input": 10, "cache_read": 4, "input_audio": 5}, None),
        ({"input": 1, "cache_read": 2}, None),
        ({"output": 1, "output_image": 2}, None),
    ],
)
def test_each_token_is_charged_by_its_finest_unit(counts: dict[str, int], spent: Spent | None) -> None:
    """A part is charged once, a count without a price changes nothing, and a riddle has no cost."""
    assert AUDIO.spent(counts) == spent


def test_a_request_is_charged_once_and_long_ones_by_their_step() -> None:
    """A price by the request stands beside the tokens'; above a step all tokens cost the dearer price."""
    units = Units((("input", Rate(1, ((100, 2),))), ("requests", Rate(7))))
    assert units.spent({"input": 100}) == Spent(100, 0, 7)
    assert units.spent({"input": 101}) == Spent(202, 0, 7)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_where_nothing_is_finer_both_ways_agree(tokens: int, output: int) -> None:
    """Plain counts of a model with finer prices cost the same by its classes and by its units."""
    for counts in (None, {"input": tokens, "output": output}):
        request = PriceRequest(
            provider="google_ai_studio", request_model="gemini-2.5-flash", response_model=None,
            at_ns=2 * 10**18, usage=Usage(tokens, output), counts=counts,
        )  # fmt: skip
        cost = PriceBook().price([request])[0].cost_usd
        assert cost == tokens * Decimal("0.0000003") + output * Decimal("0.0000025")


def test_a_search_costs_where_its_count_is_known() -> None:
    """Anthropic's $10 a thousand searches come on top; a stored usage says nothing of them."""
    asked = {"provider": "anthropic", "request_model": "claude-sonnet-4-5", "response_model": None}
    usage, counts = Usage(1000, 100), {"input": 1000, "output": 100, "web_searches": 3}
    without, searched = PriceBook().price(
        [
            PriceRequest(**asked, at_ns=2 * 10**18, usage=usage),
            PriceRequest(**asked, at_ns=2 * 10**18, usage=usage, counts=counts),
        ]
    )
    assert without.cost_usd is not None and searched.cost_usd is not None
    assert searched.cost_usd - without.cost_usd == Decimal("0.03")


def test_a_discount_is_taken_off_every_unit() -> None:
    """A quarter off is off the searches and the images too, to the last digit."""
    discounts = (Discount(provider="anthropic", percent=Decimal(25)),)
    asked = PriceRequest(
        provider="anthropic", request_model="claude-sonnet-4-5", response_model=None, at_ns=2 * 10**18,
        usage=Usage(1000, 100), counts={"input": 1000, "output": 100, "web_searches": 3},
    )  # fmt: skip
    full = PriceBook().price([asked])[0].cost_usd
    assert full is not None
    assert PriceBook(Layers(discounts=discounts)).price([asked])[0].cost_usd == full * Decimal("0.75")
