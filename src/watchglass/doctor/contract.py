"""The contract of a finding: what it may ask, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from watchglass.queries.answers import Answer, Plain

Ask: TypeAlias = Callable[[str], Answer]
"""A reader's own SQL (`Reader.query`): scoped, fenced and limited as every reader's is."""

Severity: TypeAlias = Literal["error", "warning", "info"]
"""`error`: figures are missing or wrong. `warning`: they may be. `info`: worth knowing, nothing is wrong."""

EVIDENCE_ROWS = 10
"""The most rows of evidence that a finding shows; the commonest come first."""


class Window(msgspec.Struct, frozen=True):
    """The time that is examined: `[since_ns, until_ns)`, nanoseconds since 1970 UTC."""

    since_ns: int
    until_ns: int

    def holds(self, column: str = "time") -> str:
        """The SQL condition that `column` lies in the window.

        >>> Window(5, 9).holds()
        "time >= fromUnixTimestamp64Nano(5, 'UTC') AND time < fromUnixTimestamp64Nano(9, 'UTC')"
        """
        return (
            f"{column} >= fromUnixTimestamp64Nano({self.since_ns:d}, 'UTC') "
            f"AND {column} < fromUnixTimestamp64Nano({self.until_ns:d}, 'UTC')"
        )


class Evidence(msgspec.Struct, frozen=True):
    """Rows that anyone can ask for again."""

    columns: tuple[str, ...] = ()
    rows: Sequence[Sequence[Any]] = ()  # of `Plain`, which a JSON schema cannot be made of


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong: what it is, how it is known, what to do.

    `command` is a line for a shell; what it needs to be filled in stands in capitals.
    """

    finding: str
    severity: Severity
    symptom: str
    evidence: Evidence = Evidence()
    remedy: str
    command: str


class Finding(Protocol):
    """Looks for one kind of trouble.

    - MUST only ask, through `ask`, and MUST keep to `window`, except to say when data last came.
    - MUST return nothing where nothing is wrong: silence is health.
    - MUST have the figures of the symptom from the rows that it asked for, and show the rows.
    - MUST name a command that mends the trouble, or else one that shows it at its source.
    - MUST NOT show message content.
    """

    name: str

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """What is wrong, worst first."""
        ...


def evidence(answer: Answer) -> Evidence:
    """An answer as evidence."""
    return Evidence(tuple(answer.names), list(answer.rows()))


def number(value: Plain) -> int:
    """A count out of an answer's cell."""
    return value if isinstance(value, int) else 0


def counted(amount: int, noun: str) -> str:
    """An amount of something.

    >>> counted(1, "call"), counted(1200, "call")
    ('1 call', '1,200 calls')
    """
    return f"{amount:,} {noun}" if amount == 1 else f"{amount:,} {noun}s"
