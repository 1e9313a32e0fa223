"""Agents and flows on a real store: the sums are usage's, outcomes are as told, what hangs is found."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, SECOND_NS, call, insert
from watchglass.errors import NotFound, QueryError
from watchglass.queries.agents.agent import AgentReport, agent_report
from watchglass.queries.agents.flows import FlowsReport, flows_report
from watchglass.queries.agents.question import AgentsQuestion, agents_question
from watchglass.queries.agents.report import AgentsReport, agents_report
from watchglass.queries.agents.series import MOST, steps
from watchglass.queries.figures import plus_money
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import EVERYTHING, Scope
from watchglass.queries.usage import UsageQuestion
from watchglass.store import Engine, open_store

MINUTE_NS, HOUR_NS = 60 * SECOND_NS, 3600 * SECOND_NS
NOW_NS = NOON_NS + 12 * HOUR_NS
LONG = "x" + "é" * 3000
"""An error's message with a character across every even count of bytes."""


def task(number: int, /, **columns: Any) -> dict[str, Any]:
    """A piece of work that took a second and went well, `number` seconds after noon."""
    base = {
        "task_id": f"t{number}",
        "trace_id": f"{number:032x}",
        "span_id": f"{number:016x}",
        "kind": "task",
        "name": "answer",
        "status": "completed",
        "time": NOON_NS + number * SECOND_NS,
        "duration_ns": SECOND_NS,
        "version": 1,
    }
    return {**base, **columns}


CALLS = [
    call(1, agent="writer", tenant="acme", flow="f1", flow_type="report", phase="draft", task_id="t1",
         request_model="m", input_tokens=10, output_tokens=2, cost_usd=Decimal("0.5")),
    call(2, agent="writer", tenant="acme", flow="f1", flow_type="report", phase="proof", task_id="t2",
         request_model="m", input_tokens=7, cost_usd=Decimal("0.25"), success=False, error_type="Timeout",
         error_message=LONG),
    call(3, agent="reader", tenant="umbrella", flow="f2", flow_type="intake",
         unpriced_reason="unknown_model"),
    call(4, tenant="acme", cost_usd=Decimal("0.000000000000000001")),
    call(5, agent="writer", tenant="acme", time=NOON_NS - 20 * HOUR_NS, cost_usd=Decimal(1)),
    call(6, agent="writer", tenant="acme", counted=False, not_counted_reason="duplicate",
         cost_usd=Decimal(9)),
    call(7, agent="slow", tenant="acme", task_id="t13", time=NOW_NS - 5 * MINUTE_NS, cost_usd=Decimal(2)),
]  # fmt: skip
WRITER = {"agent": "writer", "tenant": "acme", "flow": "f1", "flow_type": "report"}
TASKS = [
    task(1, **WRITER),
    task(2, **WRITER, status="failed", error_type="Timeout", error_message="no answer",
         duration_ns=3 * SECOND_NS),
    # The same piece of work told twice: the agent's run within its task.
    task(3, **WRITER, kind="agent", name="writer", parent_task_id="t1"),
    task(4, kind="agent", name="reader", agent="reader", tenant="umbrella", flow="f2", flow_type="intake"),
    task(5, kind="tool", name="search", agent="writer", tenant="acme", status="failed", error_message=LONG),
    task(6, agent="writer", tenant="acme", time=NOON_NS - 20 * HOUR_NS, flow="f0"),
    task(7, kind="flow", name="crew", tenant="acme", flow="f3", flow_type="report", outermost=True,
         status="failed", error_message=LONG, duration_ns=90 * SECOND_NS),
    # Hangs since noon, within a crew that therefore hangs too.
    task(8, kind="flow", name="crew", tenant="acme", status="running", duration_ns=None, outermost=True,
         flow="f4", flow_type="report"),
    task(9, name="hang", agent="slow", tenant="acme", parent_task_id="t8", status="starting",
         duration_ns=None, flow="f4", flow_type="report"),
    # Began long ago, but a call in it ended five minutes ago.
    task(13, name="busy", agent="slow", tenant="acme", status="running", duration_ns=None),
    # Silent for three hours, as long as its like usually take.
    *(task(n, name="long", agent="slow", tenant="acme", duration_ns=2 * HOUR_NS) for n in (14, 15)),
    task(16, name="long", agent="slow", tenant="acme", status="running", duration_ns=None,
         time=NOW_NS - 3 * HOUR_NS),
]  # fmt: skip


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with open_store(prepared(tmp_path_factory.mktemp("agents") / "data")) as opened:
        insert(opened.engine, "calls", CALLS)
        insert(opened.engine, "tasks", TASKS)
        yield opened.engine


def question(**filters: tuple[str, ...]) -> AgentsQuestion:
    return AgentsQuestion(since_ns=NOON_NS, until_ns=NOW_NS, now_ns=NOW_NS, filters=filters)


def agents(engine: Engine, *, scope: Scope = EVERYTHING, **filters: tuple[str, ...]) -> AgentsReport:
    asked = question(**filters)
    return StoreReader(engine, scope=scope).answer(lambda e, limits: agents_report(e, asked, limits))


def flows(engine: Engine, *, scope: Scope = EVERYTHING) -> FlowsReport:
    return StoreReader(engine, scope=scope).answer(lambda e, limits: flows_report(e, question(), limits))


def writer(engine: Engine) -> AgentReport:
    return StoreReader(engine).answer(lambda e, limits: agent_report(e, "writer", question(), limits))


@pytest.mark.parametrize("scope", [EVERYTHING, Scope(frozenset({"acme"})), Scope(frozenset())])
def test_sums_are_those_of_usage(engine: Engine, scope: Scope) -> None:
    """Agents' and flow types' calls and costs add up to the totals, which usage says too, in every scope."""
    asked = UsageQuestion(by=(), since_ns=NOON_NS, until_ns=NOW_NS)
    totals = StoreReader(engine, scope=scope).usage(asked).counted.totals
    by_agent, by_flow = agents(engine, scope=scope), flows(engine, scope=scope)
    rows_of = (
        ([row.now.spent for row in by_agent.agents], by_agent.totals.spent),
        ([row.now.spent for row in by_flow.flow_types], by_flow.totals.spent),
    )
    for rows, total in rows_of:
        cost: Decimal | None = None
        for row in rows:
            cost = plus_money(cost, row.cost_usd)
        assert (sum(row.calls for row in rows), cost) == (totals.calls, totals.cost_usd)
        assert (total.calls, total.cost_usd) == (totals.calls, totals.cost_usd)
    assert sum(by_agent.total_series.calls) == totals.calls
    phases = [phase.spent.calls for row in by_flow.flow_types for phase in row.phases]
    assert sum(phases) == totals.calls


def test_an_agents_work(engine: Engine) -> None:
    """A run within a task is the task's work; the cost of one that succeeded bears that of failures."""
    rows = {row.agent: row for row in agents(engine).agents}
    now = rows["writer"].now
    assert (now.work.tasks, now.work.completed, now.work.failed) == (2, 1, 1)
    assert (now.work.p50_duration_ns, now.work.p95_duration_ns) == (3 * SECOND_NS, 3 * SECOND_NS)
    assert now.cost_per_success_usd == Decimal("0.75")
    assert rows["reader"].now.work.completed == 1
    assert rows["reader"].now.cost_per_success_usd is None
    assert rows["reader"].now.spent.unpriced == {"unknown_model": 1}


@pytest.mark.parametrize("scope", [EVERYTHING, Scope(frozenset({"acme"})), Scope(frozenset({"umbrella"}))])
def test_work_is_that_of_the_history(engine: Engine, scope: Scope) -> None:
    """The page's tasks are the rows of `agent_task_history`, in every scope."""
    total = agents(engine, scope=scope).totals.work
    history = StoreReader(engine, scope=scope).query(
        "SELECT count(), countIf(status = 'completed'), countIf(status = 'failed') FROM agent_task_history "
        f"WHERE started_at >= fromUnixTimestamp64Nano({NOON_NS}, 'UTC') "
        f"AND started_at < fromUnixTimestamp64Nano({NOW_NS}, 'UTC')"
    )
    assert list(history.rows()) == [[total.tasks, total.completed, total.failed]]


def test_the_window_before(engine: Engine) -> None:
    """Beside the window stands the one before it, as long as this one; nothing later is in it."""
    report = agents(engine)
    before = {row.agent: row.before for row in report.agents}["writer"]
    assert (before.spent.cost_usd, before.work.tasks) == (None, 0)
    day = question()
    longer = AgentsQuestion(since_ns=day.since_ns, until_ns=NOON_NS + 24 * HOUR_NS, now_ns=NOW_NS)
    found = StoreReader(engine).answer(lambda e, limits: agents_report(e, longer, limits))
    before = {row.agent: row.before for row in found.agents}["writer"]
    assert (before.spent.cost_usd, before.work.tasks) == (1, 1)
    assert (found.active, found.active_before) == (3, 1)


def test_what_is_stuck(engine: Engine) -> None:
    """Stuck is what is silent for longer than its like take: not what still makes calls, not what is slow,
    and of a task that hangs and the crew around it only the task."""
    report = agents(engine)
    (found,) = report.stuck
    assert (found.task_id, found.agent, found.status) == ("t9", "slow", "starting")
    assert found.quiet_ns == NOW_NS - (NOON_NS + 9 * SECOND_NS)
    assert (found.allowed_ns, found.usual_ns, found.ended) == (30 * MINUTE_NS, None, 0)
    assert {row.agent: row.stuck for row in report.agents}["slow"] == 1
    assert [each.task_id for each in report.failures] == ["t2"]
    assert report.failures[0].error_message == "no answer"


def test_flows_end_as_they_say(engine: Engine) -> None:
    """A run's own span says how it ended; without one its tasks do; a histogram has each ended run once."""
    report = flows(engine)
    rows = {row.flow_type: row for row in report.flow_types}
    runs = rows["report"].now.runs
    assert (runs.runs, runs.failed, runs.running, runs.completed, runs.unknown) == (3, 2, 1, 0, 0)
    assert rows["intake"].now.runs.completed == 1
    assert rows["report"].now.cost_per_run_usd == Decimal("0.25")
    assert rows["report"].now.tokens_per_run == 6
    assert [phase.phase for phase in rows["report"].phases] == ["draft", "proof"]
    assert sum(rows["report"].histogram) == 2
    assert sum(rows["report"].runs) == 3
    assert report.totals.runs.runs == 4
    assert [(each.flow, each.error_message) for each in report.failures] == [
        ("f3", LONG[:2000]),
        ("f1", "no answer"),
    ]


def test_one_agent(engine: Engine) -> None:
    """An agent's page has its figures, its tasks with their cost, its tools, and what failed in it."""
    report = writer(engine)
    listed = {row.agent: row.now for row in agents(engine).agents}["writer"]
    assert report.now == listed
    assert [(each.task_id, each.calls, each.cost_usd) for each in report.latest] == [
        ("t2", 1, Decimal("0.25")),
        ("t1", 1, Decimal("0.5")),
    ]
    assert [(each.name, each.work.failed) for each in report.tools] == [("search", 1)]
    assert [(each.error_type, each.calls) for each in report.call_failures] == [("Timeout", 1)]
    assert [each.error_message for each in report.call_failures] == [LONG[:2000]]
    assert [each.error_message for each in report.failures] == [LONG[:2000], "no answer"]
    assert sum(report.histogram) == 2


def test_an_agent_that_is_not_there(engine: Engine) -> None:
    """An agent that did nothing in the time asked about is not found, with what to do."""
    with pytest.raises(NotFound, match="longer time"):
        StoreReader(engine).answer(lambda e, limits: agent_report(e, "nobody", question(), limits))


def test_a_tenant_sees_its_own(engine: Engine) -> None:
    """Agents, work, runs and what hangs of other tenants are not in a tenant's answer, and no empty row for
    what names no agent, which another tenant has."""
    scope = Scope(frozenset({"umbrella"}))
    report, runs = agents(engine, scope=scope), flows(engine, scope=scope)
    assert [row.agent for row in report.agents] == ["reader"]
    assert (report.stuck, report.failures, runs.failures) == ([], [], [])
    assert [row.flow_type for row in runs.flow_types] == ["intake"]


def test_filters(engine: Engine) -> None:
    """A filter holds for calls and for work alike; '' keeps what has none."""
    report = agents(engine, tenant=("umbrella",))
    assert (report.totals.spent.calls, report.totals.work.tasks) == (1, 1)
    assert agents(engine, agent=("",)).totals.spent.calls == 1


@pytest.mark.parametrize(
    "items",
    [
        [("colour", "red")],
        [("since", "yesterday")],
        [("since", "1h"), ("until", "2h")],
        [("since", "1900-01-01")],
    ],
)
def test_senseless_questions_are_refused(items: list[tuple[str, str]]) -> None:
    """A name that means nothing, and a window that is none, are errors."""
    with pytest.raises(QueryError):
        agents_question(items, NOW_NS)


@pytest.mark.parametrize(("hours", "count"), [(1, 1), (48, 48), (24 * 30, 60), (24 * 365, 53)])
def test_steps_are_few_and_whole(hours: int, count: int) -> None:
    """A window is cut into at most some sixty steps, of which the first holds its start."""
    asked = AgentsQuestion(since_ns=NOON_NS, until_ns=NOON_NS + hours * HOUR_NS, now_ns=NOW_NS)
    found = steps(asked)
    assert found.count == count <= MOST
    assert found.first_s * SECOND_NS <= NOON_NS < (found.first_s + found.width_s) * SECOND_NS
