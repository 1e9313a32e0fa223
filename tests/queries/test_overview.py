"""The first page: its figures are those of `usage`, and what it says of changes adds up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rolled_house import House
from tests.stored_rows import NOON_NS, SECOND_NS, call, insert
from watchglass.clock import ManualClock
from watchglass.errors import QueryError
from watchglass.queries.agents.question import AgentsQuestion
from watchglass.queries.agents.report import agents_report
from watchglass.queries.contributions import Contribution
from watchglass.queries.overview import Overview, WindowFigures, overview
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import Scope
from watchglass.queries.usage import UsageQuestion
from watchglass.queries.windows_compared import Compared
from watchglass.store import Store
from watchglass.store.rollup_hours import HOUR_NS

WINDOW_NS = 3 * HOUR_NS
ASKED = Compared(since_ns=NOON_NS, until_ns=NOON_NS + WINDOW_NS)


def ask(house: House, asked: Compared = ASKED, scope: Scope | None = None) -> Overview:
    reader = StoreReader(house.engine, **({"scope": scope} if scope else {}))
    return reader.answer(lambda engine, limits: overview(engine, asked, limits=limits))


def added(rows: list[Contribution], name: str) -> Any:
    known = [value for row in rows if (value := getattr(row, name)) is not None]
    return sum(known) if known else None


NAMES = st.sampled_from(["a", "b", "c", None])
CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "time": st.integers(NOON_NS - WINDOW_NS - HOUR_NS, NOON_NS + WINDOW_NS + HOUR_NS),
            "tenant": NAMES,
            "feature": NAMES,
            "agent": NAMES,
            "provider": NAMES,
            "response_model": st.sampled_from([f"m{n}" for n in range(9)] + [None]),
            "cost_usd": st.none() | st.decimals(0, 10, places=18),
            "input_tokens": st.none() | st.integers(0, 1000),
            "duration_ns": st.none() | st.integers(0, 10**11),
            "success": st.booleans(),
        }
    ),
    max_size=40,
)


@settings(max_examples=12)
@given(calls=CALLS, kept=st.booleans(), late=st.integers(0, 20), tenant=st.none() | st.just("a"))
def test_figures_are_those_of_usage_and_contributions_add_up(
    opened: tuple[Store, ManualClock], calls: list[dict[str, Any]], kept: bool, late: int, tenant: str | None
) -> None:
    """Whatever was written, and whether the rollup answers or the calls: both windows' figures are what
    `usage` says of them, and each dimension's contributions are the difference, to the last digit."""
    house = House(*opened)
    rows = [
        call(n, **each, unpriced_reason=None if each["cost_usd"] is not None else "unknown_model")
        for n, each in enumerate(calls)
    ]
    house.write(rows[late:])
    if kept:
        house.keep()
    house.write(rows[:late])
    filters = {"tenant": (tenant,)} if tenant else {}
    asked = Compared(since_ns=ASKED.since_ns + 7, until_ns=ASKED.until_ns + 7, filters=filters)
    found = ask(house, asked)
    reader = StoreReader(house.rows)
    spans = ((found.before, asked.before_ns, asked.since_ns), (found.now, asked.since_ns, asked.until_ns))
    for side, since_ns, until_ns in spans:
        said = reader.usage(UsageQuestion(by=(), since_ns=since_ns, until_ns=until_ns, filters=filters))
        same_as_usage(side, said.counted.totals)
    for changed in found.changed:
        for listed in (changed.spend, changed.errors):
            assert (added(listed, "difference_usd") or 0) == (found.difference_usd or 0)
            assert (added(listed, "cost_usd") or 0) == (found.now.cost_usd or 0)
            assert sum(row.calls for row in listed) == found.now.calls
            assert sum(row.calls_before for row in listed) == found.before.calls
            assert sum(row.failed - row.failed_before for row in listed) == found.failed_difference
            for row in listed:
                if row.difference_usd is not None:
                    assert row.volume_usd is not None
                    assert row.per_call_usd is not None
                    assert row.volume_usd + row.per_call_usd == row.difference_usd
    assert sum(point.calls for point in found.series) == found.now.calls
    assert sum(point.cost_usd or 0 for point in found.series) == (found.now.cost_usd or 0)
    assert sum(each.calls for each in found.providers) == found.now.calls


def same_as_usage(side: WindowFigures, totals: Any) -> None:
    names = ("calls", "failed_calls", "priced_calls", "unpriced", "input_tokens", "output_tokens")
    assert {name: getattr(side, name) for name in names} == {name: getattr(totals, name) for name in names}
    assert side.cost_usd == (totals.cost_usd if totals.calls else 0)
    assert side.p95_ns == totals.p95_duration_ns
    null = {name for name in WindowFigures.__struct_fields__ if getattr(side, name) is None}
    assert null == side.unknown.keys()
    assert all(side.unknown.values())


def test_the_window_before_is_as_long_and_ends_where_the_window_begins(house: House) -> None:
    """A call at the first nanosecond of either window is in it, one at its end is not."""
    edges = [ASKED.before_ns - 1, ASKED.before_ns, ASKED.since_ns - 1, ASKED.since_ns]
    edges += [ASKED.until_ns - 1, ASKED.until_ns]
    house.write([call(n, time=ns) for n, ns in enumerate(edges)])
    for _ in range(2):
        found = ask(house)
        assert (found.before.calls, found.now.calls) == (2, 2)
        assert (found.before.since, found.before.until) == (
            "2026-01-01T09:00:00.000000000Z",
            "2026-01-01T12:00:00.000000000Z",
        )
        house.keep()


def test_records_younger_than_the_window_before_are_said(house: House) -> None:
    """Calls in the second half of the window before alone say when they begin; earlier ones say nothing."""
    house.write([call(1, time=NOON_NS - HOUR_NS // 4), call(2, time=NOON_NS)])
    late = ask(house).before_begins_late
    assert late is not None
    assert late <= "2026-01-01T11:45:00.000000000Z"
    house.write([call(3, time=ASKED.before_ns)])
    assert ask(house).before_begins_late is None


def test_what_a_difference_is_made_of(house: House) -> None:
    """More calls at the former cost of a call are volume, what a call costs more is the other part; what
    is new or gone is volume."""
    before, now = NOON_NS - HOUR_NS, NOON_NS + HOUR_NS
    house.write(
        [call(n, time=before + n, response_model="grown", cost_usd=Decimal(1)) for n in range(2)]
        + [call(9, time=before, response_model="gone", cost_usd=Decimal(5))]
        + [call(n, time=now + n, response_model="grown", cost_usd=Decimal(2)) for n in range(10, 13)]
        + [call(20, time=now, response_model="new", cost_usd=Decimal("0.5"))]
        + [call(21, time=now, response_model="dark", unpriced_reason="unknown_model")]
    )
    found = ask(house)
    [by_model] = [each for each in found.changed if each.by == "model"]
    parts = {row.name: (row.difference_usd, row.volume_usd, row.per_call_usd) for row in by_model.spend}
    assert parts == {
        "gone": (-5, -5, 0),
        "grown": (4, 1, 3),
        "new": (Decimal("0.5"), Decimal("0.5"), 0),
        "dark": (None, None, None),
    }
    assert found.difference_usd == Decimal("-0.5")
    assert found.now.unpriced == {"unknown_model": 1}


def test_targets_say_whether_they_are_met(house: House) -> None:
    """One failed call in a hundred is below the target of errors, one in ten is not; what is unknown is
    neither."""
    house.write([call(n, success=n % 10 != 0, input_tokens=10, duration_ns=SECOND_NS) for n in range(20)])
    found = {(each.of, each.figure): each.met for each in ask(house).targets}
    assert found[("calls", "error_share")] is False
    assert found[("calls", "p95_ns")] is True
    assert found[("calls", "cache_share")] is None
    assert found[("tasks", "success_share")] is None


def test_tasks_and_errors(house: House) -> None:
    """Tasks that ended are judged, and agents' runs that are within none, as on the page about agents, and an
    agent of tasks alone is active on both; the commonest error comes first, with its latest trace."""
    task = {"kind": "task", "name": "t", "trace_id": "1" * 32, "version": 1, "agent": "told of"}
    run = {**task, "kind": "agent", "status": "completed", "time": NOON_NS + 9, "task": "a name, and no row"}
    insert(
        house.engine,
        "tasks",
        [
            {**task, "task_id": f"t{n}", "span_id": f"{n:016x}", "status": status, "duration_ns": 5,
             "time": NOON_NS + n}
            for n, status in enumerate(["completed", "completed", "failed", "running"])
        ] + [
            {**run, "task_id": "alone", "span_id": f"{8:016x}"},
            {**run, "task_id": "within", "span_id": f"{9:016x}", "parent_task_id": "t0"},
        ],
    )  # fmt: skip
    failed = {"success": False, "error_type": "Timeout", "response_model": "m"}
    house.write(
        [
            call(1, **failed),
            call(2, **failed, error_message="too slow"),
            call(3, success=False),
            call(4, agent="called"),
        ]
    )
    found = ask(house)
    asked = AgentsQuestion(since_ns=ASKED.since_ns, until_ns=ASKED.until_ns, now_ns=ASKED.until_ns)
    agents = StoreReader(house.engine).answer(lambda engine, limits: agents_report(engine, asked, limits))
    house.engine.execute("TRUNCATE TABLE store.tasks")
    assert (found.now.tasks.completed, found.now.tasks.failed, found.now.tasks.running) == (3, 1, 1)
    assert (agents.totals.work.completed, agents.totals.work.failed) == (3, 1)
    assert (found.now.active_agents, found.before.active_agents) == (agents.active, 0) == (2, 0)
    assert found.now.tasks.success_share == pytest.approx(3 / 4)
    assert found.before.tasks.unknown["success_share"] == "no task began in this window"
    assert [(each.error_type, each.calls) for each in found.errors.errors] == [("Timeout", 2), (None, 1)]
    assert found.errors.errors[0].trace_id == f"{2:032x}"
    assert found.errors.errors[0].message == "too slow"
    assert (found.errors.looked_at, found.errors.whole_window) == (3, True)


def test_a_bound_reader_sees_its_own(house: House) -> None:
    """Figures, contributions and errors are of the reader's tenant alone."""
    house.write([call(n, tenant="ab"[n % 2], cost_usd=Decimal(1), success=n > 1) for n in range(5)])
    found = ask(house, scope=Scope(frozenset({"b"})))
    assert (found.now.calls, found.now.cost_usd) == (2, 2)
    names = {row.name for each in found.changed if each.by == "tenant" for row in each.spend}
    assert names == {"b"}
    assert found.errors.looked_at == 1


@pytest.mark.parametrize(("since_ns", "until_ns"), [(5, 5), (6, 5), (-1, 5), (0, 2**63)])
def test_a_window_that_makes_no_sense_is_refused(since_ns: int, until_ns: int) -> None:
    """It must end after it begins, within the time that moments can say."""
    with pytest.raises(QueryError, match=r"must (end later|lie between)"):
        Compared(since_ns=since_ns, until_ns=until_ns).checked()
