"""Costs by dimension, over time and a unit: whatever is asked, its parts add up to what `usage` says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.queries.test_overview import CALLS
from tests.rolled_house import House
from tests.stored_rows import NOON_NS, call, insert
from watchglass.clock import ManualClock
from watchglass.errors import QueryError
from watchglass.queries.costs import LINES, CostFigures, CostsQuestion, cost_groups, costs
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import Scope
from watchglass.queries.unit_costs import UnitCost, unit_costs
from watchglass.queries.usage import UsageQuestion
from watchglass.queries.windows_compared import Compared
from watchglass.store import Store
from watchglass.store.rollup_hours import HOUR_NS

ASKED = Compared(since_ns=NOON_NS, until_ns=NOON_NS + 3 * HOUR_NS)


def ask(house: House, *by: str, bucket: str | None = None, scope: Scope | None = None) -> CostFigures:
    reader = StoreReader(house.engine, **({"scope": scope} if scope else {}))
    question = CostsQuestion(asked=ASKED, by=by or ("model",), bucket=bucket)
    now_ns = house.clock.now_ns()
    return reader.answer(lambda engine, limits: costs(engine, question, now_ns, limits=limits))


def units(house: House) -> dict[str, UnitCost]:
    found = StoreReader(house.engine).answer(lambda engine, limits: unit_costs(engine, ASKED, limits=limits))
    return {each.unit: each for each in found.units}


BY = st.sampled_from([("model",), ("tenant", "model"), ("model", "provider"), ("feature",), ("session",)])


@settings(max_examples=12)
@given(calls=CALLS, kept=st.booleans(), by=BY, bucket=st.sampled_from([None, "hour", "day", "5 minutes"]))
def test_groups_and_lines_add_up_to_what_usage_says(
    opened: tuple[Store, ManualClock],
    calls: list[dict[str, Any]],
    kept: bool,
    by: tuple[str, ...],
    bucket: str | None,
) -> None:
    """By any dimensions, in any buckets, from the rollup or from calls: groups are those of `usage`, and
    groups, and lines over time, add up to the same total, to the last digit."""
    house = House(*opened)
    house.write(
        [
            call(
                n,
                **each,
                session=each["tenant"],
                unpriced_reason=None if each["cost_usd"] else "unknown_model",
            )
            for n, each in enumerate(calls)
        ]
    )
    if kept:
        house.keep()
    found = ask(house, *by, bucket=bucket)
    said = StoreReader(house.rows).usage(
        UsageQuestion(by=by, since_ns=ASKED.since_ns, until_ns=ASKED.until_ns, durations=False)
    )
    usage = {
        tuple(row.group.values()): (row.calls, row.cost_usd, row.unpriced, row.input_tokens)
        for row in said.counted.rows
    }
    groups = {
        tuple(each.names): (each.calls, each.cost_usd, each.unpriced, each.input_tokens)
        for each in found.groups
        if each.calls
    }
    assert groups == usage
    total = said.counted.totals.cost_usd or 0
    assert (found.totals.cost_usd or 0) == total
    assert sum(each.cost_usd or 0 for each in found.groups) == total
    assert sum(usd or 0 for line in found.series.lines for usd in line.cost_usd) == total
    assert sum(n for line in found.series.lines for n in line.calls) == found.totals.calls
    assert len(found.series.lines) <= LINES + 1
    assert sum(each.difference_usd or 0 for each in found.groups) == (found.totals.difference_usd or 0)
    assert sum(each.calls for each in found.unpriced) == sum(found.totals.unpriced.values())


def test_groups_beyond_the_lines_are_one_line(house: House) -> None:
    """Nine groups are eight lines and the rest, which is what they leave."""
    house.write([call(n, response_model=f"m{n}", cost_usd=Decimal(n)) for n in range(1, 11)])
    found = ask(house)
    assert [line.names for line in found.series.lines][:2] == [["m10"], ["m9"]]
    rest = found.series.lines[-1]
    assert rest.other
    assert sum(usd or 0 for usd in rest.cost_usd) == 3
    assert [each.cost_usd for each in found.top_calls[:2]] == [10, 9]


def test_an_unknown_name_is_not_an_empty_one(house: House) -> None:
    """What nobody said and what is said to be nothing are two groups with a line each."""
    house.write([call(1, tenant=None, cost_usd=Decimal(1)), call(2, tenant="", cost_usd=Decimal(2))])
    found = ask(house, "tenant")
    lines = {line.names[0]: sum(usd or 0 for usd in line.cost_usd) for line in found.series.lines}
    assert lines == {"": 2, None: 1}


def test_unit_costs_say_what_they_divide(house: House) -> None:
    """A unit's cost is spend over its number; sessions of no tenant count, calls of no session do not."""
    task = {"kind": "task", "name": "t", "trace_id": "1" * 32, "version": 1, "time": NOON_NS}
    rows = [
        {**task, "task_id": f"t{n}", "span_id": f"{n:016x}", "status": status}
        for n, status in enumerate(["completed", "completed", "failed"])
    ]
    insert(house.engine, "tasks", rows)
    house.write(
        [
            call(1, cost_usd=Decimal(2), session="s", tenant="a"),
            call(2, cost_usd=Decimal(4), session="s", tenant="b"),
            call(3, cost_usd=Decimal(1)),
            call(4, cost_usd=Decimal(3), session="s"),
        ]
    )
    found = units(house)
    house.engine.execute("TRUNCATE TABLE store.tasks")
    assert {unit: (each.usd, each.count) for unit, each in found.items()} == {
        "successful task": (5, 2),
        "session": (3, 3),
        "tenant": (3, 2),
        "1,000 calls": (2500, 4),
    }
    assert found["1,000 calls"].spent_usd == 10


def test_a_unit_cost_that_is_unknown_says_why(house: House) -> None:
    """Without tasks, sessions, tenants or prices there is no figure, and a reason instead."""
    house.write([call(1, unpriced_reason="unknown_model")])
    for each in units(house).values():
        assert each.usd is None
        assert each.unknown


def test_a_bound_reader_exports_its_own(house: House) -> None:
    """Groups, top calls and the export are of the reader's tenant alone."""
    house.write([call(n, tenant="ab"[n % 2], cost_usd=Decimal(n)) for n in range(4)])
    bound = Scope(frozenset({"a"}))
    found = ask(house, "tenant", scope=bound)
    assert [(each.names, each.cost_usd) for each in found.groups] == [(["a"], 2)]
    assert {each.tenant for each in found.top_calls} == {"a"}
    question = CostsQuestion(asked=ASKED, by=("tenant",))
    exported = StoreReader(house.engine, scope=bound).answer(
        lambda engine, limits: cost_groups(engine, question, limits=limits)
    )
    assert [each.names for each in exported] == [["a"], []]


@pytest.mark.parametrize("by", [(), ("model", "model"), ("model", "tenant", "feature"), ("hour",), ("1=1",)])
def test_costs_by_what_makes_no_sense_are_refused(by: tuple[str, ...]) -> None:
    """One or two different dimensions that there are, and nothing else."""
    with pytest.raises(QueryError, match="costs"):
        CostsQuestion(asked=ASKED, by=by).checked()
