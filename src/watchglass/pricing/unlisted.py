"""What several calls of a model show together: a price that the client had and no list here has.

One call cannot show it, for any cost is some price times its tokens. Two calls determine the price of
input and output; it is believed if a third agrees to 1 part in 10⁹, or if it comes out round: to at
most four decimals of a dollar a million tokens, as prices are stated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from watchglass.model import Usage
from watchglass.pricing.book import PriceRequest
from watchglass.pricing.cached import TOLERANCE
from watchglass.pricing.differences import Difference

_MILLION = 10**6
_DECIMALS = 4
_PAIRS = 200
"""So many pairs of a model's calls are tried; a price that many calls have comes out of the first few."""

Explained = tuple[PriceRequest, Difference]


def with_unlisted(explained: Iterable[Explained]) -> list[Difference]:
    """The differences in their order, the unexplained ones of `unlisted_price` where calls agree on one."""
    everything = list(explained)
    found = [difference for _, difference in everything]
    models: dict[tuple[str | None, str | None], list[int]] = defaultdict(list)
    for place, (request, difference) in enumerate(everything):
        if difference.kind == "unexplained":
            models[request.provider, request.request_model].append(place)
    for places in models.values():
        for prices, agreeing in _agreed([(place, everything[place]) for place in places]):
            evidence = " / ".join(f"{each.normalize():f}" for each in prices)
            for place in agreeing:
                found[place] = msgspec.structs.replace(
                    found[place],
                    kind="unlisted_price",
                    evidence=f"{evidence} dollars a million tokens in {len(agreeing)} calls",
                )
    return found


def _agreed(calls: Sequence[tuple[int, Explained]]) -> list[tuple[tuple[Decimal, Decimal], list[int]]]:
    """Prices with the places of the calls that have them; each call is counted once."""
    found: list[tuple[tuple[Decimal, Decimal], list[int]]] = []
    left = list(calls)
    for one, other in _pairs(calls):
        if one not in left or other not in left:
            continue
        prices = _solved(one[1], other[1])
        if prices is None:
            continue
        agreeing = [each for each in left if _costs(prices, each[1])]
        rounded = all(each == round(each, _DECIMALS) for each in prices)
        if len(agreeing) > 2 or (rounded and len(agreeing) == 2):
            found.append((prices, [place for place, _ in agreeing]))
            left = [each for each in left if each not in agreeing]
    return found


def _pairs(
    calls: Sequence[tuple[int, Explained]],
) -> list[tuple[tuple[int, Explained], tuple[int, Explained]]]:
    near = [(calls[at], later) for at in range(len(calls)) for later in calls[at + 1 : at + 4]]
    return near[:_PAIRS]


def _solved(one: Explained, other: Explained) -> tuple[Decimal, Decimal] | None:
    """Dollars a million tokens of input and of output at which both cost what was recorded."""
    (a, b), (c, d) = _tokens(one[0].usage), _tokens(other[0].usage)
    whole = a * d - b * c
    if not whole:
        return None
    first, second = one[1].reported_usd * _MILLION, other[1].reported_usd * _MILLION
    prices = (first * d - second * b) / whole, (second * a - first * c) / whole
    near = tuple(_rounded(each) for each in prices)
    if all(each >= 0 for each in near) and _costs(near, one) and _costs(near, other):
        return near[0], near[1]
    return prices if all(each >= 0 for each in prices) else None


def _rounded(price: Decimal) -> Decimal:
    return price.quantize(Decimal(1).scaleb(-_DECIMALS))


def _costs(prices: Sequence[Decimal], call: Explained) -> bool:
    tokens, reported = _tokens(call[0].usage), call[1].reported_usd * _MILLION
    cost = sum((price * count for price, count in zip(prices, tokens, strict=True)), Decimal(0))
    return abs(cost - reported) <= TOLERANCE * abs(reported)


def _tokens(usage: Usage) -> tuple[int, int]:
    return usage.input_tokens or 0, usage.output_tokens or 0
