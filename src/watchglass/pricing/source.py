"""The seam of the price book: one layer of prices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec

from watchglass.pricing.rates import Rates

DAY_NS = 86_400 * 10**9

STANDARD_TIERS = frozenset({"", "default", "standard", "auto", "on_demand", "standard_only"})
"""What clients and providers call the tier that everybody gets (OpenAI: auto, default; Anthropic:
standard, standard_only; Groq: on_demand)."""


def named_tier(tier: str | None) -> str | None:
    """A service tier as the layers know it: lower case, and None for the one that everybody gets."""
    plain = tier.strip().lower() if tier else ""
    return None if plain in STANDARD_TIERS else plain


class Period(msgspec.Struct, frozen=True):
    """When some rates hold: `[since_ns, until_ns)`, and within it a daily window if there is one.

    The daily window is in nanoseconds of the UTC day and may cross midnight.
    """

    rates: Rates
    since_ns: int | None = None
    until_ns: int | None = None
    daily: tuple[int, int] | None = None

    def holds(self, at_ns: int) -> bool:
        """Whether a call that starts at `at_ns` has these rates, if nothing that wins over them holds."""
        since, until, daily = self.since_ns, self.until_ns, self.daily
        if (since is not None and at_ns < since) or (until is not None and at_ns >= until):
            return False
        if daily is None:
            return True
        moment, (begin, end) = at_ns % DAY_NS, daily
        return begin <= moment < end if begin <= end else moment >= begin or moment < end


class Schedule(msgspec.Struct, frozen=True):
    """A model's prices over time; the first period that holds is the price."""

    periods: tuple[Period, ...]

    def at(self, at_ns: int) -> Rates | None:
        """The rates of a call that starts at `at_ns`; None before the first price."""
        for period in self.periods:
            if period.holds(at_ns):
                return period.rates
        return None


class Entry(msgspec.Struct, frozen=True):
    """One row of a layer's list, for people: `model` may be a pattern with `*`."""

    provider: str
    model: str
    tier: str | None
    schedule: Schedule
    citation: str | None = None
    """Where the price stands."""


class PriceSource(Protocol):
    """One layer of the price book.

    - MUST answer for the canonical provider ids of `provider.py` and the model's name as a library
      or provider wrote it.
    - MUST return None for a model it does not know, and an empty `Schedule` for a model it knows
      but not in this tier. MUST NOT guess: no nearest name, no other tier's price.
    - MUST hold exact decimals from its origin on; a float that became one later is not exact.
    - MUST NOT do I/O: what it knows is handed to it or shipped in a package.
    """

    name: str
    """What `price_source` says of a price from here."""

    def find(self, provider: str, model: str, tier: str | None) -> Schedule | None:
        """The prices of a model in a tier (None is the standard one; batch, flex, priority …)."""
        ...

    def entries(self) -> Iterator[Entry]:
        """All that this layer knows, by our provider ids."""
        ...
