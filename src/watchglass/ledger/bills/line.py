"""One line of what a provider says: money, tokens or requests, for a time, a model and a class of tokens."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal, Protocol

import msgspec

LineClass = Literal[
    "input",
    "input_total",
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
not cached, no audio), a request or search as such, a credit or discount (negative), a tax, something else.

`input_total` is all input of a file that does not tell cached from plain (then it has no line of another
class of input for the same records). `output` is all output but audio, with the reasoning, unless the file
has `reasoning` apart."""

MOST_USD = Decimal(10) ** 20
"""An amount is nearer to 0 than this: the column that keeps money has 20 digits before the point."""

MOST_DECIMALS = 38
"""Digits after the point of an amount, at most; providers write floats, which have up to 24 or so."""


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
    item: str | None = None
    """What it is for in the provider's own words: a line item, a description."""
    project: str | None = None
    """Project, workspace, team or account it is billed to."""
    key: str | None = None
    """The provider's public id or name of the API key, never the key itself."""
    model: str | None = None
    """As the provider writes it; None for what is charged for no model (a tax, a credit), and for all models
    together where the file was not asked to tell them apart (then `token_class` is None too)."""
    token_class: LineClass | None = None
    """None: all of the model's classes in one figure."""
    tier: str | None = None
    """batch, flex, priority …; None for the standard one."""
    above: int | None = None
    """Requests with more input tokens than this only (the long context), where the line says so."""
    long_context: bool = False
    """Requests of the provider's long context only; `above` is from where on, if the line says that too."""
    region: str | None = None
    """Where it was processed, in the provider's words (`us`, `global`); None where it does not say."""
    tokens: int | None = None
    requests: int | None = None
    amount_usd: Decimal | None = None
    """US dollars, credits negative, every digit as in the file (see `MOST_USD` and `MOST_DECIMALS`)."""
    request_id: str | None = None
    """The provider's id of the one request that this line is about; joins with a call's `response_id`."""
    where: str
    """Place in the file, for people: `line 12`, `data[3].results[0]`."""


class Refused(msgspec.Struct, frozen=True):
    """A record of a file that is no bill line, and why; or a `warning` that the file is no whole bill."""

    where: str
    reason: str
    warning: bool = False
    """All that the file has was read, but it says itself that there is more."""
    missing_from_ns: int | None = None
    """Of a warning: where the part that is not there begins, if that is known."""


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
        """The lines of a file, unpacked and without a byte order mark (`unpacked.unpack`); `mapping` is what
        `--map ours=theirs` said (CSV)."""
        ...
