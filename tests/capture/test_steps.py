"""Steps: what is told when they begin, run, end and fail, in every sort of function, thread and task."""

from __future__ import annotations

import asyncio
import gc
import inspect
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from typing import Any
from uuid import RFC_4122, UUID

import pytest
from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

import watchglass
from tests.capture.recorded import Recorded
from tests.our_log import ours
from watchglass.capture import boundary, recorder, steps, tracing
from watchglass.capture.context import context, current
from watchglass.capture.spans import RecordSpans
from watchglass.errors import ConfigError


def recording_provider() -> TracerProvider:
    """As `init` makes it."""
    provider = TracerProvider()
    provider.add_span_processor(RecordSpans())
    return provider


PROVIDERS: dict[str, Callable[[], Any]] = {
    "live": recording_provider,
    "none": trace.NoOpTracerProvider,
    "dropped": lambda: TracerProvider(sampler=ALWAYS_OFF),
}


@pytest.fixture(params=PROVIDERS)
def recorded(request: pytest.FixtureRequest) -> Iterator[Recorded]:
    """A recorder, under each sort of provider that an application may have."""
    sink = Recorded()
    before = tracing.use(PROVIDERS[request.param]())
    recorder.install(sink)
    boundary.forget()
    token = otel.attach(otel.Context())
    yield sink
    otel.detach(token)
    recorder.install(None)
    tracing.use(before)
    assert not boundary.failures
    assert current().fields == {}


def test_a_block_is_an_execution(recorded: Recorded) -> None:
    """A task in a `with` is told when it begins and recorded when it ends, with agent, input and output."""
    with context(tenant="acme"), watchglass.task("readiness", agent="assessor", input={"a": 1}) as step:
        assert current().fields["task"] == "readiness"
        assert current().fields["agent"] == "assessor"
        assert current().fields["task_id"] == step.task_id
        step.output = "ready"
    (event,), span = recorded.events, recorded.span()
    assert (event.name, event.attributes["watchglass.step.state"]) == ("watchglass.step", "running")
    assert (event.trace_id, event.span_id) == (span.trace_id, span.span_id)
    assert event.attributes["watchglass.step.started_ns"] == span.start_ns
    assert event.attributes["watchglass.task.id"] == span.attributes["watchglass.task.id"] == step.task_id
    assert event.context == span.context
    assert span.context["watchglass.tenant"] == "acme"
    assert (span.scope, span.name) == ("watchglass.steps", "execute_task readiness")
    assert span.attributes["gen_ai.operation.name"] == "execute_task"
    assert span.attributes["gen_ai.task.input"] == event.attributes["gen_ai.task.input"] == '{"a":1}'
    assert span.attributes["gen_ai.task.output"] == "ready"
    assert span.end_ns >= span.start_ns > 0
    assert span.status == 0


def test_each_execution_has_an_id_of_its_own(recorded: Recorded) -> None:
    """The same task twice is two executions."""
    for _ in range(2):
        with watchglass.task("t"):
            pass
    ids = {str(each.attributes["watchglass.task.id"]) for each in recorded.spans}
    assert len(ids) == 2
    assert {(UUID(each).version, UUID(each).variant, str(UUID(each)) == each) for each in ids} == {
        (4, RFC_4122, True)
    }


def test_what_is_below_knows_flow_task_and_agent(recorded: Recorded) -> None:
    """Nested steps are parent and child, and the innermost is in all of their contexts."""
    with (
        watchglass.flow("trip", flow_type="booking", phase="plan"),
        watchglass.task("search"),
        watchglass.agent("scout"),
        watchglass.tool("maps"),
    ):
        held = dict(current().fields)
    assert held["flow_type"] == "booking"
    assert (held["phase"], held["task"], held["agent"]) == ("plan", "search", "scout")
    tool, agent, task, flow = recorded.spans
    assert tool.parent_span_id == agent.span_id
    assert agent.parent_span_id == task.span_id
    assert task.parent_span_id == flow.span_id
    assert flow.parent_span_id == b""
    assert len({each.trace_id for each in recorded.spans}) == 1
    assert tool.context["watchglass.task.id"] == task.attributes["watchglass.task.id"]
    assert "watchglass.task.id" not in tool.attributes
    assert {each.context["watchglass.flow.id"] for each in recorded.spans} == {held["flow"]}


def test_a_flow_within_a_named_flow_is_part_of_it(recorded: Recorded) -> None:
    """The id that the edge of a request named holds, until a flow is given one of its own."""
    with context(flow="trip-7"), watchglass.flow("crew"):
        assert current().fields["flow"] == "trip-7"
        with watchglass.flow("helpers", flow_id="h-1"):
            assert current().fields["flow"] == "h-1"
    assert [each.context["watchglass.flow.id"] for each in recorded.spans] == ["h-1", "trip-7"]


def test_an_exception_fails_the_step_and_passes_on(recorded: Recorded) -> None:
    """The very exception reaches the caller; type, message and stack are recorded."""
    error = LookupError("no such room")
    with pytest.raises(LookupError) as caught, watchglass.task("book"):
        raise error
    assert caught.value is error
    span = recorded.span()
    assert (span.status, span.status_message) == (2, "no such room")
    assert span.attributes["error.type"] == "LookupError"
    (event,) = [each for each in span.events if each[0] == "exception"]
    assert event[2]["exception.message"] == "no such room"
    assert "test_steps.py" in str(event[2]["exception.stacktrace"])


def test_a_secret_in_an_error_is_not_recorded(recorded: Recorded) -> None:
    """Messages, stacks, metadata and inputs are rid of keys whatever is kept of content."""
    key = "sk-" + "proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH"
    with pytest.raises(ValueError, match="sk-"), watchglass.task("t", input=key, metadata={"k": key}):
        raise ValueError(f"bad key {key}")
    assert key not in repr(recorded.all)


@watchglass.tool
def add(left: int, right: int = 2) -> int:
    """A plain function."""
    if right == 0:
        raise ZeroDivisionError
    return left + right


@watchglass.agent("thinker")
async def think(question: str) -> str:
    """A coroutine."""
    await asyncio.sleep(0)
    assert current().fields["agent"] == "thinker"
    if question == "?":
        raise ValueError(question)
    return question.upper()


@watchglass.task(agent="counter")
def count(up_to: int) -> Generator[int, str, str]:
    """A generator."""
    for number in range(up_to):
        assert current().fields["task"] == "count"
        if (yield number) == "fail":
            raise ValueError(number)
    return "done"


@watchglass.flow
async def stream(up_to: int) -> AsyncGenerator[int, Any]:
    """An async generator."""
    for number in range(up_to):
        assert current().fields["flow_type"] == "stream"
        await asyncio.sleep(0)
        if (yield number) == "fail":
            raise ValueError(number)


def test_a_decorated_function(recorded: Recorded) -> None:
    """Bare decorator: the function's name, its arguments by name and its result."""
    assert add(1, right=4) == 5
    span = recorded.span()
    assert span.attributes["gen_ai.tool.name"] == add.__name__ == "add"
    assert span.attributes["gen_ai.tool.call.arguments"] == '{"left":1,"right":4}'
    assert span.attributes["gen_ai.tool.call.result"] == "5"
    with pytest.raises(ZeroDivisionError):
        add(1, 0)
    assert recorded.spans[1].attributes["error.type"] == "ZeroDivisionError"
    with pytest.raises(TypeError):
        add()  # pyright: ignore[reportCallIssue] - the call's own error is what is tested
    assert recorded.spans[2].status == 2


def test_a_decorated_coroutine(recorded: Recorded) -> None:
    """It is still a coroutine function, its agent in force while it runs, its failure passed on."""
    assert inspect.iscoroutinefunction(think)
    assert asyncio.run(think("why")) == "WHY"
    with pytest.raises(ValueError, match=r"\?"):
        asyncio.run(think("?"))
    good, bad = recorded.spans
    assert (good.status, good.attributes["gen_ai.task.output"]) == (0, "WHY")
    assert (bad.status, bad.attributes["error.type"]) == (2, "ValueError")


def test_a_decorated_generator(recorded: Recorded) -> None:
    """In force only while it runs, and over when it is exhausted; what is sent and returned goes through."""
    numbers = count(2)
    assert not recorded.all
    assert next(numbers) == 0
    assert current().fields == {}
    assert not trace.get_current_span().get_span_context().is_valid
    assert not recorded.spans
    assert numbers.send("on") == 1
    with pytest.raises(StopIteration) as stop:
        next(numbers)
    assert stop.value.value == "done"
    assert recorded.span().attributes["gen_ai.task.output"] == "done"


def test_a_generator_that_is_closed_or_collected_has_ended(recorded: Recorded) -> None:
    """A consumer that has had enough is no failure."""
    numbers = count(9)
    next(numbers)
    numbers.close()
    assert recorded.span().status == 0
    other = count(9)
    next(other)
    del other
    gc.collect()
    assert [each.status for each in recorded.spans] == [0, 0]


def test_a_generator_that_fails(recorded: Recorded) -> None:
    """By itself or by what is thrown into it, the error passes and the step has failed."""
    numbers = count(9)
    next(numbers)
    with pytest.raises(ValueError, match="0"):
        numbers.send("fail")
    numbers = count(9)
    next(numbers)
    with pytest.raises(KeyError):
        numbers.throw(KeyError("thrown"))
    assert [each.attributes["error.type"] for each in recorded.spans] == ["ValueError", "KeyError"]


def test_a_decorated_async_generator(recorded: Recorded) -> None:
    """Exhausted, closed, failed: as a generator; the caller's context is its own between two items."""

    async def consume() -> None:
        async for _ in stream(3):
            assert current().fields == {}
        closed = stream(3)
        await anext(closed)
        await closed.aclose()
        failing = stream(3)
        await anext(failing)
        with pytest.raises(ValueError, match="0"):
            await failing.asend("fail")

    asyncio.run(consume())
    assert [each.status for each in recorded.spans] == [0, 0, 2]


def test_an_async_generator_that_is_lost_has_ended(recorded: Recorded) -> None:
    """Dropped half-way, within its loop or after that has closed, its step ends."""
    kept: list[AsyncGenerator[int, Any]] = []

    async def begin() -> None:
        kept.append(stream(3))
        await anext(kept[0])

    async def begin_and_lose() -> None:
        await begin()
        kept.clear()
        gc.collect()
        async with asyncio.timeout(60):
            while not recorded.spans:
                await asyncio.sleep(0)

    asyncio.run(begin_and_lose())
    assert recorded.span().status == 0
    loop = asyncio.new_event_loop()
    loop.run_until_complete(begin())
    loop.close()
    kept.clear()
    gc.collect()
    assert len(recorded.spans) == 2


def test_a_cancelled_step_has_failed(recorded: Recorded) -> None:
    """Cancelling reaches the application as it would have; the step says that it was cancelled."""
    started = asyncio.Event()

    @watchglass.task
    async def wait() -> None:
        started.set()
        await asyncio.Event().wait()

    async def run() -> None:
        waiting = asyncio.create_task(wait())
        await started.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(run())
    assert recorded.span().attributes["error.type"] == "asyncio.exceptions.CancelledError"


def test_async_with(recorded: Recorded) -> None:
    """Tasks of one event loop that share a step object each have their own execution."""
    shared = watchglass.task("shared")

    async def one(number: int) -> str:
        async with shared as step:
            for _ in range(number):
                await asyncio.sleep(0)
            assert current().fields["task_id"] == step.task_id
            return str(step.task_id)

    async def run() -> list[str]:
        return await asyncio.gather(*(one(number) for number in (3, 1, 2)))

    ids = asyncio.run(run())
    assert {each.attributes["watchglass.task.id"] for each in recorded.spans} == set(ids)
    assert len(set(ids)) == 3


def test_methods(recorded: Recorded) -> None:
    """Methods, static methods and class methods, with the decorator on either side; `self` is no input."""

    class Assistant:
        @watchglass.tool
        def own(self, word: str) -> str:
            return word

        @watchglass.tool
        @staticmethod
        def static(word: str) -> str:
            return word

        @watchglass.tool
        @classmethod
        def of_class(cls, word: str) -> str:
            return word

    for each in (Assistant().own, Assistant.static, Assistant().static, Assistant.of_class):
        assert each("w") == "w"
    assert {each.attributes["gen_ai.tool.call.arguments"] for each in recorded.spans} == {'{"word":"w"}'}
    assert [each.attributes["gen_ai.tool.name"] for each in recorded.spans] == [
        *("own", "static"),
        *("static", "of_class"),
    ]


def test_a_bad_decoration_is_told_at_once() -> None:
    """What cannot be an execution is refused where it is written, not when it is called."""
    with pytest.raises(ConfigError, match="decorates functions"):
        watchglass.agent(int)
    with pytest.raises(ConfigError, match="decorates functions"):
        watchglass.task("t")(7)  # pyright: ignore[reportArgumentType, reportCallIssue] - what is tested
    with pytest.raises(ConfigError, match="task_id='x'"):
        watchglass.task("t", task_id="x")(print)


def test_by_hand_from_other_threads(recorded: Recorded) -> None:
    """Begun here, running there, ended elsewhere: starting, running, completed, with their times."""
    step = steps.begin("task", "index", agent="librarian", task_id="run-1", metadata={"batch": 7})
    assert current().fields == {}
    for action in (step.running, lambda: step.end("indexed")):
        thread = threading.Thread(target=action)
        thread.start()
        thread.join()
    starting, running = recorded.events
    assert [each.attributes["watchglass.step.state"] for each in recorded.events] == ["starting", "running"]
    assert "watchglass.step.running_ns" not in starting.attributes
    span = recorded.span()
    assert span.attributes["watchglass.step.running_ns"] == running.attributes["watchglass.step.running_ns"]
    assert span.attributes["watchglass.task.id"] == "run-1"
    assert span.attributes["watchglass.metadata.batch"] == "7"
    assert span.start_ns <= running.time_ns <= span.end_ns


def test_what_comes_after_the_end_changes_nothing(recorded: Recorded) -> None:
    """A step ends once, however often and by whomever it is ended."""
    step = steps.begin("tool", "search")
    step.fail("Timeout", "no answer")
    step.end("late")
    step.running()
    step.fail(ValueError())
    span = recorded.span()
    assert (span.attributes["error.type"], span.status_message) == ("Timeout", "no answer")
    assert len(recorded.all) == 2


def test_a_parent_may_be_given(recorded: Recorded) -> None:
    """Of event-driven callers the parent is known and not in force: context and span are taken from it."""
    with context(tenant="acme"):
        outer = steps.begin("flow", "crew")
    inner = steps.begin("task", "t", parent=outer)
    assert inner.context.fields["tenant"] == "acme"
    inner.end()
    outer.end()
    first, second = recorded.spans
    assert first.parent_span_id == second.span_id
    assert first.trace_id == second.trace_id


def test_detaching_elsewhere_undoes_nothing(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    """A step that is detached in another thread leaves that thread's context alone, and logs nothing."""
    step = steps.begin("task", "t").attach()
    seen: list[dict[str, str]] = []

    def elsewhere() -> None:
        with context(tenant="other"):
            step.detach()
            seen.append(current().fields)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [{"tenant": "other"}]
    assert not ours(caplog)
    step.detach()
    step.end()


def test_a_step_that_cannot_begin_costs_the_application_nothing() -> None:
    """What goes wrong within is counted; the step is there and does nothing."""
    recorder.install(Recorded())
    step = steps.begin("nonsense", "t")  # pyright: ignore[reportArgumentType] - what is tested
    before = trace.get_current_span()
    step.attach().running()
    assert trace.get_current_span() is before
    step.detach()
    step.end()
    recorder.install(None)
    assert boundary.failures["steps.begin"] == 1
    boundary.forget()


def test_trace_agent_execution(recorded: Recorded) -> None:
    """Their one line: an agent's run with attributes by their own names."""
    with watchglass.trace_agent_execution("pricer", {"client_account_id": 7, "route": ["a", "b"]}):
        assert current().fields["agent"] == "pricer"
    span = recorded.span()
    assert span.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert span.attributes["client_account_id"] == 7
    assert span.attributes["route"] == '["a","b"]'


def test_a_generator_keeps_what_it_has_in_force(recorded: Recorded) -> None:
    """Inner contexts and steps hold across its items and end with their blocks; the consumer has its own."""

    @watchglass.task
    def items() -> Iterator[tuple[str | None, ...]]:
        with context(tenant="inner"), watchglass.agent("scout"):
            yield in_force()
            yield in_force()
        yield in_force()

    seen: list[tuple[str | None, ...]] = []
    with context(tenant="outer"):
        for item in items():
            seen += [item, in_force()]
    consumer = ("outer", None, None)
    assert seen == [("inner", None, "scout"), consumer] * 2 + [("outer", "items", None), consumer]
    assert not trace.get_current_span().get_span_context().is_valid
    assert [each.context["watchglass.tenant"] for each in recorded.spans] == ["inner", "outer"]


def test_an_async_generator_keeps_what_it_has_in_force(recorded: Recorded) -> None:
    """As a generator, though each of its items is asked for by another task."""

    @watchglass.agent
    async def items() -> AsyncGenerator[tuple[str | None, ...]]:
        with context(tenant="inner"), watchglass.task("t"):
            yield in_force()
            await asyncio.sleep(0)
            yield in_force()
        yield in_force()

    async def consume() -> None:
        numbers = items()

        async def following() -> tuple[str | None, ...]:
            return await anext(numbers)

        with context(tenant="outer"):
            for expected in (("inner", "t", "items"), ("inner", "t", "items"), ("outer", None, "items")):
                assert await asyncio.create_task(following()) == expected
                assert in_force() == ("outer", None, None)
            assert [each async for each in numbers] == []

    asyncio.run(consume())
    assert [each.context["watchglass.tenant"] for each in recorded.spans] == ["inner", "outer"]


def in_force() -> tuple[str | None, ...]:
    """Tenant, task and agent."""
    return tuple(current().fields.get(name) for name in ("tenant", "task", "agent"))
