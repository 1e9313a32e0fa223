"""Child processes, however they are started."""

from __future__ import annotations

import multiprocessing
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from watchglass.capture import propagation
from watchglass.capture.context import context, current

TRACER = TracerProvider().get_tracer("application")


@pytest.fixture(autouse=True)
def installed() -> Generator[None]:
    propagation.install()
    yield
    propagation.uninstall()


def seen(*_: object) -> tuple[str | None, str | None, int, int]:
    """Tenant, user, trace and span in force."""
    span, fields = trace.get_current_span().get_span_context(), current().fields
    return fields.get("tenant"), fields.get("user"), span.trace_id, span.span_id


def put(queue: Any) -> None:
    queue.put(seen())


class Forked(multiprocessing.get_context("fork").Process):
    def __init__(self, queue: Any) -> None:
        super().__init__()
        self.queue = queue

    def run(self) -> None:
        put(self.queue)


class Spawned(multiprocessing.get_context("spawn").Process):
    def __init__(self, queue: Any) -> None:
        super().__init__()
        self.queue = queue

    def run(self) -> None:
        put(self.queue)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_child_has_the_context_of_its_parent(method: str) -> None:
    """A forked, spawned or forkserver's child has tenant, user, trace and span of who started it, and the
    `Process` is afterwards as it was."""
    way: Any = multiprocessing.get_context(method)
    queue = way.Queue()
    with context(tenant="acme ü", user="ann"), TRACER.start_as_current_span("x"):
        here = seen()
        child = way.Process(target=put, args=(queue,))
        child.start()
    assert queue.get(timeout=60) == here
    child.join()
    assert child.exitcode == 0
    assert "run" not in vars(child)


@pytest.mark.parametrize("kind", [Forked, Spawned])
def test_a_subclass_with_a_run_of_its_own(kind: Any) -> None:
    """A `Process` that overrides `run` is carried too."""
    queue = multiprocessing.get_context("spawn").Queue()
    with context(tenant="acme"), TRACER.start_as_current_span("x"):
        here = seen()
        child = kind(queue)
        child.start()
    assert queue.get(timeout=60) == here
    child.join()


def test_pools_of_processes() -> None:
    """A worker does each task in its submitter's context, and in none where there was none."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as executor, spawn.Pool(1) as pool:
        for tenant in ("a", "b"):
            with context(tenant=tenant), TRACER.start_as_current_span("x"):
                assert executor.submit(seen).result(60) == seen()
                assert list(executor.map(seen, [1, 2], chunksize=2)) == [seen()] * 2
                assert pool.apply_async(seen).get(60) == seen()
                assert pool.map_async(seen, [1, 2]).get(60) == [seen()] * 2
        assert executor.submit(seen).result(60) == (None, None, 0, 0)
        assert pool.apply_async(seen).get(60) == (None, None, 0, 0)
