"""The published list of genai-prices as a layer, in place of the installed one."""

from __future__ import annotations

import copy
import json
import pickle
from decimal import Decimal
from typing import Any

import pytest

from watchglass.model import Usage
from watchglass.pricing.book import Layers, PriceBook, PriceRequest
from watchglass.pricing.genai import GenaiPrices, _find, _installed
from watchglass.pricing.genai_file import read_list

ACME: dict[str, Any] = {
    "id": "acme",
    "name": "Acme",
    "api_pattern": "https://api\\.acme\\.test",
    "models": [
        {
            "id": "m",
            "match": {"or": [{"equals": "m"}, {"and": [{"starts_with": "m-"}, {"regex": "-[0-9]+$"}]}]},
            "prices": [
                {
                    "prices": {
                        "input_mtok": 0.1,
                        "output_mtok": {"base": 1, "tiers": [{"start": 9, "price": 2}]},
                    }
                },
                {"constraint": {"start_date": "2026-02-01"}, "prices": {"input_mtok": 3, "output_mtok": 4}},
            ],
            "price_variants": [{"when": {"processing": "batch"}, "prices": {"input_mtok": 0.05}}],
        }
    ],
}
JANUARY_NS, MARCH_NS = 1_767_225_600 * 10**9, 1_772_323_200 * 10**9


def cost(book: PriceBook, model: str, at_ns: int, tier: str | None = None) -> Decimal | None:
    """Of ten tokens in and two out."""
    request = PriceRequest(
        provider="acme", request_model=model, response_model=None, at_ns=at_ns, usage=Usage(10, 2),
        service_tier=tier,
    )  # fmt: skip
    return book.price([request])[0].cost_usd


@pytest.mark.parametrize("content", [[ACME], {"providers": [ACME], "units": {}}])
def test_an_edition_takes_the_place_of_the_installed_list(content: object) -> None:
    """Names, dates, steps and tiers of the file are followed, in either edition of its format."""
    book = PriceBook(Layers(genai=json.dumps(content).encode()))
    for each in (book, pickle.loads(pickle.dumps(book))):
        assert cost(each, "m", JANUARY_NS) == Decimal("0.000005")  # above 9 tokens the output costs 2
        assert cost(each, "M-7", MARCH_NS) == Decimal("0.000038")
        assert cost(each, "m", JANUARY_NS, "batch") == Decimal("0.0000045")
        assert cost(each, "m-x", JANUARY_NS) is None
        assert cost(each, "gpt-4o", JANUARY_NS) is None


def test_a_number_is_taken_as_it_is_written() -> None:
    """0.1 is a tenth, not its nearest binary fraction."""
    prices = read_list(json.dumps([ACME]).encode())["acme"].models[0].prices
    assert isinstance(prices, list)
    assert prices[0].prices.input_mtok == Decimal("0.1")


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("models", 0, "match"), {"sounds_like": "m"}, "model 'm'.*sounds_like"),
        (("models", 0, "match"), {}, "model 'm'"),
        (("models", 0, "prices"), {"input_mtok": -1}, "model 'm'.*-1"),
        (("models", 0, "prices"), {"input_mtok": True}, "model 'm'.*True"),
        (("models", 0, "prices"), {"input_mtok": "cheap"}, "model 'm'"),
        (("models", 0, "prices"), [{"constraint": {"start_date": "soon"}, "prices": {}}], "model 'm'.*soon"),
        (("models",), None, "provider 'acme'"),
        (("id",), None, "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_named(path: tuple[str | int, ...], value: object, said: str) -> None:
    """A list with one entry that is none is refused, and the entry is named."""
    broken: Any = copy.deepcopy(ACME)
    at = broken
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    if path == ("id",):
        del broken["id"]
    with pytest.raises(ValueError, match=said):
        GenaiPrices(json.dumps([broken]).encode())


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"3", b"[3]", b'[{"id": "x"}]', b"\xff", b"[" * 100_000]
)
def test_what_is_no_list_is_refused(content: bytes) -> None:
    """Nothing else passes for the list, however deep."""
    with pytest.raises(ValueError, match=r"genai-prices|cannot be read"):
        GenaiPrices(content)


def test_models_are_found_as_the_package_finds_them() -> None:
    """Also where another seller's models stand in for it, and where days are written compactly."""
    from genai_prices.data import providers

    names = {model.id for each in providers for model in each.models} | {"no-such-model", ""}
    names |= {f"{name}-20251211" for name in sorted(names)[::20]} | {"GPT-4o", "claude-3-5-sonnet-20241022"}
    book = _installed()
    for seller in book.values():
        wanted = (
            {model.id for model in seller.provider.models} | set(sorted(names)[:: len(book)]) | {"GPT-4o"}
        )
        for name in wanted:
            found = _find(book, seller, name)
            assert found is seller.provider.find_model(name, all_providers=list(providers)), name
