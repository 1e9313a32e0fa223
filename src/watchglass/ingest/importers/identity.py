"""Which of equal rows a row is, over a whole file: what a row without an id of its own is told apart by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_Halves = npt.NDArray[np.uint64]
_Counts = npt.NDArray[np.int64]


class _Run(NamedTuple):
    """Distinct digests: first halves ascending, second halves beside them, and how often each came."""

    first: _Halves
    second: _Halves
    times: _Counts


class Seen:
    """Counts how often each 128-bit digest came before. 24 bytes a distinct digest, in sorted runs."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []

    def ordinals(self, digests: Sequence[bytes]) -> list[int]:
        """For each digest of 16 bytes how many equal ones came before it, in this call and all before."""
        if not digests:
            return []
        both = np.frombuffer(b"".join(digests), np.uint64).reshape(-1, 2)
        order = np.lexsort((both[:, 1], both[:, 0]))
        run, starts = _distinct(both[order, 0], both[order, 1], np.ones(len(order), np.int64))
        before = np.zeros(len(starts), np.int64)
        for earlier in self._runs:
            before += _found(earlier, run)
        self._add(run)
        ordinals = np.empty(len(order), np.int64)
        ordinals[order] = np.arange(len(order)) - np.repeat(starts - before, run.times)
        return ordinals.tolist()

    def _add(self, run: _Run) -> None:
        """A run is merged with those that are not much larger, so that there are few."""
        while self._runs and len(self._runs[-1].first) <= 2 * len(run.first):
            earlier = self._runs.pop()
            first = np.concatenate([earlier.first, run.first])
            order = np.argsort(first, kind="stable")
            second = np.concatenate([earlier.second, run.second])[order]
            run, _ = _distinct(first[order], second, np.concatenate([earlier.times, run.times])[order])
        self._runs.append(run)


def _distinct(first: _Halves, second: _Halves, count: _Counts) -> tuple[_Run, _Counts]:
    """Equal neighbours as one; and where each begins."""
    new = np.ones(len(first), bool)
    new[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    starts = np.nonzero(new)[0]
    return _Run(first[starts], second[starts], np.add.reduceat(count, starts)), starts


def _found(run: _Run, asked: _Run) -> _Counts:
    """How often each of `asked` is in `run`."""
    found = np.zeros(len(asked.first), np.int64)
    at = np.searchsorted(run.first, asked.first, "left")
    end = np.searchsorted(run.first, asked.first, "right")
    while (open_ := np.nonzero(at < end)[0]).size:  # once, unless first halves collide
        same = run.second[at[open_]] == asked.second[open_]
        found[open_] += np.where(same, run.times[at[open_]], 0)
        at[open_] += 1
    return found
