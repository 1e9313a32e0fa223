"""From the recorder to the metrics: records wait a moment in memory and are counted on a thread of their own.

Not on the way to the server: that stands still while the server is away, and figures must not; and what a
dead process left behind, which its successor delivers, is not counted as the successor's.
"""

from __future__ import annotations

import os
import threading
from multiprocessing import util
from queue import Empty, SimpleQueue

from watchglass.capture import boundary
from watchglass.capture.prometheus.observe import Observer
from watchglass.capture.prometheus.runtime import on_refresh, refresh
from watchglass.capture.records import Record

WAIT_S = 0.5
MOST = 20_000
"""Records that may wait; beyond it some are not counted as metrics, which `sdk_failures_total` tells."""


class Feed:
    """`put` is the recorder's observer. Ends with `stop`, which counts what waits."""

    def __init__(self, observer: Observer | None = None) -> None:
        self._observer = observer or Observer()
        self._queue: SimpleQueue[Record] = SimpleQueue()
        self._draining = threading.Lock()
        self._stopped = threading.Event()
        self._remove = on_refresh(self.drain)
        self._start()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)
        # A child of `multiprocessing` runs no `atexit`, and forgets finalizers that were made before it.
        util.register_after_fork(self, Feed._finish_with_process)

    def put(self, record: Record) -> None:
        """Count this record soon."""
        if self._queue.qsize() < MOST:
            self._queue.put(record)
        else:
            boundary.failed("metrics.feed", OverflowError("records come faster than they are counted"))

    def drain(self) -> None:
        """Count what waits, now."""
        with self._draining:
            while True:
                try:
                    record = self._queue.get_nowait()
                except Empty:
                    break
                self._observer.observe(record)
            self._observer.settle()

    def stop(self) -> None:
        """Count what waits, then no more."""
        self._stopped.set()
        self.drain()
        self._remove()

    def _start(self) -> None:
        threading.Thread(target=self._run, args=(self._stopped,), name="watchglass-feed", daemon=True).start()

    def _run(self, stopped: threading.Event) -> None:
        while not stopped.wait(WAIT_S):
            refresh()

    def _forked(self) -> None:
        """What waited is the parent's to count; its thread is not here."""
        if self._stopped.is_set():
            return
        self._queue, self._draining, self._stopped = SimpleQueue(), threading.Lock(), threading.Event()
        self._observer = Observer()
        self._start()

    def _finish_with_process(self) -> None:
        if not self._stopped.is_set():
            util.Finalize(None, self.drain, exitpriority=10)
