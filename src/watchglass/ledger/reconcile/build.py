"""The cells of one provider's ledger: both sides put at the same day, project and model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, localcontext

import msgspec

from watchglass.ledger.reconcile.days import Day, place
from watchglass.ledger.reconcile.entries import Believed, Entry, tells
from watchglass.ledger.reconcile.figures import (
    EXACT,
    ZERO,
    Atom,
    Cell,
    CellKey,
    Explanation,
    Kind,
    Money,
    Names,
    Ours,
)
from watchglass.ledger.reconcile.names import undated
from watchglass.ledger.reconcile.ours import Gathered
from watchglass.ledger.reconcile.quotes import Quotes
from watchglass.ledger.reconcile.split import Group, atoms
from watchglass.ledger.reconcile.told import SlotKey, Told, joined, told

CENT = 2
"""A bill of whole dollars is still taken to be exact to the cent."""

FLOAT_DIGITS = 12
"""An amount with so many decimals was a binary float on its way: it is good to this many digits, not more."""

_CHARGES: Mapping[str, Kind] = {"credit": "credit", "tax": "tax"}
_NOTHING = told(tiers=False, long=False, classes=())


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """How the entries of a provider are put into the ledger."""

    provider: str
    days: Sequence[Day]
    believed: Believed
    model_of: Callable[[str | None], str | None]
    project_of: Callable[[str | None], str | None]
    by_request: bool


def cells(side: Side, gathered: Sequence[Gathered], quotes: Quotes) -> list[Cell]:
    """Every day, project and model that either side knows."""
    with localcontext(EXACT):
        ours: dict[CellKey, list[Group]] = {}
        for each in gathered:
            names = each.group.names
            model = side.model_of(names.answered or names.asked)
            on = None if each.matched is None else "both" if each.matched else "ours"
            key = CellKey(each.day.since_ns, each.day.until_ns, side.provider, each.project, model, on)
            ours.setdefault(key, []).append(each.group)
        money, tokens = _by_cell(side, side.believed.money), _by_cell(side, side.believed.tokens)
        requests = _by_cell(side, side.believed.requests)
        split = {id(group): atoms(group, quotes) for groups in ours.values() for group in groups}
        unsplit = {
            key.model for key, groups in ours.items() for group in groups
            if any(atom.token_class == "unsplit" for atom in split[id(group)])
        }  # fmt: skip
        used = {
            undated(side.provider, name)
            for groups in ours.values() for group in groups
            for name in (group.names.answered, group.names.asked) if name
        }  # fmt: skip
        maker = _Maker(side, unsplit, used)
        found: list[Cell] = []
        for key in sorted({*ours, *money, *tokens, *requests}, key=_order):
            groups = ours.get(key, [])
            found.append(
                maker.cell(
                    key,
                    groups,
                    [atom for group in groups for atom in split[id(group)]],
                    money.get(key, []),
                    tokens.get(key, []),
                    requests.get(key, []),
                )
            )
        return found


def _order(key: CellKey) -> tuple[object, ...]:
    return key.since_ns, key.project or "", key.model or "", str(key.on)


def _by_cell(side: Side, entries: Iterable[Entry]) -> dict[CellKey, list[Entry]]:
    found: dict[CellKey, list[Entry]] = {}
    for each in entries:
        day = place(side.days, each.since_ns)
        if day is None:
            continue
        model = None if each.charge and each.model is None else side.model_of(each.model)
        on = ("both" if each.matched else "bill") if side.by_request and not each.charge else None
        key = CellKey(day.since_ns, day.until_ns, side.provider, side.project_of(each.project), model, on)
        found.setdefault(key, []).append(each)
    return found


class _Maker:
    def __init__(self, side: Side, unsplit: set[str | None], used: set[str]) -> None:
        def keyed(each: Entry) -> str | None:
            return side.model_of(each.model)

        believed = side.believed
        self._side = side
        self._unsplit = unsplit
        self._used = used
        self._money_told = tells(believed.money, keyed)
        self._tokens_told = tells(believed.tokens, keyed) if believed.tokens else None
        self._last = max((each.until_ns for each in believed.money or believed.tokens), default=None)
        self._has_money = bool(believed.money)
        self._units = _units(believed.money)
        self._days = {each.since_ns: each.label for each in side.days}
        self._counted = {each.since_ns for each in believed.tokens}

    def cell(
        self, key: CellKey, groups: list[Group], parts: list[Atom], money: list[Entry], tokens: list[Entry],
        requests: list[Entry],
    ) -> Cell:  # fmt: skip
        tokens_told = self._tokens_told(key.model) if self._tokens_told else None
        money_told = joined(self._money_told(key.model), tokens_told)
        if key.model in self._unsplit:  # which class the rest of our cost is of, nobody can say
            money_told = _NOTHING
        plain = [each for each in money if not each.charge]
        spoken = [each.model for each in (*money, *tokens) if each.model]
        names = [*(group.names for group in groups), *(Names(each, each) for each in spoken)]
        return Cell(
            key=key,
            day=self._days[key.since_ns],
            names=tuple(dict.fromkeys(names)),
            ours=_ours(groups),
            atoms=tuple(parts),
            told=money_told,
            money=self._amounts(plain, money_told) if self._has_money else None,
            floor=max(self._units.values(), default=ZERO) / 2,
            tokens_told=tokens_told,
            tokens=None if tokens_told is None else _counts(tokens, tokens_told),
            requests=_requests(requests) if requests else (0 if self._side.believed.requests else None),
            apart=tuple(self._charge(each) for each in money if each.charge),
            whose=_whose(tokens or requests or money),
            last_billed_ns=self._last,
        )

    def _charge(self, entry: Entry) -> Explanation:
        kind: Kind = _CHARGES.get(entry.token_class or "", "other_charge")
        said = entry.item or ("web searches" if entry.token_class == "search" else entry.token_class or "")
        evidence = f"the bill says: {said[:200]}"
        if entry.token_class == "other" and self._of_ours(entry):
            kind = "unread_item"
            evidence += "; calls of this model are recorded, and what of them it charges is not understood"
        return Explanation(
            kind=kind, amount_usd=entry.amount or ZERO, evidence=evidence, requests=entry.requests
        )

    def _of_ours(self, entry: Entry) -> bool:
        """Whether a charge names a model that calls are of: it may be their cost, in words that are new."""
        words = [entry.model or "", *re.split(r"[\s,|:]+", entry.item or "")]
        return any(undated(self._side.provider, word) in self._used for word in words if word)

    def _amounts(self, entries: list[Entry], told: Told) -> dict[SlotKey, Money]:
        found: dict[SlotKey, Money] = {}
        for each in entries:
            slot = told.slot(each.tier, each.long, each.slot_class)
            before, amount = found.get(slot, Money(ZERO, ZERO)), each.amount or ZERO
            unit = self._units[each.file]
            bound = (
                rounding_bound(each.lines, unit)
                if unit > Decimal(10) ** -FLOAT_DIGITS
                else abs(amount).scaleb(-FLOAT_DIGITS)
            )
            found[slot] = Money(before.amount + amount, before.bound + bound)
        return found


def rounding_bound(amounts: int, unit: Decimal) -> Decimal:
    """How far the sum of rounded amounts can be from the sum of what was rounded.

    Half a digit each. Of many, that all go the same way is no rounding any more: their sum is within
    six standard deviations (a rounding's is the unit by the root of 12), which is the less from 12 on.
    """
    return unit * min(Decimal(amounts) / 2, (3 * Decimal(amounts)).sqrt())


def _units(entries: Iterable[Entry]) -> dict[str, Decimal]:
    """The last digit that each file writes amounts with."""
    decimals: dict[str, int] = {}
    for each in entries:
        if not each.charge:
            decimals[each.file] = max(decimals.get(each.file, CENT), each.decimals)
    return {file: Decimal(1).scaleb(-places) for file, places in decimals.items()}


def _counts(entries: Iterable[Entry], told: Told) -> dict[SlotKey, int]:
    found: dict[SlotKey, int] = {}
    for each in entries:
        slot = told.slot(each.tier, each.long, each.slot_class)
        found[slot] = found.get(slot, 0) + (each.tokens or 0)
    return found


def _requests(entries: Iterable[Entry]) -> int:
    """Requests are told once, or again with each class of their tokens."""
    by_class: dict[str | None, int] = {}
    for each in entries:
        name = None if each.token_class == "request" else each.token_class
        by_class[name] = by_class.get(name, 0) + (each.requests or 0)
    return by_class[None] if None in by_class else max(by_class.values(), default=0)


def _ours(groups: Iterable[Group]) -> Ours:
    calls = unpriced = uncounted = reported_calls = 0
    cost = of_reported = ZERO
    reported: Decimal | None = None
    reasons: dict[str, int] = {}
    for each in groups:
        calls += each.calls
        uncounted += each.uncounted_calls
        cost += each.cost
        if each.unpriced is not None:
            unpriced += each.calls
            reasons[each.unpriced] = reasons.get(each.unpriced, 0) + each.calls
        reported_calls += each.reported_calls
        of_reported += each.cost_of_reported
        if each.reported is not None:
            reported = (reported or ZERO) + each.reported
    return Ours(
        calls=calls, unpriced_calls=unpriced, uncounted_calls=uncounted, reasons=reasons, cost=cost,
        reported=reported, reported_calls=reported_calls, cost_of_reported=of_reported,
    )  # fmt: skip


def _whose(entries: Iterable[Entry]) -> str:
    """Keys and projects that the bill names, those with the most on them first."""
    for what in ("key", "project"):
        found: dict[str, int] = {}
        for each in entries:
            name = getattr(each, what)
            if name is not None:
                found[name] = found.get(name, 0) + (each.requests or each.tokens or 1)
        if found:
            names = sorted(found, key=lambda name: (-found[name], name))
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            return f"{what} {', '.join(names[:3])}{more}"
    return ""
