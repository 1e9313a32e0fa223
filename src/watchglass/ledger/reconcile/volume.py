"""Tokens that the two sides count differently: which moved between classes or tiers, which are missing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal
from itertools import product
from typing import NamedTuple

import msgspec

from watchglass.ledger.reconcile.figures import EXACT, ZERO, Atom, Cell, Explanation, Kind
from watchglass.ledger.reconcile.quotes import Quotes, cost, price_of
from watchglass.ledger.reconcile.told import ALL, FAMILIES, INPUT_TOTAL, SlotKey

_COMBINATIONS = 64


class Move(msgspec.Struct):
    """How many more tokens a slot of the bill has than ours, by why."""

    by_class: int = 0
    """From or to other classes of the same tier."""
    by_tier: int = 0
    """From or to the same class in another tier or length."""
    missing: int = 0
    """On one side only."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.by_class + self.by_tier + self.missing


class Valued(NamedTuple):
    """What moved tokens cost, and by which price."""

    explanations: list[Explanation]
    items: list[tuple[SlotKey, int, Decimal, str | None]]
    """(slot, tokens, price, price id) of what was priced at one price."""
    note: str


def moves(cell: Cell) -> dict[SlotKey, Move]:
    """How each of the bill's slots of tokens differs, and why; empty where no file counts tokens."""
    if cell.tokens is None or cell.tokens_told is None:
        return {}
    ours: dict[SlotKey, int] = {}
    for atom in cell.atoms:
        if atom.tokens and atom.token_class in FAMILIES:
            slot = cell.tokens_told.slot(atom.tier, atom.long, atom.token_class)
            ours[slot] = ours.get(slot, 0) + atom.tokens
    left = {
        slot: cell.tokens.get(slot, 0) - ours.get(slot, 0) for slot in sorted({*cell.tokens, *ours}, key=str)
    }
    found = {slot: Move() for slot, more in left.items() if more}
    for slot, count in _exchanged(left, lambda each: (each.tier, each.long, FAMILIES.get(each[2], ALL))):
        found[slot].by_class += count
        left[slot] -= count
    for slot, count in _exchanged(left, lambda each: each.token_class):
        found[slot].by_tier += count
        left[slot] -= count
    for slot, move in found.items():
        move.missing = left[slot]
    return found


def _exchanged(left: dict[SlotKey, int], family: Callable[[SlotKey], Hashable]) -> list[tuple[SlotKey, int]]:
    """What one slot of a family has too many of and another too few."""
    families: dict[Hashable, list[SlotKey]] = {}
    for slot, more in left.items():
        if more:
            families.setdefault(family(slot), []).append(slot)
    found: list[tuple[SlotKey, int]] = []
    for slots in families.values():
        more = sum(left[each] for each in slots if left[each] > 0)
        fewer = -sum(left[each] for each in slots if left[each] < 0)
        for sign in (1, -1):
            rest = min(more, fewer)
            for slot in slots:
                taken = min(rest, max(0, sign * left[slot]))
                rest -= taken
                if taken:
                    found.append((slot, sign * taken))
    return found


class _Option(NamedTuple):
    price: Decimal
    price_id: str | None


class _Priced(NamedTuple):
    slot: SlotKey
    move: Move
    options: list[_Option]
    between: bool
    """Whether the options are prices of one list at different hours, so that a mixture is possible."""


def value(
    cell: Cell, moved: dict[SlotKey, Move], atoms: list[Atom], needed: Decimal, bound: Decimal, quotes: Quotes
) -> Valued:
    """What the moved tokens of one slot of money cost; `needed` is what there is to explain.

    Where several prices are possible (a price that changed within the day, tiers that the bill does not tell
    apart) the ones are taken that explain the difference; where none do, nothing is claimed.
    """
    found: list[_Priced] = []
    gone: list[Explanation] = []
    note = ""
    for slot, move in moved.items():
        here = [each for each in atoms if _slot_of(cell, each) == slot]
        if move.missing and move.total == -sum(each.tokens for each in here):
            amount = -_sum(each.cost for each in here)
            gone.append(_missing(cell, move.total, amount, None))
            needed -= amount
            continue
        options, between = _options(cell, slot, here, quotes)
        if options:
            found.append(_Priced(slot, move, options, between))
        else:
            note = f"{move.total:+,} tokens ({slot.token_class}) with no price to value them at"
    forgotten = any(each.tokens and each.price is None and each.price_id is not None for each in atoms)
    if (note or forgotten) and any(each.move.by_class or each.move.by_tier for each in found):
        # What came here went from where its price is not known: half of an exchange would be made up.
        return Valued(gone, [], note)
    settled = _settle(found, needed, bound)
    if settled is None:
        mixed = _mixed(cell, found, needed, bound)
        if mixed is None:
            return Valued(gone, [], _undecided(found))
        return Valued([*gone, *mixed], [], note)
    items: list[tuple[SlotKey, int, Decimal, str | None]] = []
    for each, option in zip(found, settled, strict=True):
        items.append((each.slot, each.move.total, option.price, option.price_id))
        gone += _explained(cell, each, option)
    return Valued(gone, items, note)


def _slot_of(cell: Cell, atom: Atom) -> SlotKey | None:
    if cell.tokens_told is None or atom.token_class not in FAMILIES:
        return None
    return cell.tokens_told.slot(atom.tier, atom.long, atom.token_class)


def _options(cell: Cell, slot: SlotKey, here: list[Atom], quotes: Quotes) -> tuple[list[_Option], bool]:
    """The prices that a slot's tokens can have: those of our calls there, and those in force that day."""
    known = {each.price: each for each in here if each.price is not None and each.tokens}
    options = [_Option(price, each.price_id) for price, each in known.items()]
    token_class = "input" if slot.token_class == INPUT_TOTAL else slot.token_class
    listed = quotes.in_force(cell.names, slot.tier, cell.key.since_ns, cell.key.until_ns)
    if token_class in FAMILIES and (not options or len(listed) > 1):
        for rates in listed:
            price = price_of(rates, token_class, long=slot.long)
            if price is not None and price not in known:
                known[price] = Atom(tier=slot.tier, long=slot.long, token_class=token_class, tokens=0)
                options.append(_Option(price, rates.price_id))
    parts = {(each.tier, each.long, each.token_class) for each in known.values()}
    return options, len(parts) == 1


def _settle(found: list[_Priced], needed: Decimal, bound: Decimal) -> list[_Option] | None:
    """One price for each, such that nothing is left to explain; the only ones there are, if so."""
    if all(len(each.options) == 1 for each in found):
        return [each.options[0] for each in found]
    count = 1
    for each in found:
        count *= len(each.options)
    if count > _COMBINATIONS:
        return None
    for chosen in product(*(each.options for each in found)):
        amount = _sum(cost(each.move.total, one.price) for each, one in zip(found, chosen, strict=True))
        if abs(needed - amount) <= bound:
            return list(chosen)
    return None


def _mixed(cell: Cell, found: list[_Priced], needed: Decimal, bound: Decimal) -> list[Explanation] | None:
    """Amounts between the lowest and the highest price of the day that together are what is needed."""
    if not all(each.between for each in found):
        return None
    spans = [sorted(cost(each.move.total, one.price) for one in each.options) for each in found]
    rest = needed - _sum(span[0] for span in spans)
    if rest < -bound or rest > _sum(span[-1] - span[0] for span in spans) + bound:
        return None
    explanations: list[Explanation] = []
    for each, span in zip(found, spans, strict=True):
        amount = min(max(rest, ZERO), span[-1] - span[0])
        rest -= amount
        ids = ", ".join(one.price_id or "?" for one in each.options)
        explained = _missing(cell, each.move.total, span[0] + amount, None)
        said = f"{explained.evidence}; the price changed within the day ({ids})"
        explanations.append(msgspec.structs.replace(explained, evidence=said))
    return explanations


def _undecided(found: list[_Priced]) -> str:
    counts = ", ".join(f"{each.move.total:+,} {each.slot.token_class}" for each in found)
    return f"{counts} tokens on the bill, and no one price in force explains what is charged for them"


def _explained(cell: Cell, priced: _Priced, option: _Option) -> list[Explanation]:
    move, slot = priced.move, priced.slot
    explanations: list[Explanation] = []
    if move.by_class:
        explanations.append(
            _one(
                "token_class", move.by_class, option,
                f"{move.by_class:+,} tokens of {slot.token_class} on the bill, as many of another class less",
            )
        )  # fmt: skip
    if move.by_tier:
        tier = slot.tier or "the standard tier"
        length = " (long context)" if slot.long else ""
        explanations.append(
            _one("price_tier", move.by_tier, option, f"{move.by_tier:+,} tokens billed in {tier}{length}")
        )
    if move.missing:
        explanations.append(_missing(cell, move.missing, cost(move.missing, option.price), option.price_id))
    return explanations


def _one(kind: Kind, tokens: int, option: _Option, evidence: str) -> Explanation:
    return Explanation(
        kind=kind,
        amount_usd=cost(tokens, option.price),
        evidence=evidence,
        tokens=tokens,
        price_id=option.price_id,
    )


def _missing(cell: Cell, tokens: int, amount: Decimal, price_id: str | None) -> Explanation:
    """Requests on one side only; or, where these are not more with more tokens, counted differently."""
    ours, requests = cell.ours, cell.requests
    more = None if requests is None else requests - ours.calls
    if more is not None and ours.calls and more * tokens <= 0:
        same = "the same " if more == 0 else f"{requests:,} requests; here it is "
        evidence = f"{tokens:+,} tokens on the bill for {same}{ours.calls:,} requests"
        if ours.uncounted_calls:
            evidence += f"; of {ours.uncounted_calls:,} nobody said how many tokens they used"
        return Explanation(
            kind="token_count", amount_usd=amount, evidence=evidence, tokens=tokens, price_id=price_id
        )
    if tokens > 0:
        kind: Kind = "not_seen"
        evidence = (
            "no call of this model at all is recorded" if not ours.calls else f"{ours.calls:,} calls recorded"
        )
        evidence += (
            f", {requests:,} requests billed" if requests is not None else f", {tokens:,} tokens more billed"
        )
        evidence += f" ({cell.whose})" if cell.whose else ""
    else:
        kind, evidence = "not_billed", unbilled(cell)
    return Explanation(
        kind=kind, amount_usd=amount, evidence=evidence, tokens=tokens, requests=more, price_id=price_id
    )


def unbilled(cell: Cell) -> str:
    """What to say of calls that are on no bill."""
    last, key = cell.last_billed_ns, cell.key
    if last is not None and key.until_ns >= last:
        return f"{cell.ours.calls:,} calls recorded; the bill ends here, so they may yet be billed"
    if not cell.requests and not any((cell.tokens or {}).values()):
        return f"{cell.ours.calls:,} calls recorded and nothing billed"
    billed = "fewer tokens" if cell.requests is None else f"{cell.requests:,} requests"
    return f"{cell.ours.calls:,} calls recorded, {billed} billed"


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for each in amounts:
        total = EXACT.add(total, each)
    return total
