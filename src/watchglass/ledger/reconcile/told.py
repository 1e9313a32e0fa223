"""What a bill tells apart: tiers, long contexts and classes, and how ours are put together to match."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from watchglass.pricing.rates import CLASSES

ALL = "all"
"""The class of a figure that covers all classes of tokens."""

INPUT_TOTAL = "input_total"

REQUEST = "request"
"""What a request costs as such, in our prices."""

UNSPLIT = "unsplit"
"""The part of our cost that the prices in the book do not account for: the price is no longer in it, or has
changed since without a reprice."""

_PARENTS = {
    "cache_read": "input",
    "cache_write": "input",
    "cache_write_1h": "cache_write",
    "input_audio": "input",
    "reasoning": "output",
    "output_audio": "output",
}
FAMILIES: Mapping[str, str] = {
    **{name: "output" if name in ("output", "reasoning", "output_audio") else "input" for name in CLASSES},
    INPUT_TOTAL: "input",
}
"""Whether a class is of the input or of the output."""


class SlotKey(NamedTuple):
    """A part of a cell that both sides tell apart."""

    tier: str | None
    """None: the standard tier, or all of them where nobody tells them apart."""
    long: bool
    token_class: str


class Told(msgspec.Struct, frozen=True):
    """What is told apart; `folds` says in which class each of ours is then found."""

    tiers: bool
    long: bool
    folds: dict[str, str]

    def slot(self, tier: str | None, long: bool, token_class: str) -> SlotKey:
        """Where a figure belongs."""
        return SlotKey(
            tier if self.tiers else None, long and self.long, self.folds.get(token_class, token_class)
        )


def told(*, tiers: bool, long: bool, classes: Iterable[str]) -> Told:
    """What lines of these classes tell apart. A class that has none is part of the one it is a part of."""
    named = set(classes)
    if ALL in named or not named:
        return Told(tiers, long, dict.fromkeys((*CLASSES, REQUEST, UNSPLIT, INPUT_TOTAL, ALL), ALL))
    folds = {name: _fold(name, named) for name in CLASSES}
    return Told(tiers, long, {**folds, INPUT_TOTAL: INPUT_TOTAL})


def joined(money: Told, tokens: Told | None) -> Told:
    """What both tell apart as far as money goes: no slot of tokens lies in two slots of money."""
    if tokens is None:
        return money
    groups: dict[str, set[str]] = {}
    for name in (*CLASSES, *([INPUT_TOTAL] if INPUT_TOTAL in tokens.folds.values() else [])):
        groups.setdefault(tokens.folds[name], set()).add(money.folds.get(name, name))
    reps = {rep: rep for group in groups.values() for rep in group}
    for group in groups.values():
        first = min(group)
        merged = {reps[each] for each in group}
        reps = {rep: (reps[first] if of in merged else of) for rep, of in reps.items()}
    labels = {of: _label({rep for rep, it in reps.items() if it == of}) for of in set(reps.values())}
    folds = {
        name: labels[reps[rep]] if (rep := money.folds.get(name, name)) in reps else rep
        for name in {*money.folds, *CLASSES}
    }
    return Told(money.tiers and tokens.tiers, money.long and tokens.long, folds)


def _fold(name: str, named: set[str]) -> str:
    if INPUT_TOTAL in named and FAMILIES[name] == "input":
        return INPUT_TOTAL
    while name not in named and name in _PARENTS:
        name = _PARENTS[name]
    return name


def _label(merged: set[str]) -> str:
    if len(merged) == 1:
        return next(iter(merged))
    families = {FAMILIES.get(each, ALL) for each in merged}
    if families == {"input"}:
        return INPUT_TOTAL
    return "output" if families == {"output"} else ALL
