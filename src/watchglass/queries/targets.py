"""What the figures should reach, from `targets.json`, and whether they do."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One target: a figure `of` calls or tasks should be `below` or `above` this much."""

    figure: str
    of: Literal["calls", "tasks"]
    bound: Literal["below", "above"] = msgspec.field(name="is")
    value: float
    unit: Literal["share", "nanoseconds"]


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A target, and whether the window and the one before met it; null where the figure is unknown.

    Targets are to be beaten: what equals one has not met it.
    """

    figure: str
    of: Literal["calls", "tasks"]
    bound: Literal["below", "above"]
    value: float
    unit: Literal["share", "nanoseconds"]
    met: bool | None
    met_before: bool | None


class Targets(msgspec.Struct, frozen=True):
    """All of them, and where they come from."""

    source: str
    targets: tuple[Target, ...]


@cache
def targets() -> Targets:
    """As the file says."""
    text = files("watchglass.queries").joinpath("targets.json").read_bytes()
    return msgspec.json.decode(text, type=Targets)


def met(target: Target, value: float | None) -> bool | None:
    """Whether a figure meets it.

    >>> met(Target(figure="p95_ns", of="calls", bound="below", value=2e9, unit="nanoseconds"), 2e9)
    False
    """
    if value is None:
        return None
    return value < target.value if target.bound == "below" else value > target.value
