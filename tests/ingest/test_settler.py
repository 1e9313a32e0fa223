"""The settler goes on, whatever one trace or one checkpoint does to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from watchglass.clock import SystemClock
from watchglass.errors import StoreError
from watchglass.ingest.settler import Settler

PATIENCE_S = 20


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
