"""Money: exact, additive, dated, and never a guess."""

from __future__ import annotations

import datetime as dt
import pickle
from decimal import Decimal

import pytest
from genai_prices.data import providers
from genai_prices.types import Usage as TheirUsage
from hypothesis import given
from hypothesis import strategies as st

from watchglass.model import Usage
from watchglass.pricing.book import PriceBook, Priced, PriceRequest
from watchglass.pricing.genai import PROVIDERS
from watchglass.pricing.overrides import Override

AUTUMN_NS = 1_790_000_000 * 10**9
MILLION = 1_000_000


def ask(book: PriceBook, model: str = "gpt-4o", provider: str | None = "openai", **given: object) -> Priced:
    """Price one request."""
    fields: dict[str, object] = {
        "at_ns": AUTUMN_NS,
        "usage": Usage(input_tokens=1000, output_tokens=100),
        "response_model": None,
    } | given
    return book.price([PriceRequest(provider=provider, request_model=model, **fields)])[0]  # type: ignore[arg-type]  # fields by name


def test_a_known_model_costs_what_its_list_says() -> None:
    """1,000 input tokens at 2.50 and 100 output tokens at 10.00 a million are 0.0035 dollars."""
    priced = ask(PriceBook())
    assert priced.cost_usd == Decimal("0.0035")
    assert (priced.price_source, priced.unpriced_reason) == ("genai-prices", None)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"model": "no-such-model-9"}, "unknown_model"),
        ({"provider": None}, "unknown_provider"),
        ({"provider": "openai_compatible_local", "model": "qwen3:8b"}, "unknown_model"),
        ({"usage": Usage()}, "tokens_missing"),
        ({"usage": Usage(), "success": False}, "failed_without_usage"),
        ({"usage": Usage(input_tokens=5)}, "tokens_missing"),
        ({"model": None}, "model_missing"),
        ({"service_tier": "platinum"}, "tier_unknown"),
    ],
)
def test_what_cannot_be_priced_has_no_cost_and_a_reason(given: dict[str, object], reason: str) -> None:
    """An unknown is NULL with one reason of the closed list, never zero."""
    assert ask(PriceBook(), **given) == Priced(None, None, None, reason)  # type: ignore[arg-type]  # fields by name


def test_our_arithmetic_agrees_with_the_package_to_the_last_column_digit() -> None:
    """Every model of the package, at several dates and sizes: our cost is theirs at 18 decimals."""
    ours = {theirs: mine for mine, theirs in PROVIDERS.items()} | {
        "google": "google_ai_studio",
        "azure": "azure_openai",
    }
    book, compared = PriceBook(), 0
    for provider in providers:
        for number, model in enumerate(provider.models):
            day = dt.datetime(2023, 3, 1, 17, tzinfo=dt.UTC) + dt.timedelta(days=37 * number % 1300)
            usage = {"input_tokens": 260_000, "output_tokens": 900, "cache_read_tokens": 7, "cache_write_tokens": 11}
            found = provider.find_model(model.id, all_providers=providers)
            prices = vars(found.get_prices(day)) if found else {}
            if found is None or prices.get("input_mtok") is None or prices.get("output_mtok") is None:
                continue
            theirs = found.calc_price(TheirUsage(**usage), provider, genai_request_timestamp=day).total_price
            mine = ask(
                book, model.id, ours.get(provider.id, provider.id), usage=Usage(**usage),
                at_ns=int(day.timestamp()) * 10**9,
            )  # fmt: skip
            assert mine.cost_usd == round(theirs, 18), (provider.id, model.id)
            compared += 1
    assert compared > 1500


COUNTS = st.integers(0, 10**7)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_cost_is_additive_over_token_classes(plain: int, read: int, written: int, output: int) -> None:
    """The cost of a request is the sum of the costs of its classes, to the last digit."""
    book = PriceBook([Override(
        provider="acme", model="m", input=Decimal("3.1"), output=Decimal("15.7"),
        cache_read=Decimal("0.30000000000001"), cache_write=Decimal("3.75"),
    )])  # fmt: skip

    def cost(**tokens: int) -> Decimal:
        given = {"input_tokens": 0, "output_tokens": 0} | tokens
        found = ask(book, "m", "acme", usage=Usage(**given)).cost_usd
        assert found is not None
        return found

    whole = cost(
        input_tokens=plain + read + written, cache_read_tokens=read, cache_write_tokens=written, output_tokens=output
    )
    assert whole == (
        cost(input_tokens=plain)
        + cost(input_tokens=read, cache_read_tokens=read)
        + cost(input_tokens=written, cache_write_tokens=written)
        + cost(output_tokens=output)
    )


@given(COUNTS, COUNTS, st.integers(1, 1000))
def test_more_tokens_never_cost_less(given_in: int, given_out: int, more: int) -> None:
    """Cost is monotone in input and in output tokens, across the long-context threshold too."""
    book = PriceBook()

    def cost(i: int, o: int) -> Decimal:
        found = ask(book, "gemini-2.5-pro", "google_ai_studio", usage=Usage(input_tokens=i, output_tokens=o))
        assert found.cost_usd is not None
        return found.cost_usd

    assert cost(given_in + more, given_out) >= cost(given_in, given_out)
    assert cost(given_in, given_out + more) >= cost(given_in, given_out)


def test_an_override_wins_inside_its_interval_only() -> None:
    """The interval is half open: its first nanosecond is in, its last is out; outside, the list price holds."""
    since, until = AUTUMN_NS, AUTUMN_NS + 1000
    book = PriceBook([
        Override(provider="openai", model="gpt-4o*", input=Decimal(1), output=Decimal(2), since_ns=since, until_ns=until)
    ])
    sources = [ask(book, at_ns=at).price_source for at in (since - 1, since, until - 1, until)]
    assert sources == ["genai-prices", "override", "override", "genai-prices"]


def test_a_price_only_from_a_later_date_leaves_the_earlier_call_unpriced() -> None:
    """A model that only an override knows has no price before that begins: `no_price_at_date`."""
    book = PriceBook([
        Override(provider="acme", model="m", input=Decimal(1), output=Decimal(2), since_ns=AUTUMN_NS)
    ])
    assert ask(book, "m", "acme", at_ns=AUTUMN_NS - 1).unpriced_reason == "no_price_at_date"
    assert ask(book, "m", "acme", at_ns=AUTUMN_NS).cost_usd is not None


def test_a_batch_tier_has_its_own_price() -> None:
    """OpenAI's batch costs half; the standard tier's names all mean the same."""
    book, at_ns = PriceBook(), 1_795_000_000 * 10**9
    standard = ask(book, "gpt-4.1", at_ns=at_ns).cost_usd
    assert standard is not None
    for tier in ("default", "auto", None):
        assert ask(book, "gpt-4.1", service_tier=tier, at_ns=at_ns).cost_usd == standard
    assert ask(book, "gpt-4.1", service_tier="batch", at_ns=at_ns).cost_usd == standard / 2


def test_totals_that_disagree_never_make_a_negative_price() -> None:
    """More cached tokens than input tokens are charged as cached, and nothing below zero."""
    priced = ask(PriceBook(), usage=Usage(input_tokens=10, cache_read_tokens=50, output_tokens=0))
    assert priced.cost_usd is not None
    assert priced.cost_usd == 50 * Decimal("1.25") / MILLION


def test_a_book_travels_to_another_process() -> None:
    """A pickled book prices as its original does."""
    book = PriceBook([Override(provider="acme", model="m", input=Decimal(1), output=Decimal(2))])
    assert ask(pickle.loads(pickle.dumps(book)), "m", "acme") == ask(book, "m", "acme")


def test_every_cost_is_a_decimal_of_at_most_eighteen_places() -> None:
    """What leaves the book fits the money column exactly."""
    for model in ("gpt-4o", "gpt-4o-mini", "o3-mini"):
        cost = ask(PriceBook(), model, usage=Usage(input_tokens=7, output_tokens=3)).cost_usd
        assert isinstance(cost, Decimal)
        exponent = cost.as_tuple().exponent
        assert isinstance(exponent, int)
        assert exponent >= -18
