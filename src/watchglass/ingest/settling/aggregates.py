"""Sums: spans that repeat the usage of what is below them, and what is shown of them."""

from __future__ import annotations

from collections.abc import Sequence

from watchglass.ingest.settling.agreement import has_tokens
from watchglass.ingest.settling.inheritance import Place
from watchglass.ingest.settling.nesting import Nested
from watchglass.ingest.settling.nodes import CallNode
from watchglass.ingest.settling.request import Request


def judged(calls: Sequence[CallNode], above: Sequence[Place], nest: Nested) -> dict[int, str]:
    """By index, why each aggregate and each wrapper is not counted.

    A sum over nothing that has usage is *unattributed*: money that was spent and that no call shows.
    Only the outermost such sum is, for it holds the others (crews over agents over tasks).
    """
    reasons: dict[int, str] = {}
    covered: set[int] = set()
    for index in reversed(nest.order):
        outer = above[index].enclosing
        if outer in covered or reasons.get(outer) == "unattributed":
            covered.add(index)
        if index in nest.outside:
            reasons[index] = nest.outside[index]
        elif index in nest.below:
            reasons[index] = _sum(calls[index], nest.below[index])
        if index in covered and reasons.get(index) == "unattributed":
            reasons[index] = "cumulative"
    return reasons


def _sum(call: CallNode, below: Sequence[Request]) -> str:
    shown = any(each.resolved().known for each in below)
    return "cumulative" if shown or not has_tokens(call.usage) else "unattributed"
