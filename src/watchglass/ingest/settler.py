"""Settling in the background: after each group of writes, the traces it touched are looked at again.

What needs the neighbours is decided here (which calls count, what is inherited from an ancestor
that came later); the rules are pure and live in `settle.py`, the rows in `settle_rows.py`.
Settling again what is settled changes nothing, so a trace may be touched as often as it likes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from watchglass.clock import Clock
from watchglass.errors import Overloaded, StoreFull, WatchglassError

log = logging.getLogger(__name__)

CHUNK = 20_000
"""Traces in one pass: bounds its memory and the length of its statements."""

PAUSE_S = 0.25
"""Between passes, so that a burst of small requests is one pass."""

RETRY_S = 2.0

STRIKES = 3
"""Failures in a row after which it may be a trace that fails and not the store: then it is looked for."""

DOUBTS = 10
"""Traces that fail alone before any goes through: then it is the store."""

CHECKPOINT_NS = 10 * 10**9

NOTED_S = 60.0
"""How far all is settled is noted so often though nothing comes: what a killed server wrote last is found by
when its parts were written, and a merge writes parts of old rows."""


class Settler:
    """Runs `settle_pass(trace_ids)` on a thread of its own for whatever was touched."""

    def __init__(
        self,
        settle_pass: Callable[[Sequence[str]], None],
        *,
        clock: Clock,
        checkpoint: Callable[[int], None] = lambda _: None,
        retry_s: float = RETRY_S,
    ) -> None:
        """`checkpoint(at_ns)` is told now and then that all that was written before is settled."""
        self._pass = settle_pass
        self._clock = clock
        self._checkpoint = checkpoint
        self._retry_s = retry_s
        self._strikes = 0
        self._checked_ns = 0
        self._touched: dict[str, None] = {}  # in order of arrival
        self._under_way = 0
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="watchglass-settle")
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.last_error: str | None = None

    @property
    def waiting(self) -> int:
        """Traces that are not settled yet, those that are being settled included."""
        return len(self._touched) + self._under_way

    def touch(self, trace_ids: Iterable[str]) -> None:
        """These traces have new rows."""
        self._touched.update(dict.fromkeys(trace_ids))
        if self._touched:
            self._idle.clear()
            self._arrived.set()

    def start(self) -> None:
        """Begin; needs a running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="watchglass-settler")

    async def settled(self) -> None:
        """Wait until nothing is left to settle."""
        await self._idle.wait()

    async def stop(self) -> None:
        """Settle what is left, then end. What fails now is settled at the next start."""
        self._stopping.set()
        self._arrived.set()
        if self._task is not None:
            await self._task
        if not self._touched:
            await self._note(self._clock.now_ns())
        self._thread.shutdown()

    async def _run(self) -> None:
        while not self._stopping.is_set() or self._touched:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), NOTED_S)
            if not self._touched:
                self._arrived.clear()
                self._idle.set()
                await self._note_rest()
                if self._stopping.is_set() and not self._touched:
                    return
                continue
            if not await self._one_pass() and self._stopping.is_set():
                return
            await self._pause(PAUSE_S if self.last_error is None else self._retry_s)

    async def _one_pass(self) -> bool:
        chunk = [trace_id for trace_id, _ in zip(self._touched, range(CHUNK), strict=False)]
        for trace_id in chunk:
            del self._touched[trace_id]
        self._under_way = len(chunk)
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._settle, chunk)
        except WatchglassError as error:
            # The rows stay as they came, which is what a reader saw so far; nothing is lost.
            log.warning("settling failed, it will be tried again: %s", error)
            self.last_error = str(error)
            self._strikes += not isinstance(error, StoreFull | Overloaded)
            self._touched.update(dict.fromkeys(chunk))
            return False
        finally:
            self._under_way = 0
        self.last_error = None
        self._strikes = 0
        return True

    def _settle(self, chunk: Sequence[str]) -> None:
        """One trace that our rules choke on must not keep all others waiting: it is found by halves."""
        try:
            self._pass(chunk)
        except WatchglassError as error:
            if self._strikes < STRIKES or len(chunk) == 1 or isinstance(error, StoreFull | Overloaded):
                raise
            self._settle_apart(chunk)
        except Exception:  # broad: a mistake of ours (or no memory) must not end the settler
            if len(chunk) == 1:
                log.exception("trace %s cannot be settled and stays as it came", chunk[0])
                return
            self._settle(chunk[: len(chunk) // 2])
            self._settle(chunk[len(chunk) // 2 :])

    def _settle_apart(self, chunk: Sequence[str]) -> None:
        """What fails again and again is settled by halves; traces that fail alone are left as they came.

        Until one part goes through it may be the store after all: then nothing is given up.
        """
        parts, alone, works = [chunk], dict[str, WatchglassError](), False
        while parts:
            part = parts.pop()
            try:
                self._pass(part)
                works = True
            except WatchglassError as error:
                if len(part) > 1:
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
                    continue
                alone[part[0]] = error
                if not works and len(alone) >= DOUBTS:
                    raise
        if not works:
            raise next(iter(alone.values()))
        for trace_id in alone:
            try:
                self._pass([trace_id])  # once more, now that the store is known to work
            except (StoreFull, Overloaded):
                raise
            except WatchglassError as error:
                log.error("trace %s cannot be settled and stays as it came: %s", trace_id, error)

    async def _note_rest(self) -> None:
        """Writes whose traces are not touched yet may be under way: so not up to this very moment."""
        now_ns = self._clock.now_ns()
        if now_ns - self._checked_ns > CHECKPOINT_NS:
            self._checked_ns = now_ns
            await self._note(now_ns - 2 * CHECKPOINT_NS)

    async def _note(self, at_ns: int) -> None:
        """On the thread, for it syncs a file; nothing waits for it but settling."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._checkpoint, at_ns)
        except WatchglassError as error:
            # An older checkpoint only makes the next start settle more.
            log.warning("how far all is settled was not noted: %s", error)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
