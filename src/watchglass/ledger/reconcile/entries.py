"""What files say of one provider, summed up, and which file is believed of what: nothing is added twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from watchglass.ledger.reconcile.told import ALL, FAMILIES, Told, told

CHARGES = frozenset({"credit", "tax", "other", "search"})
"""Lines that are about no tokens of ours."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of one file that are alike, added up."""

    file: str
    format: str
    taken: int
    """Grows with each import."""
    provider: str
    since_ns: int
    until_ns: int
    zone: str = "UTC"
    project: str | None = None
    key: str | None = None
    model: str | None = None
    token_class: str | None = None
    tier: str | None = None
    long: bool = False
    item: str | None = None
    tokens: int | None = None
    requests: int | None = None
    amount: Decimal | None = None
    lines: int = 1
    decimals: int = 0
    """Most digits after the point that any of the amounts has."""
    by_request: bool = False
    """Each line was about one request."""
    matched: bool | None = None
    """Of such lines: whether a call of ours has the request's id."""

    @property
    def charge(self) -> bool:
        """Whether it is about no tokens."""
        return self.token_class in CHARGES

    @property
    def slot_class(self) -> str:
        """The class by our names."""
        return self.token_class or ALL


class PutAside(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts that were not added because another file says the same."""

    file: str
    format: str
    provider: str
    lines: int
    amount_usd: Decimal
    instead: str


class Believed(msgspec.Struct, frozen=True):
    """One provider's entries by what they are believed of."""

    money: list[Entry]
    tokens: list[Entry]
    requests: list[Entry]
    put_aside: list[PutAside]


def believe(entries: Sequence[Entry], keyed: Callable[[Entry], str | None]) -> Believed:
    """Choose, for one provider, one format for money, tokens and requests each, day by day.

    A costs export and a usage export of the same days complement each other; two exports of costs do not. Of
    several formats with money the one is believed that is a bill rather than a log of requests, then the one
    that tells more apart, then the newest. `keyed` says which model of the ledger an entry is of.
    """
    money, aside = _choose([each for each in entries if each.amount is not None], _as_bill, keyed)
    counted = [
        each
        for each in entries
        if each.tokens is not None and not each.charge and each.token_class != "request"
    ]
    whole = {_day(each) for each in money} - {
        _day(each) for each in money if each.tokens is None and each.slot_class in {*FAMILIES, ALL}
    }
    own = {each.format for each in money}
    tokens, _ = _choose(
        counted, lambda day, format, its: (day in whole and format in own, *_as_bill(day, format, its)), keyed
    )
    preferred = {each.format for each in tokens}
    requests, _ = _choose(
        [each for each in entries if each.requests is not None and not each.charge],
        lambda day, format, its: (format in preferred, *_as_bill(day, format, its)),
        keyed,
    )
    return Believed(money, tokens, requests, aside)


_Rank = Callable[[tuple[int, int], str, list[Entry]], tuple[Any, ...]]


def _choose(
    entries: Iterable[Entry], rank: _Rank, keyed: Callable[[Entry], str | None]
) -> tuple[list[Entry], list[PutAside]]:
    days: dict[tuple[int, int], dict[str, list[Entry]]] = {}
    for each in entries:
        days.setdefault(_day(each), {}).setdefault(each.format, []).append(each)
    chosen: list[Entry] = []
    aside: dict[tuple[str, str, str, str], tuple[int, Decimal]] = {}
    for day, formats in days.items():
        best = max(formats, key=lambda format: rank(day, format, formats[format]))
        taken = _without_repeats(formats[best], keyed)
        chosen += taken
        kept = set(map(id, taken))
        for format, those in formats.items():
            for each in those:
                if id(each) not in kept and each.amount is not None:
                    of = (each.file, format, each.provider, best)
                    lines, amount = aside.get(of, (0, Decimal(0)))
                    aside[of] = lines + each.lines, amount + each.amount
    return chosen, [
        PutAside(file=file, format=format, provider=provider, lines=lines, amount_usd=amount, instead=instead)
        for (file, format, provider, instead), (lines, amount) in aside.items()
    ]


def _as_bill(day: tuple[int, int], format: str, its: list[Entry]) -> tuple[Any, ...]:
    return (
        not any(each.by_request for each in its),
        len({each.token_class for each in its}),
        max(each.taken for each in its),
        format,
    )


def _without_repeats(its: list[Entry], keyed: Callable[[Entry], str | None]) -> list[Entry]:
    """Of files of one format that tell of the same project and model on a day, one; the newest."""
    files: dict[str, list[Entry]] = {}
    for each in its:
        files.setdefault(each.file, []).append(each)
    chosen: list[Entry] = []
    told: set[tuple[str | None, str | None, str | None]] = set()
    for _, those in sorted(files.items(), key=lambda pair: (-pair[1][0].taken, pair[0])):
        about = {(each.project, keyed(each), each.token_class if each.charge else None) for each in those}
        if not about & told:
            chosen += those
            told |= about
    return chosen


def _day(entry: Entry) -> tuple[int, int]:
    return entry.since_ns, entry.until_ns


def tells(entries: Iterable[Entry], keyed: Callable[[Entry], str | None]) -> Callable[[str | None], Told]:
    """What these entries tell apart, by model: a model with one figure for all classes has that alone."""
    named = [each for each in entries if not each.charge]
    tiers, long = any(each.tier for each in named), any(each.long for each in named)
    classes = {each.slot_class for each in named} - {ALL}
    lumped = {keyed(each) for each in named if each.token_class is None}
    apart, together = (
        told(tiers=tiers, long=long, classes=classes),
        told(tiers=tiers, long=long, classes=[ALL]),
    )
    return lambda model: together if model in lumped or not classes else apart
