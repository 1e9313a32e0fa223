"""The engine as everybody gets it: whoever writes calls through it has told the rollup before.

Attached here and nowhere else, so that no writer, of today or later, can forget it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

import pyarrow as pa

from watchglass.store.archive import Archive
from watchglass.store.engine import Engine, Limits
from watchglass.store.expired import Expiry, read_expiry
from watchglass.store.rollup import Rollup, hours_of
from watchglass.store.rollup_hours import Answering, Coverage

CALLS = "store.calls"

T = TypeVar("T")

# Statements that can change calls by themselves. Too many is harmless (their hours are summed up anew).
_REWRITES = re.compile(
    r"\s*(?:RESTORE\b|DROP\s+DATABASE\b"
    r"|(?:INSERT\s+INTO|ALTER|TRUNCATE|DELETE|UPDATE|DROP|EXCHANGE|RENAME)\b[^(]*?\bstore\.`?calls\b"
    r"(?!`?\s+FREEZE\b))",
    re.IGNORECASE,
)


class RolledEngine:
    """An engine beside whose calls a rollup is kept. See `Engine` for what it promises."""

    def __init__(self, engine: Engine, rollup: Rollup) -> None:
        self._engine = engine
        self._rollup = rollup
        self._alone = threading.RLock()
        self._archive = Archive(engine, rollup, self._alone)

    @property
    def rollup(self) -> Rollup:
        """Which hours the rollup answers for."""
        return self._rollup

    @property
    def archive(self) -> Archive:
        """What is kept of calls that have expired."""
        return self._archive

    def execute(
        self,
        sql: str,
        params: Mapping[str, object] = {},
        *,
        limits: Limits | None = None,
    ) -> pa.Table:
        """See `Engine.execute`."""
        if limits is None and _REWRITES.match(sql):
            with self._rollup.rewriting():
                return self._engine.execute(sql, params)
        return self._engine.execute(sql, params, limits=limits)

    def rewrite(self, sql: str, params: Mapping[str, object], *, hours: Iterable[int]) -> pa.Table:
        """A statement that changes calls of these hours (since 1970) only, and is done when it returns.

        The others need not be summed up anew. A mutation MUST be waited for (`mutations_sync = 1`).
        """
        with self._rollup.changing(hours):
            return self._engine.execute(sql, params)

    @contextmanager
    def alone(self) -> Generator[None]:
        """While rows of calls are read in order to be written back, or deleted.

        Settling, repricing, retention, a tenant's removal and a snapshot hold it, each for a chunk of its
        work: one that wrote back what another has deleted or changed meanwhile would undo that. New rows
        come in all the time. The same thread may take it again.
        """
        with self._alone:
            if self._archive.unfinished:  # its calls are not to be written back, nor deleted uncounted
                self._archive.recover()
            yield

    def insert(self, table: str, batches: Sequence[pa.RecordBatch]) -> int:
        """See `Engine.insert`. Calls that have expired and are sent again count as written, but are not."""
        hours = hours_of(batches) if table == CALLS else ()
        if not hours:
            return self._engine.insert(table, batches)
        with self._archive.admitting(hours, batches) as fresh, self._rollup.changing(hours):
            self._engine.insert(table, fresh)
        return sum(batch.num_rows for batch in batches)

    def close(self) -> None:
        """See `Engine.close`."""
        self._engine.close()


def alone(engine: Engine) -> AbstractContextManager[None]:
    """See `RolledEngine.alone`; an engine without a rollup is only ever one test's."""
    return engine.alone() if isinstance(engine, RolledEngine) else nullcontext()


def coverage(engine: Engine) -> Coverage:
    """What the rollup beside this engine answers for: nothing, where it has none."""
    if isinstance(engine, RolledEngine):
        return engine.rollup.coverage()
    return Coverage(False, {}, frozenset())


def site_days(engine: Engine, since_ns: int, until_ns: int) -> Answering:
    """Which days of `[since_ns, until_ns)` are summed up by line of code, and which ranges calls answer."""
    if isinstance(engine, RolledEngine):
        return engine.rollup.sites.answering(engine.rollup.coverage(), since_ns, until_ns)
    return Answering({}, [(since_ns, until_ns)])


def expiry(engine: Engine) -> Expiry:
    """What had expired when this was asked. Ask before `coverage`."""
    return engine.archive.expiry if isinstance(engine, RolledEngine) else read_expiry(engine)


def undisturbed(engine: Engine, ask: Callable[[Expiry], T]) -> T:
    """The answer to a question that no pass of retention has got in the way of; it is asked again if one did.

    A question reads the archive and then calls: in between, calls may become rows of the archive.
    """
    while True:
        before = expiry(engine)
        answer = ask(before)
        if expiry(engine) == before:
            return answer
