"""What happens to the product: growth, the week's rhythm, an outage, a loop that costs money, deploys.

Everything but growth is fixed on the calendar, in a cycle of 28 days that begins on a Thursday: any 30 days
hold one of each, and the same date always saw the same, whenever it is looked at.
"""

from __future__ import annotations

from watchglass.surfaces.demo.records import Failure, Model, Workload

HOUR_NS = 3_600 * 10**9
DAY_NS = 24 * HOUR_NS
CYCLE_DAYS = 28

OUTAGE_PROVIDER = "anthropic"
_OUTAGE_DAY, _OUTAGE_FROM, _OUTAGE_UNTIL = 12, 9 * HOUR_NS, 12 * HOUR_NS + HOUR_NS // 2
LOOP_TENANT, LOOP_FEATURE = "demo-initech", "ledger-audit"
_LOOP_DAY, LOOP_RUNS, LOOP_STEPS = 20, 3, 160
_SLOW_DAY = 26
_SHARE_FAILING = 0.88

GROWTH = 0.4
"""How much less there was at the window's begin than at its end."""

_HOURS = (2, 1, 1, 1, 1, 2, 4, 9, 18, 26, 30, 29, 24, 26, 29, 28, 25, 20, 14, 10, 8, 6, 4, 3)
"""How much is done in each local hour of a day, relative to the others."""
_NIGHT = (0, 20, 30, 30, 20) + (0,) * 19

OVERLOADED = Failure("overloaded_error", 529, "Overloaded", True)
_FAILURES: tuple[tuple[float, Failure], ...] = (
    (0.0080, Failure("RateLimitError", 429, "Rate limit reached for requests", True)),
    (0.0035, Failure("InternalServerError", 500, "The server had an error processing the request", True)),
    (0.0030, Failure("APITimeoutError", 0, "Request timed out.", True)),
    (0.0015, Failure("APIConnectionError", 0, "Connection error.", True)),
    (0.0010, Failure("BadRequestError", 400, "The prompt is longer than the context of the model", False)),
)
TOOL_FAILURES: tuple[tuple[float, Failure], ...] = (
    (0.012, Failure("TimeoutError", 0, "the backend did not answer within 10 s", False)),
    (0.005, Failure("KeyError", 0, "'due_date'", False)),
)
"""Errors of an ordinary day, each with how likely a request or a use of a tool meets it."""


def cycle_day(day: int) -> int:
    """Where a day (counted from 1970-01-01, a Thursday) stands in the cycle: 0 … 27."""
    return day % CYCLE_DAYS


def is_weekend(day: int) -> bool:
    """Whether a day is a Saturday or Sunday."""
    return day % 7 in (2, 3)


def runs_on(day: int, last_day: int, days: int, workload: Workload, rate: float) -> float:
    """How many runs a day has, when the window of `days` ends with `last_day`."""
    grown = 1 - GROWTH * min(max((last_day - day) / max(days, 1), 0.0), 1.0)
    swing = 1 + 0.12 * ((day * 7919 + len(workload.key)) % 11 - 5) / 5
    return workload.daily * rate * grown * swing * (workload.weekend if is_weekend(day) else 1.0)


def hours(workload: Workload) -> tuple[int, ...]:
    """The weight of each hour of a UTC day."""
    local = _NIGHT if workload.nightly else _HOURS
    return tuple(local[(hour + workload.utc_offset) % 24] for hour in range(24))


def failure_of(model: Model, at_ns: int, chance: float) -> Failure | None:
    """What a request meets that is made then; `chance` is even in [0, 1)."""
    if in_outage(model.provider, at_ns):
        return OVERLOADED if chance < _SHARE_FAILING else None
    return pick_failure(_FAILURES, chance)


def pick_failure(failures: tuple[tuple[float, Failure], ...], chance: float) -> Failure | None:
    """The failure in whose share `chance` lies."""
    for share, failure in failures:
        if chance < share:
            return failure
        chance -= share
    return None


def in_outage(provider: str, at_ns: int) -> bool:
    """Whether the provider is down then: a Tuesday's morning of each cycle."""
    day, rest = divmod(at_ns, DAY_NS)
    today = provider == OUTAGE_PROVIDER and cycle_day(day) == _OUTAGE_DAY
    return today and _OUTAGE_FROM <= rest < _OUTAGE_UNTIL


def loops_on(day: int, workload: Workload) -> int:
    """How many runs get caught in a loop that day: a Wednesday's of each cycle, at one tenant."""
    theirs = (workload.tenant, workload.feature) == (LOOP_TENANT, LOOP_FEATURE)
    return LOOP_RUNS if theirs and cycle_day(day) == _LOOP_DAY else 0


def slowness(model: Model, at_ns: int) -> float:
    """What a model's times are multiplied by: o3 is slower than usual on one day."""
    return 2.2 if model.name == "o3" and cycle_day(at_ns // DAY_NS) == _SLOW_DAY else 1.0


def version(workload: Workload, day: int) -> str:
    """The release that runs that day: each service is deployed once a week, on a day of its own."""
    week, turn = divmod(day + len(workload.service), 7)
    return f"{2 + week % 52 // 26}.{week % 26}.{1 if turn > 4 and len(workload.service) % 3 == 0 else 0}"
