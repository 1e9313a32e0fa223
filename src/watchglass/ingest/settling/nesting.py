"""Spans that enclose others: which of them report the request below them again, and which their sum.

Worked out from the innermost outwards. Each described span hands up the requests found so far; the
next one out is judged against them and is then a request of its own, another report of one of
them, or a wrapper around several (retries, agents described as calls) that is not a request at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from watchglass.ingest.settling.agreement import same_tokens
from watchglass.ingest.settling.inheritance import Place
from watchglass.ingest.settling.nodes import CallNode
from watchglass.ingest.settling.request import Request

Outside: TypeAlias = Literal["own", "wrapper", "cumulative", "unattributed"]
"""What an enclosing span is when it is no report of a single request below it."""


class Nested(msgspec.Struct):
    """What nesting tells of a set of described spans."""

    requests: list[Request]
    """Each request once, in the order of `calls`."""
    outside: dict[int, Outside]
    """Call spans that are no request: by index, what they are instead."""
    below: dict[int, list[Request]]
    """Requests below each aggregate."""
    order: list[int]
    """The described spans, each before the one around it."""


def nested(calls: Sequence[CallNode], above: Sequence[Place], supplements: dict[int, int]) -> Nested:
    """Judge every call span against those below it."""
    requests = {index: Request(call) for index, call in enumerate(calls) if call.kind == "call"}
    for index, target in sorted(supplements.items(), key=lambda pair: calls[pair[0]].call_id):
        requests[target].absorb(Request(calls[index]))
    fronts: dict[int, list[Request]] = {}
    apart: dict[int, list[Request]] = {}
    outside: dict[int, Outside] = {}
    below: dict[int, list[Request]] = {}
    merged: set[int] = set()
    order = _innermost_first(calls, above)
    for index in order:
        inner, beyond = fronts.pop(index, []), apart.pop(index, [])
        if calls[index].kind == "aggregate":
            front = below[index] = inner + beyond
        else:
            front = inner
            if (verdict := _judged(requests[index], inner)) == "own":
                front = [requests[index]]
            elif isinstance(verdict, Request):
                verdict.absorb(requests[index], around=True)
                merged.add(index)
            else:
                outside[index] = verdict
            front = front + beyond if front is inner else front
        _hand_up(front, above[index], fronts, apart)
    found = [each for index, each in requests.items() if index not in merged and index not in outside]
    return Nested(found, outside, below, order)


def _hand_up(
    front: list[Request], place: Place, fronts: dict[int, list[Request]], apart: dict[int, list[Request]]
) -> None:
    if place.enclosing < 0:
        return
    side = apart if place.beyond_tool else fronts
    held = side.get(place.enclosing)
    if held is None:
        side[place.enclosing] = list(front)
    else:
        held.extend(front)


def _innermost_first(calls: Sequence[CallNode], above: Sequence[Place]) -> list[int]:
    """Described spans that may enclose or be enclosed, each before the one around it."""
    waiting = [0] * len(calls)
    for call, place in zip(calls, above, strict=True):
        if place.enclosing >= 0 and call.kind != "supplement":
            waiting[place.enclosing] += 1
    # Equal input in another order must give equal output, so ties are broken by identity.
    ready = sorted(
        (index for index, call in enumerate(calls) if not waiting[index] and call.kind != "supplement"),
        key=lambda index: (calls[index].start_ns, calls[index].call_id),
        reverse=True,
    )
    order: list[int] = []
    while ready:
        index = ready.pop()
        order.append(index)
        outer = above[index].enclosing
        if outer >= 0:
            waiting[outer] -= 1
            if not waiting[outer]:
                ready.append(outer)
    return order


def _judged(outer: Request, inner: list[Request]) -> Request | Outside:
    """What a call span is, seen from the requests below it."""
    alike = [each for each in inner if each.work == outer.work]
    if not alike:
        return "own"
    if (match := _same_request(outer, alike)) is not None:
        return match
    if len(alike) == 1:
        return _around_one(outer, alike[0])
    return _around_several(outer, alike)


def _same_request(outer: Request, inner: list[Request]) -> Request | None:
    """The one that agrees with `outer` on the response id; else on the tokens and the model."""
    for each in inner:
        if not outer.response_ids.isdisjoint(each.response_ids):
            return each
    if not outer.known:
        return None
    equal = [
        each
        for each in inner
        if each.known and same_tokens(outer.usage, each.usage) and _may_be_one(outer, each)
    ]
    # Of several attempts with the same tokens the last one is the answer that the outer span handed on.
    return max(equal, key=lambda each: (each.end_ns, each.id)) if equal else None


def _may_be_one(outer: Request, inner: Request) -> bool:
    """Nothing that both say rules out that they are one request."""
    if outer.scopes == inner.scopes:
        ids_differ = outer.response_ids and inner.response_ids
        return not ids_differ and outer.models_agree(inner)
    # A layer above another may rename the model (aliases, deployments) and make up ids of its own.
    return True


def _around_one(outer: Request, inner: Request) -> Request | Outside:
    if not (outer.known and inner.known):
        return inner if _may_be_one(outer, inner) else "own"
    if outer.scopes == inner.scopes and not _wraps(outer):
        return "own"
    return _of_different_tokens(outer, [inner])


def _around_several(outer: Request, inner: list[Request]) -> Request | Outside:
    if not outer.known:
        return "wrapper"
    if not any(each.known for each in inner):
        answered = [each for each in inner if each.succeeded]
        if len(answered) == 1:
            return answered[0]
        return "unattributed" if answered else "own"
    return _of_different_tokens(outer, inner)


def _of_different_tokens(outer: Request, inner: list[Request]) -> Outside:
    """A sum has room for everything below it; what has not is a request of its own."""
    for total in ("input_tokens", "output_tokens"):
        told = getattr(outer.usage, total)
        if told is not None and told < sum(getattr(each.usage, total) or 0 for each in inner):
            return "own"
    return "cumulative" if _sum_is_likely(outer, inner) else "own"


def _sum_is_likely(outer: Request, inner: list[Request]) -> bool:
    return len(inner) > 1 or _wraps(outer) or outer.models_agree(inner[0])


def _wraps(outer: Request) -> bool:
    return any(member.may_wrap for member in outer.members)
