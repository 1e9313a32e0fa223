"""Prices as the API and `--json` show them: exact amounts as text, moments as RFC 3339."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from watchglass.pricing.listing import PriceRow, Shown
from watchglass.queries.plain import moment


def price_document(row: PriceRow) -> dict[str, Any]:
    """One price, in US dollars a million tokens; a class that costs what its parent does is there too."""
    return {
        "provider": row.provider,
        "model": row.model,
        "tier": row.tier,
        "since": _moment(row.since_ns),
        "until": _moment(row.until_ns),
        "daily": row.daily,
        **_amounts(row.prices),
        "per_request": f"{row.per_request.normalize():f}",
        "above": [{"input_tokens": threshold, **_amounts(prices)} for threshold, prices in row.above.items()],
        "source": row.source,
        "price_id": row.price_id,
        "citation": row.citation,
        "dated": row.dated,
    }


def list_document(rows: Sequence[PriceRow], at_ns: int) -> dict[str, Any]:
    """The prices at a moment."""
    return {"at": moment(at_ns), "prices": [price_document(row) for row in rows]}


def show_document(shown: Shown) -> dict[str, Any]:
    """All prices of a model and which of them wins, or why none does."""
    return {
        "provider": shown.provider,
        "model": shown.model,
        "tier": shown.tier,
        "at": moment(shown.at_ns),
        "price_id": shown.price_id,
        "unpriced_reason": shown.unpriced_reason,
        "prices": [{**price_document(row), "wins": row.wins} for row in shown.prices],
        "elsewhere": shown.elsewhere,
    }


def _amounts(prices: Mapping[str, Decimal | None]) -> dict[str, str | None]:
    return {name: None if price is None else f"{price:f}" for name, price in prices.items()}


def _moment(at_ns: int | None) -> str | None:
    return None if at_ns is None else moment(at_ns)
