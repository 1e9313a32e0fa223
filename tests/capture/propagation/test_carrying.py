"""Functions that take the context along."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import threading
from collections.abc import AsyncGenerator, Generator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from watchglass.capture.application_code import started_at
from watchglass.capture.context import EMPTY, context, current
from watchglass.capture.propagation.carrying import carry

TRACER = TracerProvider().get_tracer("application")


def seen() -> tuple[str | None, int]:
    """The tenant and the span in force."""
    return current().fields.get("tenant"), trace.get_current_span().get_span_context().span_id


async def seen_later() -> tuple[str | None, int]:
    await asyncio.sleep(0)
    return seen()


def seen_often() -> Generator[tuple[str | None, int]]:
    while True:
        yield seen()


async def seen_often_later() -> AsyncGenerator[tuple[str | None, int]]:
    while True:
        yield await seen_later()


async def every_kind() -> None:
    with context(tenant="a"), TRACER.start_as_current_span("x"):
        here = seen()
        plain, later, often, often_later = (
            carry(seen),
            carry(seen_later),
            carry(seen_often),
            carry(seen_often_later),
        )
    assert inspect.iscoroutinefunction(later)
    assert inspect.isgeneratorfunction(often)
    assert inspect.isasyncgenfunction(often_later)
    with context(tenant="b"):
        steps, later_steps = often(), often_later()
        assert [plain(), await later(), next(steps), next(steps)] == [here] * 4
        assert [await anext(later_steps), await anext(later_steps)] == [here] * 2
        assert seen() == ("b", 0)
        await later_steps.aclose()
    assert current() is EMPTY


def test_every_kind() -> None:
    """A carried function, coroutine function or generator function is still one, and runs in the context
    where it was carried, with nothing of that at its caller's."""
    asyncio.run(every_kind())


def test_an_error_passes_through() -> None:
    """What the function raises is the application's, and the context is left."""

    def fails() -> None:
        raise ValueError("theirs")

    with context(tenant="a"):
        carried = carry(fails)
    with pytest.raises(ValueError, match="theirs"):
        carried()
    assert current() is EMPTY


def test_it_can_be_pickled() -> None:
    """A carried function that is read in another process has the tenant, and the span as its parent."""
    with context(tenant="a"), TRACER.start_as_current_span("x"):
        here, payload = seen(), pickle.dumps(carry(seen))
    assert pickle.loads(payload)() == here
    assert seen() == (None, 0)


def test_it_may_run_many_times_at_once() -> None:
    """One carried function in many threads is in its context in each."""
    with context(tenant="a"):
        carried = carry(seen)
    out: list[tuple[str | None, int]] = []
    threads = [threading.Thread(target=lambda: out.append(carried())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert out == [("a", 0)] * 8


def test_a_carried_generator_leaves_what_it_entered() -> None:
    """A block that it entered before a `yield` holds after it, and ends with it."""

    def tenants() -> Generator[str | None]:
        with context(tenant="inner"):
            yield seen()[0]
            yield seen()[0]
        yield seen()[0]

    with context(tenant="a"):
        carried = carry(tenants)
    with context(tenant="b"):
        assert list(carried()) == ["inner", "inner", "a"]
        assert seen()[0] == "b"
    assert started_at.get() is None
