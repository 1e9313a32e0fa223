"""Sends the demo's bodies as an exporter does: some at a time, again when the server asks for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, Protocol

from watchglass.errors import Overloaded
from watchglass.surfaces.demo.plan import Window, history, runs_of
from watchglass.surfaces.demo.records import Run
from watchglass.surfaces.demo.story import DAY_NS
from watchglass.surfaces.demo.traffic import Batch, batches

AT_ONCE = 6
_QUEUED = 12
"""Bodies that are made ahead: what bounds the memory, of some hundred kilobytes each."""

ATTEMPTS = 8
TICK_S = 2.0


class Post(Protocol):
    """Sends a body. MUST return only once it is acknowledged in full; MUST raise `Overloaded` where the
    server asks to send it again later, and another of our errors where it never will be taken."""

    def __call__(self, batch: Batch, /) -> None:
        """Send it."""
        ...


Wait = Callable[[float], None]
"""Lets so many seconds pass."""


class Sent(NamedTuple):
    """How far it is."""

    spans: int
    runs: int


def send_history(window: Window, post: Post, wait: Wait, newest_first: bool = False) -> Generator[Sent]:
    """Send the window's runs, yielding after each day; bodies are made while others are under way.

    Raises what `post` raises, and `Overloaded` when a body is refused time and again.
    """
    days = history(window, newest_first=newest_first)
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="demo") as threads:
        spans = runs = 0
        for day in days:
            for batch in batches(day):
                waiting.append(threads.submit(send, batch, post, wait))
                spans += batch.spans
                while len(waiting) > _QUEUED:
                    waiting.popleft().result()
            runs += len(day)
            yield Sent(spans, runs)
        while waiting:
            waiting.popleft().result()


def send(batch: Batch, post: Post, wait: Wait) -> None:
    """Send one body, waiting as long as the server asks for."""
    for _ in range(ATTEMPTS - 1):
        try:
            return post(batch)
        except Overloaded as busy:
            wait(busy.retry_after_s)
    return post(batch)


def send_live(window: Window, post: Post, wait: Wait, now_ns: Callable[[], int]) -> Generator[Sent]:
    """Go on where the window ends: every two seconds, the runs that have ended meanwhile. Never returns."""
    done_ns, plan = window.now_ns, _Plan(window)
    while True:
        wait(TICK_S)
        until_ns = now_ns()
        ended = plan.ended(done_ns, until_ns)
        spans = 0
        for batch in batches(ended):
            send(batch, post, wait)
            spans += batch.spans
        done_ns = until_ns
        yield Sent(spans, len(ended))


class _Plan:
    """Today's runs, and those of the day before that end today; made once a day."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._days: dict[int, list[Run]] = {}

    def ended(self, after_ns: int, until_ns: int) -> list[Run]:
        """Those that ended in (after, until]."""
        days = range(after_ns // DAY_NS - 1, until_ns // DAY_NS + 1)
        self._days = {day: self._days.get(day) or runs_of(self._window, day) for day in days}
        return [run for runs in self._days.values() for run in runs if after_ns < run.end_ns <= until_ns]
