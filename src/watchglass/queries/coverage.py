"""What coverage says: call sites that were seen, that never were, that nobody looks at."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, Protocol, TypeAlias

import msgspec

Matched: TypeAlias = Literal["line", "function", "nearest"]
"""The line lies in the call or its statement; else the function has one call site, or several of which this
is the nearest."""


class CallSite(Protocol):
    """A place in the code that asks a model (`check.sites.Site`). Lines count from 1."""

    @property
    def path(self) -> str:
        """The file, from where the command runs."""
        ...

    @property
    def line(self) -> int:
        """First line of the call."""
        ...

    @property
    def end_line(self) -> int:
        """Last line of the call."""
        ...

    @property
    def statement_line(self) -> int:
        """First line of the statement that it is in."""
        ...

    @property
    def statement_end(self) -> int:
        """Last line of that."""
        ...

    @property
    def function(self) -> str:
        """The function's `__qualname__`, `<module>` outside of functions."""
        ...

    @property
    def callee(self) -> str:
        """What is called, in its library's words."""
        ...

    @property
    def family(self) -> str:
        """The library."""
        ...

    @property
    def recorded(self) -> bool:
        """Whether something that can be seen in the code records it."""
        ...

    @property
    def only_if_seen(self) -> bool:
        """Whether it is a call site only where calls are on record from it."""
        ...


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A call site and what flowed through it.

    `cost_beside_usd` is, of one that was never seen, what flowed through the other sites of its function,
    else of its file: the best there is to say what it may be worth. `why` says of an unmonitored one how that
    is known.
    """

    path: str
    line: int
    function: str
    callee: str
    family: str
    matched: Matched | None = None
    calls: int = 0
    failed_calls: int = 0
    unpriced_calls: int = 0
    cost_usd: Decimal | None = None
    without_tenant: int = 0
    without_feature: int = 0
    without_context: int = 0
    cost_without_context_usd: Decimal | None = None
    last: str | None = None
    services: list[str] = []
    recorded_at: list[str] = []
    cost_beside_usd: Decimal | None = None
    why: str | None = None


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """Calls on record from a line at which the code has no call site.

    `why`: the file is outside of what was named, its name fits several (`candidates`), there is no call site
    in that function, or nobody said where the calls were made (no_place).
    """

    file: str | None
    line: int | None
    function: str | None
    path: str | None
    why: Literal["outside", "ambiguous", "no_site", "no_place"]
    candidates: list[str]
    calls: int
    cost_usd: Decimal | None
    services: list[str]
    scope: str


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """How many call sites of a folder were seen."""

    package: str
    sites: int
    seen: int
    percent: float
    calls: int
    cost_usd: Decimal | None


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """The answer; `percent` is NULL where the code has no call site at all."""

    since: str
    until: str
    sites: int
    percent: float | None
    calls: int
    cost_usd: Decimal | None
    packages: list[Share]
    seen: list[Site]
    unmonitored: list[Site]
    never_seen: list[Site]
    elsewhere: list[Elsewhere]
