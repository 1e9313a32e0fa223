"""No float on the way of money: every type that a price or a cost passes through is walked."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import ModuleType
from typing import Any, get_args, get_type_hints

import msgspec
import pyarrow as pa
import pytest

import watchglass.ledger
import watchglass.pricing
from watchglass.model import Described, Usage
from watchglass.pricing.book import Layers, PriceBook, PriceRequest
from watchglass.pricing.discounts import Discount
from watchglass.pricing.listed import AboveInput, ListedPrice
from watchglass.pricing.listing import timelines
from watchglass.queries.figures import MONEY_FIELDS
from watchglass.store import price_overrides
from watchglass.store.tables import SCHEMAS
from watchglass.surfaces.price_document import override_document, price_document

ROOMS = ("watchglass.pricing", "watchglass.ledger", "watchglass.store.price_overrides")
NO_MONEY = {"p95_duration_ms", "avg_duration_ms", "seconds", "share", "rate_per_s"}
"""Fields that are no amounts: durations and the like."""


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """A package's modules, it included."""
    yield package
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def structs() -> list[type[msgspec.Struct]]:
    """Every record of the rooms that reckon with money."""
    homes = [*modules(watchglass.pricing), *modules(watchglass.ledger), price_overrides]
    return sorted(
        {
            each
            for home in homes
            for each in vars(home).values()
            if isinstance(each, type) and issubclass(each, msgspec.Struct) and each is not msgspec.Struct
            if each.__module__.startswith(ROOMS)
        }
        | {Described, Usage},
        key=lambda each: f"{each.__module__}.{each.__qualname__}",
    )


def mentions_float(hint: Any) -> bool:
    """Whether a type is float or is made of it."""
    return hint is float or any(mentions_float(part) for part in get_args(hint))


@pytest.mark.parametrize("kind", structs(), ids=lambda kind: kind.__qualname__)
def test_no_record_of_money_has_a_float(kind: type[msgspec.Struct]) -> None:
    """No field of a record in pricing or the ledgers can hold one."""
    hints = get_type_hints(kind, include_extras=False)
    floats = [name for name in kind.__struct_fields__ if mentions_float(hints[name]) and name not in NO_MONEY]
    assert floats == []


def test_no_column_of_money_is_a_float() -> None:
    """Dollars are decimals in every table; the only floats are values of metrics, as they were sent."""
    for table, schema in SCHEMAS.items():
        for field in schema:
            if field.name.endswith(("cost", "usd")) or (table == "prices" and field.name in PRICED):
                assert pa.types.is_decimal(field.type), (table, field.name)
            if pa.types.is_floating(field.type):
                assert table == "metrics", (table, field.name)


PRICED = {"input", "output", "cache_read", "cache_write", "reasoning", "per_request"}


def test_every_amount_in_an_answer_is_text() -> None:
    """JSON's numbers are floats to most who read them, so dollars are text with every digit."""
    stated = ListedPrice(
        provider="acme",
        model="m",
        input=Decimal("0.123456789012345678"),
        above=(AboveInput(input_tokens=9, input=Decimal(1)),),
        tenant="t",
    )
    less = Discount(provider="acme", percent=Decimal("12.3456"))
    kept = [price_overrides.Override("x", terms, 1, "me") for terms in (stated, less)]
    book = PriceBook(Layers(overrides=(msgspec.structs.replace(stated, tenant=None),), discounts=(less,)))
    rows = [row for row in timelines(book) if row.provider == "acme"]
    documents = [*map(override_document, kept), *map(price_document, rows)]
    for document in documents:
        assert list(floats_in(msgspec.json.decode(msgspec.json.encode(document)))) == []
    assert documents[0]["input"] == documents[2]["input"] == "0.123456789012345678"
    assert documents[1]["percent"] == "12.3456"
    assert set(MONEY_FIELDS) >= {"cost_usd"}


def floats_in(value: Any) -> Iterator[float]:
    """Every float in a document."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from floats_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from floats_in(each)


def test_a_price_is_decimal_or_whole_from_every_layer_to_the_cost() -> None:
    """What every list of the book is read into are whole numbers, and the cost is a decimal."""
    book = PriceBook(Layers(discounts=(Discount(provider="*", percent=Decimal("7.5")),)))
    for layer in book.sources:
        for entry in layer.entries():
            for period in entry.schedule.periods:
                assert list(floats_in(msgspec.to_builtins(period.rates.prices))) == []
    request = PriceRequest(
        provider="openai", request_model="gpt-4o", response_model=None, at_ns=1, usage=Usage(3, 4)
    )
    assert type(book.price([request])[0].cost_usd) is Decimal
