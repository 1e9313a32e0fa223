"""One file of records, mapped into memory: what is appended is in the page cache, whatever becomes of us.

    0   magic, version                      8 bytes
    8   how far records are acknowledged    8: offset, and a checksum of it, in one word
    16  length and checksum of `about`      8
    24  `about`                             what the process says of itself (msgpack)
    …   records (see `frames`)

The blocks are allocated when the file is made, so that a full disk is an error there and then, and never a
SIGBUS when a page is touched.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from zlib import crc32

from watchglass.capture.spool import frames
from watchglass.capture.spool.frames import UNLOCKED, WORD, checksum

SUFFIX = ".segment"
_NEW = ".new"
MAGIC = b"WGspool1"
"""For people and for `file`; not asked when reading, since damage to it must not cost the records."""
HEAD = 3 * WORD
_POPULATE_WRITE = 23
"""MADV_POPULATE_WRITE of Linux 5.14: maps pages for writing, else some 4 µs at the first touch of each."""
_POPULATED_AT_ONCE = 16 * 1024
"""The interpreter lock is held meanwhile: four pages are some 20 µs."""


def head(about: bytes) -> int:
    """Bytes before the first record in a segment of this `about`."""
    return HEAD + (len(about) + WORD - 1) // WORD * WORD


def allocate(fd: int, size: int) -> None:
    """Give the file its blocks. Raises `OSError` when the disk is full."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, size)
    else:  # macOS
        zeros = memoryview(bytes(min(size, 1 << 20)))
        for start in range(0, size, len(zeros)):
            os.pwrite(fd, zeros[: size - start], start)


class NoSegment(OSError):
    """A file that holds no record, whatever happens."""


class Segment:
    """A mapped segment, being written (`create`) or read (`load`). Not thread-safe: its owner locks."""

    def __init__(self, path: Path | None, data: mmap.mmap, salt: int) -> None:
        self.path = path
        """None for one that is in memory only and dies with the process."""
        self.order = int(path.stem) if path is not None else time.time_ns()
        """When it was begun, ns: the order in which segments are delivered."""
        self.size = len(data)
        self.about = b""
        self.written = 0
        """Where the next record goes; what is before it is whole."""
        self.acked = 0
        """Up to where records are acknowledged or were dropped."""
        self.count = 0
        """Records in it that are not acknowledged; known of segments of our own only."""
        self.sealed = False
        """Nothing more is written to it."""
        self.populated = False
        self.rested = False
        self.gone = False
        """It was removed: there is nothing to acknowledge any more."""
        self._data = data
        self._bytes = memoryview(data)
        self._words = self._bytes.cast("Q")
        self._salt = salt

    @classmethod
    def in_memory(cls, size: int, about: bytes, salt: int) -> Segment:
        """One without a file, for when there is no disk to write to."""
        made = cls(None, mmap.mmap(-1, (size + WORD - 1) // WORD * WORD), salt)
        made._begin(about)
        return made

    @classmethod
    def create(cls, folder: Path, size: int, about: bytes, salt: int) -> Segment:
        """A new file of `size` bytes, allocated and mapped. Raises `OSError`; then no file is left."""
        path = folder / f"{time.time_ns():020d}{SUFFIX}"
        new = path.with_suffix(_NEW)
        size = (size + WORD - 1) // WORD * WORD
        fd = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            allocate(fd, size)
            made = cls(path, mmap.mmap(fd, size), salt)
            made._begin(about)
            new.rename(path)  # so that nobody finds a segment whose process died before its header was whole
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        finally:
            os.close(fd)
        return made

    @classmethod
    def load(cls, path: Path, salt: int, *, write: bool = True) -> Segment:
        """The segment that a process left, or (without `write`) is still writing. Raises `OSError`."""
        fd = os.open(path, (os.O_RDWR if write else os.O_RDONLY) | os.O_CLOEXEC)
        try:
            size = os.fstat(fd).st_size // WORD * WORD
            if size < HEAD:
                raise NoSegment(f"{path} has {size} bytes, which is no segment")
            data = mmap.mmap(fd, size, access=mmap.ACCESS_WRITE if write else mmap.ACCESS_READ)
        finally:
            os.close(fd)
        found = cls(path, data, salt)
        found._resume()
        return found

    def _begin(self, about: bytes) -> None:
        self.about = about
        self.written = self.acked = head(about)
        self._bytes[HEAD : HEAD + len(about)] = about
        self._words[2] = len(about) | checksum(about, self._salt) << 32
        self._acknowledge(self.acked)
        self._bytes[:WORD] = MAGIC

    def _resume(self) -> None:
        """Read the header of a file that somebody else wrote; where it is damaged, assume nothing read."""
        self.sealed = True
        self.written = self.size
        about = frames.at(self._bytes, 2 * WORD, self.size, self._salt)
        if about is not None:
            self.about = bytes(self._bytes[about.start : about.start + about.length])
        first = about.end if about is not None else HEAD
        acked = self._words[1] & 0xFFFFFFFF
        valid = self._words[1] == self._acked_word(acked) and first <= acked <= self.size
        self.acked = acked if valid else first

    def populate(self) -> None:
        """Map every page for writing ahead of time, a few at once. Costs some 1 ms a MiB; needs no lock."""
        self.populated = True
        try:
            for start in range(0, self.size, _POPULATED_AT_ONCE):
                self._data.madvise(_POPULATE_WRITE, start, min(_POPULATED_AT_ONCE, self.size - start))
        except (AttributeError, OSError):  # another system, an older kernel: pages come one by one
            return

    def rest(self) -> None:
        """Give back the memory of one that nobody writes to: its bytes are in the file."""
        self.rested = True
        if self.path is not None and hasattr(mmap, "MADV_DONTNEED"):
            with suppress(OSError):  # it stays where it is
                self._data.madvise(mmap.MADV_DONTNEED)

    def append(self, payload: bytes) -> bool:
        """Write a record; False when there is no room."""
        start = self.written + WORD
        length = len(payload)
        after = start + (length + 7 & ~7)
        if after > self.size:
            return False
        self._bytes[start : start + length] = payload
        # The usual case of `checksum`, without the call: this line is what every record waits for.
        crc = crc32(payload, self._salt) if length <= UNLOCKED else checksum(payload, self._salt)
        self._words[self.written >> 3] = length | crc << 32
        self.written = after
        self.count += 1
        return True

    def records(self, offset: int, *, live: bool = False) -> Iterator[frames.Frame]:
        """Intact records from `offset` on, as far as it is written.

        `live`: somebody else writes to it meanwhile, so it ends where no record is yet.
        """
        return frames.intact(self._bytes, offset, self.written, self._salt, live=live)

    def payload(self, frame: frames.Frame) -> bytes:
        """A copy of a record's payload."""
        return bytes(self._bytes[frame.start : frame.start + frame.length])

    def acknowledge(self, offset: int, records: int) -> None:
        """Records before `offset`, so many more than until now, are delivered or given up."""
        self.acked = offset
        self.count -= records
        self._acknowledge(offset)

    def remove(self) -> None:
        """Delete the file. Raises `OSError`."""
        self.gone = True
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _acknowledge(self, offset: int) -> None:
        self._words[1] = self._acked_word(offset)

    def _acked_word(self, offset: int) -> int:
        return offset | checksum(offset.to_bytes(WORD, "little"), self._salt) << 32
