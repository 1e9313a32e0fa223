"""A data directory whose tables are not those of this program."""

from __future__ import annotations

from collections.abc import Sequence

from watchglass.doctor.contract import EVIDENCE_ROWS, Ask, Diagnosis, Evidence, Window
from watchglass.errors import WrongSchema as Refusal
from watchglass.store.schema_faults import SchemaFault

_RESTORE = "watchglass restore BACKUP --data NEW_DIRECTORY"


class WrongSchema:
    """Tables or columns that are missing in a directory that could be opened nevertheless."""

    name = "wrong_schema"

    def __init__(self, faults: Sequence[SchemaFault]) -> None:
        self._faults = faults

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        if not self._faults:
            return []
        rows = [[each.table, each.column or None] for each in self._faults[:EVIDENCE_ROWS]]
        return [
            Diagnosis(
                finding=self.name,
                severity="error",
                symptom=f"{len(self._faults)} of the tables and columns that this program uses are missing.",
                evidence=Evidence(("table", "missing_column"), rows),
                remedy="The directory was changed by other means than this program's, or restored in part. "
                "Restore "
                "a whole backup into a new directory.",
                command=_RESTORE,
            )
        ]


def cannot_open(refusal: Refusal) -> Diagnosis:
    """What to say of a data directory of another version, which is not opened at all."""
    return Diagnosis(
        finding=WrongSchema.name,
        severity="error",
        symptom=str(refusal),
        evidence=Evidence(
            ("schema_of_directory", "schema_of_program"), [[refusal.directory, refusal.program]]
        ),
        remedy="Nothing is opened with a program of another schema, so nothing was changed. Upgrade, or "
        "name the "
        "directory that this program made.",
        command="pip install --upgrade 'watchglass[server]'",
    )
