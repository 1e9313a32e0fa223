"""Threads and pools of threads, as they are used."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
from typing import Any

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from tests.capture.propagation.services import METHOD, grpc_service
from watchglass.capture import propagation
from watchglass.capture.context import context, current

TRACER = TracerProvider().get_tracer("application")


@pytest.fixture(autouse=True)
def installed() -> Generator[None]:
    propagation.install()
    yield
    propagation.uninstall()


def seen(*_: object) -> tuple[str | None, int]:
    """The tenant and the span in force."""
    return current().fields.get("tenant"), trace.get_current_span().get_span_context().span_id


def in_thread(make: Callable[[Callable[[], None]], threading.Thread]) -> tuple[str | None, int]:
    out: list[tuple[str | None, int]] = []
    thread = make(lambda: out.append(seen()))
    with context(tenant="a"), TRACER.start_as_current_span("x"):
        here = seen()
        thread.start()
    thread.join()
    assert "run" not in vars(thread)
    assert out == [here]
    return here


class Overridden(threading.Thread):
    """A thread of the sort that overrides `run`."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self.work = work

    def run(self) -> None:
        self.work()


@pytest.mark.parametrize(
    "make",
    [
        lambda work: threading.Thread(target=work),
        lambda work: threading.Timer(0, work),
        Overridden,
    ],
)
def test_a_thread_has_the_context_of_who_starts_it(
    make: Callable[[Callable[[], None]], threading.Thread],
) -> None:
    """Threads, timers and subclasses have tenant and span of who starts them, wherever they were made."""
    assert in_thread(make)[0] == "a"


def test_a_run_of_ones_own_is_put_back() -> None:
    """A `run` set on the instance runs in the context, and is there again afterwards."""
    out: list[Any] = []
    thread = threading.Thread()
    own = thread.run = lambda: out.append(seen()[0])
    with context(tenant="a"):
        thread.start()
    thread.join()
    assert out == ["a"]
    assert thread.run is own


def test_a_thread_that_does_not_start_is_as_it_was() -> None:
    """Starting a thread twice is the error that it always was, and leaves nothing on it."""
    thread = threading.Thread(target=seen)
    thread.start()
    thread.join()
    with pytest.raises(RuntimeError, match="only be started once"):
        thread.start()
    assert "run" not in vars(thread)


def test_a_task_has_the_context_of_who_submits_it() -> None:
    """One worker does each task in the context of its submitter, and in none where there was none."""
    with ThreadPoolExecutor(1) as pool:
        with context(tenant="a"), TRACER.start_as_current_span("x"):
            assert pool.submit(seen).result() == seen()
            assert list(pool.map(seen, [1, 2])) == [seen(), seen()]
        with context(tenant="b"):
            assert pool.submit(seen).result() == ("b", 0)
        assert pool.submit(seen).result() == (None, 0)


def test_every_way_into_a_thread_pool() -> None:
    """All methods of `ThreadPool` carry, with the function by position or by name."""
    with ThreadPool(1) as pool:
        with context(tenant="a"), TRACER.start_as_current_span("x"):
            here = seen()
            assert pool.apply(seen) == here
            assert pool.apply_async(func=seen).get() == here
            assert pool.map(seen, [1]) == [here]
            assert pool.map_async(seen, [1]).get() == [here]
            assert pool.starmap(seen, [(1, 2)]) == [here]
            assert pool.starmap_async(seen, [(1, 2)]).get() == [here]
            assert list(pool.imap(seen, [1])) == [here]
            assert list(pool.imap_unordered(seen, [1])) == [here]
        assert pool.apply(seen) == (None, 0)


def test_callbacks_are_not_in_the_context_of_who_was_first() -> None:
    """A pool's own threads, though started in a tenant's context, have none: what they call back for another
    tenant is in that one's context or in none."""
    called: list[Any] = []
    gates = [threading.Event(), threading.Event()]

    def opened(gate: threading.Event) -> None:
        gate.wait(60)

    with context(tenant="first"):
        pool, thread_pool = ThreadPoolExecutor(1), ThreadPool(1)
        pool.submit(seen).result()
        thread_pool.apply(seen)
    with pool, context(tenant="b"):
        pool.submit(opened, gates[0]).add_done_callback(lambda _: called.append(seen()[0]))
        result = thread_pool.apply_async(opened, (gates[1],), callback=lambda _: called.append(seen()[0]))
        gates[0].set()
        pool.submit(seen).result()
        gates[1].set()
        result.get(60)
    thread_pool.close()
    thread_pool.join()
    assert called == [None, "b"]


def test_a_grpc_server_serves_nobody_in_particular() -> None:
    """A server started in a tenant's context does not hand that on to every call."""
    with (
        context(tenant="first"),
        grpc_service(trust=[]) as address,
        grpc.insecure_channel(address) as channel,
    ):
        assert channel.unary_unary(METHOD + "One")(b"x") == b""


def test_misuse_is_the_error_that_it_was() -> None:
    """What is called wrongly says so as it does without us."""
    with ThreadPoolExecutor(1) as pool:
        wrong: Any = pool
        with pytest.raises(TypeError, match="missing 1 required positional argument"):
            wrong.submit()
        with pytest.raises(TypeError, match="not callable"):
            wrong.submit(None).result()


def test_it_can_be_undone() -> None:
    """After `uninstall` the standard library is as it was, but for what somebody else has put on top."""
    propagation.uninstall()
    plain = ThreadPoolExecutor.submit, threading.Thread.start
    propagation.install()
    propagation.install()
    assert ThreadPoolExecutor.submit is not plain[0]
    ours = threading.Thread.start

    def on_top(self: threading.Thread) -> None:
        ours(self)

    threading.Thread.start = on_top
    propagation.uninstall()
    assert ThreadPoolExecutor.submit is plain[0]
    assert threading.Thread.start is on_top
    threading.Thread.start = ours
    propagation.uninstall()
    assert (ThreadPoolExecutor.submit, threading.Thread.start) == plain
