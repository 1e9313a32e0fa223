"""Prices of one model at one time, and the arithmetic: tokens by class times price, in integers.

Amounts are whole numbers of 10⁻¹⁸ dollars, or of 10⁻²⁴ for a price with more than 12 decimals: one
of up to 18 decimals a million tokens times any token count is exact. Only the final figure is
rounded, half to even, to the 18 decimals of the money columns; no price in use today needs it.

Counts are a sender's word. A negative one is taken as none, and a part never costs more tokens
than the whole it is a part of has left, so that no usage makes a negative or an inflated cost.

What a request costs besides tokens and itself (web and file searches) cannot be seen in a usage:
it is not in its cost. `prices/README.md` says so to users. `units.py` prices what is counted finer.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from math import gcd

import msgspec

from watchglass.model import Usage
from watchglass.pricing.units import Rate, Units

__all__ = [
    "CLASSES",
    "PARENTS",
    "SCALE",
    "ClassPrices",
    "Rate",
    "Rates",
    "per_request",
    "rate",
    "rates",
]

SCALE = 24
_TOKEN = Decimal(10) ** (SCALE - 6)  # dollars a million tokens → units a token
_ROUND = 10 ** (SCALE - 18)
_COLUMN = Decimal(1).scaleb(-18)
_DIGITS = 10**27  # what the usual decimal context (28 digits) multiplies exactly
_EXACT = Context(prec=1000)

CLASSES = (
    *("input", "output", "cache_read", "cache_write", "cache_write_1h"),
    *("reasoning", "input_audio", "output_audio"),
)
"""The token classes that a `Usage` tells apart, each after the one whose price it has for want of its own."""

PARENTS = {
    "cache_read": "input",
    "cache_write": "input",
    "cache_write_1h": "cache_write",
    "input_audio": "input",
    "reasoning": "output",
    "output_audio": "output",
}
"""Whose price a class has for want of its own."""
OF_OUTPUT = frozenset({"output", "reasoning", "output_audio"})


class ClassPrices(msgspec.Struct, frozen=True, gc=False):
    """Units a token (`Rates.finer`) of every class, one without a price of its own at its parent's.

    Plain ints, resolved once, because this is read for each call.
    """

    input: int
    output: int
    cache_read: int
    cache_write: int
    cache_write_1h: int
    reasoning: int
    input_audio: int
    output_audio: int
    unpriced: frozenset[str]
    """Classes that have no price (0 above), or none that is right for all of their tokens."""
    input_costs: bool
    """Whether input costs anything: a count that nobody gave is then missing money."""
    output_costs: bool

    def of_input(self, usage: Usage) -> int | None:
        """Units for all input; None where a class that was used has no price or count.

        Source of the classes: the providers count cached reads and writes and audio as parts of
        the input (see `model.Usage`).
        """
        whole, read, written = usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens
        hour, audio = usage.cache_write_1h_tokens, usage.input_audio_tokens
        if whole is None:
            return None if self.input_costs else 0
        if not (read or written or hour or audio):
            if whole <= 0:
                return 0
            return None if self.unpriced and "input" in self.unpriced else whole * self.input
        read, hour, audio = read or 0, hour or 0, audio or 0
        short = (written or 0) - hour
        plain = whole - read - short - hour - audio
        if plain < 0 or read < 0 or short < 0 or hour < 0 or audio < 0:
            plain, read, short, hour, audio = _bounded(whole, read, written, hour, audio)
        if self.unpriced and not self._input_priced(plain, read, short, hour, audio):
            return None
        units = plain * self.input + read * self.cache_read
        if short or hour:
            units += short * self.cache_write + hour * self.cache_write_1h
        return units + audio * self.input_audio if audio else units

    def of_output(self, usage: Usage) -> int | None:
        """Units for all output, of which reasoning and audio are parts; None as for the input."""
        whole, thought, audio = usage.output_tokens, usage.reasoning_tokens, usage.output_audio_tokens
        if whole is None:
            # An embedding has no output and no price for it; elsewhere a missing count is missing money.
            return None if self.output_costs else 0
        thought, audio = thought or 0, audio or 0
        plain = whole - audio - thought
        if plain < 0 or thought < 0 or audio < 0:
            whole = max(whole, 0)
            audio = _part(audio, whole)
            thought = _part(thought, whole - audio)
            plain = whole - audio - thought
        if self.unpriced and not self._priced(output=plain, reasoning=thought, output_audio=audio):
            return None
        if not audio and self.reasoning == self.output:
            return (plain + thought) * self.output
        return plain * self.output + thought * self.reasoning + audio * self.output_audio

    def _input_priced(self, plain: int, read: int, short: int, hour: int, audio: int) -> bool:
        # How much of the audio was read from the cache is nowhere in a usage.
        both = min(read, audio)
        return self._priced(
            input=plain,
            cache_read=read,
            cache_write=short,
            cache_write_1h=hour,
            input_audio=audio,
            cached_audio=both,
        )

    def _priced(self, **tokens: int) -> bool:
        return not any(count and name in self.unpriced for name, count in tokens.items())


class Rates(msgspec.Struct, frozen=True):
    """What one model costs at one time."""

    price_id: str
    source: str
    prices: ClassPrices
    above: tuple[tuple[int, ClassPrices], ...] = ()
    """(threshold, prices of a request with more input tokens than that), ascending."""
    request: int = 0
    """Price of a request as such."""
    finer: int = 1
    """The prices above are in units of 10⁻¹⁸ dollars divided by this: 1, or 10⁶ where one needs it; another
    divisor of a power of ten where a discount has been taken off."""
    other_units: bool = False
    """Part of the bill is by the hour, page or character, or no price is known: no usage tells the cost."""
    units: Units | None = None
    """Every price by its unit, where there are finer ones than the classes above."""

    def cost_of(self, usage: Usage, counts: Mapping[str, int] | None) -> Decimal | None:
        """As `cost`, by finer counts where there are some and prices for them."""
        if counts is None or self.units is None or self.other_units:
            return self.cost(usage)
        spent = self.units.spent(counts)
        if spent is None:
            return None
        return _EXACT.multiply(Decimal(_rounded(spent.total, _ROUND * self.units.finer)), _COLUMN)

    def halves(self, usage: Usage, counts: Mapping[str, int] | None = None) -> tuple[Decimal, Decimal] | None:
        """Exact dollars for input and for output; None as for `cost`."""
        if self.other_units:
            return None
        if counts is not None and self.units is not None:
            spent, finer = self.units.spent(counts), _ROUND * self.units.finer
            if spent is None:
                return None
            return (_dollars(spent.input, finer), _dollars(spent.output, finer))
        prices = self.of_request(usage.input_tokens or 0)
        read, made = prices.of_input(usage), prices.of_output(usage)
        return None if read is None or made is None else (self.dollars(read), self.dollars(made))

    def cost(self, usage: Usage) -> Decimal | None:
        """Exact dollars for this usage; None where a class that was used has no price or count."""
        if self.other_units:
            return None
        prices = self.of_request(usage.input_tokens or 0) if self.above else self.prices
        spent, made = prices.of_input(usage), prices.of_output(usage)
        if spent is None or made is None:
            return None
        units = self.request + spent + made
        if self.finer != 1:
            units = _rounded(units, self.finer)
        return units * _COLUMN if units < _DIGITS else _EXACT.multiply(Decimal(units), _COLUMN)

    def of_request(self, input_tokens: int) -> ClassPrices:
        """The prices of a request of this length."""
        prices = self.prices
        for threshold, dearer in self.above:
            if input_tokens > threshold:
                prices = dearer
        return prices

    def dollars(self, units: int) -> Decimal:
        """A price of `ClassPrices` or a sum of such, exactly."""
        return _EXACT.multiply(_EXACT.divide(Decimal(units), Decimal(self.finer)), _COLUMN)

    def counted(self, usage: Usage) -> bool:
        """Whether the usage has every count that costs something here."""
        given = usage.input_tokens is not None, usage.output_tokens is not None
        return (given[0] or not self.prices.input_costs) and (given[1] or not self.prices.output_costs)


def rates(
    price_id: str,
    source: str,
    classes: Mapping[str, Rate],
    *,
    hidden: frozenset[str] = frozenset(),
    request: int = 0,
    other_units: bool = False,
    units: Units | None = None,
) -> Rates:
    """Rates from the list prices of some of `CLASSES`.

    `hidden` names the classes (or `cached_audio`) of which a part has a price of its own that a
    usage cannot tell apart, such as images in the output: such a class cannot be priced at all.
    """
    steps = sorted({threshold for each in classes.values() for threshold, _ in each.tiers})
    listed = [
        request,
        *(price for each in classes.values() for price in (each.base, *dict(each.tiers).values())),
    ]
    # Almost all prices are whole in the column's own unit, and a division a call is then spared.
    unit = _ROUND if not any(price % _ROUND for price in listed) else 1
    return Rates(
        price_id,
        source,
        _resolved(classes, 0, hidden, unit),
        tuple((threshold, _resolved(classes, threshold + 1, hidden, unit)) for threshold in steps),
        request // unit,
        _ROUND // unit,
        other_units or not (classes or hidden or request),
        units,
    )


def scaled(rates: Rates, numerator: int, denominator: int, *, price_id: str, source: str) -> Rates:
    """These rates times a fraction, exactly; its denominator divides a power of ten."""
    steps = [rates.prices, *(prices for _, prices in rates.above)]
    units = [rates.request, *(getattr(prices, name) for prices in steps for name in CLASSES)]
    finer = rates.finer * denominator
    shared = gcd(finer, *(each * numerator for each in units))

    def of(prices: ClassPrices) -> ClassPrices:
        changed = {name: getattr(prices, name) * numerator // shared for name in CLASSES}
        return msgspec.structs.replace(prices, **changed)

    return Rates(
        price_id,
        source,
        of(rates.prices),
        tuple((threshold, of(prices)) for threshold, prices in rates.above),
        rates.request * numerator // shared,
        finer // shared,
        rates.other_units,
        None if rates.units is None else rates.units.times(numerator, denominator),
    )


def _resolved(
    classes: Mapping[str, Rate], input_tokens: int, hidden: frozenset[str], unit: int
) -> ClassPrices:
    prices: dict[str, int] = {}
    unpriced = set(hidden)
    for name in CLASSES:
        parent = PARENTS.get(name)
        if name in classes:
            prices[name] = classes[name].at(input_tokens) // unit
        else:
            prices[name] = prices[parent] if parent else 0
            if parent is None or parent in unpriced:
                unpriced.add(name)
    return ClassPrices(
        **prices,
        unpriced=frozenset(unpriced),
        input_costs="input" in hidden or any(prices[name] for name in CLASSES if name not in OF_OUTPUT),
        output_costs="output" in hidden or any(prices[name] for name in OF_OUTPUT),
    )


def _bounded(
    whole: int, read: int, written: int | None, hour: int, audio: int
) -> tuple[int, int, int, int, int]:
    """Plain, read, short-lived and one-hour writes, audio: each at most what the ones before left."""
    left = max(whole, 0)
    left -= (read := _part(read, left))
    # A part that is known while nobody gave the sum is the sum.
    left -= (written := _part(hour if written is None else written, left))
    left -= (audio := _part(audio, left))
    hour = _part(hour, written)
    return left, read, written - hour, hour, audio


def _part(count: int, whole: int) -> int:
    """A count of a part of `whole`, within its bounds."""
    return min(max(count, 0), whole)


def rate(dollars_per_million: Decimal, tiers: tuple[tuple[int, Decimal], ...] = ()) -> Rate:
    """A rate from list prices. Raises `ValueError` on more than 18 decimals a million tokens."""
    return Rate(_units(dollars_per_million), tuple((start, _units(price)) for start, price in tiers))


def _dollars(units: int, finer: int) -> Decimal:
    return _EXACT.multiply(_EXACT.divide(Decimal(units), Decimal(finer)), _COLUMN)


def per_request(dollars: Decimal) -> int:
    """The price of one request, in 10⁻²⁴ dollars."""
    return _whole(dollars.scaleb(SCALE))


def _units(dollars_per_million: Decimal) -> int:
    return _whole(dollars_per_million * _TOKEN)


def _whole(units: Decimal) -> int:
    if units != units.to_integral_value() or units < 0:
        raise ValueError(f"a price must have at most 18 decimals and not be negative; it is {units} units")
    return int(units)


def _rounded(units: int, finer: int) -> int:
    """Half to even."""
    whole, rest = divmod(units, finer)
    return whole + (rest * 2 > finer or (rest * 2 == finer and whole & 1))
