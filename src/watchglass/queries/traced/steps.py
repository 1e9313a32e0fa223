"""What is new in each step of a conversation: the messages that the step before did not have.

An agent sends its whole conversation with every request. The step before is the latest call of the same
agent in the trace that this one goes on from: the one whose messages it repeats most of, from the beginning.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One call's messages by hash, in their order, and whose call it is."""

    call_id: str
    thread: tuple[str | None, ...]
    input: Sequence[str]
    output: Sequence[str]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What one call adds. `new` are places in its `input`; all of its output is new.

    `goes_on_from` is the call before it; None is a beginning, where all is new. `left_out` counts messages of
    that call that are not there any more (a summary took their place, or they were cut off).
    """

    call_id: str
    goes_on_from: str | None
    new: list[int]
    left_out: int = 0


_LOOKED_BACK = 20


def steps(calls: Sequence[Said]) -> list[Step]:
    """The steps of calls, which are in order of time."""
    earlier: dict[tuple[str | None, ...], list[Said]] = defaultdict(list)
    found: list[Step] = []
    for call in calls:
        found.append(_step(call, earlier[call.thread][-_LOOKED_BACK:]))
        earlier[call.thread].append(call)
    return found


def _step(call: Said, earlier: Sequence[Said]) -> Step:
    before, shared = None, 0
    for each in reversed(earlier):
        common = _common(each.input, call.input)
        if common > shared:
            before, shared = each, common
    if before is None:
        return Step(call_id=call.call_id, goes_on_from=None, new=list(range(len(call.input))))
    known = Counter([*before.input, *before.output])
    new: list[int] = []
    for place, digest in enumerate(call.input):
        if known[digest]:
            known[digest] -= 1
        else:
            new.append(place)
    kept = known - Counter(before.output)
    return Step(call_id=call.call_id, goes_on_from=before.call_id, new=new, left_out=kept.total())


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length
