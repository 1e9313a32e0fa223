"""What the calls of a window would have cost by another book, model by model, beside what they cost.

Exact: every call is priced by itself, in the engine, and what cannot be priced is counted with its reason.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from decimal import Decimal, localcontext
from typing import Any

import msgspec

from watchglass.ledger.sql_prices import sql_prices
from watchglass.ledger.window import Window
from watchglass.pricing.book import PriceBook
from watchglass.store import Engine

_HELD = ("provider", "request_model", "response_model", "kind", "counted", "cost_usd")
_NONE = (Decimal(0),) * 3
_NEW = ("new_cost_usd", "new_unpriced_reason")
_PARAMETER = re.compile(r"\{(\w+):")
_ONE_MOMENT = " SETTINGS enable_shared_storage_snapshot_in_query = 1"


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """Counted calls of one model, or of all: as they are priced in the store, and by another book."""

    provider: str | None = None
    model: str | None = None
    calls: int = 0
    cost_usd: Decimal = Decimal(0)
    """Of those that have a cost."""
    without_cost: int = 0
    supposed_usd: Decimal = Decimal(0)
    """Of those that the other book prices."""
    unpriced: dict[str, int] = {}
    """Those that it does not, by reason."""
    compared: int = 0
    """Calls that have a price both ways; only for them a difference can be told."""
    difference_usd: Decimal = Decimal(0)
    """What they would cost more (less, below 0)."""


def spent(engine: Engine, book: PriceBook, window: Window) -> list[Spent]:
    """By model, the dearest first. Raises `QueryError` for an impossible window."""
    return spent_by(engine, [book], window)[0]


def spent_by(engine: Engine, books: Sequence[PriceBook], window: Window) -> list[list[Spent]]:
    """The same for several books, of the very same calls: one statement sees one moment of the store."""
    with ExitStack() as stack:
        sources, params = list[str](), dict[str, object]()
        for side, book in enumerate(books):
            source, values = stack.enter_context(sql_prices(engine, book, window)).source(_HELD, _NEW)
            sources.append(_PARAMETER.sub(rf"{{b{side}_\1:", _of_side(side, source)))
            params |= {f"b{side}_{name}": value for name, value in values.items()}
        found = engine.execute(" UNION ALL ".join(sources) + _ONE_MOMENT, params).to_pylist()
    return [_by_model([row for row in found if row["side"] == side]) for side in range(len(books))]


def _of_side(side: int, source: str) -> str:
    return f"""
        SELECT {side} AS side, provider, coalesce(response_model, request_model) AS model,
            ifNull(new_unpriced_reason, '') AS reason,
            count() AS calls,
            ifNull(sum(cost_usd), 0) AS cost,
            countIf(cost_usd IS NULL) AS without_cost,
            ifNull(sum(new_cost_usd), 0) AS supposed,
            countIf(cost_usd IS NOT NULL AND new_cost_usd IS NOT NULL) AS compared,
            ifNull(sum(new_cost_usd - cost_usd), 0) AS difference
        FROM ({source})
        WHERE kind = 'call' AND counted
        GROUP BY provider, model, reason
        """


def _by_model(found: Sequence[dict[str, object]]) -> list[Spent]:
    by_model: dict[tuple[Any, Any], list[Spent]] = {}
    for row in found:
        by_model.setdefault((row["provider"], row["model"]), []).append(_spent(row))
    sums = [total(rows, provider=provider, model=model) for (provider, model), rows in by_model.items()]
    return sorted(sums, key=lambda each: (-each.cost_usd, -each.calls, each.model or ""))


def total(rows: Iterable[Spent], *, provider: str | None = None, model: str | None = None) -> Spent:
    """What they add up to."""
    found: Sequence[Spent] = list(rows)
    money = [(each.cost_usd, each.supposed_usd, each.difference_usd) for each in found]
    with localcontext(prec=100):  # sums keep every digit of the column's 38
        cost, supposed, difference = (
            (sum(each, Decimal(0)) for each in zip(*money, strict=True)) if money else _NONE
        )
    unpriced = Counter[str]()
    for each in found:
        unpriced.update(each.unpriced)
    return Spent(
        provider=provider,
        model=model,
        calls=sum(each.calls for each in found),
        cost_usd=cost,
        without_cost=sum(each.without_cost for each in found),
        supposed_usd=supposed,
        unpriced=dict(unpriced),
        compared=sum(each.compared for each in found),
        difference_usd=difference,
    )


def _spent(row: dict[str, object]) -> Spent:
    reason, calls = str(row["reason"]), row["calls"]
    given = {"supposed_usd": row["supposed"], "difference_usd": row["difference"], "cost_usd": row["cost"]}
    others = {name: row[name] for name in ("calls", "without_cost", "compared")}
    return msgspec.convert({**given, **others, "unpriced": {reason: calls} if reason else {}}, Spent)
