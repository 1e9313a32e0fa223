"""The demo's own books: what was asked of the providers and what they served, however often it is told."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from watchglass.surfaces.demo.records import Run


class Tally(msgspec.Struct, kw_only=True):
    """Sums over requests. Each is counted once; tokens are of those whose usage their library reports."""

    runs: int = 0
    calls: int = 0
    failed: int = 0
    unsaid: int = 0
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0

    def add(self, run: Run) -> None:
        """Count one run."""
        self.runs += 1
        for call in run.calls:
            self.calls += 1
            self.failed += call.failure is not None
            if call.usage is None:
                self.unsaid += call.failure is None
                continue
            self.input += call.usage.input
            self.output += call.usage.output or 0
            self.cache_read += call.usage.cache_read
            self.cache_write += call.usage.cache_write
            self.reasoning += call.usage.reasoning


def by_tenant(runs: Iterable[Run]) -> dict[str, Tally]:
    """The books of each tenant."""
    books: dict[str, Tally] = {}
    for run in runs:
        books.setdefault(run.workload.tenant, Tally()).add(run)
    return books
