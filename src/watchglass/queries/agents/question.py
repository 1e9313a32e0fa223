"""What can be asked of agents and flows: a window of time, beside the one before it, and filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from watchglass.errors import QueryError
from watchglass.queries.plain import moment
from watchglass.queries.times import parse_moment
from watchglass.queries.usage import UsageQuestion

FILTERS = (
    *("tenant", "engagement", "feature", "agent", "flow_type", "phase", "service", "environment"),
    "session",
)
"""What both calls and executions say, and so both can be filtered by."""

SINCE = "30d"
_LONGEST_NS = 3660 * 86_400 * 10**9


class AgentsQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in `[since_ns, until_ns)`. A filter names the values that match; '' stands for NULL."""

    since_ns: int
    until_ns: int
    now_ns: int
    filters: dict[str, tuple[str, ...]] = {}

    @property
    def before_ns(self) -> int:
        """Start of the window before, which is as long and ends where this one begins."""
        return 2 * self.since_ns - self.until_ns

    def usage(self, *by: str, before: bool = False, durations: bool = True) -> UsageQuestion:
        """The calls of the window, or of the one before it, by these dimensions."""
        since, until = (self.before_ns, self.since_ns) if before else (self.since_ns, self.until_ns)
        return UsageQuestion(by=by, since_ns=since, until_ns=until, filters=self.filters, durations=durations)

    def of(self, **filters: str) -> AgentsQuestion:
        """The same of one agent or flow type only."""
        return msgspec.structs.replace(
            self, filters={**self.filters, **{name: (value,) for name, value in filters.items()}}
        )

    def conditions(self, params: dict[str, object], *, before: bool = False) -> str:
        """The SQL condition that holds for rows of the window (or from the one before it on) that match."""
        params |= {"since": self.before_ns if before else self.since_ns, "until": self.until_ns}
        return between("time") + self.matching(params)

    def matching(self, params: dict[str, object]) -> str:
        """The filters alone, each with AND before it."""
        for name, values in self.filters.items():
            params[f"only_{name}"] = list(values)
        return "".join(
            f" AND has({{only_{each}:Array(String)}}, ifNull({each}, ''))" for each in self.filters
        )


def between(column: str, since: str = "since", until: str = "until") -> str:
    """The condition that a moment lies between two parameters.

    >>> between("time")[:58]
    "time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC') AND "
    """
    return (
        f"{column} >= fromUnixTimestamp64Nano({{{since}:Int64}}, 'UTC') "
        f"AND {column} < fromUnixTimestamp64Nano({{{until}:Int64}}, 'UTC')"
    )


def agents_question(items: Iterable[tuple[str, str]], now_ns: int) -> AgentsQuestion:
    """The question of query parameters. Raises `QueryError` for what means nothing: ignoring it would lie."""
    times: dict[str, str] = {}
    filters: dict[str, tuple[str, ...]] = {}
    for name, value in items:
        if name in FILTERS:
            filters[name] = (*filters.get(name, ()), value)
        elif name in ("since", "until"):
            times[name] = value
        else:
            raise QueryError(
                f"agents know no {name!r}; they take since, until and the filters {', '.join(FILTERS)}"
            )
    return AgentsQuestion(**_window(times, now_ns), now_ns=now_ns, filters=filters)


def _window(times: Mapping[str, str], now_ns: int) -> dict[str, int]:
    since = parse_moment(times.get("since") or SINCE, now_ns)
    until = parse_moment(times.get("until") or "now", now_ns)
    if since >= until:
        raise QueryError(f"since ({moment(since)}) is not before until ({moment(until)})")
    if until - since > _LONGEST_NS:
        raise QueryError(f"{moment(since)} to {moment(until)} is more than ten years; ask about less")
    return {"since_ns": since, "until_ns": until}
