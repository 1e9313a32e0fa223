"""What many senders share is shared out: no single one can take it from the others."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.errors import Overloaded, TooMany
from watchglass.ingest.admission import ByteBudget
from watchglass.ingest.shares import BURST_S, Bucket, Turns


@given(st.floats(0.1, 1000), st.lists(st.tuples(st.floats(0, 10), st.floats(0, 5000)), max_size=40))
def test_a_rate_holds_on_average(per_s: float, sent: list[tuple[float, float]]) -> None:
    """However it comes, no more is let in than the rate, the burst and the last request together."""
    bucket, now_s, taken, largest = Bucket(per_s, 0.0), 0.0, 0.0, 0.0
    for pause_s, amount in sent:
        now_s += pause_s
        if not bucket.wait_s(now_s):
            bucket.spend(amount, now_s)
            taken, largest = taken + amount, max(largest, amount)
    assert taken <= per_s * now_s + max(1.0, per_s * BURST_S) + largest + 1e-6


@given(st.floats(0.1, 1000), st.floats(0, 5000))
def test_who_waits_as_told_comes_in(per_s: float, amount: float) -> None:
    """After the seconds that a refusal names the next request is taken."""
    bucket = Bucket(per_s, 0.0)
    bucket.spend(amount + BURST_S * per_s + 1, 0.0)
    wait_s = bucket.wait_s(0.0)
    assert wait_s >= 1 and bucket.wait_s(wait_s + 1e-6) in (0, 1) and bucket.wait_s(wait_s + 1) == 0


def test_one_key_cannot_fill_the_budget() -> None:
    """A noisy key is told to come back while there is room left, which another key then gets."""
    budget = ByteBudget(1000)
    with pytest.raises(TooMany) as refused:
        for _ in range(100):
            budget.take(10, 0, "noisy")
    assert refused.value.retry_after_s == 1 and 400 < budget.used <= 500
    budget.take(100, 0, "quiet")
    with pytest.raises(TooMany):
        budget.take(10, 0, "noisy")


def test_many_noisy_keys_leave_room_for_one_more() -> None:
    """However many keys take all they can get, the next one still gets its first bytes."""
    budget = ByteBudget(100_000)
    for key in range(10):
        with pytest.raises(TooMany):
            while True:
                budget.take(10, 0, f"noisy{key}")
    budget.take(10, 0, "quiet")
    assert budget.used < 100_000


def test_a_lone_request_of_a_key_needs_no_room_to_spare() -> None:
    """A single large body comes in though it takes more than a key's share; without keys all may be taken."""
    budget = ByteBudget(1000)
    budget.take(900, 0, "key")
    budget.take(90, 900, "key")
    with pytest.raises(TooMany):
        budget.take(5, 0, "key")
    budget.give(990, "key")
    for _ in range(10):
        budget.take(100)
    with pytest.raises(Overloaded):
        budget.take(1)


def test_turns_go_round_by_sender() -> None:
    """With a hundred waiting of one sender, the first of another is next but one."""

    async def run() -> list[str]:
        turns, done = Turns(1), list[str]()

        async def one(sender: str) -> None:
            async with turns.turn(sender):
                done.append(sender)
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as group:
            for sender in ["noisy"] * 100 + ["quiet", "other"]:
                group.create_task(one(sender))
        assert turns.waiting == 0
        return done

    done = asyncio.run(run())
    assert len(done) == 102 and done.index("quiet") <= 2 and done.index("other") <= 3


def test_who_hangs_up_gives_the_turn_on() -> None:
    """A waiting request that is cancelled, even just when its turn has come, leaves no place lost."""

    async def run() -> None:
        turns = Turns(2)
        gate = asyncio.Event()

        async def hold(sender: str) -> None:
            async with turns.turn(sender):
                await gate.wait()

        holders = [asyncio.create_task(hold("a")) for _ in range(2)]
        waiting = [asyncio.create_task(hold(sender)) for sender in "bbcc"]
        await asyncio.sleep(0)
        waiting[0].cancel()
        gate.set()
        await asyncio.sleep(0)
        waiting[1].cancel()
        await asyncio.gather(*holders, *waiting, return_exceptions=True)
        async with turns.turn("x"), turns.turn("y"):
            assert turns.waiting == 0

    asyncio.run(run())
