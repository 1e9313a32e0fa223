"""Prices a token as rows of integers, and which rows a price's name and source are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from watchglass.ledger.price_terms import FIRST, KEPT, LAST, Answer, Terms
from watchglass.pricing.book import (
    FAILED_WITHOUT_USAGE,
    MODEL_MISSING,
    NO_PRICE_AT_DATE,
    TIER_UNKNOWN,
    TOKENS_MISSING,
    UNKNOWN_MODEL,
    UNKNOWN_PROVIDER,
)
from watchglass.pricing.rates import CLASSES, ClassPrices, Rates

REASONS = (
    "",
    *(
        each.unpriced_reason or ""
        for each in (
            FAILED_WITHOUT_USAGE,
            TOKENS_MISSING,
            MODEL_MISSING,
            UNKNOWN_PROVIDER,
            UNKNOWN_MODEL,
            NO_PRICE_AT_DATE,
            TIER_UNKNOWN,
            KEPT,
        )
    ),
)
"""Each by its number; the first is none."""

UNPRICED = {name: 1 << bit for bit, name in enumerate((*CLASSES, "cached_audio"))}
"""The bit of `flags` that says that a class has no price."""

OTHER_UNITS, INPUT_COSTS, OUTPUT_COSTS, COUNT_INPUT, COUNT_OUTPUT = (
    1 << bit for bit in range(len(UNPRICED), len(UNPRICED) + 5)
)

_HALF = 1 << 62
_HUGE = 1 << 180
"""Beyond what any cost can be: times any count it is still a number of 256 bits."""


def price_rows(terms: Terms) -> pa.Table:
    """One row for every answer and slot of input, numbered as `answer * slots + slot`."""
    rows = [row for answer in terms.answers for row in _rows(answer, [FIRST, *terms.input_breaks])]
    return pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in _COLUMNS.items()})


_COLUMNS = {
    "reason": pa.uint8(),
    "id": pa.string(),
    "source": pa.string(),
    "flags": pa.uint32(),
    # Up to how many tokens on either side the cost is surely less than 2⁶³ in the prices' own unit.
    "most": pa.int64(),
    "request": pa.int64(),
    **dict.fromkeys(CLASSES, pa.int64()),
    "finer": pa.string(),
    "wide_request": pa.string(),
    **{f"wide_{name}": pa.string() for name in CLASSES},
}

WIDE = ("finer", *(name for name in _COLUMNS if name.startswith("wide_")))
"""Columns of numbers of up to 256 bits, as text."""

_NOTHING: dict[str, int | str] = {
    **dict.fromkeys(_COLUMNS, 0),
    **{name: "0" for name in _COLUMNS if name.startswith("wide_")},
    "id": "",
    "source": "",
    "finer": "1",
}


def _rows(answer: Answer, starts: Sequence[int]) -> Iterator[dict[str, int | str]]:
    for start in starts:
        if isinstance(answer, Rates):
            yield _row(answer, answer.of_request(start))
        else:
            yield _NOTHING | {"reason": REASONS.index(answer.unpriced_reason or "")}


def _row(rates: Rates, prices: ClassPrices) -> dict[str, int | str]:
    each = {"request": rates.request, **{name: getattr(prices, name) for name in CLASSES}}
    dearest = max(each.values())
    narrow = rates.finer == 1 and rates.request < _HALF
    most = ((_HALF - rates.request) // (2 * max(dearest, 1))) if narrow else -1
    return {
        "reason": 0,
        "id": rates.price_id,
        "source": rates.source,
        "flags": _flags(rates, prices),
        "most": most,
        **{name: price if price <= LAST else 0 for name, price in each.items()},
        "finer": str(rates.finer),
        **{f"wide_{name}": str(min(price, _HUGE)) for name, price in each.items()},
    }


def _flags(rates: Rates, prices: ClassPrices) -> int:
    said = {
        OTHER_UNITS: rates.other_units,
        INPUT_COSTS: prices.input_costs,
        OUTPUT_COSTS: prices.output_costs,
        COUNT_INPUT: rates.prices.input_costs,
        COUNT_OUTPUT: rates.prices.output_costs,
    }
    return sum(UNPRICED[name] for name in prices.unpriced) + sum(bit for bit, so in said.items() if so)
