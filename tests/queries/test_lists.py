"""Lists on a real store: every row once, newest first, whatever the page; filters; cursors that hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.new_store import prepared
from tests.stored_rows import NOON_NS, SECOND_NS, call, insert, span
from watchglass.errors import QueryError
from watchglass.queries.lists.question import SUBJECTS, ListQuestion, Page, list_items, list_question
from watchglass.queries.lists.subjects import LISTED
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import Scope
from watchglass.store import Engine, open_store

TABLES = ("calls", "spans", "tasks")
HOUR = 3600
NOW_NS = NOON_NS + HOUR * SECOND_NS
Ask = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with open_store(prepared(tmp_path_factory.mktemp("lists") / "data")) as opened:
        yield opened.engine


@pytest.fixture(scope="module")
def put(engine: Engine) -> Callable[..., None]:
    """Empty the store and put these rows in."""

    def putting(**rows: list[dict[str, Any]]) -> None:
        for table in TABLES:
            engine.execute(f"TRUNCATE TABLE store.{table}")
            if rows.get(table):
                insert(engine, table, rows[table])

    return putting


def task(number: int, /, **columns: Any) -> dict[str, Any]:
    trace_id, span_id = columns.get("trace_id", f"{number:032x}"), f"{number:016x}"
    return {
        "task_id": f"{trace_id}:{span_id}",
        "trace_id": trace_id,
        "span_id": span_id,
        "kind": "task",
        "name": f"task {number}",
        "status": "completed",
        "time": NOON_NS + number * SECOND_NS,
        "completed": NOON_NS + (number + 1) * SECOND_NS,
        "duration_ns": SECOND_NS,
        "version": 1,
        **columns,
    }


def asked(engine: Engine, subject: str, scope: Scope | None = None, **items: Any) -> Page:
    pairs = [(name, str(value)) for name, given in items.items() for value in _each(given)]
    question = list_question(subject, pairs, NOW_NS, LISTED[subject].askable)
    reader = StoreReader(engine) if scope is None else StoreReader(engine, scope=scope)
    return reader.page(question, NOW_NS)


def _each(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def walked(engine: Engine, subject: str, **items: Any) -> list[Any]:
    """Every row, page by page."""
    rows: list[Any] = []
    found = asked(engine, subject, **items)
    while True:
        rows += found.rows
        if found.next is None:
            return rows
        found = asked(engine, subject, **items, cursor=found.next)


def test_calls_newest_first(engine: Engine, put: Callable[..., None]) -> None:
    """Only calls that count are listed, unless all are asked for."""
    put(
        calls=[
            call(1, tenant="a"),
            call(2, tenant="b", cost_usd=Decimal("0.50")),
            call(3, counted=False, not_counted_reason="duplicate"),
        ]
    )
    found = asked(engine, "calls")
    assert [(row.tenant, row.cost_usd) for row in found.rows] == [("b", Decimal("0.5")), ("a", None)]
    assert found.rows[0].time == "2026-01-01T12:00:02.000000000Z"
    assert found.next is None
    assert len(asked(engine, "calls", counted="any").rows) == 3
    assert [row.not_counted_reason for row in asked(engine, "calls", counted="false").rows] == ["duplicate"]


def test_filters(engine: Engine, put: Callable[..., None]) -> None:
    """A filter given twice means either, an empty one the rows where nobody said."""
    put(calls=[call(1, tenant="a"), call(2, tenant="b", success=False), call(3), call(4, tenant="c")])
    assert [row.tenant for row in asked(engine, "calls", tenant=["a", "b"]).rows] == ["b", "a"]
    assert [row.tenant for row in asked(engine, "calls", tenant="").rows] == [None]
    assert [row.tenant for row in asked(engine, "calls", success="false").rows] == ["b"]
    assert [row.tenant for row in asked(engine, "calls", filter="tenant=c").rows] == ["c"]


def test_smallest_figures_and_orders(engine: Engine, put: Callable[..., None]) -> None:
    """The dearest first, unpriced last; and only those from an amount on."""
    costs = [None, "0.000000000000000001", "3", "0.2", "3"]
    put(calls=[call(n, cost_usd=None if cost is None else Decimal(cost)) for n, cost in enumerate(costs)])
    found = walked(engine, "calls", sort="cost", limit=2)
    assert [row.cost_usd for row in found] == [
        Decimal(3),
        Decimal(3),
        Decimal("0.2"),
        Decimal("0.000000000000000001"),
        None,
    ]
    assert [row.call_id for row in found[:2]] == [f"{n:032x}:{n:016x}" for n in (4, 2)]
    assert len(asked(engine, "calls", min_cost_usd="0.2").rows) == 3


@pytest.mark.parametrize(
    "items",
    [
        {"colour": "red"},
        {"sort": "colour"},
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "many"},
        {"counted": "perhaps"},
        {"min_cost_usd": "NaN"},
        {"since": "1h", "until": "2h"},
        {"cursor": "nonsense"},
    ],
)
def test_what_means_nothing_is_an_error(engine: Engine, items: dict[str, str]) -> None:
    """Ignoring a word would answer another question."""
    with pytest.raises(QueryError):
        asked(engine, "calls", **items)


def test_a_cursor_continues_its_own_question_only(engine: Engine, put: Callable[..., None]) -> None:
    """With other filters it would skip rows without anybody's noticing."""
    put(calls=[call(n, tenant="a") for n in range(5)])
    cursor = asked(engine, "calls", tenant="a", limit=2).next
    assert len(asked(engine, "calls", tenant="a", limit=50, cursor=cursor).rows) == 3
    with pytest.raises(QueryError, match="another question"):
        asked(engine, "calls", tenant="b", cursor=cursor)


def test_rows_that_come_meanwhile_shift_nothing(engine: Engine, put: Callable[..., None]) -> None:
    """A page goes on where the one before ended, though newer rows have come."""
    put(calls=[call(n) for n in range(4)])
    first = asked(engine, "calls", limit=2)
    insert(engine, "calls", [call(9)])
    second = asked(engine, "calls", limit=2, cursor=first.next)
    assert [row.call_id[:32] for row in (*first.rows, *second.rows)] == [f"{n:032x}" for n in (3, 2, 1, 0)]


TIMES = st.lists(st.one_of(st.integers(-5, 5), st.integers(-40 * 24 * HOUR, HOUR)), min_size=0, max_size=30)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times=TIMES, limit=st.integers(1, 7), groups=st.integers(1, 6), data=st.data())
def test_pages_are_the_whole(
    engine: Engine, put: Callable[..., None], times: list[int], limit: int, groups: int, data: st.DataObject
) -> None:
    """Whatever the times and the size of a page: every row and every group once, in order."""
    calls, spans, tasks = [], [], []
    for number, second in enumerate(times):
        at, trace = NOON_NS + second * SECOND_NS, f"{number % groups:032x}"
        named = {"session": f"s{number % groups}", "flow": f"f{number % groups}", "tenant": f"t{number % 2}"}
        calls.append(call(number, time=at, trace_id=trace, **named))
        spans.append(span(number, start_time=at, trace_id=trace))
        tasks.append(task(number, time=at, trace_id=trace, **named))
    put(calls=calls, spans=spans, tasks=tasks)
    subject = data.draw(st.sampled_from(SUBJECTS))
    rows = walked(engine, subject, limit=limit)
    keys = {
        "calls": [(row["time"], row["call_id"]) for row in calls],
        "tasks": [(row["time"], row["task_id"]) for row in tasks],
    }
    if subject in keys:
        assert [getattr(row, LISTED[subject].id) for row in rows] == [
            key for _, key in sorted(keys[subject], reverse=True)
        ]
        return
    names = {"traces": "trace_id", "sessions": "session", "flows": "flow"}
    found = [(getattr(row, names[subject]), row.tenant if subject != "traces" else None) for row in rows]
    expected = {(row[names[subject]], row["tenant"] if subject != "traces" else None) for row in calls}
    assert set(found) == expected and len(found) == len(expected)
    assert [row.last for row in rows] == sorted((row.last for row in rows), reverse=True)
    assert sum(row.calls for row in rows) == len(calls)


def test_sessions_sum_up(engine: Engine, put: Callable[..., None]) -> None:
    """A session's figures are those of its counted calls; two tenants may use one name."""
    put(
        calls=[
            call(1, session="s", tenant="a", cost_usd=Decimal("0.1"), input_tokens=5),
            call(2, session="s", tenant="a", cost_usd=None, success=False),
            call(3, session="s", tenant="b", cost_usd=Decimal("7")),
            call(4, session="s", tenant="a", counted=False, cost_usd=Decimal("9")),
            call(5, tenant="a"),
        ]
    )
    b, a = asked(engine, "sessions").rows
    assert (b.session, b.tenant, b.cost_usd) == ("s", "b", Decimal(7))
    assert (a.calls, a.failed_calls, a.unpriced_calls, a.cost_usd, a.input_tokens) == (
        2,
        1,
        1,
        Decimal("0.1"),
        5,
    )


@pytest.mark.parametrize("subject", ["sessions", "flows", "traces"])
def test_a_row_that_changed_hides_no_group(engine: Engine, put: Callable[..., None], subject: str) -> None:
    """What was known before of a row, and rows that do not count, only say where to look."""
    named = [{"trace_id": f"{n:032x}", "session": f"s{n}", "flow": f"f{n}"} for n in range(5)]
    spans = [span(n, trace_id=f"{n:032x}") for n in range(5)]
    calls = [call(n, **each) for n, each in enumerate(named)]
    earlier = [{**calls[1], "time": NOON_NS + 90 * SECOND_NS}, {**calls[2], "time": NOON_NS + 3 * SECOND_NS}]
    put(spans=spans, calls=earlier)
    insert(engine, "spans", [{**spans[1], "start_time": NOON_NS + 90 * SECOND_NS, "version": 0}])
    insert(engine, "calls", [{**each, "version": 2} for each in calls])
    insert(engine, "calls", [call(80, **named[0], counted=False)])
    for limit in (1, 2, 3, 10):
        found = walked(engine, subject, limit=limit)
        assert [row.last[17:19] for row in found] == ["04", "03", "02", "01", "00"], limit


def test_flows_agree_with_their_table(engine: Engine, put: Callable[..., None]) -> None:
    """The list says of a flow what table `flows` says."""
    flow = f"{1:032x}:{1:016x}"
    put(
        tasks=[
            task(1, kind="flow", name="crew", flow=flow, flow_type="crew", status="failed", outermost=True),
            task(2, flow=flow, flow_type="crew", trace_id=f"{1:032x}", status="failed"),
            task(3, flow="named", status="completed"),
            # A flow within a flow fails, and the run does not.
            task(7, kind="flow", name="outer", flow="run", status="completed", outermost=True),
            task(8, kind="flow", name="inner", flow="run", status="failed", trace_id=f"{7:032x}"),
        ],
        calls=[call(5, flow=flow, flow_type="crew", cost_usd=Decimal("0.3")), call(6, flow="bare")],
    )
    listed = {row.flow: row for row in asked(engine, "flows").rows}
    names = ("flow", "flow_type", "phase", "name", "status", "tenant", "trace_id", "duration_ns")
    table = StoreReader(engine).query(f"SELECT {', '.join(names)} FROM flows")
    for values in table.rows():
        row = listed.pop(str(values[0]))
        assert [getattr(row, name) for name in names] == values
    assert not listed
    failed = asked(engine, "flows", status="failed").rows
    assert [(row.flow, row.tasks, row.failed_tasks, row.cost_usd) for row in failed] == [
        (flow, 1, 1, Decimal("0.3"))
    ]


def test_traces_with_and_without_calls(engine: Engine, put: Callable[..., None]) -> None:
    """A trace is listed whether it holds calls or not, and found by what its calls say."""
    put(
        spans=[
            span(1, trace_id=f"{1:032x}", name="root", service="web", duration_ns=9 * SECOND_NS),
            span(2, trace_id=f"{1:032x}", parent_span_id=f"{1:016x}", name="chat", status=2),
            span(3, trace_id=f"{2:032x}", name="cron"),
        ],
        calls=[call(2, trace_id=f"{1:032x}", agent="writer", cost_usd=Decimal("0.2"))],
    )
    cron, root = asked(engine, "traces").rows
    assert (cron.name, cron.calls, cron.cost_usd) == ("cron", 0, None)
    assert (root.name, root.service, root.spans, root.errors) == ("root", "web", 2, 1)
    assert (root.calls, root.cost_usd, root.duration_ns) == (1, Decimal("0.2"), 9 * SECOND_NS)
    assert [row.name for row in asked(engine, "traces", agent="writer").rows] == ["root"]
    assert [row.name for row in asked(engine, "traces", errors="false").rows] == ["cron"]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_tenant_sees_its_own(engine: Engine, put: Callable[..., None], subject: str) -> None:
    """No list shows a row of another tenant."""
    rows = [(1, "a"), (2, "b")]
    put(
        calls=[call(n, tenant=tenant, session=f"s{n}", flow=f"f{n}") for n, tenant in rows],
        spans=[span(n, tenant=tenant, trace_id=f"{n:032x}") for n, tenant in rows],
        tasks=[task(n, tenant=tenant, flow=f"f{n}") for n, tenant in rows],
    )
    found = asked(engine, subject, Scope(frozenset({"a"}))).rows
    assert [row.tenant for row in found] == ["a"]
    assert asked(engine, subject, Scope(frozenset())).rows == []


@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_became_anothers_is_anothers(engine: Engine, put: Callable[..., None], subject: str) -> None:
    """A row that settling gave to another tenant is not shown to the first as it was before."""
    named = {"trace_id": f"{1:032x}", "session": "s", "flow": "f"}
    for version, tenant in ((1, "a"), (2, "b")):
        rows = {
            "calls": [call(1, **named, tenant=tenant, version=version)],
            "spans": [span(1, trace_id=named["trace_id"], tenant=tenant, version=version)],
            "tasks": [task(1, trace_id=named["trace_id"], flow="f", tenant=tenant, version=version)],
        }
        if version == 1:
            put(**rows)
        else:
            for table, each in rows.items():
                insert(engine, table, each)
    assert asked(engine, subject, Scope(frozenset({"a"}))).rows == []
    assert [row.tenant for row in asked(engine, subject, Scope(frozenset({"b"}))).rows] == ["b"]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_question_survives_its_items(subject: str) -> None:
    """What is sent to a server is what was asked here."""
    askable = LISTED[subject].askable
    filters = {name: ("x", "") for name in askable.filters}
    filters |= {name: (next(filter(None, known)),) for name, known in askable.flags.items()}
    question = ListQuestion(
        subject=subject,
        since_ns=5,
        until_ns=10**18 + 7,
        filters=filters,
        least={name: Decimal("1.5") for name in askable.least},
        limit=7,
        cursor="c",
    )
    assert list_question(subject, list_items(question), 0, askable) == question
