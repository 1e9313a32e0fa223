"""Prices as the API and `--json` show them: exact amounts as text, moments as RFC 3339."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

import msgspec

from watchglass.pricing.discounts import Discount
from watchglass.pricing.labels import without_provider
from watchglass.pricing.listed import ListedPrice
from watchglass.pricing.listing import PriceRow, Shown, seller_of
from watchglass.pricing.naming import fits, seller, time_of_day
from watchglass.queries.plain import moment
from watchglass.store.price_overrides import Override, PriceChange, Terms


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


def history_document(
    model: str, rows: Sequence[PriceRow], changes: Sequence[PriceChange], tenant: str | None
) -> dict[str, Any]:
    """What won when, each price with its change since the one before, and who changed what of it."""
    return {
        "model": model,
        "provider": rows[0].provider if rows else None,
        "tier": rows[0].tier if rows else None,
        "tenant": tenant,
        "prices": [
            {**price_document(row), "change": _changed(before, row)}
            for before, row in zip([None, *rows], rows, strict=False)
        ],
        "changes": [change_document(each) for each in changes],
    }


def change_document(change: PriceChange) -> dict[str, Any]:
    """A line of the book's log; `before` and `after` are overrides, or a sentence."""
    return {
        "number": change.number,
        "time": moment(change.time_ns),
        "who": change.who,
        "action": change.action,
        "override": change.override or None,
        "tenant": change.tenant,
        "before": _terms(change.before, change.override),
        "after": _terms(change.after, change.override),
    }


def override_document(override: Override) -> dict[str, Any]:
    """A price or discount that was set."""
    return {
        "id": override.id,
        **terms_document(override.terms),
        "changed": moment(override.changed_ns),
        "changed_by": override.changed_by,
    }


def terms_document(terms: Terms) -> dict[str, Any]:
    """What holds for whom and when, as it can be set again."""
    given = msgspec.to_builtins(terms)
    times = {"since": _moment(terms.since_ns), "until": _moment(terms.until_ns)}
    daily = None if isinstance(terms, Discount) or terms.daily is None else terms.daily
    hidden = ("since_ns", "until_ns", "citation", "daily")
    return {
        "kind": "discount" if isinstance(terms, Discount) else "price",
        **{name: value for name, value in given.items() if name not in hidden},
        **times,
        **({"daily": "-".join(map(time_of_day, daily))} if daily else {}),
        "source": terms.citation,
    }


def percent_changed(before: Decimal, after: Decimal) -> str | None:
    """`-33.33`: percent, to two decimals; None from nothing."""
    if not before:
        return None
    with localcontext(prec=60):
        return f"{((after - before) / before * 100).quantize(Decimal('0.01')):+f}"


def _changed(before: PriceRow | None, row: PriceRow) -> dict[str, str | None] | None:
    if before is None:
        return None
    pairs = {name: (before.prices[name], row.prices[name]) for name in row.prices}
    return {
        name: percent_changed(old, new)
        for name, (old, new) in pairs.items()
        if old is not None and new is not None and old != new
    }


def changes_of(model: str, provider: str | None, changes: Sequence[PriceChange]) -> list[PriceChange]:
    """Those changes that are about a model; its provider is whom its name tells of where none is named."""
    sold_by = seller_of(model, provider) or "*"
    name = without_provider(sold_by, model).lower()
    about: list[PriceChange] = []
    for each in changes:
        text = each.after or each.before if each.override else None
        terms = _read(text) if text else None
        if terms is not None and fits(seller(terms.provider), terms.model.lower(), sold_by, name):
            about.append(each)
    return about


def _terms(text: str | None, override: str) -> dict[str, Any] | str | None:
    return text if text is None or not override else terms_document(_read(text))


def _read(text: str) -> Terms:
    kind: type[Terms] = Discount if "percent" in msgspec.json.decode(text) else ListedPrice
    return msgspec.json.decode(text, type=kind)


def _amounts(prices: Mapping[str, Decimal | None]) -> dict[str, str | None]:
    return {name: None if price is None else f"{price:f}" for name, price in prices.items()}


def _moment(at_ns: int | None) -> str | None:
    return None if at_ns is None else moment(at_ns)
