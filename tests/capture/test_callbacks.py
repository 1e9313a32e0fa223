"""Tasks told by callbacks: which start and which end are one task, and what is kept of each."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider

from watchglass.capture import announced, boundary, recorder
from watchglass.capture.callbacks import CallbackHandler, CallbackHandlerIntegration
from watchglass.capture.context import context
from watchglass.capture.records import EventRecord, Record, SpanRecord, decode


class Recorded:
    """A sink that keeps what is recorded, as it would be read back from the spool."""

    def __init__(self) -> None:
        self.all: list[Record] = []

    def append(self, payload: bytes) -> bool:
        self.all.append(decode(payload))
        return True

    @property
    def states(self) -> list[tuple[str, str]]:
        """Each task that was told of, with its state."""
        return [
            (str(each.attributes["gen_ai.task.name"]), str(each.attributes["watchglass.step.state"]))
            for each in self.all
            if isinstance(each, EventRecord)
        ]

    @property
    def ended(self) -> list[SpanRecord]:
        return [each for each in self.all if isinstance(each, SpanRecord)]

    @property
    def outcomes(self) -> list[tuple[object, object, str]]:
        """Name, output and error of each task that ended, in order."""
        return [
            (
                each.attributes["gen_ai.task.name"],
                each.attributes.get("gen_ai.task.output"),
                each.status_message,
            )
            for each in self.ended
        ]


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    sink = Recorded()
    recorder.install(sink)
    boundary.forget()
    yield sink
    recorder.install(None)
    assert not boundary.failures


def handler(**more: object) -> CallbackHandler:
    """A handler as those teams make one."""
    made = CallbackHandlerIntegration.create_callback_handler(
        flow_id="flow-1",
        context={
            "client_account_id": 7,
            "engagement_id": 9,
            "flow_type": "discovery",
            "phase": "mapping",
            **more,
        },
    )
    made.setup_callbacks()
    return made


def start(of: CallbackHandler, agent: str, task: str, **more: object) -> None:
    of._step_callback({"type": "starting", "status": "starting", "agent": agent, "task": task, **more})


def test_a_task_is_told_as_it_starts_and_kept_when_it_is_completed(recorded: Recorded) -> None:
    """The example of those teams: a start without an id and an end with one are one task, of the handler's
    flow, tenant, engagement, type and phase, with input, output and the application's own keys."""
    told = handler(user_story="US-1")
    start(told, "assessor", "readiness", content="assess 12 servers")
    assert recorded.states == [("readiness", "starting")]
    told._task_completion_callback(
        {
            "agent": "assessor",
            "task_name": "readiness_v2",
            "status": "completed",
            "task_id": "t1",
            "output": "ok",
        }
    )
    (task,) = recorded.ended
    assert task.status == 0
    found = task.context | task.attributes
    expected = {
        "watchglass.tenant": "7",
        "watchglass.engagement": "9",
        "watchglass.flow.id": "flow-1",
        "watchglass.flow.type": "discovery",
        "watchglass.flow.phase": "mapping",
        "gen_ai.agent.name": "assessor",
        "gen_ai.task.input": "assess 12 servers",
        "gen_ai.task.output": "ok",
        "watchglass.metadata.user_story": "US-1",
    }
    assert found.items() >= expected.items()
    assert (
        found["watchglass.task.id"] != "t1"
    )  # an id of this execution: theirs may be that of the definition


def test_each_execution_has_an_id_of_its_own(recorded: Recorded) -> None:
    """The same task, told twice with the same id, is two executions; the id that was told is kept of both."""
    told = handler()
    for _ in range(2):
        start(told, "assessor", "readiness", task_id="t1")
        told._task_completion_callback({"agent": "assessor", "task_name": "readiness", "task_id": "t1"})
    assert len({each.attributes["watchglass.task.id"] for each in recorded.ended}) == 2
    assert [each.attributes["watchglass.metadata.task_id"] for each in recorded.ended] == ["t1", "t1"]


@pytest.mark.parametrize(
    "said",
    [
        {"status": "failed", "error": "no such server"},
        {"status": "completed", "error": "no such server"},
        {"status": "failed", "output": "no such server"},
        {"error": ValueError("no such server")},
        {"output": ValueError("no such server")},
    ],
    ids=["status and error", "error alone", "status alone", "an exception", "an exception as output"],
)
def test_an_error_marks_the_task_failed(recorded: Recorded, said: dict[str, object]) -> None:
    """A status of failure, an error or an exception makes it a failed task with that message."""
    told = handler()
    start(told, "assessor", "readiness")
    told._task_completion_callback({"agent": "assessor", "task_name": "readiness", **said})
    (task,) = recorded.ended
    assert (task.status, task.status_message) == (2, "no such server")


def test_a_task_that_never_ends_stays_as_it_was_last_told(recorded: Recorded) -> None:
    """One that was only announced stays starting, one that went on stays running; neither has ended."""
    told = handler()
    start(told, "assessor", "readiness")
    start(told, "mapper", "mapping")
    told._step_callback({"type": "thought", "agent": "mapper", "task": "mapping", "content": "hm"})
    told._step_callback({"type": "thought", "agent": "mapper", "content": "hm"})
    told._step_callback({"type": "thought", "content": "hm"})
    assert recorded.states == [("readiness", "starting"), ("mapping", "starting"), ("mapping", "running")]
    assert not recorded.ended


def test_pairing_prefers_the_id_then_the_agent_then_the_oldest(recorded: Recorded) -> None:
    """By task_id if both have it, else of the same agent, else the oldest that is open."""
    told = handler()
    for number, agent in enumerate(("a", "b", "b", "c")):
        start(told, agent, f"task-{number}", **({"task_id": f"id-{number}"} if number == 2 else {}))
    told._task_completion_callback({"agent": "c", "task_name": "x", "task_id": "id-2", "output": "by id"})
    told._task_completion_callback({"agent": "b", "task_name": "x", "output": "by agent"})
    told._task_completion_callback({"agent": "nobody", "task_name": "x", "output": "oldest"})
    told._task_completion_callback({"agent": "nobody", "task_name": "task-3", "output": "by name"})
    assert recorded.outcomes == [
        ("task-2", "by id", ""),
        ("task-1", "by agent", ""),
        ("task-0", "oldest", ""),
        ("task-3", "by name", ""),
    ]


def test_two_different_ids_are_never_a_pair(recorded: Recorded) -> None:
    """A start with one id stays open when an end with another id comes, even if it is the only one open."""
    told = handler()
    start(told, "a", "first", task_id="1")
    told._task_completion_callback({"agent": "a", "task_name": "second", "task_id": "2", "output": "x"})
    assert recorded.outcomes == [("second", "x", "")]
    told._task_completion_callback({"agent": "a", "task_name": "first", "task_id": "1", "output": "y"})
    assert recorded.outcomes[1:] == [("first", "y", "")]


def test_an_end_without_a_start_is_on_record(recorded: Recorded) -> None:
    """What was never announced is a task all the same, with its output."""
    handler()._task_completion_callback(
        {"agent": "a", "task_name": "late", "status": "completed", "output": "x"}
    )
    assert recorded.outcomes == [("late", "x", "")]


def test_a_step_that_says_it_is_over_ends_the_task(recorded: Recorded) -> None:
    """`_step_callback` with a status of completion or failure is an end, too."""
    told = handler()
    start(told, "a", "one")
    told._step_callback({"status": "completed", "agent": "a", "task": "one", "content": "done"})
    start(told, "a", "two")
    told._step_callback({"status": "error", "agent": "a", "task": "two", "content": "broke"})
    assert recorded.outcomes == [("one", "done", ""), ("two", None, "broke")]


def test_handlers_do_not_pair_with_each_other(recorded: Recorded) -> None:
    """An end that comes to one handler leaves the tasks of another alone."""
    one, other = handler(), handler(client_account_id=8)
    start(one, "a", "task")
    other._task_completion_callback({"agent": "a", "task_name": "task", "output": "x"})
    one._task_completion_callback({"agent": "a", "task_name": "task", "output": "y"})
    tenants = [
        (each.context["watchglass.tenant"], each.attributes["gen_ai.task.output"]) for each in recorded.ended
    ]
    assert tenants == [("8", "x"), ("7", "y")]


def test_callbacks_take_whatever_they_are_given(recorded: Recorded) -> None:
    """Frameworks' objects, empty dictionaries and odd values raise nothing and break nothing."""
    told = handler()
    for odd in (object(), None, "text", 3):
        told._step_callback(odd)
        told._task_completion_callback(odd)
    assert not recorded.all
    for step in (
        {},
        {"agent": object(), "task": 3, "content": object()},
        {"status": None, "output": b"\xff"},
    ):
        told._step_callback(step)
        told._task_completion_callback(step)
    assert len(recorded.ended) == 3
    assert recorded.states == [
        ("task", "starting"),
        ("3", "starting"),
        ("3", "running"),
        ("task", "starting"),
    ]


def test_without_anyone_who_records_callbacks_do_nothing() -> None:
    """Before `init` a handler works, and keeps nothing."""
    told = handler()
    start(told, "a", "task")
    told._task_completion_callback({"agent": "a", "task_name": "task", "output": "x"})


def test_callbacks_of_many_threads_pair_each_task_with_its_own_end(recorded: Recorded) -> None:
    """Eight threads share a handler; each task ends once, with the output of its own end."""
    told = handler()
    ready = threading.Barrier(8)

    def work(number: int) -> None:
        ready.wait(60)
        for turn in range(20):
            start(told, f"agent-{number}", f"task-{number}-{turn}")
            told._task_completion_callback(
                {"agent": f"agent-{number}", "task_name": "x", "output": f"task-{number}-{turn}"}
            )

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(recorded.outcomes) == 160
    assert all(name == output for name, output, _ in recorded.outcomes)


TOLD = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from(["a", "b", ""]),
        st.sampled_from(["", "1", "2"]),
        st.sampled_from("xyz"),
    ),
    max_size=30,
)


@given(told=TOLD)
def test_whatever_is_told_no_task_is_lost_or_ended_twice(told: list[tuple[bool, str, str, str]]) -> None:
    """Each start begins one task; each end ends one that was open, or one of its own if none could be
    meant."""
    sink = Recorded()
    recorder.install(sink)
    of = handler()
    opened = 0
    for starts, agent, task_id, task in told:
        if starts:
            start(of, agent, task, task_id=task_id)
            opened += 1
        else:
            before = len(of._open)
            of._task_completion_callback(
                {"agent": agent, "task_name": task, "task_id": task_id, "output": "o"}
            )
            opened -= len(of._open) < before
            assert len(of._open) == opened
    recorder.install(None)
    ends = sum(1 for starts, *_ in told if not starts)
    assert len(sink.ended) == ends
    ids = Counter(str(each.attributes["watchglass.task.id"]) for each in sink.ended)
    assert not ids or max(ids.values()) == 1


def test_an_announced_task_is_taken_up_once_and_only_by_its_own_agent(recorded: Recorded) -> None:
    """A framework takes up what was announced for its agent, however the name is spelt, one time."""
    told = handler()
    start(told, "readiness_assessor", "readiness")
    assert announced.take("Somebody Else") is None
    lent = announced.take("Readiness Assessor")
    assert lent is not None
    assert announced.take("Readiness Assessor") is None
    lent.end("by the framework")
    assert not recorded.ended
    told._task_completion_callback({"agent": "readiness_assessor", "task_name": "readiness"})
    assert recorded.outcomes == [("readiness", "by the framework", "")]


def test_an_announced_task_is_never_taken_up_for_another_tenant(recorded: Recorded) -> None:
    """What one request left in its thread is not part of another tenant's work there."""
    told = handler()
    start(told, "assessor", "readiness")
    with context(tenant="8"):
        assert announced.take("assessor") is None
    with context(tenant="7"):
        assert announced.take("assessor") is not None


def test_an_announcement_is_taken_up_in_a_task_or_thread_once(recorded: Recorded) -> None:
    """What goes into tasks as a copy of the context is taken up by one of them."""

    async def take() -> object:
        return announced.take("assessor")

    async def both() -> list[object]:
        return await asyncio.gather(take(), take())

    told = handler()
    start(told, "assessor", "readiness")
    assert sum(each is not None for each in asyncio.run(both())) == 1


def test_an_announced_task_is_not_taken_up_by_another_request(recorded: Recorded) -> None:
    """Nor where the next one's tenant or user is unknown, its trace another, the handler gone, or late."""
    tracer = TracerProvider().get_tracer("application")
    told = handler()
    with context(tenant="7", user="ann"):
        start(told, "assessor", "readiness")
    assert announced.take("assessor") is None
    with context(user="ann"):
        assert announced.take("assessor") is None
    with tracer.start_as_current_span("first"):
        start(told, "assessor", "readiness")
    with tracer.start_as_current_span("second"):
        assert announced.take("assessor") is None
    start(told, "assessor", "readiness")
    assert announced.take("assessor", time.monotonic_ns() + announced.WAITS_NS + 1) is None
    forgotten = handler()
    start(forgotten, "assessor", "readiness")
    del forgotten
    assert announced.take("assessor") is None


def test_an_announced_task_is_taken_up_by_its_own_request(recorded: Recorded) -> None:
    """Within the same trace and for the same user, below whatever else was begun there."""
    tracer = TracerProvider().get_tracer("application")
    with context(tenant="7", user="ann"), tracer.start_as_current_span("request"):
        told = handler()
        start(told, "assessor", "readiness")
        with tracer.start_as_current_span("crew"), context(flow="crew", feature="crewai"):
            assert announced.take("assessor") is not None
