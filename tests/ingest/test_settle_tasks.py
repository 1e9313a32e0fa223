"""Executions from bodies to readers: latest state, what each is part of, whose it is, whatever the order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.new_store import prepared
from tests.otlp_bodies import START_NS, chat, request
from tests.stored_rows import insert
from watchglass.clock import SystemClock
from watchglass.ingest.prepare import prepare
from watchglass.ingest.settle_rows import SettleRows
from watchglass.ingest.task_rows import task_version
from watchglass.pricing.book import PriceBook
from watchglass.store import Store, open_store

CREWAI = "openinference.instrumentation.crewai"
SECOND = 10**9


class House:
    """A store, and the write path up to settling."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._book = PriceBook(())
        self._settle = SettleRows(store.engine, self._book, store.versions)

    def send(self, *spans: Span, scope: str = CREWAI, owner: str = "", **resource: str) -> None:
        """One request of these spans, written and settled."""
        process = {"service.name": "shop", "service.instance.id": spans[0].trace_id.hex()}
        body = request(*spans, scope=scope, resource={**process, **resource})
        prepared = prepare("traces", body.SerializeToString(), "protobuf", self._book, START_NS, owner)
        for table, batch in prepared.batches.items():
            self.store.engine.insert(f"store.{table}", [batch])
        self._settle(sorted({span.trace_id.hex() for span in spans}))

    def ask(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Rows that a reader sees."""
        return self.store.engine.execute(sql, parameters).to_pylist(maps_as_pydicts="strict")

    def tasks(self, trace: int) -> dict[str, dict[str, Any]]:
        """The executions of a trace by name."""
        sql = "SELECT * FROM watchglass.tasks WHERE trace_id = {trace:String} ORDER BY time"
        rows = self.ask(sql, trace=f"{trace:032x}")
        assert len({row["name"] for row in rows}) == len(rows)
        return {row["name"]: row for row in rows}

    def calls(self, trace: int) -> dict[str, dict[str, Any]]:
        """The calls of a trace by span."""
        rows = self.ask("SELECT * FROM watchglass.calls WHERE trace_id = {t:String}", t=f"{trace:032x}")
        return {row["span_id"]: row for row in rows}

    def flows(self, *flows: str) -> list[dict[str, Any]]:
        """These flows."""
        sql = "SELECT * FROM watchglass.flows WHERE flow IN {flows:Array(String)} ORDER BY time"
        return self.ask(sql, flows=list(flows))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One store for all tests of this file; each has traces of its own."""
    data: Path = tmp_path_factory.mktemp("data")
    with open_store(prepared(data), program="tests", address="nowhere", clock=SystemClock()) as store:
        yield House(store)


def crew(trace: int, **more: Any) -> Span:
    """A crew's kickoff, a root of ten seconds."""
    return _span(trace, 1, 0, "crew.kickoff", (0, 10), "CHAIN", crew_key="k", **more)


def task(trace: int, span: int = 2, parent: int = 1, name: str = "research", **more: Any) -> Span:
    """A task of a crew, by the agent `Ada`."""
    about = {"task_key": "k", "task_id": "as-defined", "task_name": name, "graph.node.id": "Ada", **more}
    return _span(trace, span, parent, f"Ada.{name}._execute_core", (1, 5), "AGENT", **about)


def tool(trace: int, span: int = 3, parent: int = 2, **more: Any) -> Span:
    """A tool in use."""
    return _span(trace, span, parent, "search.run", (2, 3), "TOOL", **{"tool.name": "search"}, **more)


def _span(trace: int, span: int, parent: int, name: str, at: tuple[int, int], kind: str, **more: Any) -> Span:
    made = chat(trace, span, parent, name)
    del made.attributes[:]
    made.attributes.extend(chat(1, 1, **{"openinference.span.kind": kind, **more}).attributes)
    kept = [each for each in made.attributes if not each.key.startswith("gen_ai.")]
    del made.attributes[:]
    made.attributes.extend(kept)
    made.start_time_unix_nano, made.end_time_unix_nano = (START_NS + each * SECOND for each in at)
    return made


def _id(trace: int, span: int) -> str:
    return f"{trace:032x}:{span:016x}"


def test_a_call_knows_its_task_its_agent_and_its_flow(house: House) -> None:
    """A call within a tool within a task within a crew is in that task, of that agent, in that flow."""
    house.send(crew(1), task(1), tool(1), chat(1, 4, 3))
    made = house.calls(1)[f"{4:016x}"]
    assert (made["task"], made["task_id"], made["agent"]) == ("research", _id(1, 2), "Ada")
    assert (made["flow"], made["flow_type"], made["feature"]) == (_id(1, 1), "crew", "crewai")
    found = house.tasks(1)
    assert [(each["kind"], each["status"], each["parent_task_id"]) for each in found.values()] == [
        ("flow", "completed", None),
        ("task", "completed", _id(1, 1)),
        ("tool", "completed", _id(1, 2)),
    ]
    assert (found["search"]["agent"], found["search"]["task"], found["search"]["flow"]) == (
        *("Ada", "research"),
        _id(1, 1),
    )
    assert found["research"]["metadata"] == {"task_id": "as-defined", "task_key": "k"}
    assert found["research"]["duration_ns"] == 4 * SECOND
    assert found["research"]["states"] == {"running": START_NS + SECOND, "completed": START_NS + 5 * SECOND}


def test_a_call_of_an_agent_without_a_task_is_in_its_run(house: House) -> None:
    """Where there are no tasks, the nearest agent's run is what a call belongs to."""
    outer = _span(2, 1, 0, "outer", (0, 9), "AGENT", **{"agent.name": "outer"})
    inner = _span(2, 2, 1, "inner", (1, 8), "AGENT", **{"agent.name": "inner"})
    house.send(outer, inner, chat(2, 3, 2), scope="app")
    made = house.calls(2)[f"{3:016x}"]
    assert (made["task"], made["task_id"], made["agent"], made["flow"]) == (None, _id(2, 2), "inner", None)


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (2, 3, 0, 1), (1, 3, 2, 0)], ids=str)
def test_whatever_comes_first_all_is_as_if_it_came_at_once(house: House, order: Sequence[int]) -> None:
    """Parents may come after their children, each in a request of its own, and any of them twice."""
    trace = 100 + int("".join(map(str, order)), 4)
    spans = [crew(trace), task(trace), tool(trace), chat(trace, 4, 2)]
    for index in (*order, order[0]):
        house.send(spans[index])
    found = house.tasks(trace)
    assert {name: (each["parent_task_id"], each["flow"], each["task"]) for name, each in found.items()} == {
        "crew": (None, _id(trace, 1), None),
        "research": (_id(trace, 1), _id(trace, 1), "research"),
        "search": (_id(trace, 2), _id(trace, 1), "research"),
    }
    made = house.calls(trace)[f"{4:016x}"]
    assert (made["task_id"], made["flow"], made["counted"]) == (_id(trace, 2), _id(trace, 1), True)


def test_a_flow_that_somebody_named_is_the_flow(house: House) -> None:
    """`flow_id` at the edge of a request outranks the crews below, which are part of it, in each trace."""
    edge = chat(3, 9, 0, "POST /trips", gen_ai__usage__input_tokens=0)
    del edge.attributes[:]
    edge.attributes.extend(crew(3, flow_id="trip-7", flow_type="trip", client_account_id="42").attributes)
    kept = [each for each in edge.attributes if each.key in ("flow_id", "flow_type", "client_account_id")]
    del edge.attributes[:]
    edge.attributes.extend(kept)
    under = crew(3)
    under.parent_span_id = (9).to_bytes(8, "big")
    house.send(edge, under, task(3), chat(3, 4, 2))
    house.send(chat(4, 1, 0, flow_id="trip-7", client_account_id="42"))
    assert house.calls(3)[f"{4:016x}"]["flow"] == "trip-7"
    assert house.tasks(3)["crew"]["flow"] == "trip-7"
    assert house.tasks(3)["crew"]["tenant"] == "42"
    (flow,) = house.flows("trip-7", _id(3, 1))
    assert (flow["flow"], flow["flow_type"], flow["name"]) == ("trip-7", "trip", "crew")
    assert (flow["status"], flow["tenant"]) == ("completed", "42")


def test_a_crew_within_a_crew_is_part_of_the_outer_run(house: House) -> None:
    """Of nested flows the outermost is the run; the inner one is an execution in it, no flow of its own."""
    inner = _span(5, 6, 2, "helpers.kickoff", (2, 4), "CHAIN", crew_key="h", **{"output.value": "x"})
    house.send(crew(5), task(5), inner, task(5, 7, 6, "look"), chat(5, 8, 7))
    assert house.tasks(5)["helpers"]["parent_task_id"] == _id(5, 2)
    made = house.calls(5)[f"{8:016x}"]
    assert (made["flow"], made["flow_type"], made["task"]) == (_id(5, 1), "crew", "look")
    (flow,) = house.flows(_id(5, 1), _id(5, 6))
    assert (flow["name"], flow["duration_ns"], flow["trace_id"]) == ("crew", 10 * SECOND, f"{5:032x}")


def test_an_inner_flow_that_fails_does_not_fail_the_run(house: House) -> None:
    """What the outer crew made of its helpers' failure is for the outer crew to say."""
    inner = _span(40, 6, 2, "helpers.kickoff", (2, 4), "CHAIN", crew_key="h")
    inner.status.code = 2
    house.send(crew(40), task(40), inner, chat(40, 8, 6))
    assert house.tasks(40)["helpers"]["status"] == "failed"
    (flow,) = house.flows(_id(40, 1))
    assert flow["status"] == "completed"


def test_a_flow_that_only_its_calls_name_is_a_flow(house: House) -> None:
    """It is there from its first call to the end of its last, and nobody says how it ended."""
    house.send(chat(6, 1, 0, flow_id="nightly"), scope="app")
    (flow,) = house.flows("nightly")
    assert (flow["name"], flow["status"], flow["duration_ns"]) == (None, None, SECOND)


def test_a_failure_is_kept_with_its_error(house: House) -> None:
    """A task and a crew that fail are failed executions, and so is the flow; a task beside them is not."""
    broken, whole = task(7, 3, 1, "write"), crew(7)
    for span in (broken, whole):
        span.status.code, span.status.message = 2, "no answer"
        span.events.add(name="exception").attributes.extend(chat(1, 1, exception__type="Timeout").attributes)
    house.send(whole, task(7), broken)
    found = house.tasks(7)
    assert {name: each["status"] for name, each in found.items()} == {
        "crew": "failed",
        "research": "completed",
        "write": "failed",
    }
    assert (found["write"]["error_type"], found["write"]["error_message"]) == ("Timeout", "no answer")
    (flow,) = house.flows(_id(7, 1))
    assert (flow["status"], flow["error_type"], flow["error_message"]) == ("failed", "Timeout", "no answer")


def test_an_execution_without_an_end_is_running(house: House) -> None:
    """A span that was sent before it ended is running, without a duration; its flow too."""
    open_crew = crew(8)
    open_crew.end_time_unix_nano = 0
    house.send(open_crew, task(8))
    found = house.tasks(8)["crew"]
    assert (found["status"], found["completed"], found["duration_ns"]) == ("running", None, None)
    (flow,) = house.flows(_id(8, 1))
    assert (flow["status"], flow["completed"], flow["duration_ns"]) == ("running", None, None)


def test_the_latest_state_is_on_top_whenever_it_came(house: House) -> None:
    """Rows of one execution in any order, settled or not: completed outranks running outranks starting."""
    states = ("starting", "running", "completed")
    for number, order in enumerate(itertools.permutations(states)):
        for moment, status in enumerate(order):
            insert(
                house.store.engine,
                "tasks",
                [
                    {
                        "task_id": f"own-{number}",
                        "trace_id": f"{900 + number:032x}",
                        "kind": "task",
                        "name": "t",
                        "status": status,
                        "time": START_NS,
                        "states": [(each, START_NS) for each in states[: states.index(status) + 1]],
                        "version": task_version(status, 1 if moment else house.store.versions.next()),
                    }
                ],
            )
        (row,) = house.ask("SELECT * FROM watchglass.tasks WHERE task_id = {t:String}", t=f"own-{number}")
        assert (row["status"], list(row["states"])) == ("completed", list(states))


def test_a_resent_span_undoes_nothing(house: House) -> None:
    """After settling, the same body again changes no row that a reader sees."""
    spans = [crew(10, tenant="acme"), task(10), tool(10), chat(10, 4, 3)]
    for _ in range(2):
        house.send(*spans)
    before = house.tasks(10), house.calls(10), house.flows(_id(10, 1))
    house.send(tool(10))
    house.send(*spans)
    assert (house.tasks(10), house.calls(10), house.flows(_id(10, 1))) == before
    assert {each["tenant"] for each in before[0].values()} == {"acme"}


@pytest.mark.parametrize("length", [20, 2_000])
def test_what_went_in_and_came_out_is_content(house: House, length: int) -> None:
    """Input and output are in `messages` of the tenant they turn out to be of, and nowhere in the span."""
    trace = 20 + length
    given, result = "in" * length, "out" * length
    house.send(tool(trace, **{"input.value": given, "output.value": result}))
    house.send(crew(trace, client_account_id=f"t{length}"), task(trace))
    found = house.tasks(trace)["search"]
    texts = house.ask(
        "SELECT hash, content FROM watchglass.messages WHERE tenant = {tenant:String}", tenant=f"t{length}"
    )
    assert {row["hash"]: row["content"] for row in texts} == {
        found["input"]: given,
        found["output"]: result,
    }
    (kept,) = house.ask(
        "SELECT attributes FROM watchglass.spans WHERE trace_id = {t:String} AND name = 'search.run'",
        t=f"{trace:032x}",
    )
    assert not {"input.value", "output.value"} & set(kept["attributes"])


def test_the_library_s_own_id_is_no_identity(house: House) -> None:
    """A crew that runs twice executes each of its tasks twice, though CrewAI gives the task one id."""
    for trace in (30, 31):
        house.send(crew(trace), task(trace))
    ids = {house.tasks(trace)["research"]["task_id"] for trace in (30, 31)}
    assert ids == {_id(30, 2), _id(31, 2)}


def test_our_own_id_is_an_identity(house: House) -> None:
    """`watchglass.task.id` is by contract one of an execution; the calls below carry it."""
    house.send(crew(32), task(32, **{"watchglass.task.id": "run-1"}), chat(32, 4, 2))
    assert house.tasks(32)["research"]["task_id"] == "run-1"
    assert house.calls(32)[f"{4:016x}"]["task_id"] == "run-1"


def test_one_owner_s_executions_decide_nothing_about_another_s(house: House) -> None:
    """Spans of one trace id sent by two owners are two traces: parents and flows do not cross."""
    house.send(crew(33), owner="a")
    house.send(task(33), chat(33, 4, 2), owner="b")
    rows = house.ask(
        "SELECT name, tenant, parent_task_id, flow FROM watchglass.tasks WHERE trace_id = {t:String}",
        t=f"{33:032x}",
    )
    assert sorted(map(msgspec.json.encode, rows)) == sorted(
        map(
            msgspec.json.encode,
            [
                {"name": "crew", "tenant": "a", "parent_task_id": None, "flow": _id(33, 1)},
                {"name": "research", "tenant": "b", "parent_task_id": None, "flow": None},
            ],
        )
    )
