"""Files of stated prices: the user's own (the setting `prices`) and our dated facts have one format.

[[price]]
provider = "openai"         # or "*"
model = "gpt-4o*"           # `*` stands for anything; or a list of names
input = 2.5                 # US dollars a million tokens; also output, cache_read, cache_write,
output = 10                 # cache_write_1h, reasoning, input_audio, output_audio
above = [{ input_tokens = 128000, input = 5 }]  # the price of requests with more input than that
tier = "batch"              # if the price holds for one service tier only
since = 2025-01-01          # a date is 00:00 UTC; the end is not included
until = 2025-07-01
daily = "16:30-00:30"       # if it holds at these hours (UTC) only
tenant = "acme"             # if it holds for calls of one tenant only
source = "https://…"        # where it stands

[[discount]]                # off what the list says, where no [[price]] of yours holds
provider = "openai"         # or "*"
percent = 15                # more than 0, at most 100, up to 4 decimals
model = "gpt-4o*"           # optional, as are tier, tenant, since, until and source
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import msgspec

from watchglass.errors import ConfigError, QueryError
from watchglass.pricing.discounts import Discount
from watchglass.pricing.listed import ListedPrice, PriceList
from watchglass.pricing.rates import CLASSES
from watchglass.queries.times import parse_moment

_TIMES = {"since": "since_ns", "until": "until_ns"}
_OURS = {**_TIMES, "source": "citation"}
_KINDS: dict[str, type[ListedPrice | Discount]] = {"price": ListedPrice, "discount": Discount}
MOST_DOLLARS = 10**9
"""A price of a million tokens is below that."""

_MOMENT = dt.timedelta(microseconds=1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class Stated(msgspec.Struct, frozen=True):
    """What a price file says."""

    prices: tuple[ListedPrice, ...] = ()
    discounts: tuple[Discount, ...] = ()


NOTHING = Stated()


def read_prices(path: Path) -> tuple[ListedPrice, ...]:
    """The prices of a file of facts, which knows no discounts. Raises `ConfigError` as `read_stated` does."""
    stated = read_stated(path)
    if stated.discounts:
        raise ConfigError(f"{path} has [[discount]]; what one user pays is no fact of everybody's")
    return stated.prices


def read_stated(path: Path) -> Stated:
    """The prices and discounts in the file. Raises `ConfigError` naming the file, the entry and the value."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(
            f"the price file {path} cannot be read ({fault}); name another with --prices"
        ) from None
    return stated_in(text, str(path))


def stated_in(text: str, where: str) -> Stated:
    """The prices and discounts in the text of a price file. Raises as `read_stated` does."""
    try:
        # Decimals, so that 0.15 is what was written and not its nearest binary fraction.
        found = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as fault:
        raise ConfigError(f"the price file {where} is not valid TOML: {fault}") from None
    tables = {kind: found.pop(kind, []) for kind in _KINDS}
    if found or not all(isinstance(entries, list) for entries in tables.values()):
        raise ConfigError(
            f"the price file {where} has {', '.join(found) or 'price or discount'} at its top; "
            "use [[price]] and [[discount]]"
        )
    entries = {
        kind: [
            terms
            for number, entry in enumerate(cast("list[object]", each), 1)
            for terms in stated_terms(kind, entry, f"{where}, {kind} {number}")
        ]
        for kind, each in tables.items()
    }
    return Stated(
        tuple(each for each in entries["price"] if isinstance(each, ListedPrice)),
        tuple(each for each in entries["discount"] if isinstance(each, Discount)),
    )


def stated_terms(kind: str, entry: object, where: str) -> list[ListedPrice | Discount]:
    """One `price` or `discount` as a file or a request has it, for each model that it names.

    Raises `ConfigError` beginning with `where`.
    """
    if not isinstance(entry, dict):
        raise ConfigError(f"{where} is no table; write [[{kind}]] and its values below")
    values = cast("dict[str, Any]", entry)
    known = ({*_KINDS[kind].__struct_fields__} - {*_OURS.values()}) | set(_OURS)
    for name in values:
        if name not in known:
            raise ConfigError(f"{where}: there is no {name!r}; there are {', '.join(sorted(known))}")
    models = values.get("model")
    if isinstance(models, list):
        named = cast("list[object]", models)
        return [each for model in named for each in stated_terms(kind, {**values, "model": model}, where)]
    values = {_OURS.get(name, name): _value(name, value, where) for name, value in values.items()}
    try:
        terms = msgspec.convert(values, _KINDS[kind])
        if isinstance(terms, ListedPrice):
            _check_amounts(terms, where)
            PriceList("override", (terms,))  # what cannot be held exactly
    except (msgspec.ValidationError, ValueError) as fault:
        raise ConfigError(f"{where}: {fault}") from None
    if terms.since_ns is not None and terms.until_ns is not None and terms.since_ns >= terms.until_ns:
        raise ConfigError(f"{where}: until is not after since, so the {kind} would never hold")
    return [terms]


def _check_amounts(price: ListedPrice, where: str) -> None:
    for name, value in _amounts(price):
        if value is not None and (not value.is_finite() or not 0 <= value < MOST_DOLLARS):
            raise ConfigError(f"{where}: {name} is {value}; a price is a number of dollars, 0 or more")
    if price.output is None and any(step.output is not None for step in price.above):
        raise ConfigError(f"{where}: above has a price of output, which has none below; state output, too")


def _amounts(price: ListedPrice) -> Iterator[tuple[str, Decimal | None]]:
    """Every price of an entry with its name."""
    for stated in (price, *price.above):
        for name in stated.__struct_fields__:
            if name in CLASSES:
                yield name, getattr(stated, name)


def _value(name: str, value: Any, where: str) -> Any:
    """A moment as integer nanoseconds, hours as those of the day; everything else as it stands."""
    if name == "daily":
        return _hours(value, where)
    if name not in _TIMES:
        return value
    if isinstance(value, str):
        try:
            return parse_moment(value, 0)
        except QueryError:
            raise ConfigError(f"{where}: {name} is {value!r}; write a date as in 2025-01-31") from None
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    if not isinstance(value, dt.datetime):
        raise ConfigError(f"{where}: {name} is {value!r}; write a date as in 2025-01-31")
    moment = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
    return (moment - _EPOCH) // _MOMENT * 1000


def _hours(value: Any, where: str) -> tuple[int, int]:
    match = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ConfigError(f"{where}: daily is {value!r}; write hours of the day in UTC as in 16:30-00:30")
    begin, begin_minute, end, end_minute = map(int, match.groups())
    return (begin * 60 + begin_minute) * 60 * 10**9, (end * 60 + end_minute) * 60 * 10**9
