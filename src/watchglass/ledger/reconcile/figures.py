"""The records of a reconciliation: one cell of the ledger, what each side says of it, and why they differ."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Literal, NamedTuple, TypeAlias, get_args

import msgspec

from watchglass.ledger.reconcile.told import REQUEST, UNSPLIT, SlotKey, Told
from watchglass.pricing.rates import CLASSES

EXACT = Context(prec=150)
"""Sums and products of prices, counts and amounts in this context lose no digit."""

ZERO = Decimal(0)

ATOM_CLASSES = (*CLASSES, REQUEST, UNSPLIT)

Kind: TypeAlias = Literal[
    "not_seen",
    "not_billed",
    "price_interval",
    "price_tier",
    "price_source",
    "unpriced",
    "token_class",
    "token_count",
    "rounding",
    "credit",
    "tax",
    "other_charge",
    "time_zone",
    "price_implied",
    "price_unknown",
    "other_name",
    "unread_item",
]
"""Why billed and computed differ. A closed list:

- ``not_seen``: billed requests of which we have no record.
- ``not_billed``: recorded calls that are on no bill, or not yet.
- ``price_interval``: billed at a price of the same list that holds at another time.
- ``price_tier``: billed in another tier (batch, flex, priority), or more of the tokens in one.
- ``price_source``: billed at a price of another list of the book.
- ``unpriced``: calls that have no cost here, billed at the price that the book has by now.
- ``token_class``: the same tokens, others of them cached, written to the cache or of reasoning.
- ``token_count``: as many requests, with other counts of tokens.
- ``rounding``: less than the last digit that the bill is written with.
- ``credit``, ``tax``, ``other_charge``: lines that are not about tokens.
- ``time_zone``: the bill's days are cut in another zone than its dates say.

The last four are hints (`HINTS`).
"""

HINTS: tuple[Kind, ...] = ("price_implied", "price_unknown", "other_name", "unread_item")
"""What only the bill itself says. Any amount would fit, so that nothing could refute them: they name what is
unexplained, and take nothing off it.

- ``price_implied``: billed at one and the same price on several days that no list of the book has.
- ``price_unknown``: calls that have no cost here, and the book has no price that would be the bill's.
- ``other_name``: a model on the bill that no call is of, while calls of others are on no bill.
- ``unread_item``: a line about a model of ours, in words that nobody understands.
"""

KINDS: tuple[Kind, ...] = tuple(kind for kind in get_args(Kind) if kind not in HINTS)


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the difference between billed and computed, and how we know."""

    kind: Kind
    amount_usd: Decimal
    evidence: str
    tokens: int | None = None
    requests: int | None = None
    price_id: str | None = None

    @property
    def hint(self) -> bool:
        """Whether its amount stays unexplained all the same."""
        return self.kind in HINTS


class Names(NamedTuple):
    """A model as the book is asked for it."""

    answered: str | None
    asked: str | None
    tenant: str | None = None


class Atom(msgspec.Struct, frozen=True, kw_only=True):
    """Our tokens of one class at one price."""

    tier: str | None
    long: bool
    token_class: str
    tokens: int
    cost: Decimal = ZERO
    price: Decimal | None = None
    """US dollars a token; None where the price is not known (`unpriced`, `UNSPLIT`)."""
    price_id: str | None = None
    names: Names = Names(None, None)
    unpriced: str | None = None
    """The reason why there is no cost."""


class Money(msgspec.Struct, frozen=True):
    """What is billed for a slot, and how far the roundings of its amounts can be off."""

    amount: Decimal
    bound: Decimal


class Ours(msgspec.Struct, frozen=True, kw_only=True):
    """Our side of a cell: calls, costs and what clients reported."""

    calls: int = 0
    unpriced_calls: int = 0
    uncounted_calls: int = 0
    """Calls of which nobody said how many tokens they used."""
    reasons: dict[str, int] = {}
    """Why calls have no cost."""
    cost: Decimal = ZERO
    reported: Decimal | None = None
    reported_calls: int = 0
    cost_of_reported: Decimal = ZERO
    """Our cost of those calls for which a client reported one as well."""


class CellKey(NamedTuple):
    """Where a cell is in the ledger."""

    since_ns: int
    until_ns: int
    provider: str
    project: str | None
    model: str | None
    on: Literal["both", "bill", "ours"] | None = None
    """Of a bill with a line for each request: which side has these. None: the bill has no such lines."""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one time, project and model, from each side."""

    key: CellKey
    day: str
    names: tuple[Names, ...] = ()
    """What the book can be asked for: our calls' models first, then the bill's."""
    ours: Ours = Ours()
    atoms: tuple[Atom, ...] = ()
    told: Told
    """What the money tells apart, as far as the tokens do too."""
    money: Mapping[SlotKey, Money] | None = None
    """Billed; no slot is nothing billed. None: no file says what was charged here."""
    floor: Decimal = ZERO
    """How much a bill of this provider leaves out as too small to be written."""
    tokens_told: Told | None = None
    tokens: Mapping[SlotKey, int] | None = None
    """None: no file says how many tokens were billed here."""
    requests: int | None = None
    apart: tuple[Explanation, ...] = ()
    """Lines that are about no tokens: credits, taxes, other charges."""
    whose: str = ""
    """Keys and projects that the bill names here, for people."""
    computed_by_date: Decimal | None = None
    """Our cost in the days as the bill's dates read, where its days are found to be cut in another zone."""
    last_billed_ns: int | None = None
    """The end of what this provider has billed anything for."""


class SlotOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One class of a cell: both sides and the difference, explained."""

    slot: SlotKey
    tokens_computed: int
    tokens_billed: int | None
    computed: Decimal
    billed: Decimal | None
    explanations: tuple[Explanation, ...] = ()
    unexplained: Decimal = ZERO
    """What `hints` speak of included."""
    hints: tuple[Explanation, ...] = ()
    note: str = ""
