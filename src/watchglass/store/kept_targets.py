"""The targets that a team has chosen, as text by name: durable, and with who chose them."""

from __future__ import annotations

import threading
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
        self._changing = threading.Lock()

    def read(self) -> KeptTargets:
        """What holds now."""
        text = self._control.get(_KEY)
        return KeptTargets() if text is None else msgspec.json.decode(text, type=KeptTargets)

    def change(self, values: Mapping[str, str | None], by: str) -> tuple[KeptTargets, KeptTargets]:
        """Keep these beside those that were chosen before; returns what held before, and what holds now."""
        with self._changing:
            before = self.read()
            return before, self._write({**before.values, **values}, by)

    def reset(self, by: str) -> KeptTargets:
        """Go back to what targets are at first."""
        with self._changing:
            return self._write({}, by)

    def _write(self, values: Mapping[str, str | None], by: str) -> KeptTargets:
        kept = KeptTargets(dict(values), self._clock.now_ns(), by)
        self._control.put(_KEY, msgspec.json.encode(kept).decode())
        return kept
