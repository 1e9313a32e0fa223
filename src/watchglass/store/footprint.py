"""Gives back the memory that the engine's own program file takes once it is loaded.

The engine is one shared object of half a gigabyte; starting it touches pages all over, and
they count as this process's memory although they are clean copies of a file. `MADV_DONTNEED` on
such a mapping drops them; whatever is needed again is read from the page cache. That takes
the resident size of an idle server from about 260 MB to about 100.

Linux only; elsewhere, and wherever the kernel says no, nothing happens.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from pathlib import Path

_MADV_DONTNEED = 4
_LINE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (r[-w][-x]p) [0-9a-f]+ [0-9a-f:]+ \d+\s+(/.*\.so(?:\.[\d.]+)?)$")
_WORTH_BYTES = 4 << 20


def shrink() -> int:
    """Drop the clean pages of large shared objects; returns how many bytes of mappings were offered.

    Only mappings that cannot have private changes are touched: not writable. A page that the
    loader has changed (relocations) lives in a mapping that was writable once, which the kernel
    marks with its private dirty pages, and those mappings are skipped.
    """
    if not sys.platform.startswith("linux"):
        return 0
    try:
        regions = _clean_regions(Path("/proc/self/smaps").read_text("utf-8", "surrogateescape"))
        madvise = ctypes.CDLL(None, use_errno=True).madvise
    except (OSError, AttributeError):
        return 0
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return sum(end - start for start, end in regions if madvise(start, end - start, _MADV_DONTNEED) == 0)


def give_back() -> None:
    """Hand back what a burst of work has left: freed memory that allocators keep for the next one.

    glibc keeps what lies below the last block of each thread's arena, Arrow's pool keeps its pages.
    """
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)
    shrink()


def _clean_regions(smaps: str) -> list[tuple[int, int]]:
    """Large, file-backed, not writable and without a single private dirty page."""
    regions: list[tuple[int, int]] = []
    candidate: tuple[int, int] | None = None
    for line in smaps.splitlines():
        if found := _LINE.match(line):
            start, end = int(found[1], 16), int(found[2], 16)
            writable = "w" in found[3]
            candidate = None if writable or end - start < _WORTH_BYTES else (start, end)
        elif candidate and line.startswith("Private_Dirty:"):
            if line.split()[1] == "0":
                regions.append(candidate)
            candidate = None
        elif re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            candidate = None
    return regions


def resident_bytes() -> int:
    """This process's resident set size; 0 where the system does not tell."""
    try:
        fields = Path("/proc/self/statm").read_text("ascii").split()
    except OSError:
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
