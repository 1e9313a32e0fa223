"""Which traces of a body settling must look at: most traces that are one span are settled as they came.

A *lone* span is a root that is all its trace has in a body, and at most one plain call that says its
own usage. There is something to decide about it only where other spans of its trace came before
it, or where its process reports calls through more than one scope. Both are remembered here, in
bounded memory and without doubt: what had to be forgotten is treated as if it mattered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

REMEMBERED = 300_000
"""Traces; some 40 MB. Beyond that all are forgotten at once, up to the moment of the last of them."""

PROCESSES = 100_000
"""Processes whose scopes are remembered. Beyond that all are forgotten, and all calls are looked at."""

SKEW_NS = 60 * 10**9
"""How far the clocks of the machines of one trace may be apart: a child's may say that it began
before its parent."""


class Lone(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A trace of one root span in its body; `process` is '' where it is no call."""

    trace_id: str
    process: str
    start_ns: int


class Sighting(msgspec.Struct, frozen=True, array_like=True):
    """What one body showed."""

    touched: Sequence[str] = ()
    """Traces that are not lone."""
    lone: Sequence[Lone] = ()
    sources: Sequence[tuple[str, str]] = ()
    """(process, scope) of its calls."""
    latest_ns: int = 0
    """Latest start among the touched."""


class Attention:
    """Remembers what came; says of each new body which traces to settle."""

    def __init__(self, latest_ns: int = 0, sources: Iterable[tuple[str, str]] = ()) -> None:
        """What is in the store from before: the latest start, and who reported through what."""
        self._forgotten_until_ns = latest_ns + SKEW_NS
        self._latest_ns = 0
        self._seen: set[str] = set()
        self._scopes: dict[str, set[str]] = {}
        self._scopes_forgotten = False
        self._note(sources)

    def needed(self, sighting: Sighting) -> list[str]:
        """Trace ids to settle after this body."""
        self._note(sighting.sources)
        found = [*sighting.touched]
        found += [each.trace_id for each in sighting.lone if self._matters(each)]
        if sighting.touched:
            self._remember(sighting.touched, sighting.latest_ns)
        return found

    def _matters(self, lone: Lone) -> bool:
        return (
            lone.start_ns <= self._forgotten_until_ns
            or lone.trace_id in self._seen
            or (
                lone.process != "" and (self._scopes_forgotten or len(self._scopes.get(lone.process, ())) > 1)
            )
        )

    def _note(self, sources: Iterable[tuple[str, str]]) -> None:
        if self._scopes_forgotten:
            return
        for process, scope in sources:
            self._scopes.setdefault(process, set()).add(scope)
        if len(self._scopes) > PROCESSES:
            self._scopes_forgotten = True
            self._scopes.clear()

    def _remember(self, traces: Sequence[str], latest_ns: int) -> None:
        self._latest_ns = max(self._latest_ns, latest_ns)
        self._seen.update(traces)
        if len(self._seen) > REMEMBERED:
            # Never back: rows from before the start are as forgotten as ever.
            self._forgotten_until_ns = max(self._forgotten_until_ns, self._latest_ns + SKEW_NS)
            self._seen.clear()
