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
from watchglass.pricing.rates import CLASSES, OF_OUTPUT, ClassPrices, Rates

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

_QUARTER = 1 << 61
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
    # Up to how many tokens of input and of output the cost is surely less than 2⁶³ in 10⁻¹⁸ dollars.
    "most_in": pa.int64(),
    "most_out": pa.int64(),
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
    "most_in": LAST,
    "most_out": LAST,
    "id": "",
    "source": "",
    "finer": "1",
}


def lacks_prices(rows: pa.Table) -> bool:
    """Whether any row has a class without a price."""
    every = sum(UNPRICED.values())
    return any(flags & every for flags in rows["flags"].to_pylist())


def fits(rows: pa.Table, most: tuple[int, int]) -> bool:
    """Whether 64 bits hold the cost of every call that has at most so much input and output."""
    return all(
        tokens <= held
        for name, tokens in zip(("most_in", "most_out"), most, strict=True)
        for held in rows[name].to_pylist()
    )


def _rows(answer: Answer, starts: Sequence[int]) -> Iterator[dict[str, int | str]]:
    for start in starts:
        if isinstance(answer, Rates):
            yield _row(answer, answer.of_request(start))
        else:
            yield _NOTHING | {"reason": REASONS.index(answer.unpriced_reason or "")}


def _row(rates: Rates, prices: ClassPrices) -> dict[str, int | str]:
    each = {"request": rates.request, **{name: getattr(prices, name) for name in CLASSES}}
    most = [
        _most(rates, [each[name] for name in CLASSES if (name in OF_OUTPUT) == out]) for out in (False, True)
    ]
    return {
        "reason": 0,
        "id": rates.price_id,
        "source": rates.source,
        "flags": _flags(rates, prices),
        "most_in": most[0],
        "most_out": most[1],
        **{name: price if price <= LAST else 0 for name, price in each.items()},
        "finer": str(rates.finer),
        **{f"wide_{name}": str(min(price, _HUGE)) for name, price in each.items()},
    }


def _most(rates: Rates, prices: Sequence[int]) -> int:
    """Each side and the request itself may cost a quarter of what 64 bits hold."""
    if rates.finer != 1 or rates.request > _QUARTER:
        return -1
    return min(_QUARTER // max(*prices, 1), LAST)


def _flags(rates: Rates, prices: ClassPrices) -> int:
    said = {
        OTHER_UNITS: rates.other_units,
        INPUT_COSTS: prices.input_costs,
        OUTPUT_COSTS: prices.output_costs,
        COUNT_INPUT: rates.prices.input_costs,
        COUNT_OUTPUT: rates.prices.output_costs,
    }
    return sum(UNPRICED[name] for name in prices.unpriced) + sum(bit for bit, so in said.items() if so)
