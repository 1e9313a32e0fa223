"""What two states of the book differ by, what is odd in it, and what calls would have cost otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from decimal import Context
from typing import Any

import msgspec

from watchglass.clock import Clock
from watchglass.errors import BadRequest, NotFound
from watchglass.ledger.counterfactual import Spent, spent, spent_by, total
from watchglass.ledger.window import Window
from watchglass.pricing.book import PriceBook
from watchglass.pricing.checking import Problem, Used, clashes, disagreements, gaps, idle, undated
from watchglass.pricing.comparing import Changed, at, compare
from watchglass.pricing.listing import PriceRow, seller_of, timelines
from watchglass.pricing.suppositions import SupposedBook, Supposition
from watchglass.queries.plain import moment, money
from watchglass.queries.times import parse_moment
from watchglass.store import Engine
from watchglass.surfaces.price_desk import PriceDesk
from watchglass.surfaces.price_document import percent_changed, price_document

_MONTH = "30d"
_EXACT = Context(prec=100)


class Side(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One state of the book: as it is at a moment (`at`), as it is (neither), or with a file in it."""

    at: str | None = None
    name: str = ""
    content: str | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which two states are compared, for whose calls, and by which calls the difference is weighed."""

    a: Side = Side()
    b: Side = Side()
    tenant: str | None = None
    since: str | None = None
    until: str | None = None


class PriceQuestions:
    """Questions that need the book and, for what they mean in dollars, the calls."""

    def __init__(
        self, desk: PriceDesk, engine: Callable[[], AbstractContextManager[Engine]], clock: Clock
    ) -> None:
        """`engine` opens the store when calls are asked for; it may raise `NotFound` where there is none."""
        self._desk = desk
        self._engine = engine
        self._clock = clock

    def diff(self, asked: Asked) -> dict[str, Any]:
        """Which models changed between two states, and what the calls of a window cost by either."""
        now_ns = self._clock.now_ns()
        sides = [self._side(side, asked.tenant, now_ns) for side in (asked.a, asked.b)]
        changes = compare(sides[0][0], sides[1][0])
        window = self._window(asked.since, asked.until, asked.tenant, now_ns)
        try:
            with self._engine() as engine:
                found = spent_by(engine, [book for _, book in sides], window)
        except NotFound:
            found = [[], []]
        return {
            **{kind: sum(each.kind == kind for each in changes) for kind in ("added", "removed", "changed")},
            "changes": [_change_document(each) for each in changes],
            "window": _window_document(window),
            "spent": _beside(*found),
        }

    def what_if(
        self,
        model: str,
        *,
        provider: str | None = None,
        tenant: str | None = None,
        since: str | None = None,
        until: str | None = None,
        only: Sequence[str] = (),
    ) -> dict[str, Any]:
        """What the calls of a window (of the models `only`) would have cost at another model's price."""
        now_ns = self._clock.now_ns()
        sold_by = seller_of(model, provider)
        shown = self._desk.show(model, now_ns, provider=provider, tenant=tenant)
        if sold_by is None or not shown.prices:
            others = f"; there are {', '.join(shown.elsewhere[:5])}" if shown.elsewhere else ""
            raise BadRequest(f"nobody knows a price of {model}{others}; name its --provider", where="model")
        window = self._window(since, until, tenant, now_ns, only)
        book = SupposedBook(self._desk.book.layers, Supposition(provider=sold_by, model=model))
        with self._engine() as engine:
            rows = spent(engine, book, window)
        return {
            "model": model,
            "provider": sold_by,
            "window": _window_document(window),
            "rows": [_spent_document(each) for each in rows],
            "total": _spent_document(total(rows)),
        }

    def check(self, *, since: str | None = None, until: str | None = None) -> dict[str, Any]:
        """What is odd; where lists disagree about models that nobody uses, only how often."""
        now_ns = self._clock.now_ns()
        window = self._window(since, until, None, now_ns)
        try:
            with self._engine() as engine:
                used = _used(engine, window)
        except NotFound:
            used = []
        book, layers = self._desk.book, self._desk.book.layers
        problems = [*clashes((*layers.overrides, *layers.discounts)), *idle(book, used)]
        problems += [*gaps(book, used), *undated(used)]
        calls = Counter[tuple[str | None, str]]()
        for each in used:
            calls[each.provider, (each.model or "").lower()] += each.calls
        known = [
            msgspec.structs.replace(each, calls=calls[each.provider, (each.model or "").lower()])
            for each in disagreements(book, now_ns)
        ]
        return {
            "at": moment(now_ns),
            "window": _window_document(window),
            "problems": [msgspec.to_builtins(each) for each in problems],
            "disagreements": [msgspec.to_builtins(each) for each in sorted(known, key=_weight)],
        }

    def _side(self, side: Side, tenant: str | None, now_ns: int) -> tuple[list[PriceRow], PriceBook]:
        if side.content is not None:
            _, layers = self._desk.layers_with(side.content.encode(), side.name)
            try:
                book = PriceBook(layers)
            except ValueError as fault:
                raise BadRequest(f"{side.name} cannot be used: {fault}") from None
            return at(timelines(book, tenant), now_ns), book
        if side.at is None:
            return at(self._desk.rows(tenant), now_ns), self._desk.book
        at_ns = parse_moment(side.at, now_ns)
        supposed = SupposedBook(self._desk.book.layers, Supposition(at_ns=at_ns))
        return at(self._desk.rows(tenant), at_ns), supposed

    def _window(
        self,
        since: str | None,
        until: str | None,
        tenant: str | None,
        now_ns: int,
        models: Sequence[str] = (),
    ) -> Window:
        filters: dict[str, tuple[str, ...]] = {} if tenant is None else {"tenant": (tenant,)}
        if models:
            filters["model"] = tuple(models)
        return Window(
            since_ns=parse_moment(since or _MONTH, now_ns),
            until_ns=parse_moment(until or "now", now_ns),
            filters=filters,
        )


def _used(engine: Engine, window: Window) -> list[Used]:
    params: dict[str, object] = {}
    found = engine.execute(
        f"""
        SELECT provider, coalesce(response_model, request_model) AS model, nullIf(service_tier, '') AS tier,
            tenant, count() AS calls, countIf(endsWith(splitByChar('|', ifNull(price_id, ''))[1], '@undated')
                OR position(ifNull(price_id, ''), '@undated+') > 0) AS undated
        FROM store.calls FINAL
        WHERE kind = 'call' AND counted AND {window.condition(params)}
        GROUP BY ALL
        ORDER BY calls DESC
        """,
        params,
    )
    return [Used(**row) for row in found.to_pylist()]


def _weight(problem: Problem) -> tuple[int, str, str]:
    return -(problem.calls or 0), problem.provider or "", problem.model or ""


def _change_document(changed: Changed) -> dict[str, Any]:
    shown = changed.after or changed.before
    assert shown is not None
    before, after = changed.before, changed.after
    percent: dict[str, str | None] = {}
    if before is not None and after is not None:
        for name, old in before.prices.items():
            new = after.prices[name]
            if old is not None and new is not None and old != new:
                percent[name] = percent_changed(old, new)
    return {
        "kind": changed.kind,
        "provider": shown.provider,
        "model": shown.model,
        "tier": shown.tier,
        "before": None if before is None else price_document(before),
        "after": None if after is None else price_document(after),
        "change": percent,
    }


def _window_document(window: Window) -> dict[str, str | None]:
    bounds = {"since": window.since_ns, "until": window.until_ns}
    return {name: None if at_ns is None else moment(at_ns) for name, at_ns in bounds.items()}


def _spent_document(row: Spent) -> dict[str, Any]:
    return {
        "provider": row.provider,
        "model": row.model,
        "calls": row.calls,
        "cost_usd": money(row.cost_usd),
        "without_cost": row.without_cost,
        "supposed_usd": money(row.supposed_usd),
        "unpriced": row.unpriced,
        "compared": row.compared,
        "difference_usd": money(row.difference_usd),
    }


def _beside(first: Sequence[Spent], second: Sequence[Spent]) -> dict[str, Any]:
    """By model, dollars by either state; models first whose bill changes most."""
    by_model = {(each.provider, each.model): each for each in second}
    pairs = [(each, by_model.pop((each.provider, each.model), Spent())) for each in first]
    pairs += [(Spent(provider=each.provider, model=each.model), each) for each in by_model.values()]
    pairs.sort(key=lambda pair: -abs(_EXACT.subtract(pair[1].supposed_usd, pair[0].supposed_usd)))
    return {
        "rows": [_pair(*pair) for pair in pairs],
        "total": _pair(total(first), total(second)),
    }


def _pair(one: Spent, other: Spent) -> dict[str, Any]:
    return {
        "provider": one.provider,
        "model": one.model,
        "calls": max(one.calls, other.calls),
        "a_usd": money(one.supposed_usd),
        "b_usd": money(other.supposed_usd),
        "difference_usd": money(_EXACT.subtract(other.supposed_usd, one.supposed_usd)),
        "a_unpriced": sum(one.unpriced.values()),
        "b_unpriced": sum(other.unpriced.values()),
    }
