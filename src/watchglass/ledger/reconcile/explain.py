"""Why billed and computed differ in one cell of the ledger: a waterfall of causes, each with its evidence.

In this order: tokens that moved or are missing (`volume.py`), calls that have no price here, another price of
the book, the bill's own rounding. What is left is unexplained. The causes and the rest are the difference to
the last digit, by construction: each cause takes its amount off the rest. A cause is claimed only where it
brings the rest to less than the bill's rounding, or where tokens say so by themselves; an amount is never
spread to make things fit. What only the bill says (`implied.py`, a price for calls without one) is a hint: it
tells what the unexplained may be, and leaves it there.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext

import msgspec

from watchglass.ledger.reconcile.figures import (
    EXACT,
    ZERO,
    Atom,
    Cell,
    Explanation,
    Kind,
    Money,
    Names,
    SlotOutcome,
)
from watchglass.ledger.reconcile.quotes import Quotes, cost, price_of
from watchglass.ledger.reconcile.told import FAMILIES, SlotKey
from watchglass.ledger.reconcile.volume import Move, moves, unbilled, value


class Item(msgspec.Struct, frozen=True):
    """Tokens that are expected on the bill, at the price that we would have billed."""

    atom: Atom
    tokens: int
    price: Decimal | None


class Pending(msgspec.Struct):
    """A slot on its way to an outcome: `rest` is what nothing has explained yet."""

    cell: Cell
    slot: SlotKey
    computed: Decimal
    billed: Decimal | None
    bound: Decimal
    tokens_computed: int
    tokens_billed: int | None
    rest: Decimal = ZERO
    items: list[Item] = []
    explanations: list[Explanation] = []
    note: str = ""

    @property
    def open(self) -> bool:
        """Whether there is more left than the bill's rounding can be."""
        return self.billed is not None and abs(self.rest) > self.bound

    def explain(
        self,
        kind: Kind,
        amount: Decimal,
        evidence: str,
        *,
        tokens: int | None = None,
        price_id: str | None = None,
    ) -> None:
        """Take a cause's amount off the rest."""
        self.add(
            Explanation(kind=kind, amount_usd=amount, evidence=evidence, tokens=tokens, price_id=price_id)
        )

    def add(self, explanation: Explanation) -> None:
        """As `explain`."""
        if explanation.amount_usd or explanation.tokens:
            self.explanations.append(explanation)
            self.rest -= explanation.amount_usd

    def outcome(self) -> SlotOutcome:
        """The end of it: what is less than the last digit is rounding, more is unexplained."""
        if self.rest and not self.open and self.billed is not None:
            self.explain(
                "rounding", self.rest, f"the bill's digits leave open up to {plain(self.bound)} dollars"
            )
        hints = tuple(each for each in self.explanations if each.hint)
        return SlotOutcome(
            slot=self.slot,
            tokens_computed=self.tokens_computed,
            tokens_billed=self.tokens_billed,
            computed=self.computed,
            billed=self.billed,
            explanations=tuple(each for each in self.explanations if not each.hint),
            unexplained=sum((each.amount_usd for each in hints), self.rest)
            if self.billed is not None
            else ZERO,
            hints=hints,
            note=self.note if self.rest else "",
        )


def plain(amount: Decimal) -> str:
    """A decimal as a person writes it."""
    return f"{amount.normalize():f}"


def examine(cell: Cell, quotes: Quotes) -> list[Pending]:
    """Each slot of a cell with the causes that the cell itself shows."""
    with localcontext(EXACT):
        moved = moves(cell)
        told = cell.told
        slots = {told.slot(each.tier, each.long, each.token_class) for each in cell.atoms}
        slots |= {told.slot(*each) for each in cell.tokens or {}} | set(cell.money or {})
        found = [_pending(cell, slot, moved, quotes) for slot in sorted(slots, key=str)]
        for each in found:
            if each.open:
                _unpriced(each, quotes)
            if each.open:
                _other_price(each, quotes)
        return found


def _pending(cell: Cell, slot: SlotKey, moved: dict[SlotKey, Move], quotes: Quotes) -> Pending:
    told = cell.told
    atoms = [each for each in cell.atoms if told.slot(each.tier, each.long, each.token_class) == slot]
    here = {key: move for key, move in moved.items() if told.slot(*key) == slot}
    money = None if cell.money is None else cell.money.get(slot, Money(ZERO, cell.floor))
    counted = [count for key, count in (cell.tokens or {}).items() if told.slot(*key) == slot]
    found = Pending(
        cell=cell,
        slot=slot,
        computed=sum((each.cost for each in atoms), ZERO),
        billed=None if money is None else money.amount,
        bound=ZERO if money is None else money.bound,
        tokens_computed=sum(each.tokens for each in atoms),
        tokens_billed=None if cell.tokens is None else sum(counted),
    )
    if money is None:
        return found
    found.rest = money.amount - found.computed
    _by_volume(found, atoms, here, quotes)
    return found


def _by_volume(found: Pending, atoms: list[Atom], moved: dict[SlotKey, Move], quotes: Quotes) -> None:
    cell = found.cell
    found.items = [Item(each, each.tokens, each.price) for each in atoms if each.token_class in FAMILIES]
    if cell.key.on == "bill":
        found.explain(
            "not_seen", found.rest, f"no recorded call has the ids of these requests {cell.whose}".strip()
        )
    elif cell.key.on == "ours":
        found.explain("not_billed", found.rest, "no request on the bill has the ids of these calls")
    elif moved:
        valued = value(cell, moved, atoms, found.rest, found.bound, quotes)
        for each in valued.explanations:
            found.add(each)
        for slot, tokens, price, price_id in valued.items:
            atom = Atom(
                tier=slot.tier, long=slot.long, token_class=slot.token_class, tokens=0, price_id=price_id,
                price=price, names=cell.names[0] if cell.names else Names(None, None),
            )  # fmt: skip
            found.items.append(Item(atom, tokens, price))
        found.note = valued.note
        if found.open and not cell.ours.calls and not valued.items:
            found.explain("not_seen", found.rest, _nothing_of(cell), tokens=found.tokens_billed)
    elif cell.tokens is None and found.open and not cell.ours.calls:
        found.explain("not_seen", found.rest, _nothing_of(cell))
    elif cell.tokens is None and found.open and not _billed_beside(cell, found.slot):
        found.explain("not_billed", found.rest, unbilled(cell))


def _billed_beside(cell: Cell, slot: SlotKey) -> bool:
    """Whether the bill has money for any class of this tier: then the calls of a class that it lacks are not
    known to be missing."""
    return any(
        each.amount and (key.tier, key.long) == (slot.tier, slot.long)
        for key, each in (cell.money or {}).items()
    )


def _nothing_of(cell: Cell) -> str:
    said = "no call of this model at all is recorded"
    said += f", {cell.requests:,} requests billed" if cell.requests else ""
    return said + (f" ({cell.whose})" if cell.whose else "")


def _unpriced(found: Pending, quotes: Quotes) -> None:
    """Calls that have no cost here but are billed."""
    key = found.cell.key
    unknown = [each for each in found.items if each.price is None and each.tokens > 0]
    without = [each for each in unknown if each.atom.price_id is None]
    if not without:
        if unknown:
            ids = ", ".join(sorted({each.atom.price_id or "" for each in unknown}))
            found.note = f"calls were priced by {ids}, which the book has no longer: `watchglass reprice`"
        return
    reasons = ", ".join(sorted({each.atom.unpriced or "no price" for each in without}))
    tokens, listed = sum(each.tokens for each in without), ZERO
    for each in without:
        rates = quotes.in_force([each.atom.names], each.atom.tier, key.since_ns, key.until_ns)
        price = price_of(rates[0], each.atom.token_class, long=each.atom.long) if len(rates) == 1 else None
        if price is None:
            listed = None
            break
        listed += cost(each.tokens, price)
    said = f"{tokens:,} tokens of calls without a cost ({reasons})"
    if listed is not None and abs(found.rest - listed) <= found.bound:
        found.explain(
            "unpriced", listed, f"{said}; the book has a price by now: `watchglass reprice`", tokens=tokens
        )
    elif found.tokens_billed is not None or len(without) == len(found.items):
        said += f"; the bill implies {plain_price(found.rest / tokens)}: `watchglass prices set`"
        found.explain("price_unknown", found.rest, said, tokens=tokens)


def plain_price(price: Decimal) -> str:
    """A price a token, as prices are written."""
    return f"{(price * 1_000_000).quantize(Decimal('0.000001')).normalize():f} dollars a million tokens"


def _other_price(found: Pending, quotes: Quotes) -> None:
    """Whether another price of the book was billed, for all of the slot or where one price was used."""
    if found.note:  # some of it has no price to compare with, and the rest could fit by chance
        return
    by_price: dict[str | None, list[Item]] = {}
    for each in found.items:
        if each.price is not None and each.tokens:
            by_price.setdefault(each.atom.price_id, []).append(each)
    scopes = [items for items in by_price.values()]
    if len(scopes) > 1:
        scopes.insert(0, [each for items in scopes for each in items])
    for items in scopes:
        first = items[0].atom
        source = first.price_id.partition(":")[0] if first.price_id else None
        asked = dict.fromkeys([first.names, *found.cell.names])
        for quote in quotes.others(asked, first.tier, source):
            instead = _at(
                items,
                quote.rates.price_id,
                [price_of(quote.rates, each.atom.token_class, long=each.atom.long) for each in items],
            )
            if instead is None or not instead or abs(found.rest - instead) > found.bound:
                continue
            said = {
                "price_interval": "at another time's price",
                "price_tier": f"in the tier {quote.said}",
                "price_source": f"as {quote.said} has it",
            }[quote.kind]
            tokens = sum(each.tokens for each in items)
            found.explain(
                quote.kind, instead, f"{tokens:,} tokens billed {said}: {quote.rates.price_id} instead of "
                f"{first.price_id}", tokens=tokens, price_id=quote.rates.price_id,
            )  # fmt: skip
            return


def _at(items: Iterable[Item], price_id: str, prices: list[Decimal | None]) -> Decimal | None:
    """What other prices add; None where one is missing."""
    total = ZERO
    for each, price in zip(items, prices, strict=True):
        if price is None or each.price is None:
            return None
        total += cost(each.tokens, price) - cost(each.tokens, each.price)
    return total
