"""The ledger as it is read: lines with all three sides, what explains each difference, and their sums."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext

import msgspec

from watchglass.ledger.reconcile.entries import PutAside
from watchglass.ledger.reconcile.figures import (
    EXACT,
    HINTS,
    KINDS,
    ZERO,
    Cell,
    CellKey,
    Explanation,
    SlotOutcome,
)
from watchglass.ledger.reconcile.rows import RowByRow
from watchglass.ledger.reconcile.zone import ZoneFound


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One time, project and model: `difference` is billed less computed, and is what `explanations` and
    `unexplained` add up to. Where nobody says what was billed, it is None, and nothing is explained."""

    key: CellKey
    day: str
    calls: int
    unpriced_calls: int
    requests: int | None
    computed: Decimal
    reported: Decimal | None
    reported_calls: int
    cost_of_reported: Decimal
    billed: Decimal | None
    explanations: tuple[Explanation, ...]
    unexplained: Decimal
    """What `hints` speak of included."""
    hints: tuple[Explanation, ...]
    classes: tuple[SlotOutcome, ...]

    @property
    def difference(self) -> Decimal | None:
        """Billed less computed."""
        return None if self.billed is None else EXACT.subtract(self.billed, self.computed)


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What lines add up to. `compared` is our cost of what somebody says the bill of."""

    lines: int
    calls: int
    unpriced_calls: int
    computed: Decimal
    compared: Decimal
    reported: Decimal
    reported_calls: int
    cost_of_reported: Decimal
    billed: Decimal
    difference: Decimal
    explained: dict[str, Decimal]
    unexplained: Decimal
    """Signed: what is too much here and too little there cancels out."""
    hints: dict[str, Decimal]
    """What of `unexplained` has a hint, by its kind."""
    unexplained_apart: Decimal
    """The same without cancelling: the sum of what is left, of each class of each line, whatever its sign."""


class Aside(msgspec.Struct, frozen=True, kw_only=True):
    """Calls in the same time of which no file says anything."""

    provider: str | None
    calls: int
    cost: Decimal


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """A reconciliation."""

    lines: list[Line]
    totals: Totals
    zones: list[ZoneFound]
    put_aside: list[PutAside]
    elsewhere: list[Aside]
    remarks: list[str]
    row_by_row: list[RowByRow]


def line(cell: Cell, outcomes: Iterable[SlotOutcome]) -> Line:
    """A cell and its classes as one line."""
    classes = tuple(outcomes)
    ours = cell.ours
    with localcontext(EXACT):
        charges = [each for each in cell.apart if not each.hint]
        unread = [each for each in cell.apart if each.hint]
        explanations = [*charges, *(each for one in classes for each in one.explanations)]
        computed = ours.cost
        if cell.computed_by_date is not None:
            computed = cell.computed_by_date
            moved = ours.cost - computed
            if moved and cell.money is not None:
                explanations.insert(0, Explanation(
                    kind="time_zone", amount_usd=moved,
                    evidence="calls that the bill counts to this date and UTC to another, less the reverse",
                ))  # fmt: skip
        charged = sum((each.amount_usd for each in cell.apart), ZERO)
        billed = [each.billed for each in classes if each.billed is not None]
        known = cell.money is not None or bool(cell.apart)
        return Line(
            key=cell.key,
            day=cell.day,
            calls=ours.calls,
            unpriced_calls=ours.unpriced_calls,
            requests=cell.requests,
            computed=computed,
            reported=ours.reported,
            reported_calls=ours.reported_calls,
            cost_of_reported=ours.cost_of_reported,
            billed=sum(billed, charged) if known else None,
            explanations=tuple(explanations),
            unexplained=sum((each.unexplained for each in classes), ZERO)
            + sum((each.amount_usd for each in unread), ZERO),
            hints=(*unread, *(each for one in classes for each in one.hints)),
            classes=classes,
        )


def totals(lines: Iterable[Line]) -> Totals:
    """The sum of lines, exactly."""
    lines = list(lines)
    with localcontext(EXACT):
        explained = _by_kind(explanation for each in lines for explanation in each.explanations)
        known = [each for each in lines if each.billed is not None]
        return Totals(
            lines=len(lines),
            calls=sum(each.calls for each in lines),
            unpriced_calls=sum(each.unpriced_calls for each in lines),
            computed=sum((each.computed for each in lines), ZERO),
            compared=sum((each.computed for each in known), ZERO),
            reported=sum((each.reported or ZERO for each in lines), ZERO),
            reported_calls=sum(each.reported_calls for each in lines),
            cost_of_reported=sum((each.cost_of_reported for each in lines), ZERO),
            billed=sum((each.billed or ZERO for each in known), ZERO),
            difference=sum((each.difference or ZERO for each in known), ZERO),
            explained=explained,
            unexplained=sum((each.unexplained for each in lines), ZERO),
            hints=_by_kind(hint for each in lines for hint in each.hints),
            unexplained_apart=sum((abs(one.unexplained) for each in lines for one in each.classes), ZERO)
            + sum(
                (abs(one.amount_usd) for each in lines for one in each.hints if one.kind == "unread_item"),
                ZERO,
            ),
        )


def _by_kind(explanations: Iterable[Explanation]) -> dict[str, Decimal]:
    """Sums in the order of the kinds, of those that there are."""
    found: dict[str, Decimal] = {}
    for each in explanations:
        found[each.kind] = found.get(each.kind, ZERO) + each.amount_usd
    return {kind: found[kind] for kind in (*KINDS, *HINTS) if kind in found}
