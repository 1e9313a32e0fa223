"""Ids and time come from one source that differs after a fork and that a test can replace."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider

from watchglass.capture import ids
from watchglass.clock import ManualClock


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    before = ids.use()
    yield
    ids.use(*before)


class Counting:
    random = False

    def __init__(self) -> None:
        self.made = 0

    def trace_id(self) -> bytes:
        self.made += 1
        return self.made.to_bytes(16, "big")

    def span_id(self) -> bytes:
        self.made += 1
        return self.made.to_bytes(8, "big")


def test_ids_have_their_lengths_and_do_not_repeat() -> None:
    """Ten thousand ids of each kind are all different, of 16 and 8 bytes, and none is zeros."""
    traces = {ids.trace_id() for _ in range(10_000)}
    spans = {ids.span_id() for _ in range(10_000)}
    assert len(traces) == len(spans) == 10_000
    assert {len(each) for each in traces} == {16} and {len(each) for each in spans} == {8}
    assert bytes(16) not in traces and bytes(8) not in spans


def test_an_application_that_seeds_random_gets_other_ids_each_time() -> None:
    """Seeding Python's shared generator does not make ids repeat."""
    random.seed(42)
    first = ids.trace_id()
    random.seed(42)
    assert ids.trace_id() != first


def _some(queue: multiprocessing.Queue[list[bytes]]) -> None:
    queue.put([ids.trace_id() for _ in range(100)])


def test_a_forked_child_makes_other_ids() -> None:
    """Parent and two forked children have no id in common."""
    fork = multiprocessing.get_context("fork")
    queue: multiprocessing.Queue[list[bytes]] = fork.Queue()
    children = [fork.Process(target=_some, args=(queue,)) for _ in range(2)]
    for child in children:
        child.start()
    made = [*queue.get(timeout=60), *queue.get(timeout=60), *(ids.trace_id() for _ in range(100))]
    for child in children:
        child.join(60)
    assert len(set(made)) == 300


def test_a_source_and_a_clock_of_ones_own_are_used_until_put_back() -> None:
    """`use` puts a source and a clock in force, returns what was, and that can be put back."""
    clock = ManualClock(7)
    before = ids.use(Counting(), clock)
    assert (ids.trace_id()[-1], ids.span_id()[-1], ids.now_ns()) == (1, 2, 7)
    clock.advance_ns(1)
    assert ids.now_ns() == 8
    ids.use(*before)
    assert ids.now_ns() > 10**18 and ids.trace_id() != (3).to_bytes(16, "big")


def test_opentelemetrys_spans_have_our_ids() -> None:
    """A tracer provider with our generator takes its ids from the source in force."""
    ids.use(Counting())
    span = TracerProvider(id_generator=ids.otel_generator()).get_tracer("t").start_span("s")
    assert {span.get_span_context().trace_id, span.get_span_context().span_id} == {1, 2}
    assert not span.get_span_context().trace_flags.random_trace_id
