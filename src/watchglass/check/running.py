"""Checks many files: those not in the cache, in several processes where that pays."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from watchglass.check.cache import Cache
from watchglass.check.configuration import Configuration
from watchglass.check.files import File
from watchglass.check.finding import Finding

if TYPE_CHECKING:
    from watchglass.check.engine import Checker, Result

WORTH_BYTES = 2 << 20
"""Less code than this is checked before a second process would have started."""

CHUNK_BYTES = 512 << 10
"""So much code one process is given at a time: a folder or so, whose modules import one another."""


def run(
    files: Sequence[File], configuration: Configuration, cache: Cache | None, jobs: int = 0
) -> list[Finding]:
    """The findings of all files, in their order; `jobs` is the number of processes, 0 for as many as fit."""
    results: dict[str, list[Finding]] = {}
    left: list[File] = []
    for file in files:
        known = cache.get(file) if cache else None
        if known is None:
            left.append(file)
        elif known:
            results[file.path] = known
    for file, result in _checked(left, configuration, jobs):
        results[file.path] = result.findings
        if cache:
            cache.put(file, result)
    if cache and left:
        cache.write(files)
    return [each for file in files for each in results.get(file.path, ())]


def _checked(files: list[File], configuration: Configuration, jobs: int) -> Iterator[tuple[File, Result]]:
    if not files:
        return
    from watchglass.check.engine import (
        Checker,  # and with it all rules, which a run from the cache has no use for
    )

    size = sum(each.size for each in files)
    processes = jobs or min(_processors(), 1 + size // WORTH_BYTES)
    if processes < 2 or len(files) < 2:
        checker = Checker(configuration)
        yield from ((file, checker.check(file)) for file in files)
        return
    import multiprocessing

    # A fork has everything at once; where there are threads, or no forks, a new interpreter is the safe way.
    forks = sys.platform.startswith("linux") and threading.active_count() == 1
    context = multiprocessing.get_context("fork" if forks else "spawn")
    with context.Pool(min(processes, len(files)), _start, (configuration,)) as pool:
        for chunk in pool.imap_unordered(_check_chunk, _chunks(files)):
            yield from chunk


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _chunks(files: list[File]) -> list[list[File]]:
    """Neighbours together, the largest chunks first, so that none is left running alone at the end."""
    chunks: list[tuple[int, list[File]]] = []
    chunk: list[File] = []
    size = 0
    for file in files:
        chunk.append(file)
        size += file.size
        if size >= CHUNK_BYTES:
            chunks.append((size, chunk))
            chunk, size = [], 0
    if chunk:
        chunks.append((size, chunk))
    return [each for _, each in sorted(chunks, key=lambda each: -each[0])]


_checker: Checker | None = None


def _start(configuration: Configuration) -> None:
    from watchglass.check.engine import Checker

    global _checker
    gc.disable()  # trees are freed by their counts; to look for circles is half the time
    _checker = Checker(configuration)


def _check_chunk(files: list[File]) -> list[tuple[File, Result]]:
    assert _checker is not None
    return [(file, _checker.check(file)) for file in files]
