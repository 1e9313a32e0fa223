"""Sums: spans that repeat the usage of what is below them, and what is shown of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate

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
    elsewhere = _Elsewhere(nest.requests)
    reasons: dict[int, str] = {}
    covered: set[int] = set()
    for index in reversed(nest.order):
        outer = above[index].enclosing
        if outer in covered or reasons.get(outer) == "unattributed":
            covered.add(index)
        if index in nest.outside:
            reasons[index] = nest.outside[index]
        elif index in nest.below:
            reasons[index] = _sum(calls[index], nest.below[index], elsewhere)
        if index in covered and reasons.get(index) == "unattributed":
            reasons[index] = "cumulative"
    return reasons


def _sum(call: CallNode, below: Sequence[Request], elsewhere: _Elsewhere) -> str:
    shown = any(each.resolved().known for each in below)
    if shown or not has_tokens(call.usage) or elsewhere.add_up_to(call):
        return "cumulative"
    return "unattributed"


class _Elsewhere:
    """Requests of a process by their start, to find those of a sum whose trace was torn.

    Where a framework runs its tasks on threads that do not carry the context along, the requests are roots of
    traces of their own. If all that was asked while the sum's span was open adds up to just that sum, it
    is theirs.
    """

    def __init__(self, requests: Sequence[Request]) -> None:
        self._by_process: dict[str, list[Request]] = defaultdict(list)
        for request in requests:
            if request.into is None and request.known:
                self._by_process[request.process].append(request)
        self._sums: dict[str, tuple[list[int], list[int], list[int]]] = {}

    def add_up_to(self, call: CallNode) -> bool:
        """Whether the requests that began while `call` was open have exactly its tokens."""
        starts, inputs, outputs = self._running(call.process)
        first, last = bisect_left(starts, call.start_ns), bisect_right(starts, call.end_ns)
        return (
            first < last
            and inputs[last] - inputs[first] == call.usage.input_tokens
            and outputs[last] - outputs[first] == call.usage.output_tokens
        )

    def _running(self, process: str) -> tuple[list[int], list[int], list[int]]:
        if process not in self._sums:
            ordered = sorted(self._by_process.get(process, ()), key=lambda each: each.start_ns)
            self._sums[process] = (
                [each.start_ns for each in ordered],
                [0, *accumulate(each.usage.input_tokens or 0 for each in ordered)],
                [0, *accumulate(each.usage.output_tokens or 0 for each in ordered)],
            )
        return self._sums[process]
