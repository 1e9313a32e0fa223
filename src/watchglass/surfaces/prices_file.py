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
source = "https://…"        # where it stands
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

from watchglass.errors import ConfigError
from watchglass.pricing.listed import ListedPrice
from watchglass.pricing.rates import CLASSES

_TIMES = {"since": "since_ns", "until": "until_ns"}
_OURS = {**_TIMES, "source": "citation"}
_KNOWN = ({*ListedPrice.__struct_fields__} - {*_OURS.values()}) | set(_OURS)
_MOMENT = dt.timedelta(microseconds=1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def read_prices(path: Path) -> tuple[ListedPrice, ...]:
    """The prices in the file. Raises `ConfigError` naming the file, the entry and the value."""
    try:
        # Decimals, so that 0.15 is what was written and not its nearest binary fraction.
        found = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(
            f"the price file {path} cannot be read ({fault}); name another with --prices"
        ) from None
    except tomllib.TOMLDecodeError as fault:
        raise ConfigError(f"the price file {path} is not valid TOML: {fault}") from None
    entries = found.pop("price", [])
    if found or not isinstance(entries, list):
        raise ConfigError(
            f"the price file {path} has {', '.join(found) or 'price'} at its top; use [[price]]"
        )
    return tuple(
        price
        for number, entry in enumerate(cast("list[object]", entries), 1)
        for price in _prices(entry, f"{path}, price {number}")
    )


def _prices(entry: object, where: str) -> list[ListedPrice]:
    if not isinstance(entry, dict):
        raise ConfigError(f"{where} is no table; write [[price]] and its values below")
    values = cast("dict[str, Any]", entry)
    for name in values:
        if name not in _KNOWN:
            raise ConfigError(f"{where}: there is no {name!r}; there are {', '.join(sorted(_KNOWN))}")
    models = values.get("model")
    if isinstance(models, list):
        named = cast("list[object]", models)
        return [price for model in named for price in _prices({**values, "model": model}, where)]
    values = {_OURS.get(name, name): _value(name, value, where) for name, value in values.items()}
    try:
        price = msgspec.convert(values, ListedPrice)
    except msgspec.ValidationError as fault:
        raise ConfigError(f"{where}: {fault}") from None
    for name, value in _amounts(price):
        if value is not None and (not value.is_finite() or value < 0):
            raise ConfigError(f"{where}: {name} is {value}; a price is a number of dollars, 0 or more")
    if price.since_ns is not None and price.until_ns is not None and price.since_ns >= price.until_ns:
        raise ConfigError(f"{where}: until is not after since, so the price would never hold")
    return [price]


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
            value = dt.datetime.fromisoformat(value)
        except ValueError:
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
