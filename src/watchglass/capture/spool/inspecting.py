"""What is in a spool, seen from outside: reads and changes nothing, also while processes write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from watchglass.capture import records
from watchglass.capture.spool import owner, place, tally
from watchglass.capture.spool.segment import Segment


@dataclass(slots=True)
class Found:
    """One process's folder. `pid` and `program` are None where its owner file cannot be read."""

    folder: Path
    alive: bool
    pid: int | None
    program: str | None
    records: int = 0
    """That wait."""
    bytes: int = 0
    damaged: int = 0
    oldest_ns: int | None = None
    """When the oldest segment in which something waits was begun."""


@dataclass(slots=True)
class SpoolFound:
    """One spool: that of a server and key."""

    directory: Path
    endpoint: str | None
    processes: list[Found] = field(default_factory=list[Found])
    dropped: dict[str, int] = field(default_factory=dict[str, int])
    """Records ever dropped, by reason (`tally.Reason`)."""

    @property
    def records(self) -> int:
        """That wait, of all processes."""
        return sum(each.records for each in self.processes)


@dataclass(frozen=True, slots=True)
class Damage:
    """Something in a segment that is not what was written."""

    segment: Path
    message: str


def spools(root: Path) -> list[Path]:
    """The spools below `root`. Raises `OSError`."""
    return sorted(each for each in root.iterdir() if each.is_dir()) if root.is_dir() else []


def look(directory: Path) -> SpoolFound:
    """What waits in one spool. Raises `OSError`."""
    found = SpoolFound(directory, place.endpoint_of(directory), dropped=tally.saved(directory))
    for folder in owner.folders(directory):
        who = owner.owner_of(folder)
        process = Found(folder, owner.alive(folder), who.pid if who else None, who.program if who else None)
        for segment in _segments(folder):
            _count(segment, process)
        found.processes.append(process)
    return found


def verify(directory: Path) -> tuple[int, list[Damage]]:
    """Read every record that waits: how many are whole, and what is not. Raises `OSError`."""
    whole, damage = 0, list[Damage]()
    for folder in owner.folders(directory):
        for path in owner.segments(folder):
            try:
                segment = Segment.load(path, owner.salt_of(folder), write=False)
            except FileNotFoundError:  # delivered meanwhile
                continue
            except OSError as fault:
                damage.append(Damage(path, str(fault)))
                continue
            fine, wrong = _verified(segment, owner.alive(folder))
            whole += fine
            damage += [Damage(path, message) for message in wrong]
    return whole, damage


def _verified(segment: Segment, alive: bool) -> tuple[int, list[str]]:
    whole, wrong = 0, list[str]()
    if not segment.about and not alive:
        wrong.append("it does not say whose records they are")
    for frame in segment.records(segment.acked, live=alive):
        if frame.lost:
            wrong.append(f"{frame.lost} records before byte {frame.start} are damaged")
        if frame.length >= 0:
            try:
                records.decode(segment.payload(frame))
                whole += 1
            except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
                wrong.append(f"what is at byte {frame.start} is no record ({fault})")
    return whole, wrong


def _count(segment: Segment, process: Found) -> None:
    for frame in segment.records(segment.acked, live=process.alive):
        process.damaged += frame.lost
        if frame.length >= 0:
            process.records += 1
            process.bytes += frame.length
            process.oldest_ns = min(process.oldest_ns or segment.order, segment.order)


def _segments(folder: Path) -> Iterator[Segment]:
    for path in owner.segments(folder):
        try:
            yield Segment.load(path, owner.salt_of(folder), write=False)
        except OSError:  # delivered meanwhile, or no segment at all: `verify` tells
            continue
