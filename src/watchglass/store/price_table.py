"""The price book as a table: `store.prices`, replaced as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext

import msgspec
import pyarrow as pa

from watchglass.pricing.listing import PriceRow
from watchglass.pricing.rates import CLASSES
from watchglass.store.engine import Engine
from watchglass.store.tables import PRICES

_PLACES = Decimal(1).scaleb(-18)


def replace_prices(engine: Engine, rows: Sequence[PriceRow], edition: int) -> None:
    """Make these the prices that readers see. `edition` is higher than every one before.

    Readers see the old list up to the insert and the new one after it, never a mixture.
    """
    engine.insert("store.prices", [_batch(rows, edition)])
    for old in _editions(engine):
        if old < edition:
            engine.execute(f"ALTER TABLE store.prices DROP PARTITION {old:d}")


def _editions(engine: Engine) -> list[int]:
    return engine.execute("SELECT DISTINCT edition FROM store.prices")["edition"].to_pylist()


def _batch(rows: Sequence[PriceRow], edition: int) -> pa.RecordBatch:
    columns: dict[str, list[object]] = {
        "edition": [edition] * len(rows),
        "provider": [row.provider for row in rows],
        "model": [row.model for row in rows],
        "tier": [row.tier for row in rows],
        "since": [row.since_ns for row in rows],
        "until": [row.until_ns for row in rows],
        "daily": [row.daily for row in rows],
        **{name: [_places(row.prices[name]) for row in rows] for name in CLASSES},
        "per_request": [_places(row.per_request) for row in rows],
        "above": [msgspec.json.encode(_texts(row)).decode() for row in rows],
        "source": [row.source for row in rows],
        "price_id": [row.price_id for row in rows],
        "citation": [row.citation for row in rows],
        "dated": [row.dated for row in rows],
    }
    arrays = [pa.array(columns[field.name], field.type) for field in PRICES]
    return pa.RecordBatch.from_arrays(arrays, schema=PRICES)


def _places(dollars: Decimal | None) -> Decimal | None:
    with localcontext(prec=60):  # the column's 38 digits, whatever the price
        return None if dollars is None else dollars.quantize(_PLACES)


def _texts(row: PriceRow) -> dict[str, dict[str, str]]:
    """What a longer request costs, where it differs."""
    return {
        str(threshold): {
            name: f"{price:f}"
            for name, price in prices.items()
            if price is not None and price != row.prices[name]
        }
        for threshold, prices in row.above.items()
    }
