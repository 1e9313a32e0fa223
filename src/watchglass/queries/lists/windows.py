"""Windows of time, newest first: a page of the newest rows should not read all there ever were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from watchglass.store.rollup_hours import Range

HOUR_NS = 3600 * 10**9
LAST_NS = 2**63 - 1
WIDER = 8
"""Each window is so many times as wide as the one after it: 1 h, 8 h, 64 h, three weeks, then the rest."""
WINDOWS = 4


def windows(since_ns: int | None, until_ns: int | None, newest_ns: int) -> Iterator[tuple[int, int]]:
    """Half-open `[begin, end)` that together are `[since, until)`, beginning with the newest.

    After `newest_ns` few rows are expected: what is there is read with the first window.
    """
    since = 0 if since_ns is None else since_ns
    end = LAST_NS if until_ns is None else until_ns
    width = HOUR_NS
    for _ in range(WINDOWS):
        begin = max(since, min(end, newest_ns) - width)
        if begin < end:
            yield begin, end
        end, width = min(begin, end), width * WIDER
        if end <= since:
            return
    yield since, end


def hours(moments: Iterable[int]) -> list[Range]:
    """The whole hours of these moments, neighbours as one: tables are sorted by hour."""
    found: list[tuple[int, int]] = []
    for hour in sorted({ns // HOUR_NS for ns in moments}):
        begin, end = max(hour * HOUR_NS, -LAST_NS), min((hour + 1) * HOUR_NS, LAST_NS)
        if found and found[-1][1] == begin:
            begin = found.pop()[0]
        found.append((begin, end))
    return [*found]
