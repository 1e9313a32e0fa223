"""One line of what a provider says: money, tokens or requests, for a time, a model and a class of tokens."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal, Protocol

import msgspec

LineClass = Literal[
    "input",
    "output",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "reasoning",
    "input_audio",
    "output_audio",
    "request",
    "search",
    "credit",
    "tax",
    "other",
]
"""What was charged for: our token classes (parts are apart from their wholes here: `input` is plain input,
not cached, no audio), a request or search as such, a credit or discount (negative), a tax, something else."""


class BillLine(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of a bill or usage export, as exact as it was written.

    A line says money (`amount_usd`), tokens, requests, or several of them; what it does not say is None.
    """

    provider: str
    """Our id of who bills (`pricing/providers.py`)."""
    since_ns: int
    until_ns: int
    """The time it covers, `[since_ns, until_ns)`: a bucket of the provider's, or the moment of one request
    (then `until_ns` is `since_ns + 1`)."""
    zone: str = "UTC"
    """IANA name of the zone in which the provider's billing days are cut."""
    project: str | None = None
    """Project, workspace, team or account it is billed to."""
    key: str | None = None
    """The provider's public id or name of the API key, never the key itself."""
    model: str | None = None
    """As the provider writes it; None for what is charged for no model (a tax, a credit)."""
    token_class: LineClass | None = None
    """None: all of the model's classes in one figure."""
    tier: str | None = None
    """batch, flex, priority …; None for the standard one."""
    above: int | None = None
    """Requests with more input tokens than this only (the long context), where the line says so."""
    tokens: int | None = None
    requests: int | None = None
    amount_usd: Decimal | None = None
    request_id: str | None = None
    """The provider's id of the one request that this line is about; joins with a call's `response_id`."""
    where: str
    """Place in the file, for people: `line 12`, `data[3].results[0]`."""


class Refused(msgspec.Struct, frozen=True):
    """A record of a file that is no bill line, and why."""

    where: str
    reason: str


class BillFormat(Protocol):
    """One format of bills or usage exports.

    - MUST recognise its own files by their content alone (`recognises`), and no other's.
    - MUST yield a `Refused` for each record that it cannot read, and go on with the next.
    - MUST NOT round, convert a zone, or make up a class, model or day that the file does not say.
    """

    name: str
    """As `--format` takes it: `openai-costs`, `csv` …"""
    documented: str
    """Where the provider documents it."""

    def recognises(self, head: bytes) -> bool:
        """Whether a file that begins like this (64 KiB, decompressed) is of this format."""
        ...

    def read(self, content: bytes, mapping: dict[str, str]) -> Iterator[BillLine | Refused]:
        """The lines of a file; `mapping` is what `--map ours=theirs` said (CSV)."""
        ...
