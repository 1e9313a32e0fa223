"""Ids of traces: as people write them, their first digits, and when what belongs to one happened."""

from __future__ import annotations

from collections.abc import Sequence

from watchglass.errors import NotFound, QueryError
from watchglass.store import Engine, Limits
from watchglass.store.rollup_hours import Range

ID_DIGITS = 32
MIN_PREFIX = 4
BESIDE_NS = 86_400 * 10**9


def whole_id(engine: Engine, trace_id: str, *, limits: Limits) -> str:
    """The id as it is stored, or the only one that begins so. Raises `NotFound` and `QueryError`."""
    digits = normal_id(trace_id)
    return digits if len(digits) == ID_DIGITS else _resolve(engine, digits, limits)


def normal_id(text: str) -> str:
    """An id as it is stored, from the ways people write it: any case, with 0x, with dashes.

    >>> normal_id("0x4BF92F35-77B34DA6")
    '4bf92f3577b34da6'
    """
    digits = text.strip().lower().removeprefix("0x").replace("-", "")
    if not digits or len(digits) > ID_DIGITS or set(digits) - set("0123456789abcdef"):
        raise QueryError(
            f"{text!r} is no trace id; it has {ID_DIGITS} digits of 0-9 and a-f, or the first few of them"
        )
    if len(digits) < MIN_PREFIX:
        raise QueryError(
            f"{text!r} is too short; give at least the first {MIN_PREFIX} digits of the trace id"
        )
    return digits


def around(starts: Sequence[int]) -> Range:
    """When the calls of a trace whose spans begin then were made.

    A call begins when its span does; the day around is for calls whose spans were deleted before them.
    Spans are sorted by trace, calls by time: without the time the index of all calls is read.
    """
    return (min(starts) - BESIDE_NS, max(starts) + BESIDE_NS) if starts else (None, None)


def _resolve(engine: Engine, digits: str, limits: Limits) -> str:
    """The only id that begins so: of a trace with spans or, if there is none, with calls or executions."""
    found: list[str] = []
    for table in ("spans", "calls", "tasks"):
        # A range rather than a pattern: spans are sorted by trace_id.
        found = (
            found
            or engine.execute(
                f"""
            SELECT DISTINCT trace_id
            FROM {table}
            WHERE trace_id >= {{digits:String}} AND trace_id < concat({{digits:String}}, 'g')
            ORDER BY trace_id
            LIMIT 6
            """,
                {"digits": digits},
                limits=limits,
            )["trace_id"].to_pylist()
        )
    if not found:
        raise unknown(digits)
    if len(found) > 1:
        shown = ", ".join(found[:5]) + (", …" if len(found) > 5 else "")
        raise QueryError(f"several traces begin with {digits}: {shown}; give more digits")
    return found[0]


def unknown(digits: str) -> NotFound:
    """What to say of an id that no span, call or execution has."""
    return NotFound(
        f"there is no trace {digits}; the latest are listed by "
        '`watchglass query "SELECT trace_id, time FROM calls ORDER BY time DESC LIMIT 10"`'
    )
