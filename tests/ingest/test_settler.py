"""The settler goes on, whatever one trace or one checkpoint does to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from watchglass.clock import SystemClock
from watchglass.errors import StoreError, StoreFull
from watchglass.ingest.settler import Settler

PATIENCE_S = 60


async def settle_all(settler: Settler, *touches: Sequence[str]) -> None:
    """Start, hand in each group once the one before is settled, and stop."""
    settler.start()
    for traces in touches:
        settler.touch(traces)
        await asyncio.wait_for(settler.settled(), PATIENCE_S)
    await asyncio.wait_for(settler.stop(), PATIENCE_S)


def test_a_trace_that_our_rules_choke_on_is_left_alone() -> None:
    """A mistake in settling one trace costs that trace only: its neighbours and later ones are settled."""
    done: set[str] = set()

    def settle_pass(traces: Sequence[str]) -> None:
        if "bad" in traces:
            raise KeyError("a mistake of ours")
        done.update(traces)

    asyncio.run(settle_all(Settler(settle_pass, clock=SystemClock()), ["a", "b", "bad", "c"], ["d"]))
    assert done == {"a", "b", "c", "d"}


def test_a_checkpoint_that_fails_does_not_end_settling() -> None:
    """Where the checkpoint cannot be noted, traces that come later are settled all the same."""
    done: set[str] = set()
    failures = [StoreError("the disk is full")]

    def checkpoint(at_ns: int) -> None:
        if failures:
            raise failures.pop()

    asyncio.run(settle_all(Settler(done.update, clock=SystemClock(), checkpoint=checkpoint), ["a"], ["b"]))
    assert not failures
    assert done == {"a", "b"}


def test_a_trace_that_the_store_always_refuses_holds_up_nobody() -> None:
    """Traces whose settling fails every time are found and left as they came; all others are settled."""
    done: set[str] = set()

    def settle_pass(traces: Sequence[str]) -> None:
        if {"bad", "worse"} & set(traces):
            raise StoreError("the store will not have it")
        done.update(traces)

    good = [f"trace{number}" for number in range(50)]
    settler = Settler(settle_pass, clock=SystemClock(), retry_s=0)
    asyncio.run(settle_all(settler, [*good[:7], "bad", *good[7:31], "worse", *good[31:]], ["later"]))
    assert done == {*good, "later"}


def test_nothing_is_given_up_while_the_store_fails() -> None:
    """However long the store fails, every trace is settled once it does not, also a lone one."""
    done: set[str] = set()
    failures: list[StoreError] = []

    def settle_pass(traces: Sequence[str]) -> None:
        if failures:
            raise failures.pop()
        done.update(traces)

    for traces in (["a"], ["b", "c", "d", "e"]):
        failures[:] = [StoreError("broken")] * 40 + [StoreFull("full")] * 10
        asyncio.run(settle_all(Settler(settle_pass, clock=SystemClock(), retry_s=0), traces))
    assert done == set("abcde")
