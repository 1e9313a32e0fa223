"""Small series over time: a window cut into at most some sixty equal steps of whole hours or days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from watchglass.queries.agents.question import AgentsQuestion
from watchglass.queries.figures import plus_money
from watchglass.queries.plain import second
from watchglass.queries.usage_rows import UsageRow

MOST = 62
"""Points of a small chart: two months by the day, two and a half days by the hour."""

_HOUR_S, _DAY_S = 3_600, 86_400
_WIDTHS = (
    *(hours * _HOUR_S for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY_S for days in (1, 2, 7, 14, 30, 90)),
)


class Steps(msgspec.Struct, frozen=True):
    """Starts of the steps in seconds since 1970: the first holds the window's start, all are equally wide."""

    first_s: int
    width_s: int
    count: int

    @property
    def by(self) -> str:
        """The dimension of usage that tells the steps apart."""
        return "hour" if self.width_s < _DAY_S else "day"

    def texts(self) -> list[str]:
        """Each step's start."""
        return [second(self.first_s + index * self.width_s) for index in range(self.count)]

    def index(self, bucket: str) -> int:
        """The step in which an hour or day of a usage report lies."""
        when = dt.datetime.fromisoformat(bucket)
        at = when if when.tzinfo else when.replace(tzinfo=dt.UTC)
        return max(0, min(self.count - 1, (int(at.timestamp()) - self.first_s) // self.width_s))


class AgentSeries(msgspec.Struct, frozen=True, kw_only=True):
    """One value a step: of no calls 0, of no known cost null."""

    calls: list[int]
    failed_calls: list[int]
    tokens: list[int]
    cost_usd: list[Decimal | None]


def steps(question: AgentsQuestion) -> Steps:
    """The narrowest steps of which the window has no more than `MOST`."""
    since_s, until_s = question.since_ns // 10**9, -(-question.until_ns // 10**9)
    made = (_cut(since_s, until_s, width) for width in _WIDTHS)
    return next((each for each in made if each.count <= MOST), _cut(since_s, until_s, _WIDTHS[-1]))


def _cut(since_s: int, until_s: int, width_s: int) -> Steps:
    whole = min(width_s, _DAY_S)
    first = since_s // whole * whole
    return Steps(first, width_s, -(-(until_s - first) // width_s))


def series(rows: Iterable[UsageRow], over: Steps) -> AgentSeries:
    """The rows of one agent or flow type, by hour or day, as a value a step."""
    calls, failed, tokens = [0] * over.count, [0] * over.count, [0] * over.count
    cost: list[Decimal | None] = [None] * over.count
    for row in rows:
        bucket = row.group[over.by]
        if bucket is None:
            continue
        at = over.index(bucket)
        calls[at] += row.calls
        failed[at] += row.failed_calls
        tokens[at] += (row.input_tokens or 0) + (row.output_tokens or 0)
        cost[at] = plus_money(cost[at], row.cost_usd)
    return AgentSeries(calls=calls, failed_calls=failed, tokens=tokens, cost_usd=cost)


def grouped(rows: Iterable[UsageRow], name: str) -> dict[str | None, list[UsageRow]]:
    """The rows of a report by one of its dimensions."""
    found: dict[str | None, list[UsageRow]] = {}
    for row in rows:
        found.setdefault(row.group[name], []).append(row)
    return found
