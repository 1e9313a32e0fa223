"""What one of something costs: a successful task, a session, a tenant, a thousand calls."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import Any, Literal, TypeAlias

import msgspec

from watchglass.queries.contributions import total
from watchglass.queries.costs import CostsQuestion, ratio, reading_of
from watchglass.queries.figures import MONEY_DIGITS, Figures
from watchglass.queries.task_outcomes import Outcomes, outcomes
from watchglass.queries.usage import DIMENSIONS
from watchglass.queries.windows_compared import Compared, Sum, Sums, Which, sums
from watchglass.store import Engine, Limits
from watchglass.store.expired import Expiry
from watchglass.store.rollup_engine import undisturbed
from watchglass.store.rollup_figures import within

Unit: TypeAlias = Literal["successful task", "session", "tenant", "1,000 calls"]


class UnitCost(msgspec.Struct, frozen=True, kw_only=True):
    """Dollars for one `unit`: `spent_usd` over `count`, and in the window before. Null where there is none to
    divide by or nothing has a price: `unknown` says so. `meaning` says what is divided by what."""

    unit: Unit
    usd: Decimal | None
    before_usd: Decimal | None
    spent_usd: Decimal | None
    count: int | None
    meaning: str
    unknown: str | None


class UnitCosts(msgspec.Struct, frozen=True):
    """All of them."""

    units: list[UnitCost]


class _Side(msgspec.Struct, frozen=True):
    spent: Decimal | None
    count: int | None
    why: str | None = None


def unit_costs(engine: Engine, asked: Compared, *, limits: Limits) -> UnitCosts:
    """Answer. Sessions are looked for in the calls themselves, so this takes longer than other questions."""
    asked.checked()

    def ask(had: Expiry) -> UnitCosts:
        reading, _ = reading_of(engine, CostsQuestion(asked=asked, by=("tenant",)), had, limits)
        found, _ = sums(engine, asked, [(), ("tenant",)], reading, limits=limits)
        done = outcomes(engine, asked, limits=limits)
        sessions = _sessions(engine, asked, limits)
        sides = {which: _sides(which, found, done[which].outcomes, sessions) for which in ("now", "before")}
        return UnitCosts([_unit(unit, sides["now"][unit], sides["before"][unit]) for unit in MEANINGS])

    return undisturbed(engine, ask)


MEANINGS: Mapping[Unit, str] = {
    "successful task": "All that was spent in the window, on failed tasks too, over the tasks that began in"
    " it and completed.",
    "session": "What calls of sessions cost, over the sessions that made one.",
    "tenant": "What calls of tenants cost, over the tenants that made one.",
    "1,000 calls": "What priced calls cost, a thousand of them.",
}


def _sides(which: Which, found: Sums, done: Outcomes, sessions: Mapping[str, _Side]) -> dict[Unit, _Side]:
    whole: Figures = next((each for each in found[()] if each.which == which), Sum(which=which))
    tenants = [each for each in found[("tenant",)] if each.which == which and each.group != (None,)]
    with localcontext(prec=MONEY_DIGITS):
        thousands = None if whole.cost_usd is None else whole.cost_usd * 1000
    return {
        "successful task": _Side(whole.cost_usd, done.completed, done.unknown.get("success_share")),
        "session": sessions.get(which, _Side(None, 0)),
        "tenant": _Side(total(tenants).cost_usd, len(tenants)),
        "1,000 calls": _Side(thousands, whole.priced_calls),
    }


def _unit(unit: Unit, now: _Side, before: _Side) -> UnitCost:
    usd = ratio(now.spent, now.count or 0)
    unknown = None
    if usd is None:
        none = {"1,000 calls": "no call of this window has a price"}.get(unit, f"no {unit} is in this window")
        unknown = (now.why or none) if not now.count else "no call of it has a price"
    with localcontext(prec=MONEY_DIGITS):
        spent = now.spent / 1000 if now.spent is not None and unit == "1,000 calls" else now.spent
    return UnitCost(
        unit=unit,
        usd=usd,
        before_usd=ratio(before.spent, before.count or 0),
        spent_usd=spent,
        count=now.count,
        meaning=MEANINGS[unit],
        unknown=unknown,
    )


def _sessions(engine: Engine, asked: Compared, limits: Limits) -> dict[str, _Side]:
    params: dict[str, object] = {"since": asked.since_ns}
    conditions: list[str] = []
    for name, values in asked.filters.items():
        conditions.append(f"AND has({{only_{name}:Array(String)}}, ifNull({DIMENSIONS[name]}, ''))")
        params[f"only_{name}"] = list(values)
    rows: list[dict[str, Any]] = engine.execute(
        f"""
        SELECT
            if(time >= fromUnixTimestamp64Nano({{since:Int64}}, 'UTC'), 'now', 'before') AS which,
            uniqExact(ifNull(tenant, ''), session) AS sessions,
            toString(sum(cost_usd)) AS cost_usd
        FROM usage
        WHERE session IS NOT NULL
            AND {within([(asked.before_ns, asked.until_ns)], params)} {" ".join(conditions)}
        GROUP BY which
        """,
        params,
        limits=limits,
    ).to_pylist()
    return {
        row["which"]: _Side(None if row["cost_usd"] is None else Decimal(row["cost_usd"]), row["sessions"])
        for row in rows
    }
