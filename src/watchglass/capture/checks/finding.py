"""What a check found: what is wrong, what shows it, what to do."""

from __future__ import annotations

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One thing that is not as it should be. `name` is stable, for programs; the others are for people."""

    name: str
    what: str
    evidence: list[str]
    do: str
