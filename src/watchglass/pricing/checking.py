"""What is odd in a price book: prices of the user's that clash or never hold, gaps, lists that disagree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise
from typing import Literal, TypeAlias

import msgspec

from watchglass.pricing.book import PriceBook, PriceRequest
from watchglass.pricing.discounts import Discount
from watchglass.pricing.listed import ListedPrice
from watchglass.pricing.listing import named, per_million, request_of, timeline, winning
from watchglass.pricing.naming import entry_id, fits, is_pattern, moment, seller
from watchglass.pricing.source import named_tier

Kind: TypeAlias = Literal[
    "overlap", "never_holds", "matches_nothing", "gap", "undated_in_use", "disagreement"
]

COMPARED = ("input", "output", "cache_read", "cache_write")
"""Classes by which lists are compared: those that every list has."""

_MOST_TRIED = 200
"""Models by which it is found out whether a pattern ever wins."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One odd thing. `says` is a sentence with the figures; `wins` is the price that holds, if one does."""

    kind: Kind
    provider: str | None
    model: str | None
    says: str
    tier: str | None = None
    tenant: str | None = None
    wins: str | None = None
    calls: int | None = None
    """Calls in the window that it is about; None where nobody counted."""


class Used(msgspec.Struct, frozen=True):
    """A model that calls name, and how many do."""

    provider: str | None
    model: str | None
    tier: str | None
    tenant: str | None
    calls: int
    undated: int = 0
    """Calls whose price is of a list without dates."""


def clashes(prices: Sequence[ListedPrice | Discount]) -> Iterator[Problem]:
    """Two of the user's for the same model, tier, tenant and hours whose times overlap and that differ."""
    alike: dict[tuple[object, ...], list[ListedPrice | Discount]] = {}
    for each in prices:
        alike.setdefault(_place(each), []).append(each)
    for group in alike.values():
        for one, other in combinations(group, 2):
            if _both_hold(one, other) and _terms(one) != _terms(other):
                yield Problem(
                    kind="overlap", provider=seller(one.provider), model=one.model, tier=named_tier(one.tier),
                    tenant=one.tenant, wins=_id(one),
                    says=f"{_id(one)} and {_id(other)} hold at the same time and differ; the first is used",
                )  # fmt: skip


def idle(book: PriceBook, used: Iterable[Used]) -> Iterator[Problem]:
    """Prices and discounts of the user's that no call can ever have."""
    names = {(provider, model) for provider, model, _ in named(book)}
    names |= {(each.provider, each.model.lower()) for each in used if each.provider and each.model}
    known = sorted(names)
    for each in (*book.layers.overrides, *book.layers.discounts):
        sold_by, pattern = seller(each.provider), each.model.lower()
        models = [name for name in known if fits(sold_by, pattern, *name)]
        pattern_only = isinstance(each, Discount) or is_pattern(sold_by, pattern)
        others = [name for name in models if name[1] != pattern] if is_pattern(sold_by, pattern) else models
        if pattern_only and not others:
            yield _about(
                each, "matches_nothing", f"{_id(each)} is for no model that the book or a call knows"
            )
        elif not any(_wins(book, each, *name) for name in (others or models)[:_MOST_TRIED]):
            yield _about(
                each, "never_holds", f"{_id(each)} never holds: another price goes before it at all times"
            )


def _about(stated: ListedPrice | Discount, kind: Kind, says: str) -> Problem:
    tier, tenant = named_tier(stated.tier), stated.tenant
    return Problem(
        kind=kind, provider=seller(stated.provider), model=stated.model, says=says, tier=tier, tenant=tenant
    )


def gaps(book: PriceBook, used: Iterable[Used]) -> Iterator[Problem]:
    """Times between two prices of a model in use at which it has none."""
    for each in used:
        if each.provider is None or each.model is None:
            continue
        rows = timeline(book, each.model, provider=each.provider, tier=each.tier, tenant=each.tenant)
        whole = sorted((row for row in rows if row.daily is None), key=lambda row: row.since_ns or 0)
        for before, after in pairwise(whole):
            if (
                before.until_ns is not None
                and after.since_ns is not None
                and before.until_ns < after.since_ns
            ):
                yield Problem(
                    kind="gap", provider=each.provider, model=each.model, tier=each.tier, tenant=each.tenant,
                    calls=each.calls,
                    says=f"no price from {moment(before.until_ns)} to {moment(after.since_ns)}, between "
                    f"{before.price_id} and {after.price_id}",
                )  # fmt: skip


def undated(used: Iterable[Used]) -> Iterator[Problem]:
    """Models in use whose price is of a list that does not say since when it holds."""
    for each in used:
        if each.undated:
            yield Problem(
                kind="undated_in_use", provider=each.provider, model=each.model, tier=each.tier,
                tenant=each.tenant, calls=each.undated,
                says=f"{each.undated:,} calls are priced by a list without dates; `watchglass prices set` a "
                "dated price if you know one",
            )  # fmt: skip


def disagreements(book: PriceBook, at_ns: int) -> Iterator[Problem]:
    """Lists that name other prices for one model, tier and moment than the one that is used."""
    for provider, model, tier in sorted(named(book), key=lambda name: (name[0], name[1], name[2] or "")):
        request = request_of(provider, model, tier)
        said = [
            (layer.name, rates)
            for layer, schedule in book.schedules(request)
            if layer.name != "override"
            and (rates := schedule.at(at_ns)) is not None
            and not rates.other_units
        ]
        for name, rates in said[1:]:
            first, other = (per_million(each, each.prices) for each in (said[0][1], rates))
            differ = {
                each: (first[each], other[each])
                for each in COMPARED
                if first[each] is not None and other[each] is not None and first[each] != other[each]
            }
            if differ:
                figures = ", ".join(f"{each} {one:f} and {two:f}" for each, (one, two) in differ.items())
                says = f"{said[0][0]}, which is used, and {name} differ: {figures} dollars a million tokens"
                yield Problem(
                    kind="disagreement", provider=provider, model=model, tier=tier, says=says,
                    wins=said[0][1].price_id,
                )  # fmt: skip


def _wins(book: PriceBook, stated: ListedPrice | Discount, provider: str, model: str) -> bool:
    """Whether it is the price of this model at any time."""
    tiers = [stated.tier]
    if isinstance(stated, Discount) and stated.tier is None:
        tiers = [None, "batch", "flex", "priority"]
    wanted = _id(stated)
    for tier in tiers:
        request: PriceRequest = request_of(provider, model, tier, stated.tenant)
        found = [schedule for _, schedule in book.schedules(request)]
        if any(wanted in period.rates.price_id.split("|") for _, _, period in winning(found)):
            return True
    return False


def _id(stated: ListedPrice | Discount) -> str:
    return stated.name if isinstance(stated, Discount) else entry_id("override", stated, stated.daily)


def _place(stated: ListedPrice | Discount) -> tuple[object, ...]:
    daily = None if isinstance(stated, Discount) else stated.daily
    tier = stated.tier if isinstance(stated, Discount) else named_tier(stated.tier)
    return type(stated), seller(stated.provider), stated.model.lower(), tier, stated.tenant, daily


def _terms(stated: ListedPrice | Discount) -> object:
    bare = msgspec.structs.replace(stated, citation=None, since_ns=None, until_ns=None, provider="", model="")
    return msgspec.structs.astuple(bare)


def _both_hold(one: ListedPrice | Discount, other: ListedPrice | Discount) -> bool:
    """Whether neither's start says which is the newer one: an older price that goes on is no clash."""
    if one.since_ns != other.since_ns:
        return False
    ends = [each for each in (one.until_ns, other.until_ns) if each is not None]
    return not ends or one.since_ns is None or one.since_ns < min(ends)
