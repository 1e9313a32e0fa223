"""What made a sum of money change: contributions of groups that add up to the difference, exactly.

A group's difference has two parts. *Volume*: more or fewer priced calls, at what a call of the group cost
before. *Per call*: what a call costs more or less now, because of prices, models, or longer prompts. They
add up to the difference by construction: the first is rounded to 18 digits, the second is the rest. A group
that was not there before, or is not any more, is volume and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, localcontext

import msgspec

from watchglass.queries.figures import MONEY_DIGITS, Figures, add
from watchglass.queries.windows_compared import Sum, Which

_LAST_DIGIT = Decimal(1).scaleb(-18)
NOTHING = Figures()


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """One group's part in the differences. `name` is null for what nobody said; in the row `other` it is null
    too, and `groups` says how many are in it. Money is null where no call of either window had a price; one
    without calls in a window spent nothing in it."""

    name: str | None
    other: bool
    groups: int
    calls_before: int
    calls: int
    failed_before: int
    failed: int
    cost_before_usd: Decimal | None
    cost_usd: Decimal | None
    difference_usd: Decimal | None
    volume_usd: Decimal | None
    per_call_usd: Decimal | None


def pairs(groups: Iterable[Sum]) -> dict[tuple[str | None, ...], tuple[Figures, Figures]]:
    """Each group's figures (before, now)."""
    sides: Mapping[Which, dict[tuple[str | None, ...], Figures]] = {"before": {}, "now": {}}
    for each in groups:
        sides[each.which][each.group] = each
    names = {**sides["before"], **sides["now"]}
    return {name: (sides["before"].get(name, NOTHING), sides["now"].get(name, NOTHING)) for name in names}


def contributions(groups: Iterable[Sum]) -> list[Contribution]:
    """Of each group, in no order."""
    return [contribution(name[0], *both) for name, both in pairs(groups).items()]


def contribution(name: str | None, before: Figures, now: Figures) -> Contribution:
    """Of one group."""
    difference = change(before, now)
    volume = None if difference is None else _volume(before, now)
    return Contribution(
        name=name,
        other=False,
        groups=1,
        calls_before=before.calls,
        calls=now.calls,
        failed_before=before.failed_calls,
        failed=now.failed_calls,
        cost_before_usd=spent(before),
        cost_usd=spent(now),
        difference_usd=difference,
        volume_usd=volume,
        per_call_usd=None if difference is None or volume is None else _minus(difference, volume),
    )


def spent(of: Figures) -> Decimal | None:
    """What was spent: nothing where nothing was called, unknown where no call has a price."""
    return Decimal(0) if not of.calls else of.cost_usd


def change(before: Figures, now: Figures) -> Decimal | None:
    """What more is known to be spent; None where nothing is known of either."""
    if before.cost_usd is None and now.cost_usd is None and (before.calls or now.calls):
        return None
    return _minus(now.cost_usd or Decimal(0), before.cost_usd or Decimal(0))


def leading(
    found: Sequence[Contribution], most: int, *, errors: bool = False
) -> tuple[list[Contribution], Contribution | None]:
    """Those that changed most, and all others as one row, so that nothing is missing in the sum."""

    def size(each: Contribution) -> tuple[Decimal, int, str]:
        failed = each.failed - each.failed_before
        by = Decimal(abs(failed)) if errors else abs(each.difference_usd or Decimal(0))
        return -by, -(each.calls + each.calls_before), each.name or ""

    ranked = sorted(found, key=size)
    rest = ranked[most:]
    return ranked[:most], _other(rest) if rest else None


def _other(rest: Sequence[Contribution]) -> Contribution:
    return Contribution(
        name=None,
        other=True,
        groups=len(rest),
        calls_before=sum(each.calls_before for each in rest),
        calls=sum(each.calls for each in rest),
        failed_before=sum(each.failed_before for each in rest),
        failed=sum(each.failed for each in rest),
        cost_before_usd=_sum(each.cost_before_usd for each in rest),
        cost_usd=_sum(each.cost_usd for each in rest),
        difference_usd=_sum(each.difference_usd for each in rest),
        volume_usd=_sum(each.volume_usd for each in rest),
        per_call_usd=_sum(each.per_call_usd for each in rest),
    )


def total(groups: Iterable[Figures]) -> Figures:
    """All of them together."""
    made = Figures()
    for each in groups:
        made = add(made, each)
    return made


def _volume(before: Figures, now: Figures) -> Decimal:
    was, here = before.cost_usd or Decimal(0), now.cost_usd or Decimal(0)
    if not before.priced_calls or not now.priced_calls:
        return _minus(here, was)
    with localcontext(prec=MONEY_DIGITS):
        more = now.priced_calls - before.priced_calls
        return (was * more / before.priced_calls).quantize(_LAST_DIGIT)


def _minus(one: Decimal, other: Decimal) -> Decimal:
    with localcontext(prec=MONEY_DIGITS):
        return one - other


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [each for each in amounts if each is not None]
    if not known:
        return None
    with localcontext(prec=MONEY_DIGITS):
        return sum(known, Decimal(0))
