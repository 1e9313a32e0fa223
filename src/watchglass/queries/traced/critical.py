"""The critical path: what a trace waited for, moment by moment, from its end back to its beginning.

The child that finishes last was waited for while it ran; before it, the child that had finished last before
it began; what lies between is the parent's own time (as Jaeger's critical path: Uber, "CRISP: Critical Path
Analysis of Large-Scale Microservice Architectures", USENIX ATC 2022). Children that run on after their parent
has ended were not waited for beyond that.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class CriticalPart(msgspec.Struct, frozen=True, array_like=True):
    """From `start_ns` until `end_ns` (of the trace) the trace waited for span number `span` itself."""

    span: int
    start_ns: int
    end_ns: int


def critical_path(
    parents: Sequence[int], starts: Sequence[int], durations: Sequence[int]
) -> list[CriticalPart]:
    """The path in order of time; `parents` are numbers of spans, -1 for none.

    Begins at the root that ends last. Each part lies within its span; together they are as long as that root.
    """
    if not parents:
        return []
    ends = [start + duration for start, duration in zip(starts, durations, strict=True)]
    below: dict[int, list[int]] = {}
    for span, parent in enumerate(parents):
        below.setdefault(parent, []).append(span)
    top = max(below.get(-1, [0]), key=lambda span: (ends[span], -span))
    parts: list[CriticalPart] = []
    # Each entry: a span, and from when until when it was waited for.
    stack = [(top, starts[top], ends[top])]
    while stack:
        span, since, until = stack.pop()
        at, waited = until, list[tuple[int, int, int]]()
        for child in sorted(below.get(span, ()), key=lambda each: (ends[each], each), reverse=True):
            begin, end = max(starts[child], since), min(ends[child], at)
            if begin < end:
                waited.append((child, begin, end))
                at = begin
        parts += _own(span, since, until, waited)
        stack += waited
    return sorted((part for part in parts if part.end_ns > part.start_ns), key=lambda part: part.start_ns)


def _own(span: int, since: int, until: int, waited: Sequence[tuple[int, int, int]]) -> list[CriticalPart]:
    """What is left of a span's time between the children that were waited for, the latest first."""
    parts: list[CriticalPart] = []
    at = until
    for _, begin, end in waited:
        parts.append(CriticalPart(span, end, at))
        at = begin
    return [*parts, CriticalPart(span, since, at)]
