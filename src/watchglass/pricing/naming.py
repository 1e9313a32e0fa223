"""Whom an entry of the user's or ours is for, which of several wins, and what it is called."""

from __future__ import annotations

import datetime as dt
import re
from fnmatch import fnmatchcase
from typing import Protocol

from watchglass.pricing.labels import canonical
from watchglass.pricing.source import named_tier

_SPECIAL = frozenset("*?[")
_DAY = re.compile(r"@\d{4}-\d\d-\d\d")


class Stated(Protocol):
    """What prices and discounts have in common."""

    @property
    def provider(self) -> str:
        """Any of its names, or `*`."""
        ...

    @property
    def model(self) -> str:
        """A name, or a pattern with `*`."""
        ...

    @property
    def tier(self) -> str | None:
        """The service tier."""
        ...

    @property
    def tenant(self) -> str | None:
        """Whose it is; None is everybody's."""
        ...

    @property
    def since_ns(self) -> int | None:
        """From when on it holds."""
        ...

    @property
    def until_ns(self) -> int | None:
        """When it ends, not included."""
        ...


def seller(name: str) -> str:
    """Our id of a provider by any of its names; one that nobody knows as it is, in lower case."""
    return canonical(name) or name.strip().lower()


def is_pattern(provider: str, model: str) -> bool:
    """Whether it is for more than one model."""
    return provider == "*" or bool(_SPECIAL.intersection(model))


def fits(stated_provider: str, stated_model: str, provider: str, model: str) -> bool:
    """Whether an entry is for this model; all four in lower case."""
    return stated_provider in (provider, "*") and fnmatchcase(model, stated_model)


def precedence(stated: Stated) -> tuple[bool, int, bool, int]:
    """For sorting, the least first: the whole name goes before the longest pattern, then the latest start.

    An open start is before every other.
    """
    whole = not is_pattern(stated.provider, stated.model)
    return (whole, 0 if whole else len(stated.model), stated.since_ns is not None, stated.since_ns or 0)


def entry_id(kind: str, stated: Stated, daily: tuple[int, int] | None = None) -> str:
    """Names one entry: `override:acme/m@2026-01-01T00:00:00Z/2026-07-01T00:00:00Z+batch#tenant`.

    An open bound is left out, with its mark: no end, no `/`; neither, no `@`. A daily window is
    written after `~`: `~16:30-00:30`.
    """
    named = f"{kind}:{seller(stated.provider)}/{stated.model}"
    if stated.since_ns is not None or stated.until_ns is not None:
        named += f"@{moment(stated.since_ns)}"
    if stated.until_ns is not None:
        named += f"/{moment(stated.until_ns)}"
    if daily is not None:
        named += "~" + "-".join(time_of_day(each) for each in daily)
    if tier := named_tier(stated.tier):
        named += f"+{tier}"
    return named if stated.tenant is None else f"{named}#{stated.tenant}"


def is_dated(price_id: str) -> bool:
    """Whether the list behind a price says since when it holds; what a user or we state does."""
    listed = price_id.partition("|")[0]
    return listed.startswith(("override:", "watchglass:")) or _DAY.search(listed) is not None


def moment(at_ns: int | None) -> str:
    """RFC 3339 in UTC, with as much of a fraction as there is; '' for None."""
    if at_ns is None:
        return ""
    seconds, rest = divmod(at_ns, 10**9)
    found = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)
    return found.isoformat() + (f".{rest:09}".rstrip("0") if rest else "") + "Z"


def time_of_day(ns: int) -> str:
    """Nanoseconds of a day as hours and minutes."""
    minutes = ns // (60 * 10**9)
    return f"{minutes // 60:02}:{minutes % 60:02}"
