"""Prices of one model at one time, and the arithmetic: tokens by class times price, in integers.

Amounts are whole numbers of 10⁻²⁴ dollars: a price of up to 18 decimals a million tokens times
any token count is exact. Only the final figure is rounded, half to even, to the 18 decimals of
the money columns; no price in use today needs it.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from watchglass.model import Usage

SCALE = 24
_TOKEN = Decimal(10) ** (SCALE - 6)  # dollars a million tokens → units a token
_ROUND = 10 ** (SCALE - 18)
_COLUMN = Decimal(1).scaleb(-18)


class Rate(msgspec.Struct, frozen=True):
    """Price of one token class, in units of 10⁻²⁴ dollars a token.

    `tiers` are (threshold, price), ascending: above `threshold` input tokens *all* tokens of the
    request cost that price (the providers' "long context" prices).
    """

    base: int
    tiers: tuple[tuple[int, int], ...] = ()

    def at(self, input_tokens: int) -> int:
        """The price for a request of this many input tokens."""
        price = self.base
        for threshold, above in self.tiers:
            if input_tokens > threshold:
                price = above
        return price


class Rates(msgspec.Struct, frozen=True):
    """What one model costs at one time; a class without a price of its own costs its parent's."""

    price_id: str
    source: str
    input: Rate | None = None
    output: Rate | None = None
    cache_read: Rate | None = None
    cache_write: Rate | None = None
    cache_write_1h: Rate | None = None
    reasoning: Rate | None = None
    input_audio: Rate | None = None
    output_audio: Rate | None = None
    request: int = 0
    """Price of a request as such, in 10⁻²⁴ dollars."""

    def cost(self, usage: Usage) -> Decimal | None:
        """Exact dollars for this usage; None where a class that was used has no price or count.

        Source of the classes: the providers count cached reads and writes and audio as parts of
        the input, and reasoning and audio as parts of the output (see `model.Usage`).
        """
        parts = (*self._input(usage), *self._output(usage))
        whole = usage.input_tokens or 0
        total = self.request
        for tokens, rate in parts:
            if tokens is None:
                return None
            if tokens:
                if rate is None:
                    return None
                total += tokens * rate.at(whole)
        return _dollars(total)

    def _input(self, usage: Usage) -> tuple[tuple[int | None, Rate | None], ...]:
        whole = usage.input_tokens
        if whole is None:
            return ((None if self.input is not None else 0, self.input),)
        read, written = usage.cache_read_tokens, usage.cache_write_tokens
        audio = usage.input_audio_tokens
        if not (read or written or audio):
            return ((whole, self.input),)
        hour = min(usage.cache_write_1h_tokens or 0, written or 0)
        read, short, audio = read or 0, (written or 0) - hour, audio or 0
        plain = whole - read - short - hour - audio
        if plain < 0:  # totals that disagree: never a negative price; audio may itself have been cached
            plain, audio = 0, max(0, audio + plain)
        write = self.cache_write or self.input
        return (
            (plain, self.input),
            (read, self.cache_read or self.input),
            (short, write),
            (hour, self.cache_write_1h or write),
            (audio, self.input_audio or self.input),
        )

    def _output(self, usage: Usage) -> tuple[tuple[int | None, Rate | None], ...]:
        whole = usage.output_tokens
        if whole is None:
            # An embedding has no output and no price for it; elsewhere a missing count is missing money.
            return ((None if self.output is not None and self.output.base else 0, self.output),)
        audio = min(usage.output_audio_tokens or 0, whole) if self.output_audio is not None else 0
        thought = min(usage.reasoning_tokens or 0, whole - audio) if self.reasoning is not None else 0
        return (
            (whole - audio - thought, self.output),
            (thought, self.reasoning),
            (audio, self.output_audio),
        )


def rate(dollars_per_million: Decimal, tiers: tuple[tuple[int, Decimal], ...] = ()) -> Rate:
    """A rate from list prices. Raises `ValueError` on more than 18 decimals a million tokens."""
    return Rate(_units(dollars_per_million), tuple((start, _units(price)) for start, price in tiers))


def per_request(dollars: Decimal) -> int:
    """The price of one request, in 10⁻²⁴ dollars."""
    return _whole(dollars.scaleb(SCALE))


def _units(dollars_per_million: Decimal) -> int:
    return _whole(dollars_per_million * _TOKEN)


def _whole(units: Decimal) -> int:
    if units != units.to_integral_value() or units < 0:
        raise ValueError(f"a price must have at most 18 decimals and not be negative; it is {units} units")
    return int(units)


def _dollars(units: int) -> Decimal:
    whole, rest = divmod(units, _ROUND)
    if rest * 2 > _ROUND or (rest * 2 == _ROUND and whole & 1):
        whole += 1
    return whole * _COLUMN if whole < 10**27 else Decimal(whole).scaleb(-18)
