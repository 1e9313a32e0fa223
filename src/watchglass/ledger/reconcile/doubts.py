"""What is looked at over all cells of a provider: causes that would each do alone, but not together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from watchglass.ledger.reconcile.explain import Pending
from watchglass.ledger.reconcile.figures import ZERO

_NAMED = 3


def doubt_names(slots: Sequence[Pending]) -> str | None:
    """Take back `not_seen` of models that no call is of, while calls of other models are on no bill.

    Were they one model under two names, both causes would cancel out, and nothing would have been compared.
    """
    called = {each.cell.key.model for each in slots if each.cell.ours.calls}
    billed = {each.cell.key.model for each in slots if each.billed or each.tokens_billed}
    # A log of requests is joined by their ids, which leaves no doubt.
    known = [each for each in slots if each.cell.key.on is None]
    costly = {each.cell.key.model for each in known if each.computed}
    only_bill, only_ours = billed - called, (called & costly) - billed
    doubted = [each for each in known if each.cell.key.model in only_bill and each.billed]
    if not doubted or not only_ours:
        return None
    said = (
        f"no call is of {_names(only_bill)}, and no line of the bill is of {_names(only_ours)}; if they "
        "are one model under two names, nothing of it was compared"
    )
    for slot in doubted:
        slot.explanations = [
            replace(each, kind="other_name", evidence=said) if each.kind == "not_seen" else each
            for each in slot.explanations
        ]
    return said


def one_sided(slots: Iterable[Pending]) -> str | None:
    """Whether the roundings of all amounts go one way, more than they do by chance."""
    closed = [each for each in slots if each.billed is not None and not each.open]
    total = sum((each.rest for each in closed), ZERO)
    # One amount is off by up to its bound, evenly, so with a variance of a third of the square.
    likely = (12 * sum((each.bound * each.bound for each in closed), ZERO)).sqrt()
    if abs(total) <= likely:
        return None
    way = "up" if total > 0 else "down"
    return (
        f"{len(closed):,} amounts are rounded {way} together by {total.normalize():f} dollars, which is no "
        "chance: the provider cuts its digits that way, or takes a little more or less than the price"
    )


def _names(models: Iterable[str | None]) -> str:
    names = sorted(each or "no model" for each in models)
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
