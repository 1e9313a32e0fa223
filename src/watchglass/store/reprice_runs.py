"""Runs that reprice calls or take that back, and how far each has come: small state, durable step by step."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Literal, TypeAlias

import msgspec

from watchglass.clock import Clock
from watchglass.errors import NotFound
from watchglass.store.control import Control

State: TypeAlias = Literal["running", "done", "cancelled", "interrupted"]

_RUNS = """
SELECT
    number, undoes, who, tenant, why, asked, book, state, fault, began_ns, ended_ns,
    (SELECT count(*) FROM reprice_chunks WHERE run = number),
    (SELECT count(looked) FROM reprice_chunks WHERE run = number)
FROM reprice_runs
"""


class Key(msgspec.Struct, frozen=True, array_like=True):
    """Where in an hour a row stands."""

    trace_id: str
    span_id: str
    call_id: str


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """The rows of one chunk: those that start in `[since_ns, until_ns)`, which is whole hours of one month.

    Where an hour is too large for one chunk it is that hour, and of its rows those from `first` on and
    before `end`; None is no bound.
    """

    since_ns: int
    until_ns: int
    first: Key | None = None
    end: Key | None = None


class Chunk(msgspec.Struct, frozen=True):
    """One step of a run."""

    number: int
    part: Part


class Tally(msgspec.Struct, frozen=True):
    """What a chunk or a run did. Amounts are of the counted rows among those changed, as far as known."""

    looked: int = 0
    changed: int = 0
    counted: int = 0
    before_usd: Decimal = Decimal(0)
    after_usd: Decimal = Decimal(0)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `undoes` is the number of the run that it takes back."""

    number: int
    undoes: int | None
    who: str
    tenant: str | None
    why: str
    asked: str
    book: str
    state: State
    fault: str
    began_ns: int
    ended_ns: int | None
    chunks: int
    chunks_done: int

    @property
    def id(self) -> str:
        """What people and rows call it."""
        return run_id(self.number)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is about to begin."""

    who: str
    why: str
    asked: str
    book: str
    tenant: str | None = None
    undoes: int | None = None


def run_id(number: int) -> str:
    """The id of the run with this number."""
    return f"r{number}"


class RepriceRuns:
    """The runs of one data directory; whoever begins one holds that directory. Thread-safe."""

    def __init__(self, control: Control, clock: Clock) -> None:
        self._control = control
        self._clock = clock

    def begin(self, wanted: Wanted, chunks: Sequence[Chunk]) -> Run:
        """A new run with its whole plan: both are there or neither."""
        plan = [[chunk.number, msgspec.json.encode(chunk.part).decode()] for chunk in chunks]
        self._control.change(
            (
                "INSERT INTO reprice_runs (undoes, who, tenant, why, asked, book, state, began_ns)"
                " VALUES (?, ?, ?, ?, ?, ?, 'running', ?)",
                (
                    wanted.undoes,
                    wanted.who,
                    wanted.tenant,
                    wanted.why,
                    wanted.asked,
                    wanted.book,
                    self._now(),
                ),
            ),
            (
                "INSERT INTO reprice_chunks (run, chunk, span)"
                " SELECT (SELECT max(number) FROM reprice_runs), value ->> 0, value ->> 1 FROM json_each(?)",
                (msgspec.json.encode(plan).decode(),),
            ),
        )
        return self.list()[0]

    def list(self) -> list[Run]:
        """All of them, the latest first."""
        return [_run(row) for row in self._control.run(f"{_RUNS} ORDER BY number DESC")]

    def get(self, id: str) -> Run:
        """The run with this id. Raises `NotFound`."""
        digits = id.removeprefix("r")
        number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 18 else -1
        found = self._control.run(f"{_RUNS} WHERE number = ?", number)
        if not found:
            raise NotFound(f"there is no run {id!r}; `watchglass reprice list` shows them")
        return _run(found[0])

    def undoing(self, run: Run) -> list[Run]:
        """The runs that took this one back, or a part of it, the first first."""
        return [
            _run(row) for row in self._control.run(f"{_RUNS} WHERE undoes = ? ORDER BY number", run.number)
        ]

    def todo(self, run: Run) -> list[Chunk]:
        """The chunks that are not done."""
        return self._chunks("run = ? AND looked IS NULL", run)

    def left(self, run: Run) -> list[Chunk]:
        """The chunks of a run that have rows which no run has taken back."""
        taken_back = (
            "(SELECT coalesce(sum(changed), 0) FROM reprice_chunks AS other"
            " WHERE other.chunk = reprice_chunks.chunk"
            " AND other.run IN (SELECT number FROM reprice_runs WHERE undoes = reprice_chunks.run))"
        )
        return self._chunks(f"run = ? AND changed > {taken_back}", run)

    def done(self, run: Run, chunk: Chunk, did: Tally) -> None:
        """A chunk's rows are on disk."""
        self._control.run(
            "UPDATE reprice_chunks"
            " SET looked = ?, changed = ?, counted = ?, before_amount = ?, after_amount = ?"
            " WHERE run = ? AND chunk = ?",
            did.looked, did.changed, did.counted, f"{did.before_usd:f}", f"{did.after_usd:f}",
            run.number, chunk.number,
        )  # fmt: skip

    def tally(self, run: Run) -> Tally:
        """What a run has done so far."""
        rows = self._control.run(
            "SELECT looked, changed, counted, before_amount, after_amount FROM reprice_chunks"
            " WHERE run = ? AND looked IS NOT NULL",
            run.number,
        )
        looked, changed, counted = (sum(row[at] for row in rows) for at in range(3))
        with localcontext(prec=76):
            before, after = (sum((Decimal(row[at]) for row in rows), Decimal(0)) for at in (3, 4))
        return Tally(looked, changed, counted, before, after)

    def end(self, run: Run, state: State, fault: str = "") -> Run:
        """The run has come to this; `running` again is one that is gone on with."""
        ended_ns = None if state == "running" else self._now()
        self._control.run(
            "UPDATE reprice_runs SET state = ?, fault = ?, ended_ns = ? WHERE number = ?",
            state, fault, ended_ns, run.number,
        )  # fmt: skip
        return self.get(run.id)

    def _chunks(self, condition: str, run: Run) -> list[Chunk]:
        found = self._control.run(
            f"SELECT chunk, span FROM reprice_chunks WHERE {condition} ORDER BY chunk", run.number
        )
        return [Chunk(number, msgspec.json.decode(span, type=Part)) for number, span in found]

    def _now(self) -> int:
        return self._clock.now_ns()


def _run(row: Sequence[object]) -> Run:
    return msgspec.convert(dict(zip(Run.__struct_fields__, row, strict=True)), Run)
