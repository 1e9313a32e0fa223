"""Which hours of a question are expired: their calls are deleted, and only their sums are left."""

from __future__ import annotations

import msgspec

from watchglass.queries.plain import moment
from watchglass.store import Engine, Limits
from watchglass.store.archive import ARCHIVE
from watchglass.store.expired import Expiry
from watchglass.store.rollup_engine import expiry
from watchglass.store.rollup_hours import HOUR_NS, HOUR_S

WIDEST = (-(2**62), 2**62)
"""Bounds in seconds that nothing is outside of."""


class ExpiredHours(msgspec.Struct, frozen=True):
    """Hours with calls that retention has deleted, from `since` until `until`, not included.

    `calls` is how many of them counted. `included` says whether their sums are in the answer, `note` why and
    what that means, as a sentence.
    """

    since: str
    until: str
    calls: int
    included: bool
    note: str


def whole_hours(since_ns: int | None, until_ns: int | None) -> tuple[int, int]:
    """The whole hours within a span of time, as start and end in seconds since 1970."""
    return (
        WIDEST[0] if since_ns is None else -(-since_ns // HOUR_NS) * HOUR_S,
        WIDEST[1] if until_ns is None else until_ns // HOUR_NS * HOUR_S,
    )


def expired_hours(
    engine: Engine,
    since_ns: int | None,
    until_ns: int | None,
    *,
    kept_apart: bool = True,
    had: Expiry | None = None,
    limits: Limits | None = None,
) -> ExpiredHours | None:
    """The expired hours that a question about `[since_ns, until_ns)` touches; None where there is none.

    `kept_apart` is whether the archive keeps apart what the question asks by. An hour that the bounds cut is
    left out of the answer: what is left of it cannot be cut.
    """
    had = had or expiry(engine)
    if had.until_s is None or (since_ns is not None and since_ns >= had.until_s * 10**9):
        return None
    first, after = whole_hours(since_ns, until_ns)
    touched = (
        WIDEST[0] if since_ns is None else since_ns // HOUR_NS * HOUR_S,
        WIDEST[1] if until_ns is None else -(-until_ns // HOUR_NS) * HOUR_S,
    )
    found = engine.execute(
        f"""
        SELECT
            bucket BETWEEN {{first:Int64}} AND {{last:Int64}} AS is_whole,
            min(bucket) AS since, max(bucket) AS until, toInt64(sumIf(calls, counted)) AS calls
        FROM {ARCHIVE}
        WHERE grain = 'coarse' AND generation <= {{generation:UInt64}}
            AND bucket >= {{since:Int64}} AND bucket < {{until:Int64}}
        GROUP BY is_whole
        ORDER BY is_whole
        """,
        {
            "first": first,
            "last": after - HOUR_S,
            "since": touched[0],
            "until": touched[1],
            "generation": had.generation,
        },
        limits=limits,
    ).to_pylist()
    if not found:
        return None
    whole = [each for each in found if each["is_whole"]]
    told = whole if whole and kept_apart else found
    return ExpiredHours(
        since=moment(min(each["since"] for each in told) * 10**9),
        until=moment((max(each["until"] for each in told) + HOUR_S) * 10**9),
        calls=sum(each["calls"] for each in told),
        included=bool(whole) and kept_apart,
        note=_note(bool(whole), kept_apart, len(found) > len(whole)),
    )


def _note(any_whole: bool, kept_apart: bool, any_cut: bool) -> str:
    if not kept_apart:
        return (
            "Their calls are deleted, and their sums are not kept by what was asked: they are not included."
        )
    if not any_whole:
        return "Their calls are deleted, and the time asked about holds no whole hour: they are not included."
    cut = " Hours that the time asked about cuts are left out." if any_cut else ""
    return f"Their calls are deleted, their sums are kept and included.{cut}"
