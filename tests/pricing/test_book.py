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
from watchglass.pricing.listed import ListedPrice

NOT_TOLD_APART = {
    *("input_image_mtok", "input_video_mtok", "cache_image_read_mtok"),
    *("output_image_mtok", "output_video_mtok", "output_citation_mtok", "audio_hours"),
}

AUTUMN_NS = 1_790_000_000 * 10**9
MILLION = 1_000_000


def ask(book: PriceBook, model: str = "gpt-4o", provider: str | None = "openai", **given: object) -> Priced:
    """Price one request."""
    fields: dict[str, object] = {
        "at_ns": AUTUMN_NS,
        "usage": Usage(input_tokens=1000, output_tokens=100),
        "response_model": None,
    } | given
    return book.price([PriceRequest(provider=provider, request_model=model, **fields)])[0]


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
    assert ask(PriceBook(), **given) == Priced(None, None, None, reason)


def test_our_arithmetic_agrees_with_the_package_to_the_last_column_digit() -> None:
    """Every model of the package, at several dates and sizes: our cost is theirs at 18 decimals.

    Left unpriced are exactly those with a price of their own for what a usage does not tell apart.
    """
    ours = {theirs: mine for mine, theirs in PROVIDERS.items()} | {
        "google": "google_ai_studio",
        "azure": "azure_openai",
    }
    book, compared = PriceBook(), 0
    for provider in providers:
        for number, model in enumerate(provider.models):
            day = dt.datetime(2023, 3, 1, 17, tzinfo=dt.UTC) + dt.timedelta(days=37 * number % 1300)
            usage = {
                "input_tokens": 260_000,
                "output_tokens": 900,
                "cache_read_tokens": 7,
                "cache_write_tokens": 11,
            }
            found = provider.find_model(model.id, all_providers=providers)
            prices = vars(found.get_prices(day)) if found else {}
            if found is None or prices.get("input_mtok") is None or prices.get("output_mtok") is None:
                continue
            theirs = found.calc_price(TheirUsage(**usage), provider, genai_request_timestamp=day).total_price
            mine = ask(
                book, model.id, ours.get(provider.id, provider.id), usage=Usage(**usage),
                at_ns=int(day.timestamp()) * 10**9,
            )  # fmt: skip
            if mine.unpriced_reason == "tier_unknown":
                assert {name for name, price in prices.items() if price is not None} & NOT_TOLD_APART
                continue
            assert mine.cost_usd == round(theirs, 18), (provider.id, model.id)
            compared += 1
    assert compared > 1500


COUNTS = st.integers(0, 10**7)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_cost_is_additive_over_token_classes(plain: int, read: int, written: int, output: int) -> None:
    """The cost of a request is the sum of the costs of its classes, to the last digit."""
    book = PriceBook([ListedPrice(
        provider="acme", model="m", input=Decimal("3.1"), output=Decimal("15.7"),
        cache_read=Decimal("0.30000000000001"), cache_write=Decimal("3.75"),
    )])  # fmt: skip

    def cost(**tokens: int) -> Decimal:
        given = {"input_tokens": 0, "output_tokens": 0} | tokens
        found = ask(book, "m", "acme", usage=Usage(**given)).cost_usd
        assert found is not None
        return found

    whole = cost(
        input_tokens=plain + read + written,
        cache_read_tokens=read,
        cache_write_tokens=written,
        output_tokens=output,
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
    """The interval is half open: its start is in, its end is out; outside, the list price holds."""
    since, until = AUTUMN_NS, AUTUMN_NS + 1000
    book = PriceBook(
        [
            ListedPrice(
                provider="openai",
                model="gpt-4o*",
                input=Decimal(1),
                output=Decimal(2),
                since_ns=since,
                until_ns=until,
            )
        ]
    )
    sources = [ask(book, at_ns=at).price_source for at in (since - 1, since, until - 1, until)]
    assert sources == ["genai-prices", "override", "override", "genai-prices"]


def test_a_price_only_from_a_later_date_leaves_the_earlier_call_unpriced() -> None:
    """A model that only an override knows has no price before that begins: `no_price_at_date`."""
    book = PriceBook(
        [ListedPrice(provider="acme", model="m", input=Decimal(1), output=Decimal(2), since_ns=AUTUMN_NS)]
    )
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


ANY_COUNT = st.none() | st.integers(-(10**4), 10**4)


@given(st.builds(Usage, *[ANY_COUNT] * 8))
def test_no_usage_makes_a_negative_or_an_inflated_cost(usage: Usage) -> None:
    """However its counts contradict each other, a usage costs at most all tokens at the dearest price."""
    book = PriceBook([ListedPrice(
        provider="acme", model="m", input=Decimal(2), output=Decimal(4), cache_read=Decimal(1),
        cache_write=Decimal(3), cache_write_1h=Decimal(5), reasoning=Decimal(6), input_audio=Decimal(8),
        output_audio=Decimal(9),
    )])  # fmt: skip
    cost = ask(book, "m", "acme", usage=usage).cost_usd
    if usage.input_tokens is None or usage.output_tokens is None:
        assert cost is None
        return
    whole = max(usage.input_tokens, 0), max(usage.output_tokens, 0)
    assert cost is not None
    assert 0 <= cost <= (whole[0] * 8 + whole[1] * 9) / Decimal(MILLION)


def test_a_class_larger_than_its_whole_is_bounded_by_it() -> None:
    """More cached tokens than input tokens are as many cached tokens as there is input."""
    priced = ask(PriceBook(), usage=Usage(input_tokens=10, cache_read_tokens=50, output_tokens=0))
    assert priced.cost_usd == 10 * Decimal("1.25") / MILLION


def test_one_hour_writes_are_writes_also_where_nobody_gave_the_sum() -> None:
    """A part that is known is charged as such when its whole is not."""
    book = PriceBook([ListedPrice(
        provider="acme", model="m", input=Decimal(1), output=Decimal(1), cache_write_1h=Decimal(2)
    )])  # fmt: skip
    usage = Usage(input_tokens=MILLION, output_tokens=0, cache_write_1h_tokens=MILLION)
    assert ask(book, "m", "acme", usage=usage).cost_usd == 2


@pytest.mark.parametrize(
    ("provider", "model", "usage"),
    [
        ("google_ai_studio", "gemini-2.5-flash-image", {"output_tokens": 1290}),
        ("google_ai_studio", "gemini-embedding-2", {"output_tokens": None}),
        ("openai", "gpt-image-1", {}),
        ("perplexity", "sonar-deep-research", {}),
        ("mistral", "voxtral-small-24b-2507", {}),
        ("openai", "whisper-1", {"input_tokens": 0, "output_tokens": 0}),
        ("google_ai_studio", "gemini-2.5-flash", {"cache_read_tokens": 400, "input_audio_tokens": 600}),
    ],
)
def test_what_a_usage_does_not_tell_apart_is_not_underpriced(
    provider: str, model: str, usage: dict[str, int | None]
) -> None:
    """Images, video, cached audio, hours and pages at a price of their own leave the call unpriced."""
    given = {"input_tokens": 1000, "output_tokens": 100} | usage
    assert ask(PriceBook(), model, provider, usage=Usage(**given)).unpriced_reason == "tier_unknown"


def test_a_part_at_its_parents_price_need_not_be_told_apart() -> None:
    """Cached audio of gpt-4o-realtime costs what cached text does, so it is priced; so is plain text."""
    usage = Usage(input_tokens=1000, output_tokens=0, cache_read_tokens=400, input_audio_tokens=600)
    cost = ask(PriceBook(), "gpt-4o-realtime-preview", usage=usage).cost_usd
    assert cost == (400 * Decimal("2.5") + 600 * Decimal(40)) / MILLION
    text = ask(PriceBook(), "gemini-2.5-flash", "google_ai_studio", usage=Usage(1000, 100, 400))
    assert text.cost_usd == (600 * Decimal("0.3") + 400 * Decimal("0.03") + 100 * Decimal("2.5")) / MILLION


def test_only_a_model_without_an_output_price_needs_no_output_count() -> None:
    """An embedding is priced by its input alone; half a chat is not priced, whichever half is missing."""
    book = PriceBook()
    embedding = ask(book, "text-embedding-3-small", usage=Usage(input_tokens=MILLION))
    assert embedding.cost_usd == Decimal("0.02")
    assert ask(book, usage=Usage(output_tokens=5)).unpriced_reason == "tokens_missing"
    assert ask(book, usage=Usage(input_tokens=5)).unpriced_reason == "tokens_missing"


def test_a_book_travels_to_another_process() -> None:
    """A pickled book prices as its original does."""
    book = PriceBook([ListedPrice(provider="acme", model="m", input=Decimal(1), output=Decimal(2))])
    assert ask(pickle.loads(pickle.dumps(book)), "m", "acme") == ask(book, "m", "acme")


def test_every_cost_is_a_decimal_of_at_most_eighteen_places() -> None:
    """What leaves the book fits the money column exactly."""
    for model in ("gpt-4o", "gpt-4o-mini", "o3-mini"):
        cost = ask(PriceBook(), model, usage=Usage(input_tokens=7, output_tokens=3)).cost_usd
        assert isinstance(cost, Decimal)
        exponent = cost.as_tuple().exponent
        assert isinstance(exponent, int)
        assert exponent >= -18
