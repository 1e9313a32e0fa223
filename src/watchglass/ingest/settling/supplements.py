"""Supplements to the requests they belong to: usage that a library reports in a span of its own.

logfire closes the span of a streamed request when the stream opens, and reports tokens and answer
in a second, zero-length span when it ends: a sibling, or a trace of its own where nothing encloses
the two. A supplement belongs to the last request of its scope that had begun by then, that it does
not contradict and that has no usage yet.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

from watchglass.ingest.settling.agreement import model_stem
from watchglass.ingest.settling.nodes import CallNode

LONGEST_STREAM_NS = 3_600 * 10**9
"""A request is not taken for that of a supplement which came later than this after its start."""

_Where: TypeAlias = tuple[str, ...]


def matched(calls: Sequence[CallNode]) -> dict[int, int]:
    """Index of each supplement that has its request: index of that request."""
    supplements = [index for index, call in enumerate(calls) if call.kind == "supplement"]
    if not supplements:
        return {}
    by_span = {
        (call.trace_id, call.span_id): index for index, call in enumerate(calls) if call.kind == "call"
    }
    by_answer = {
        (call.process, call.response_id): index
        for index, call in sorted(enumerate(calls), key=lambda pair: pair[1].call_id)
        if call.kind == "call" and call.response_id
    }
    found: dict[int, int] = {}
    for index in supplements:
        call = calls[index]
        named = by_span.get((call.trace_id, call.supplements_span_id or ""))
        if named is None:
            named = by_answer.get((call.process, call.response_id or ""))
        if named is not None:
            found[index] = named
    open_requests = _open_requests(calls, supplements)
    taken = set(found.values())
    # One that names its request waits for that one to come.
    nameless = (
        index for index in supplements if calls[index].supplements_span_id is None and index not in found
    )
    for index in sorted(nameless, key=lambda each: (calls[each].start_ns, calls[each].call_id)):
        for where in _places(calls[index]):
            request = _latest(open_requests.get(where, []), calls[index].start_ns, taken)
            if request is not None:
                found[index] = request
                taken.add(request)
                break
    return found


def _open_requests(
    calls: Sequence[CallNode], supplements: Sequence[int]
) -> dict[_Where, list[tuple[int, str, int]]]:
    scopes = {(calls[index].process, calls[index].scope) for index in supplements}
    waiting: dict[_Where, list[tuple[int, str, int]]] = defaultdict(list)
    for index, call in enumerate(calls):
        if call.kind == "call" and (call.process, call.scope) in scopes and not call.usage.known:
            for where in _places(call):
                waiting[where].append((call.start_ns, call.call_id, index))
    for requests in waiting.values():
        requests.sort()
    return waiting


def _places(call: CallNode) -> list[_Where]:
    """Where a request and its supplement meet, the surest place first."""
    model = model_stem(call.request_model or call.response_model or "")
    origin = (call.process, call.scope, model)
    asked = "\n".join(call.input_messages)
    sibling = (*origin, call.trace_id, call.parent_span_id)
    places = [(*sibling, asked), (*origin, call.trace_id, "", asked)]
    if not call.parent_span_id:
        places.append((*origin, "", "", asked))
    return [*places, sibling]


def _latest(requests: list[tuple[int, str, int]], until_ns: int, taken: set[int]) -> int | None:
    at = bisect_right(requests, until_ns, key=lambda each: each[0])
    while at > 0:
        at -= 1
        start_ns, _, index = requests[at]
        if start_ns < until_ns - LONGEST_STREAM_NS:
            return None
        if index not in taken:
            return index
        # What is taken stays taken, so each entry is passed over once in all.
        del requests[at]
    return None
