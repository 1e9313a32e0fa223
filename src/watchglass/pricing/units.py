"""Usage as finely as a provider tells it, and what each of its units costs.

A stored call tells eight classes of tokens apart (`model.Usage`). Some prices are finer: cached
audio, images in the output, a web search. Where the counts of an answer are at hand, they are
priced here. A unit's name says what it is a part of: `cache_audio_read` counts what is in
`cache_read` and in `input_audio`, `output_image` what is in `output`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

REQUESTS = "requests"
SEARCHES = frozenset({"web_searches", "storage_searches"})
_WHOLES = (frozenset({"input"}), frozenset({"output"}))


class Rate(msgspec.Struct, frozen=True):
    """List price of one unit, in units of 10⁻²⁴ dollars a token (or request, or search).

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


class Spent(msgspec.Struct, frozen=True):
    """What one request costs, in the units of its prices."""

    input: int = 0
    output: int = 0
    other: int = 0
    """The request as such, and its searches."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.input + self.output + self.other


class Units(msgspec.Struct, frozen=True):
    """Every price of an entry by unit, those included that a stored call's usage does not tell apart."""

    prices: tuple[tuple[str, Rate], ...]
    finer: int = 1
    """The prices are in units of 10⁻²⁴ dollars divided by this."""

    def times(self, numerator: int, denominator: int) -> Units:
        """These prices times a fraction, exactly."""
        changed = tuple(
            (unit, Rate(rate.base * numerator, tuple((at, price * numerator) for at, price in rate.tiers)))
            for unit, rate in self.prices
        )
        return Units(changed, self.finer * denominator)

    def spent(self, counts: Mapping[str, int]) -> Spent | None:
        """The cost of these counts; a unit that is not there counts none.

        None where they contradict each other (a part above its whole), or where one that is not
        there is what two that are have in common, as cached audio is.
        """
        size = counts.get("input", 0)
        left = self._left(counts)
        if left is None:
            return None
        halves = {"input": 0, "output": 0, "other": 0}
        for unit, price in self.prices:
            halves[_half(unit)] += left[unit] * price.at(size)
        return Spent(**halves)

    def _left(self, counts: Mapping[str, int]) -> dict[str, int] | None:
        """How much of each unit is in no finer one that has a price of its own."""
        left: dict[str, int] = {}
        for unit in sorted(dict(self.prices), key=lambda unit: -len(_words(unit))):
            if unit == REQUESTS:
                left[unit] = 1
                continue
            words = _words(unit)
            if unit not in counts and _untold(words, counts):
                return None
            finer = sum(count for each, count in left.items() if _words(each) > words)
            left[unit] = counts.get(unit, 0) - finer
            if left[unit] < 0:
                return None
        return left


def _words(unit: str) -> frozenset[str]:
    words = frozenset(unit.split("_"))
    return words if "output" in words or _half(unit) == "other" else words | {"input"}


def _half(unit: str) -> str:
    if unit == REQUESTS or unit in SEARCHES:
        return "other"
    return "output" if unit.startswith("output") else "input"


def _untold(words: frozenset[str], counts: Mapping[str, int]) -> bool:
    """Whether two units that both hold this one have been counted, so that its own count is not known."""
    holding: Sequence[frozenset[str]] = [
        each for unit, count in counts.items() if count > 0 and (each := _words(unit)) < words
    ]
    return any(
        not (one <= other or other <= one)
        for one in holding
        for other in holding
        if one not in _WHOLES and other not in _WHOLES
    )
