"""What a budget is, what makes sense as one, and what is told of it."""

from __future__ import annotations

import re
from decimal import ROUND_UP, Context, Decimal
from typing import Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from watchglass.errors import BadRequest, NotFound

Kind: TypeAlias = Literal["soft", "hard"]
Period: TypeAlias = Literal["hour", "day", "month"]
Unsettled: TypeAlias = Literal["charge", "release"]

SCOPE_DIMENSIONS = ("tenant", "engagement", "feature", "agent", "key")
"""What a budget can be for. `key` is what calls have as `key` in their metadata."""

WARN = (50, 80, 100)
"""Percents of the limit at which one is told, unless others are named."""

MOST_USD = Decimal(10) ** 12
DIGITS = 18
"""Of a dollar, after the point: as many as calls' costs have."""

_EXACT = Context(prec=60, rounding=ROUND_UP)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TAKEN = frozenset({"reserve", "settle", "status"})
_LONGEST = 200


class WantedBudget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A budget to be made or changed. Raises `BadRequest` (by `checked`) for what makes no sense.

    `unsettled` is what becomes of a reservation that nobody settles in time: `charge` it or `release` it.
    """

    name: str
    limit_usd: Decimal
    kind: Kind = "soft"
    period: Period = "month"
    zone: str = "UTC"
    scope: dict[str, str] = {}
    unsettled: Unsettled = "charge"
    warn: tuple[int, ...] = WARN
    since_ns: int | None = None
    until_ns: int | None = None

    def checked(self) -> WantedBudget:
        """Itself, if it makes sense."""
        if not _NAME.fullmatch(self.name) or self.name in _TAKEN:
            raise BadRequest(
                f"{self.name[:100]!r} cannot name a budget: write letters, digits, dots, dashes and "
                f"underscores, and none of {', '.join(sorted(_TAKEN))}",
                where="name",
            )
        if checked_usd(self.limit_usd, "limit_usd") == 0:
            raise BadRequest("the limit must be above 0", where="limit_usd")
        for where, value, known in (
            ("kind", self.kind, get_args(Kind)),
            ("period", self.period, get_args(Period)),
            ("unsettled", self.unsettled, get_args(Unsettled)),
        ):
            if value not in known:
                raise BadRequest(f"{where} is {value!r}; write {', '.join(known)}", where=where)
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise BadRequest(
                f"there is no time zone {self.zone[:100]!r}; write one like Europe/Berlin", where="zone"
            ) from None
        checked_scope(self.scope)
        if len(self.warn) > 20 or not all(0 < percent <= 1000 for percent in self.warn):
            raise BadRequest("warn takes up to 20 percents between 1 and 1000", where="warn")
        for where, at_ns in (("since", self.since_ns), ("until", self.until_ns)):
            if at_ns is not None and not 0 <= at_ns < 2**63:
                raise BadRequest(f"{where} is no moment between 1970 and 2262", where=where)
        if self.since_ns is not None and self.until_ns is not None and self.since_ns >= self.until_ns:
            raise BadRequest("the budget ends before it begins", where="until")
        return self


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """A budget: so much of `limit_usd` for what `scope` names, in each period of `zone`.

    `created_by` and `changed_by` are ids of admin keys, or `COMMAND_LINE`.
    """

    id: str
    name: str
    kind: Kind
    period: Period
    zone: str
    scope: dict[str, str]
    unsettled: Unsettled
    limit_usd: Decimal
    warn: tuple[int, ...]
    since_ns: int | None
    until_ns: int | None
    created_ns: int
    created_by: str
    changed_ns: int
    changed_by: str

    @property
    def tenant(self) -> str | None:
        """The tenant that it is for; None is none in particular."""
        return self.scope.get("tenant")

    def holds(self, at_ns: int) -> bool:
        """Whether it is in force."""
        return (self.since_ns is None or self.since_ns <= at_ns) and (
            self.until_ns is None or at_ns < self.until_ns
        )


class Event(msgspec.Struct, frozen=True):
    """What was told of a budget in a period: that it reached so many percent, or when it will be spent."""

    budget: str
    period_ns: int
    event: Literal["threshold", "forecast"]
    percent: int
    at_ns: int
    spent_usd: str
    limit_usd: str
    crosses_ns: int | None = None


def checked_usd(amount: Decimal, where: str) -> Decimal:
    """The amount, if it is one of dollars: finite, not negative, not beyond what calls can cost."""
    # Comparisons first: an exponent of a billion must not be written out. Digits beyond the context's make
    # for an exponent that is far too small, so none is lost.
    if not amount.is_finite() or amount < 0 or amount >= MOST_USD:
        raise BadRequest(f"{where} must be an amount from 0 up to {MOST_USD:f} dollars", where=where)
    exponent = _EXACT.normalize(amount).as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -DIGITS:
        raise BadRequest(f"{where} has more than {DIGITS} digits after the point", where=where)
    return amount


def checked_scope(scope: dict[str, str]) -> None:
    """Raise `BadRequest` for a dimension that there is not, or a value that nothing has."""
    for name, value in scope.items():
        if name not in SCOPE_DIMENSIONS:
            raise BadRequest(
                f"{name[:100]!r} is nothing that a budget is for; {', '.join(SCOPE_DIMENSIONS)} are",
                where="scope",
            )
        if not value.strip() or len(value) > _LONGEST or not value.isprintable():
            raise BadRequest(f"{name} must be printable, not empty and at most {_LONGEST} long", where=name)


def named(budgets: list[Budget], name: str) -> Budget:
    """The one of this name or id. Raises `NotFound`."""
    for budget in budgets:
        if name in (budget.name, budget.id):
            return budget
    raise NotFound(f"there is no budget {name[:100]!r}; `watchglass budgets list` shows them")
