"""Files of the store that could not be read: what was in them is missing from every figure."""

from __future__ import annotations

from collections.abc import Sequence

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Evidence, Window
from watchglass.store.damage import Damage


class Damaged:
    """Parts of tables that the engine put aside when it was started."""

    name = "damaged"

    def __init__(self, found: Sequence[Damage]) -> None:
        self._found = found

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        if not self._found:
            return []
        parts = sum(each.parts for each in self._found)
        return [
            Diagnosis(
                finding=self.name,
                severity="error",
                symptom=f"{parts:,} parts of tables could not be read and were put aside: "
                "what was in them is in no figure.",
                evidence=Evidence(
                    ("table", "parts", "bytes"), [list(each) for each in self._found[:EVIDENCE_ROWS]]
                ),
                remedy="The disk, or how the directory was copied, damaged files; nothing here brings them "
                "back. Restore the latest backup into a new directory, and import again what came since: "
                "what is there already does not change.",
                command="watchglass restore BACKUP --data NEW_DIRECTORY",
            )
        ]
