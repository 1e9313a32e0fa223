"""The list of genai-prices as its project publishes it (`prices/data.json`), read into the package's records.

So an edition from a file and the installed one go the same way from here on. Numbers are taken as
they are written, never through a float.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from genai_prices.types import Provider

Record = Mapping[str, Any]


def read_list(content: bytes) -> dict[str, Provider]:
    """Providers with their models and prices, by id. Raises `ValueError` naming what cannot be read."""
    try:
        found = json.loads(content, parse_float=Decimal)
    except (ValueError, RecursionError) as fault:
        raise ValueError(f"it is not a list of genai-prices: {fault}") from None
    # The second edition of the format has the units beside the providers.
    listed = cast(object, found.get("providers") if isinstance(found, dict) else found)
    if not isinstance(listed, list) or not listed:
        raise ValueError("it is not a list of genai-prices: no providers in it")
    providers = [_named("provider", each, _provider) for each in cast(list[Any], listed)]
    return {each.id: each for each in providers}


def _named(kind: str, record: Any, read: Callable[[Record], Any]) -> Any:
    try:
        return read(record)
    except (KeyError, TypeError, AttributeError, ArithmeticError, RecursionError, ValueError) as fault:
        name = cast(Record, record).get("id") if isinstance(record, dict) else record
        raise ValueError(f"{kind} {str(name)[:80]!r} cannot be read: {fault!s:.200}") from None


def _provider(record: Record) -> Provider:
    from genai_prices.types import Provider

    return Provider(
        id=str(record["id"]),
        name=str(record["name"]),
        api_pattern=str(record.get("api_pattern", "")),
        fallback_model_providers=record.get("fallback_model_providers"),
        models=[_named("model", each, _model) for each in record["models"]],
    )


def _model(record: Record) -> Any:
    from genai_prices.types import ModelInfo, PriceVariant

    prices = record.get("prices") or {}
    return ModelInfo(
        id=str(record["id"]),
        match=_clause(record["match"]),
        prices=[_conditional(each) for each in prices] if isinstance(prices, list) else _prices(prices),
        price_variants=[
            PriceVariant(dict(each["when"]), _prices(each["prices"]), _constraint(each.get("constraint")))
            for each in record.get("price_variants") or ()
        ],
    )


def _conditional(record: Record) -> Any:
    from genai_prices.types import ConditionalPrice

    return ConditionalPrice(_constraint(record.get("constraint")), prices=_prices(record["prices"]))


def _prices(record: Record) -> Any:
    from genai_prices.types import ModelPrice

    return ModelPrice(**{name: _price(given) for name, given in record.items() if given is not None})


def _price(given: Any) -> Any:
    from genai_prices.types import Tier, TieredPrices

    if not isinstance(given, dict):
        return _dollars(given)
    stepped = cast(Record, given)
    tiers = [Tier(int(each["start"]), _dollars(each["price"])) for each in stepped["tiers"]]
    return TieredPrices(_dollars(stepped["base"]), tiers)


def _dollars(given: Any) -> Decimal:
    if isinstance(given, bool) or not isinstance(given, int | str | Decimal):
        raise ValueError(f"{given!r} is no price")
    price = Decimal(given)
    if not price.is_finite() or price < 0:
        raise ValueError(f"{given!r} is no price")
    return price


def _constraint(record: Record | None) -> Any:
    from genai_prices.types import StartDateConstraint, TimeOfDateConstraint

    if record is None:
        return None
    if "start_date" in record:
        return StartDateConstraint(dt.date.fromisoformat(record["start_date"]))
    return TimeOfDateConstraint(_time(record["start_time"]), _time(record["end_time"]))


def _time(text: str) -> dt.time:
    return dt.time.fromisoformat(text)


def _clause(record: Record) -> Any:
    from genai_prices import types

    (kind, value), *more = record.items()
    if more:
        raise ValueError(f"a match has one rule, not {sorted(record)}")
    plain: dict[str, Callable[[str], Any]] = {
        "starts_with": types.ClauseStartsWith,
        "ends_with": types.ClauseEndsWith,
        "contains": types.ClauseContains,
        "regex": types.ClauseRegex,
        "equals": types.ClauseEquals,
    }
    several: dict[str, Callable[[list[Any]], Any]] = {"or": types.ClauseOr, "and": types.ClauseAnd}
    if kind in plain:
        return plain[kind](str(value))
    if kind in several:
        return several[kind]([_clause(each) for each in cast(Sequence[Record], value)])
    raise ValueError(f"a match by {kind!r} is unknown")
