"""Which findings cannot find anything, by one look at the rows as they are stored.

A row may be stored several times, the newest version of it counts; to find that version is most of the work
of a question. But where no version of any row meets a condition, no newest one does. So the conditions of all
findings are asked together, of every version, a table at a time, and only findings that this does not rule
out ask their own question. What they then say is exact, for it is asked as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import msgspec

from watchglass.doctor.contract import Finding, Window
from watchglass.errors import QueryError, Unreachable

if TYPE_CHECKING:
    from watchglass.queries.reader import StoreReader

_TIMES = {"calls": "time", "tasks": "time", "spans": "start_time"}


class Candidates(msgspec.Struct, frozen=True):
    """A finding has nothing to say unless this aggregate over all versions of a table's rows in the window is
    true. MUST be true wherever it could be true of the newest versions alone."""

    table: Literal["calls", "tasks", "spans"]
    test: str


@runtime_checkable
class Screened(Protocol):
    """A finding that says when it has nothing to say: `candidates`, or SQL of its own over the stored tables
    that answers one number, 0 for nothing."""

    candidates: Candidates | Callable[[Window], str]


def ruled_out(reader: StoreReader, window: Window, findings: Sequence[Finding]) -> frozenset[str]:
    """The names of those that have nothing to say. Raises `Unreachable`.

    Where this cannot be asked (it takes too long, say) nothing is ruled out.
    """
    empty: set[str] = set()
    shared: dict[str, list[tuple[str, str]]] = {}
    for finding in findings:
        if not isinstance(finding, Screened):
            continue
        match finding.candidates:
            case Candidates(table, test):
                shared.setdefault(table, []).append((finding.name, test))
            case own:
                empty |= _empty(reader, [finding.name], own(window))
    for table, asked in shared.items():
        tests = ", ".join(f"({test}) AS test_{place}" for place, (_, test) in enumerate(asked))
        sql = f"SELECT {tests} FROM store.{table} WHERE {window.holds(_TIMES[table])}"
        empty |= _empty(reader, [name for name, _ in asked], sql)
    return frozenset(empty)


def _empty(reader: StoreReader, names: Sequence[str], sql: str) -> set[str]:
    try:
        found = reader.answer(lambda engine, limits: engine.execute(sql, limits=limits))
    except Unreachable:
        raise
    except QueryError:
        return set()
    values = [column[0].as_py() for column in found.columns]
    return {name for name, value in zip(names, values, strict=True) if not value}
