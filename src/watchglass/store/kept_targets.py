"""The targets that a team has chosen, as text by name: durable, and with who chose them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from watchglass.clock import Clock
from watchglass.store.control import Control

_KEY = "targets"


class KeptTargets(msgspec.Struct, frozen=True):
    """What was chosen (null: no target for a figure), when and by whom; nothing was while `by` is empty."""

    values: dict[str, str | None] = {}
    changed_ns: int = 0
    by: str = ""


class TargetStore:
    """Those of one data directory. Thread-safe."""

    def __init__(self, control: Control, clock: Clock) -> None:
        self._control, self._clock = control, clock

    def read(self) -> KeptTargets:
        """What holds now."""
        text = self._control.get(_KEY)
        return KeptTargets() if text is None else msgspec.json.decode(text, type=KeptTargets)

    def write(self, values: Mapping[str, str | None], by: str) -> KeptTargets:
        """Keep these and no others; none is back to what targets are at first."""
        kept = KeptTargets(dict(values), self._clock.now_ns(), by)
        self._control.put(_KEY, msgspec.json.encode(kept).decode())
        return kept
