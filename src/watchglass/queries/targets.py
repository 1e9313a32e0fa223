"""What the figures should reach: as `targets.json` has it, as a team has chosen it, and whether they do."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from typing import Literal, TypeAlias

import msgspec

from watchglass.errors import BadRequest

Of: TypeAlias = Literal["calls", "tasks"]
Unit: TypeAlias = Literal["share", "nanoseconds", "usd_per_day"]

DAY_NS = 86_400 * 10**9
_MOST: Mapping[Unit, Decimal] = {
    "share": Decimal(1),
    "nanoseconds": Decimal(365 * DAY_NS),
    "usd_per_day": Decimal(10) ** 12,
}


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One target: a figure `of` calls or tasks should be `below` or `above` this much;
    null is no target. Money is by the day, so that it means the same for a window of any length."""

    figure: str
    of: Of
    bound: Literal["below", "above"] = msgspec.field(name="is")
    value: Decimal | None
    unit: Unit

    @property
    def name(self) -> str:
        """`calls.error_share`: what it is set by."""
        return f"{self.of}.{self.figure}"


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A target, and whether the window and the one before met it; null where there is no target or the
    figure is unknown.

    Targets are to be beaten: what equals one has not met it.
    """

    figure: str
    of: Of
    bound: Literal["below", "above"]
    value: Decimal | None
    unit: Unit
    met: bool | None
    met_before: bool | None


class Targets(msgspec.Struct, frozen=True):
    """All of them, and where they come from."""

    source: str
    targets: tuple[Target, ...]

    def changed(self, chosen: Mapping[str, str | None]) -> Targets:
        """With values by name in place of these. A name that there is no more is passed over: it was chosen
        for another release."""
        return Targets(
            self.source,
            tuple(
                msgspec.structs.replace(each, value=_value(each, chosen[each.name]))
                if each.name in chosen
                else each
                for each in self.targets
            ),
        )

    def checked(self, chosen: Mapping[str, str | None]) -> dict[str, str | None]:
        """What was asked for, values as they are kept. Raises `BadRequest` for what means nothing."""
        by_name = {each.name: each for each in self.targets}
        found: dict[str, str | None] = {}
        for name, text in chosen.items():
            if name not in by_name:
                raise BadRequest(
                    f"there is no target {name[:100]!r}; there are {', '.join(by_name)}", where=name[:100]
                )
            value = _value(by_name[name], text)
            found[name] = None if value is None else f"{value:f}"
        return found


@cache
def targets() -> Targets:
    """As the file says."""
    text = files("watchglass.queries").joinpath("targets.json").read_bytes()
    return msgspec.json.decode(text, type=Targets)


def met(target: Target, value: float | Decimal | None, window_ns: int = DAY_NS) -> bool | None:
    """Whether a figure of a window meets it.

    >>> fast = Target(figure="p95_ns", of="calls", bound="below", value=Decimal(2), unit="nanoseconds")
    >>> met(fast, 2), met(fast, 1), met(fast, None)
    (False, True, None)
    """
    if value is None or target.value is None:
        return None
    wanted = target.value
    if target.unit == "usd_per_day":
        wanted = wanted * window_ns / DAY_NS
    return value < wanted if target.bound == "below" else value > wanted


def _value(target: Target, text: str | None) -> Decimal | None:
    if text is None:
        return None
    what = {
        "share": "a share above 0 and up to 1, 0.02 for 2%",
        "nanoseconds": "a time above 0 in nanoseconds, 2000000000 for 2 s",
        "usd_per_day": "an amount above 0 in US dollars a day",
    }[target.unit]
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = None
    if value is None or len(text) > 40 or not value.is_finite() or not 0 < value <= _MOST[target.unit]:
        raise BadRequest(
            f"{target.name} takes {what}, as text, or null for no target; this is {text[:40]!r}",
            where=target.name,
        )
    return value
