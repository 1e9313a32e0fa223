"""Why a client's figure is another than ours: concluded from the numbers alone."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.model import Usage
from watchglass.pricing.book import Layers, PriceBook, PriceRequest
from watchglass.pricing.cached import Cached
from watchglass.pricing.differences import KINDS, Difference, Explainer
from watchglass.pricing.listed import AboveInput, ListedPrice
from watchglass.pricing.unlisted import with_unlisted

DAY_NS = 86_400 * 10**9
JUNE_NS = 1_780_272_000 * 10**9
HOUR_NS = DAY_NS // 24
OLD = ListedPrice(
    provider="acme", model="m", input=Decimal(5), output=Decimal(15), until_ns=JUNE_NS,
    cache_read=Decimal("0.5"), cache_write=Decimal("6.25"),
)  # fmt: skip
NEW = ListedPrice(
    provider="acme", model="m", input=Decimal(3), output=Decimal(12), since_ns=JUNE_NS,
    cache_read=Decimal("0.3"), cache_write=Decimal("3.75"),
)  # fmt: skip
NIGHT = ListedPrice(
    provider="acme", model="m", input=Decimal(1), output=Decimal(4), since_ns=JUNE_NS, daily=(0, HOUR_NS)
)
OTHER = ListedPrice(provider="acme", model="large", input=Decimal(30), output=Decimal(70))
ELSEWHERE = ListedPrice(provider="other", model="m", input=Decimal(123), output=Decimal(4))
LONG = ListedPrice(
    provider="acme", model="long", input=Decimal(2), output=Decimal(8),
    above=(AboveInput(input_tokens=500, input=Decimal(4), output=Decimal(9)),),
)  # fmt: skip
THINKER = ListedPrice(
    provider="acme", model="thinker", input=Decimal("0.17"), output=Decimal("0.6"), reasoning=Decimal("3.5")
)
BOOK = PriceBook(Layers(facts=(OLD, NEW, NIGHT, OTHER, ELSEWHERE, LONG, THINKER)))
EXPLAINER = Explainer(BOOK)


def explain(dollars: str, model: str = "m", at_ns: int = JUNE_NS + HOUR_NS, **usage: int) -> Difference:
    """The class of a cost that a client recorded for 1,000 tokens in and 100 out."""
    request = PriceRequest(
        provider="acme", request_model=model, response_model=None, at_ns=at_ns,
        usage=Usage(**({"input_tokens": 1000, "output_tokens": 100} | usage)),
    )  # fmt: skip
    return EXPLAINER.explain(request, Decimal(dollars))


@pytest.mark.parametrize(
    ("dollars", "kind", "evidence"),
    [
        ("0.0042", "same", ""),
        ("0.004200000000000001", "same", ""),
        ("0", "client_had_no_price", "it costs 0.0042"),
        ("0.0065", "stale_list", "5 / 15 dollars"),
        ("0.0014", "stale_list", "1 / 4 dollars"),
        ("0.0015", "caching_not_on_record", "1,000 cached reads"),
        ("0.00345", "caching_not_on_record", "280 cached reads and 8 cached writes"),
        ("0.0042001", "unexplained", "+0.0000001"),
        ("0.0042075", "caching_not_on_record", "10 cached writes"),
        ("0.0042300", "caching_not_on_record", "40 cached writes"),
        ("0.0042003", "caching_not_on_record", "1 cached reads charged on top"),
        ("0.00605", "stale_list", "100 cached reads"),
        ("0.037", "other_models_price", "large"),
        ("12345.6789", "absurd", "2939447 times what it costs"),
        ("4.2", "absurd", "1000 times watchglass:acme/m@2026-06-01T00:00:00Z: 3 / 12 dollars"),
        ("-0.0042", "absurd", "negative"),
        ("0.0000000065", "wrong_unit", "0.000001 times watchglass:acme/m@/2026-06-01T00:00:00Z: 5 / 15"),
        ("0.6789123", "unexplained", "+0.6747123"),
        ("0.0402", "caching_not_on_record", "120,000 cached reads charged on top"),
        ("0.04020075", "caching_not_on_record", "120,000 cached reads and 1 cached writes charged on top"),
        ("0.004236", "caching_not_on_record", "48 cached writes"),
        ("0.1234", "other_providers_price", "other/m: 123 / 4"),
    ],
)
def test_a_difference_has_the_class_that_its_numbers_show(dollars: str, kind: str, evidence: str) -> None:
    """Each class is given only if the recorded cost comes out under its assumption."""
    found = explain(dollars)
    assert (found.kind, found.reported_usd) == (kind, Decimal(dollars))
    assert evidence in found.evidence


def test_a_client_that_knows_no_steps_charges_the_price_of_short_requests() -> None:
    """Above the step all tokens cost more; a client that sums requests or ignores it charges less."""
    found = explain("0.0028", model="long")
    assert (found.kind, found.computed_usd) == ("other_context_price", Decimal("0.0049"))
    assert found.evidence.endswith("2 / 8 dollars a million tokens")


@pytest.mark.parametrize(
    ("dollars", "usage", "kind"),
    [
        ("3000", {}, "absurd"),
        ("11.01", {}, "absurd"),
        ("10.99", {}, "price_unknown"),
        ("0.99", {"input_tokens": 1, "output_tokens": 1}, "price_unknown"),
        ("-0.01", {}, "absurd"),
        ("5", {"input_tokens": 0, "output_tokens": 0}, "absurd"),
        ("5", {"input_tokens": None, "output_tokens": None}, "price_unknown"),
    ],
)
def test_without_a_price_a_report_is_absurd_beyond_any_price(
    dollars: str, usage: dict[str, int], kind: str
) -> None:
    """$10,000 a million tokens and a dollar: what is dearer is no price, what has no counts is not judged."""
    assert explain(dollars, model="unheard-of", **usage).kind == kind


def test_several_calls_show_a_price_that_no_list_has() -> None:
    """Three calls that agree on one price are explained by it, and a fourth of another price is not."""
    prices, counts = (Decimal("0.77"), Decimal("3.13")), [(1000, 10), (700, 300), (5, 1), (50, 50)]
    calls: list[tuple[PriceRequest, Difference]] = []
    for tokens, output in counts:
        cost = (tokens * prices[0] + output * prices[1]) / 10**6
        request = PriceRequest(
            provider="acme", request_model="m", response_model=None, at_ns=JUNE_NS + HOUR_NS,
            usage=Usage(tokens, output),
        )  # fmt: skip
        calls.append((request, Difference("unexplained", cost, Decimal(1))))
    calls[3] = (calls[3][0], Difference("unexplained", Decimal("0.0123456789"), Decimal(1)))
    found = with_unlisted(calls)
    assert [each.kind for each in found] == ["unlisted_price"] * 3 + ["unexplained"]
    assert found[0].evidence == "0.77 / 3.13 dollars a million tokens in 3 calls"


@pytest.mark.parametrize(
    ("dollars", "evidence"),
    [
        ("0.000375", "50 tokens of reasoning"),
        ("0.001112", "252 tokens of reasoning charged on top of the output"),
    ],
)
def test_reasoning_that_is_not_on_record_is_found(dollars: str, evidence: str) -> None:
    """A part of the output at reasoning's own price, or tokens of it that the output does not hold."""
    found = explain(dollars, model="thinker")
    assert (found.kind, found.evidence) == ("reasoning_not_on_record", evidence)


def test_by_night_the_price_of_the_day_is_a_stale_list() -> None:
    """A client that knows nothing of cheaper hours records the price of the others."""
    found = explain("0.0042", at_ns=JUNE_NS)
    assert (found.kind, found.computed_usd) == ("stale_list", Decimal("0.0014"))


def test_cached_tokens_that_are_on_record_are_no_missing_record() -> None:
    """Where the record has cached tokens, no further ones are supposed."""
    assert explain("0.0015", cache_read_tokens=10).kind == "unexplained"


def test_without_a_price_the_reason_is_the_evidence() -> None:
    """A model or date that the book does not know says which."""
    found = explain("0.1", model="unheard-of")
    assert (found.kind, found.computed_usd, found.evidence) == ("price_unknown", None, "unknown_model")


@given(st.integers(0, 10**6), st.integers(0, 10**5), st.decimals(0, 100, places=9))
def test_every_difference_has_one_class_of_the_list(tokens: int, output: int, dollars: Decimal) -> None:
    """Whatever was recorded: a class that is documented, and `same` only for what is the same."""
    found = explain(str(dollars), input_tokens=tokens, output_tokens=output)
    assert found.kind in KINDS
    same = abs(dollars - (found.computed_usd or 0)) <= max(dollars, found.computed_usd or 0) / 10**9
    assert (found.kind == "same") == same


@given(st.integers(1, 10**5), st.integers(0, 10**5), st.data())
def test_a_share_that_was_cached_is_found(tokens: int, output: int, data: st.DataObject) -> None:
    """The cost of a request with cached reads is explained by cached tokens or by a price that also fits."""
    read = data.draw(st.integers(1, tokens))
    request = PriceRequest(
        provider="acme", request_model="m", response_model=None, at_ns=JUNE_NS + HOUR_NS,
        usage=Usage(tokens, output, cache_read_tokens=read),
    )  # fmt: skip
    cost = BOOK.price([request])[0].cost_usd
    assert cost is not None
    found = explain(str(cost), input_tokens=tokens, output_tokens=output)
    assert found.kind in ("caching_not_on_record", "stale_list")
    if found.kind == "caching_not_on_record":
        assert found.cached == Cached(read)
