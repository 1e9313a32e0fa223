"""Executions told while they go on: starting, running and ended, in any order, by whomever, however often."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.new_store import prepared
from tests.otlp_bodies import START_NS, chat, pairs, request
from watchglass.clock import SystemClock
from watchglass.ingest.prepare import Prepared, prepare
from watchglass.ingest.settle_rows import SettleRows
from watchglass.pricing.book import PriceBook
from watchglass.queries.reader import StoreReader
from watchglass.queries.scope import Scope
from watchglass.store import Store, open_store

SECOND = 10**9
STEPS = "watchglass.steps"
RESOURCE = {"service.name": "shop", "service.instance.id": "shop-1"}


class House:
    """A store, and the write path up to settling."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._book = PriceBook(())
        self._settle = SettleRows(store.engine, self._book, store.versions)

    def send(self, body: ExportLogsServiceRequest | Any, owner: str = "") -> Prepared:
        """One request, written and settled."""
        signal = "logs" if isinstance(body, ExportLogsServiceRequest) else "traces"
        prepared = prepare(signal, body.SerializeToString(), "protobuf", self._book, START_NS, owner)
        for table, batch in prepared.batches.items():
            self.store.engine.insert(f"store.{table}", [batch])
        self._settle(prepared.sighting.touched)
        return prepared

    def ask(self, sql: str, scope: Scope | None = None) -> list[dict[str, Any]]:
        """What a reader sees."""
        reader = (
            StoreReader(self.store.engine) if scope is None else StoreReader(self.store.engine, scope=scope)
        )
        answer = reader.query(sql)
        return [dict(zip(answer.names, row, strict=True)) for row in answer.rows()]

    def task(self, task_id: str) -> dict[str, Any]:
        """The only row of an execution."""
        (row,) = self.ask(f"SELECT * FROM tasks WHERE task_id = '{task_id}'")
        return row

    def history(self, task_id: str) -> dict[str, Any]:
        """The only row of an execution, as the teams read it."""
        (row,) = self.ask(f"SELECT * FROM agent_task_history WHERE task_id = '{task_id}'")
        return row


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One store for all tests of this file; each has traces of its own."""
    data = tmp_path_factory.mktemp("data")
    with open_store(prepared(data), program="tests", address="nowhere", clock=SystemClock()) as store:
        yield House(store)


def event(name: str, trace: int, span: int = 2, at: int = 0, **attributes: Any) -> ExportLogsServiceRequest:
    """One event of the SDK; `__` in an attribute's name stands for a dot."""
    body = ExportLogsServiceRequest()
    group = body.resource_logs.add()
    group.resource.attributes.extend(pairs(RESOURCE))
    holder = group.scope_logs.add()
    holder.scope.name = STEPS
    record = holder.log_records.add()
    record.event_name = name
    record.time_unix_nano = START_NS + at * SECOND
    record.trace_id, record.span_id = trace.to_bytes(16, "big"), span.to_bytes(8, "big")
    record.attributes.extend(pairs({key.replace("__", "."): value for key, value in attributes.items()}))
    return body


def about(task_id: str, **more: Any) -> dict[str, Any]:
    """What the event and the span of a task have in common."""
    return {
        "gen_ai__operation__name": "execute_task",
        "gen_ai__task__name": "readiness",
        "gen_ai__task__input": '{"a":1}',
        "gen_ai__agent__name": "assessor",
        "watchglass__task": "readiness",
        "watchglass__task__id": task_id,
        "watchglass__metadata__batch": "7",
        **more,
    }


def told(state: str, trace: int, **more: Any) -> ExportLogsServiceRequest:
    """A step event of the task that is called as its trace."""
    if state == "running":
        more["watchglass__step__running_ns"] = START_NS + SECOND
    at = 1 if state == "running" else 0
    return event(
        "watchglass.step",
        trace,
        at=at,
        **about(f"t{trace}", **more),
        watchglass__step__kind="task",
        watchglass__step__name="readiness",
        watchglass__step__state=state,
        watchglass__step__started_ns=START_NS,
    )


def ended(trace: int, error: str | None = None, span: int = 2, parent: int = 0, **more: Any) -> Any:
    """The span of the same task, five seconds long."""
    made = chat(trace, span, parent, "execute_task readiness")
    del made.attributes[:]
    more["watchglass__step__running_ns"] = START_NS + SECOND
    if error is None:
        more["gen_ai__task__output"] = "ready"
    else:
        more["error__type"] = error
        made.status.code, made.status.message = Status.STATUS_CODE_ERROR, "no answer"
    named = {key.replace("__", "."): value for key, value in about(f"t{trace}", **more).items()}
    made.attributes.extend(pairs(named))
    made.kind = Span.SPAN_KIND_INTERNAL
    made.end_time_unix_nano = START_NS + 5 * SECOND
    return request(made, scope=STEPS, resource=RESOURCE)


def test_a_task_that_never_gets_further_is_seen_as_starting(house: House) -> None:
    """Its row is there from its first event, with agent, input and metadata, and no end."""
    house.send(told("starting", 1, watchglass__tenant="acme", watchglass__flow__id="f"))
    row = house.history("t1")
    assert (row["status"], row["completed_at"], row["duration_ms"]) == ("starting", None, None)
    assert (row["agent_name"], row["task_name"], row["flow_id"]) == ("assessor", "readiness", "f")
    assert (row["client_account_id"], row["metadata"]) == ("acme", '{"batch":"7"}')
    assert house.ask(f"SELECT content FROM messages WHERE hash = '{row['input_context']}'") == [
        {"content": '{"a":1}'}
    ]
    assert house.task("t1")["states"] == {"starting": START_NS}


def test_starting_running_completed(house: House) -> None:
    """Each state shows as soon as it is told, and the last row has the history of all."""
    house.send(told("starting", 2))
    house.send(told("running", 2))
    assert house.task("t2")["states"] == {"starting": START_NS, "running": START_NS + SECOND}
    assert house.history("t2")["status"] == "running"
    house.send(ended(2))
    row, history = house.task("t2"), house.history("t2")
    assert (history["status"], history["duration_ms"]) == ("completed", 5000)
    assert list(row["states"].items()) == [
        ("starting", START_NS),
        ("running", START_NS + SECOND),
        ("completed", START_NS + 5 * SECOND),
    ]
    assert row["dialect"] == "watchglass"


def test_starting_failed(house: House) -> None:
    """A task that fails says why."""
    house.send(told("starting", 3))
    house.send(ended(3, "Timeout"))
    row = house.history("t3")
    assert (row["status"], row["error_details"]) == ("failed", "Timeout: no answer")


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))], ids=str)
def test_whatever_comes_late_or_twice_changes_nothing(house: House, order: Sequence[int]) -> None:
    """All orders of the two events and the span, some of them sent again, settled in between, end alike."""
    trace = 100 + int("".join(map(str, order)), 3)
    bodies = [told("starting", trace), told("running", trace), ended(trace)]
    for index in (*order, order[0], order[1]):
        house.send(bodies[index])
    row = house.task(f"t{trace}")
    assert (row["status"], list(row["states"])) == ("completed", ["starting", "running", "completed"])
    assert row["output"] is not None


def test_what_settling_found_stays_when_events_come_late(house: House) -> None:
    """Tenant and parent that a span has from those above it are not lost to an event that knows neither."""
    outer = chat(4, 1, 0, "invoke_workflow trip")
    del outer.attributes[:]
    outer.attributes.extend(
        pairs(
            {
                "gen_ai.operation.name": "invoke_workflow",
                "gen_ai.workflow.name": "trip",
                "watchglass.tenant": "acme",
            }
        )
    )
    house.send(ended(4, parent=1))
    house.send(request(outer, scope=STEPS, resource=RESOURCE))
    house.send(told("running", 4))
    row = house.task("t4")
    assert (row["status"], row["tenant"]) == ("completed", "acme")
    assert row["parent_task_id"] == f"{4:032x}:{1:016x}"


def test_of_what_is_within_a_task_only_the_task_has_its_id(house: House) -> None:
    """A tool's span carries the task's id as context; as an execution it has its own."""
    tool = chat(5, 3, 2, "execute_tool search")
    del tool.attributes[:]
    within = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
    tool.attributes.extend(pairs({**within, "watchglass.task": "readiness", "watchglass.task.id": "t5"}))
    house.send(ended(5))
    house.send(request(tool, scope=STEPS, resource=RESOURCE))
    (row,) = house.ask("SELECT * FROM tasks WHERE name = 'search'")
    assert row["task_id"] == f"{5:032x}:{3:016x}"
    assert (row["task"], row["parent_task_id"]) == ("readiness", "t5")
    assert house.task("t5")["kind"] == "task"


def test_an_event_is_its_owner_s(house: House) -> None:
    """A key's tenant owns what it tells; one that names another tenant is rejected, and nobody else's row
    is touched by the same ids."""
    house.send(told("starting", 6), owner="a")
    assert house.task("t6")["tenant"] == "a"
    refused = house.send(told("running", 6, watchglass__tenant="b"), owner="a")
    assert (refused.accepted, refused.rejected, refused.foreign) == (0, 1, 1)
    house.send(ended(6), owner="b")
    rows = house.ask("SELECT tenant, status FROM tasks WHERE task_id = 't6' ORDER BY tenant")
    assert rows == [{"tenant": "a", "status": "starting"}, {"tenant": "b", "status": "completed"}]
    assert len(house.ask("SELECT * FROM tasks WHERE task_id = 't6'", Scope(frozenset({"a"})))) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"watchglass__step__started_ns": "soon"},
        {"watchglass__step__started_ns": True},
        {"watchglass__step__started_ns": 0},
        {"watchglass__step__started_ns": -5},
        {"gen_ai__operation__name": "chat"},
    ],
    ids=str,
)
def test_an_event_that_says_nothing_is_a_log_only(house: House, wrong: dict[str, Any]) -> None:
    """What does not name an execution and its start makes no row of one, and is kept as it came."""
    trace = 1000
    given = about(f"t{trace}", watchglass__step__started_ns=START_NS, watchglass__step__state="starting")
    prepared = house.send(event("watchglass.step", trace, **{**given, **wrong}))
    assert set(prepared.batches) & {"tasks", "logs"} == {"logs"}


def test_an_event_without_a_span_makes_no_task(house: House) -> None:
    """The row of an execution has its span's key."""
    body = told("starting", 7)
    body.resource_logs[0].scope_logs[0].log_records[0].span_id = b""
    assert "tasks" not in house.send(body).batches


def test_scores(house: House) -> None:
    """`scores` has name, value, label and explanation, with the span and whose it is."""
    house.send(
        event(
            "gen_ai.evaluation.result",
            8,
            gen_ai__evaluation__name="relevance",
            gen_ai__evaluation__score__value=0.75,
            gen_ai__evaluation__score__label="good",
            gen_ai__evaluation__explanation="on topic",
            gen_ai__agent__name="assessor",
            watchglass__tenant="acme",
            watchglass__engagement="e1",
        )
    )
    house.send(event("gen_ai.evaluation.result", 9, gen_ai__evaluation__name="tone", watchglass__tenant="b"))
    (row,) = house.ask("SELECT * FROM scores WHERE tenant = 'acme'")
    assert (row["name"], row["value"], row["label"], row["explanation"]) == (
        *("relevance", 0.75, "good"),
        "on topic",
    )
    assert (row["agent"], row["engagement"], row["span_id"]) == ("assessor", "e1", f"{2:016x}")
    (other,) = house.ask("SELECT * FROM scores", Scope(frozenset({"b"})))
    assert (other["name"], other["value"], other["label"]) == ("tone", None, None)


def test_interrupts_and_invocations(house: House) -> None:
    """`interrupts` by kind and status; `agent_invocations` with what is unknown as NULL."""
    house.send(
        event(
            "watchglass.interrupt",
            10,
            watchglass__interrupt__kind="clarification",
            watchglass__interrupt__status="requested",
        )
    )
    (row,) = house.ask("SELECT kind, status FROM interrupts")
    assert row == {"kind": "clarification", "status": "requested"}
    full: dict[str, Any] = {
        "watchglass__invocation__duration_ns": 1_500_000,
        "watchglass__invocation__confidence": 0.9,
        "watchglass__invocation__hallucination": False,
    }
    house.send(event("watchglass.agent.invocation", 11, watchglass__invocation__success=True, **full))
    house.send(event("watchglass.agent.invocation", 12, watchglass__invocation__success=False))
    rows = house.ask(
        "SELECT success, duration_ns, confidence, hallucination FROM agent_invocations ORDER BY trace_id"
    )
    assert [list(each.values()) for each in rows] == [
        [True, 1_500_000, 0.9, False],
        [False, None, None, None],
    ]
