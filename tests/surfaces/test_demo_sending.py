"""How the demo sends: all of it, patiently, and live by the clock it is given."""

from __future__ import annotations

import threading

import pytest

from watchglass.clock import ManualClock
from watchglass.errors import Overloaded, Unreachable
from watchglass.surfaces.demo.plan import Window, history, runs_of
from watchglass.surfaces.demo.sending import ATTEMPTS, TICK_S, send, send_history, send_live
from watchglass.surfaces.demo.story import DAY_NS, HOUR_NS
from watchglass.surfaces.demo.traffic import Batch

NOON = (20_778 * 24 + 12) * HOUR_NS
WINDOW = Window(seed=5, now_ns=NOON, days=2, rate=0.1)
BODY = Batch(path="/v1/traces", body=b"", spans=0)


class Recorder:
    """A `Post` that keeps what it is given, after it has refused the first `busy` of them."""

    def __init__(self, busy: int = 0) -> None:
        self.batches: list[Batch] = []
        self._busy = busy
        self._lock = threading.Lock()

    def __call__(self, batch: Batch, /) -> None:
        with self._lock:
            if self._busy:
                self._busy -= 1
                raise Overloaded("later", retry_after_s=3)
            self.batches.append(batch)

    def traces(self) -> set[str]:
        return {run.id for batch in self.batches for run in batch.runs}


def test_the_whole_history_is_sent_once() -> None:
    """Every run of the window, and the spans that are said to have been sent."""
    post = Recorder()
    *_, last = send_history(WINDOW, post, lambda _: None)
    runs = [run for day in history(WINDOW) for run in day]
    assert post.traces() == {run.id for run in runs}
    assert last == (sum(batch.spans for batch in post.batches), len(runs))


def test_newest_first_sends_the_same() -> None:
    """The order of the days changes nothing else."""
    oldest, newest = Recorder(), Recorder()
    for post, newest_first in ((oldest, False), (newest, True)):
        for _ in send_history(WINDOW, post, lambda _: None, newest_first=newest_first):
            pass
    assert oldest.traces() == newest.traces()


def test_it_waits_as_long_as_the_server_asks_for() -> None:
    """A body that is refused for now is sent again after `Retry-After`."""
    post, waits = Recorder(busy=2), list[float]()
    send(BODY, post, waits.append)
    assert (waits, len(post.batches)) == ([3, 3], 1)


def test_it_does_not_wait_for_ever() -> None:
    """A server that never has room is named in the end."""
    waits = list[float]()
    with pytest.raises(Overloaded):
        send(BODY, Recorder(busy=ATTEMPTS), waits.append)
    assert len(waits) == ATTEMPTS - 1


def test_a_server_that_goes_away_ends_the_history() -> None:
    """What posting raises comes out, and nothing hangs."""

    def gone(_: Batch) -> None:
        raise Unreachable("gone")

    with pytest.raises(Unreachable, match="gone"):
        list(send_history(WINDOW, gone, lambda _: None))


def test_live_traffic_goes_on_where_history_ended() -> None:
    """Over midnight and for a day: every run is sent once, in the tick in which it has ended."""
    clock, post = ManualClock(NOON), Recorder()
    live = send_live(WINDOW, post, lambda seconds: clock.advance_ns(int(seconds * 60 * 10**9)), clock.now_ns)
    while clock.now_ns() < NOON + DAY_NS:
        before, count = clock.now_ns(), len(post.batches)
        next(live)
        for batch in post.batches[count:]:
            assert all(before < run.end_ns <= clock.now_ns() for run in batch.runs)
    days = range(NOON // DAY_NS - 1, NOON // DAY_NS + 2)
    runs = [run for day in days for run in runs_of(WINDOW, day)]
    expected = {run.id for run in runs if NOON < run.end_ns <= clock.now_ns()}
    assert post.traces() == expected
    assert sum(len(batch.runs) for batch in post.batches) == len(expected) > 0


def test_a_quiet_tick_sends_nothing() -> None:
    """Where no run has ended, no body is made."""
    clock, post = ManualClock(NOON), Recorder()
    quiet = Window(seed=5, now_ns=NOON, days=2, rate=0.01)
    waits = list[float]()
    live = send_live(quiet, post, waits.append, clock.now_ns)
    assert next(live) == (0, 0)
    assert (waits, post.batches) == ([TICK_S], [])
