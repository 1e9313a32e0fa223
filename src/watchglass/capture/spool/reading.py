"""The side of the spool that delivers: the oldest records first, of this process and of dead ones."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from watchglass.capture import boundary
from watchglass.capture.spool import owner
from watchglass.capture.spool.owner import Folder
from watchglass.capture.spool.segment import NoSegment, Segment
from watchglass.capture.spool.tally import Tally
from watchglass.capture.spool.writing import Writer


@dataclass(frozen=True, slots=True)
class Mark:
    """A point in the spool: what was appended before it has been delivered or dropped, or not."""

    order: int
    offset: int


@dataclass(slots=True)
class Left:
    """A segment that a dead process left, opened when its turn comes."""

    path: Path
    folder: Folder
    opened: Segment | None = None

    @property
    def order(self) -> int:
        """When it was begun, ns."""
        return int(self.path.stem) if self.path.stem.isdecimal() else 0

    def open(self) -> Segment:
        """The segment. Raises `OSError`."""
        if self.opened is None:
            self.opened = Segment.load(self.path, self.folder.salt)
        return self.opened


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one process, in order, with its `about`; ends with `Spool.acknowledge`."""

    about: bytes
    payloads: list[bytes]
    segment: Segment
    end: int
    lost: int
    """Damaged records among them."""

    @property
    def stale(self) -> bool:
        """Whether its records were dropped meanwhile: there is nothing to deliver or acknowledge any more."""
        return self.segment.gone


class Reader:
    """What is to be delivered. Methods may be called from any thread; one batch at a time is out."""

    def __init__(self, writer: Writer, tally: Tally) -> None:
        self.lock = threading.Lock()
        self.delivered = 0
        self._writer = writer
        self._tally = tally
        self._folders: list[Folder] = []
        self._left: list[Left] = []
        self._out: Batch | None = None
        """The batch that was read last, until it is acknowledged."""

    def adopt(self) -> int:
        """Take over what dead processes left; how many segments there were. Raises `OSError`."""
        spool = self._writer.directory
        own = self._writer.folder.path if self._writer.folder else None
        held = {each.path for each in self._folders}
        found = 0
        for path in owner.folders(spool):
            if path == own or path in held:
                continue
            folder = owner.take_over(path)
            if folder is None:
                continue
            left = [Left(each, folder) for each in folder.segments()]
            with self.lock:
                self._folders.append(folder)
                self._left = sorted([*self._left, *left], key=lambda each: each.order)
                self._tidy()
            found += len(left)
        return found

    def read(self, max_bytes: int, max_records: int) -> Batch | None:
        """The oldest records not acknowledged; None when there are none. Raises `OSError`."""
        with self.lock:
            self._give_up()
            while (segment := self._oldest()) is not None:
                # Asked before reading: what is appended after the reading may also have ended the segment.
                sealed = segment.sealed
                batch = _batch(segment, max_bytes, max_records)
                if batch.payloads:
                    self._out = batch
                    return batch
                self._acknowledge(batch)
                if not sealed:
                    return None
                self._remove(segment)
        return None

    def acknowledge(self, batch: Batch, delivered: int) -> None:
        """So many records of this batch are delivered, and the others counted as dropped."""
        with self.lock:
            if not batch.stale:
                self._acknowledge(batch)
                self.delivered += delivered
            elif batch is self._out:  # dropped for want of room while it was on its way, and arrived
                self._tally.drop("damaged", batch.lost)
                self.delivered += delivered
            self._out = None

    def drop_oldest(self) -> int:
        """Drop the oldest segment that is ours to drop; its bytes, 0 if there is none. Raises `OSError`."""
        with self.lock:
            segment = self._oldest(sealed=True)
            if segment is None:
                return 0
            # What becomes of a batch on its way is not known yet: it is counted when it is.
            out = self._out
            begin = out.end if out is not None and out.segment is segment else segment.acked
            records = sum(frame.lost + (frame.length >= 0) for frame in segment.records(begin))
            self._remove(segment)
            self._tally.drop("limit", records)
            return segment.size

    def mark(self) -> Mark:
        """Where the spool ends now."""
        with self._writer.lock:
            if not self._writer.segments:
                return Mark(time.time_ns(), 0)
            last = self._writer.segments[-1]
            return Mark(last.order, last.written)

    def passed(self, mark: Mark) -> bool:
        """Whether everything before `mark` has left the spool."""
        with self.lock:
            if self._left and self._left[0].order < mark.order:
                return False
            return all(
                each.order > mark.order
                or each.acked >= (mark.offset if each.order == mark.order else each.written)
                for each in self._own()
            )

    def waiting(self) -> tuple[int, int]:
        """Records of this process that wait, and bytes of this and of dead processes that do."""
        with self.lock:
            own = self._own()
            bytes_left = sum(_size(each) for each in self._left)
            return sum(each.count for each in own), bytes_left + sum(
                each.written - each.acked for each in own
            )

    def close(self) -> None:
        """Remove what is delivered, and let go of the rest for whoever comes next. Raises `OSError`."""
        with self.lock:
            self._give_up()
            for segment in self._own():
                if segment.path is None:
                    self._tally.drop("memory", segment.count)
                if segment.acked >= segment.written or segment.path is None:
                    self._remove(segment)
            folder = self._writer.folder
            for each in [*self._folders, *([folder] if folder else [])]:
                _leave(each)
            self._folders, self._left = [], []
            self._writer.folder = None
            self._writer.segments.clear()

    def forget(self) -> None:
        """In a forked child: all of it is the parent's."""
        for each in self._folders:
            each.release()
        self._folders, self._left, self._out = [], [], None
        self.lock = threading.Lock()
        self.delivered = 0

    def _own(self) -> list[Segment]:
        with self._writer.lock:
            return list(self._writer.segments)

    def _oldest(self, *, sealed: bool = False) -> Segment | None:
        """The segment whose turn it is; one that cannot be opened is left alone for now."""
        unsealed = not sealed
        own = next(
            (each for each in self._own() if each.sealed or (unsealed and each.acked < each.written)), None
        )
        while self._left and (own is None or self._left[0].order < own.order):
            try:
                return self._left[0].open()
            except NoSegment as fault:
                self._tally.drop("damaged")
                boundary.failed("spool.read", fault)
                self._left.pop(0).path.unlink(missing_ok=True)
            except OSError as fault:
                # Too many open files, say. It stays: once its folder is let go of, it is found again.
                boundary.failed("spool.read", fault)
                self._left.pop(0)
            self._tidy()
        return own

    def _give_up(self) -> None:
        """Count a batch that was dropped on its way and did not arrive."""
        if self._out is not None and self._out.stale:
            self._tally.drop("limit", len(self._out.payloads) + self._out.lost)
        self._out = None

    def _acknowledge(self, batch: Batch) -> None:
        self._tally.drop("damaged", batch.lost)
        batch.segment.acknowledge(batch.end, len(batch.payloads))

    def _remove(self, segment: Segment) -> None:
        self._left = [each for each in self._left if each.opened is not segment]
        with self._writer.lock:
            if segment in self._writer.segments:
                self._writer.segments.remove(segment)
        segment.remove()
        self._tidy()

    def _tidy(self) -> None:
        """Let go of the folders of dead processes that have nothing left."""
        used = {id(each.folder) for each in self._left}
        for folder in [each for each in self._folders if id(each) not in used]:
            self._folders.remove(folder)
            _leave(folder)


def _batch(segment: Segment, max_bytes: int, max_records: int) -> Batch:
    payloads: list[bytes] = []
    end, size, lost = segment.acked, 0, 0
    for frame in segment.records(segment.acked):
        lost += frame.lost
        end = frame.end
        if frame.length >= 0:
            payloads.append(segment.payload(frame))
            size += frame.length
        if size >= max_bytes or len(payloads) >= max_records:
            break
    return Batch(segment.about, payloads, segment, end, lost)


def _size(left: Left) -> int:
    if left.opened is not None:
        return left.opened.size - left.opened.acked
    try:
        return left.path.stat().st_size
    except OSError:
        return 0


def _leave(folder: Folder) -> None:
    """Delete the folder if it is empty; let go of it in any case."""
    try:
        if not folder.segments():
            folder.remove()
            return
    except OSError:
        pass
    folder.release()
