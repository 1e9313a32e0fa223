"""The disk of the data directory is nearly full."""

from __future__ import annotations

from watchglass.doctor.contract import Ask, Diagnosis, Evidence, Window
from watchglass.store.space import Room

NEAR = 4
"""Times the floor below which the server refuses what is sent: a group of merges of larger parts takes as
much."""


class DiskLow:
    """Little room is left, or none: from the floor on nothing that is sent is taken in."""

    name = "disk_low"

    def __init__(self, room: Room) -> None:
        self._room = room

    def examine(self, ask: Ask, window: Window) -> list[Diagnosis]:
        """See `Finding.examine`."""
        room = self._room
        if room.state == "ok" and room.free_bytes >= NEAR * room.floor_bytes:
            return []
        full = room.state != "ok"
        return [
            Diagnosis(
                finding=self.name,
                severity="error" if full else "warning",
                symptom=f"{room.free_bytes >> 20} MiB are free on the disk of the data directory; "
                + ("nothing that is sent is taken in." if full else "soon nothing can be taken in."),
                evidence=Evidence(("free_bytes", "floor_bytes"), [[room.free_bytes, room.floor_bytes]]),
                remedy="Make room, or keep less: texts take the most of it, and can be kept for a shorter "
                "time than "
                "calls. Senders keep what they could not deliver, and send it then.",
                command="export WATCHGLASS_RETENTION_CONTENT=14d",
            )
        ]
