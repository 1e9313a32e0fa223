"""The user's own prices, from the file that the setting `prices` names.

[[price]]
provider = "openai"         # or "*"
model = "gpt-4o*"           # `*` stands for anything
input = 2.5                 # US dollars a million tokens; also output, cache_read, cache_write,
output = 10                 # cache_write_1h, reasoning, input_audio, output_audio
tier = "batch"              # if the price holds for one service tier only
since = 2025-01-01          # a date is 00:00 UTC; the end is not included
until = 2025-07-01
"""

from __future__ import annotations

import datetime as dt
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import msgspec

from watchglass.errors import ConfigError
from watchglass.pricing.overrides import Override

_TIMES = {"since": "since_ns", "until": "until_ns"}
_KNOWN = {name for name in Override.__struct_fields__ if not name.endswith("_ns")} | set(_TIMES)
_MOMENT = dt.timedelta(microseconds=1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def read_prices(path: Path) -> tuple[Override, ...]:
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
        _override(entry, f"{path}, price {number}")
        for number, entry in enumerate(cast("list[object]", entries), 1)
    )


def _override(entry: object, where: str) -> Override:
    if not isinstance(entry, dict):
        raise ConfigError(f"{where} is no table; write [[price]] and its values below")
    values = cast("dict[str, Any]", entry)
    for name in values:
        if name not in _KNOWN:
            raise ConfigError(f"{where}: there is no {name!r}; there are {', '.join(sorted(_KNOWN))}")
    values = {_TIMES.get(name, name): _value(name, value, where) for name, value in values.items()}
    try:
        override = msgspec.convert(values, Override)
    except msgspec.ValidationError as fault:
        raise ConfigError(f"{where}: {fault}") from None
    for name, value in values.items():
        if isinstance(value, Decimal | int) and (not Decimal(value).is_finite() or value < 0):
            raise ConfigError(f"{where}: {name} is {value}; a price is a number of dollars, 0 or more")
    if None not in (override.since_ns, override.until_ns) and values["since_ns"] >= values["until_ns"]:
        raise ConfigError(f"{where}: until is not after since, so the price would never hold")
    return override


def _value(name: str, value: Any, where: str) -> Any:
    """A moment as integer nanoseconds; everything else as it stands."""
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
