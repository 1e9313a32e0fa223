"""How a window of time is cut into the points of a chart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from watchglass.errors import QueryError

MOST = 121
"""Points of one chart: more are narrower than what is drawn. One more than a whole number fits, as the
bounds of a window seldom are those of its buckets."""

_MONDAY_S = 4 * 86_400
"""1970-01-05, so that weeks begin on Mondays."""

WIDTHS = {
    "minute": (60, 0),
    "5 minutes": (300, 0),
    "hour": (3600, 0),
    "3 hours": (3 * 3600, 0),
    "day": (86_400, 0),
    "week": (7 * 86_400, _MONDAY_S),
    "4 weeks": (28 * 86_400, _MONDAY_S),
}
"""Name → (seconds, where one begins in seconds since 1970), the narrowest first. All of them UTC's."""

_WIDE = {"year": (365 * 86_400, 0)}


class Buckets(NamedTuple):
    """Equal buckets: `origin_s` plus multiples of `width_s`."""

    name: str
    width_s: int
    origin_s: int

    def starts(self, since_ns: int, until_ns: int) -> Iterator[int]:
        """The starts, in seconds, of those that `[since, until)` touches."""
        width_ns, origin_ns = self.width_s * 10**9, self.origin_s * 10**9
        at = since_ns - (since_ns - origin_ns) % width_ns
        for start_ns in range(at, until_ns, width_ns):
            yield start_ns // 10**9


def buckets_of(since_ns: int, until_ns: int, name: str | None = None) -> Buckets:
    """Those of this name, else the narrowest of which few enough fit into the window.

    Raises `QueryError` for a name that there is not, and for more than ten times `MOST` of them.
    """
    length_ns = until_ns - since_ns
    if name is not None:
        if name not in WIDTHS:
            raise QueryError(f"there is no bucket {name!r}; write {', '.join(WIDTHS)}, or leave it out")
        made = Buckets(name, *WIDTHS[name])
        if length_ns > made.width_s * 10**9 * 10 * MOST:
            raise QueryError(f"more than {10 * MOST} buckets of a {name} are in the time asked about")
        return made
    fitting = [
        Buckets(each, *width)
        for each, width in {**WIDTHS, **_WIDE}.items()
        if length_ns <= width[0] * 10**9 * (MOST - 1)
    ]
    return fitting[0] if fitting else Buckets("year", *_WIDE["year"])
