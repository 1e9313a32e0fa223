"""Prices calls anew by the book as it is now, chunk by chunk, and takes that back.

A run is planned and recorded first. A chunk is noted (`store.repricings`), then written (`calls`), then
counted as done: wherever a kill falls, `mend` brings it to one side, and going on with the run leads to
what would have been. A second run over the same calls finds nothing to change. Taking a run back is a run
of its own whose new values are the old ones of the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from hashlib import blake2b
from importlib.metadata import version
from typing import Literal, TypeAlias

import msgspec

from watchglass.clock import Clock
from watchglass.errors import BadRequest, Conflict, WatchglassError
from watchglass.ledger.reprice_changes import Changes, have_changed, would_change
from watchglass.ledger.reprice_left import Left, left
from watchglass.ledger.reprice_plan import MOST_ROWS, Asked, plan
from watchglass.ledger.reprice_rows import ChunkRows
from watchglass.ledger.sql_prices import Priced, sql_prices
from watchglass.pricing.book import PriceBook
from watchglass.store import VersionClock
from watchglass.store.reprice_runs import Chunk, RepriceRuns, Run, Tally, Wanted
from watchglass.store.rollup_engine import RolledEngine

AT_ONCE = 2
"""Chunks: reading is done on all processors, writing a part on one."""

Stop: TypeAlias = Literal["cancelled", "interrupted"]

KILLED = "the process that did it ended"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A run, what it did so far, and how much of that was taken back since."""

    run: Run
    did: Tally
    undone: int

    @property
    def state(self) -> str:
        """As people are told: a run that was taken back says so."""
        if self.undone and self.run.undoes is None:
            return "undone" if self.undone >= self.did.changed else "partly undone"
        return self.run.state


class Repricing:
    """Reprices the calls of one store. One run at a time: the caller sees to that. Else thread-safe."""

    def __init__(
        self,
        engine: RolledEngine,
        runs: RepriceRuns,
        versions: VersionClock,
        clock: Clock,
        *,
        most_rows: int = MOST_ROWS,
    ) -> None:
        """`most_rows` of a chunk."""
        self.runs = runs
        self._engine = engine
        self._versions = versions
        self._clock = clock
        self._most_rows = most_rows

    def look(self, asked: Asked, book: PriceBook) -> Changes:
        """What a run would change, with nothing written. Raises `QueryError` for an impossible window."""
        with self._prices(asked, book) as priced:
            return would_change(self._engine, priced, asked)

    def begin(
        self, asked: Asked, book: PriceBook, *, who: str, why: str = "", tenant: str | None = None
    ) -> Run:
        """A run that is recorded and planned, to be gone on with by `go`. Raises as `look` does."""
        chunks = plan(self._engine, asked, self._most_rows)
        said = msgspec.json.encode(asked).decode()
        return self.runs.begin(
            Wanted(who=who, why=why, tenant=tenant, asked=said, book=fingerprint(book)), chunks
        )

    def begin_undoing(self, run: Run, *, who: str, why: str = "") -> Run:
        """The run that takes `run` back. Raises `BadRequest` for one that takes back itself, `Conflict`."""
        if run.undoes is not None:
            raise BadRequest(f"{run.id} took r{run.undoes} back; to have its prices again, reprice again")
        if run.state == "running":
            raise Conflict(f"{run.id} is running; cancel it first, then undo it")
        wanted = Wanted(
            who=who, why=why, tenant=run.tenant, asked=run.asked, book=run.book, undoes=run.number
        )
        return self.runs.begin(wanted, self.runs.left(run))

    def resumed(self, run: Run, book: PriceBook) -> Run:
        """A stopped run, running again. Raises `Conflict` where that would not lead to what was begun."""
        if run.state not in ("cancelled", "interrupted"):
            raise Conflict(f"{run.id} is {run.state}; only what was cancelled or interrupted can be resumed")
        if self.runs.undoing(run):
            raise Conflict(f"{run.id} was undone, as far as it had come; begin a new run")
        if run.undoes is None and run.book != fingerprint(book):
            raise Conflict(
                f"the prices have changed since {run.id} began; begin a new run, which changes what is "
                f"still priced otherwise, or undo {run.id}"
            )
        self._mend(run)
        return self.runs.end(run, "running")

    def go(self, run: Run, book: PriceBook, stop: Callable[[], Stop | None] = lambda: None) -> Run:
        """Do what is left of a run, until it is done or `stop()` says otherwise, asked before each chunk.

        An error ends it as interrupted, with what it was in `fault`.
        """
        asked = asked_by(run)
        try:
            with self._prices(asked, book) if run.undoes is None else nullcontext() as priced:
                todo = self.runs.todo(run)
                for at in range(0, len(todo), AT_ONCE):
                    if (state := stop()) is not None:
                        return self.runs.end(run, state)
                    self._do(run, asked, priced, todo[at : at + AT_ONCE])
            return self.runs.end(run, "done")
        except WatchglassError as error:
            return self.runs.end(run, "interrupted", str(error))

    def recover(self) -> list[Run]:
        """At the opening of a store, before anything else writes: runs that a killed process left running
        become interrupted ones. Returns these."""
        found = [run for run in self.runs.list() if run.state == "running"]
        for run in found:
            self._mend(run)
        return [self.runs.end(run, "interrupted", KILLED) for run in found]

    def progress(self, run: Run) -> Progress:
        """How far it is."""
        undone = sum(self.runs.tally(each).changed for each in self.runs.undoing(run))
        return Progress(run=run, did=self.runs.tally(run), undone=undone)

    def changes(self, run: Run) -> Changes:
        """What it has changed so far."""
        return have_changed(self._engine, run, self.runs.tally(run).looked)

    def left(self, run: Run, most: int = 20) -> Left:
        """The rows that it changed and that were not taken back."""
        return left(self._engine, self.runs, run, most)

    def _prices(self, asked: Asked, book: PriceBook) -> AbstractContextManager[Priced]:
        return sql_prices(self._engine, book, asked.window, detect_provider=asked.detect_provider)

    def _do(self, run: Run, asked: Asked, priced: Priced | None, chunks: Sequence[Chunk]) -> None:
        with (
            self._engine.alone(),
            ThreadPoolExecutor(AT_ONCE, thread_name_prefix="watchglass-reprice") as pool,
        ):
            for _ in pool.map(lambda chunk: self._chunk(run, asked, priced, chunk), chunks):
                pass

    def _chunk(self, run: Run, asked: Asked, priced: Priced | None, chunk: Chunk) -> None:
        rows = ChunkRows(self._engine, run, chunk)
        looked, at_ns = rows.looked(asked), self._clock.now_ns()
        if priced is None:
            rows.note_undoing(self._versions.next(), at_ns)
        else:
            rows.note(priced, asked, self._versions.next(), at_ns)
        if hours := rows.noted():
            rows.write(hours, self._versions.next())
        self.runs.done(run, chunk, rows.tally(looked))

    def _mend(self, run: Run) -> None:
        """Finish chunks that have been noted."""
        for chunk in self.runs.todo(run):
            with self._engine.alone():
                rows = ChunkRows(self._engine, run, chunk)
                if hours := rows.noted():
                    rows.write(hours, self._versions.next())
                    self.runs.done(run, chunk, rows.tally(rows.looked(asked_by(run))))


def asked_by(run: Run) -> Asked:
    """What was asked for."""
    return msgspec.json.decode(run.asked, type=Asked)


def fingerprint(book: PriceBook) -> str:
    """Another text for a book with other prices."""
    digest = blake2b(version("genai-prices").encode(), digest_size=16)
    digest.update(msgspec.msgpack.encode(book.layers))
    return digest.hexdigest()
