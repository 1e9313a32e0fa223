"""Which described spans are requests that count, and what each of them inherits: pure rules, no I/O.

The rules are the design's section "What counts", one file each in `settling/`: `supplements` (usage
that came in a span of its own), `nesting` (spans that report the requests below them again), `doubles`
(requests that two libraries reported side by side), `aggregates` (sums), `inheritance` (context).

`settle` MUST be given all spans and calls of the traces that it is to decide, as their dialects
described them, and with them the whole of every trace
- of the same process with a call that was going on at the same time as one of theirs (for a
  supplement: that began up to `LONGEST_STREAM_NS` before it; for an aggregate: while it was open);
- that an earlier verdict ties to one of the given calls, by `duplicate_of` in either direction, and
  so on: a call whose partner is withheld would be taken for one that has none.
It then answers the same in whatever order and pieces the spans arrive.

Traces that are settled as they came, and need not be asked about: a single call with no other
described span in its trace, whose process reports through one scope only, and no span of whose trace
names any context; also any number of such calls that are siblings of one scope.
"""

from __future__ import annotations

from collections.abc import Sequence

from watchglass.ingest.settling.aggregates import judged
from watchglass.ingest.settling.doubles import doubles_merged
from watchglass.ingest.settling.inheritance import Places, all_merged, places
from watchglass.ingest.settling.nesting import nested
from watchglass.ingest.settling.nodes import CallNode, SpanNode, Verdict
from watchglass.ingest.settling.request import Request
from watchglass.ingest.settling.supplements import LONGEST_STREAM_NS, matched

__all__ = ["LONGEST_STREAM_NS", "CallNode", "SpanNode", "Verdict", "settle", "settle_in"]


def settle(spans: Sequence[SpanNode], calls: Sequence[CallNode]) -> list[Verdict]:
    """The verdicts, in the order of `calls`."""
    return settle_in(places(spans, calls), calls)


def settle_in(found: Places, calls: Sequence[CallNode]) -> list[Verdict]:
    """The verdicts, where it is known already what is above `calls`."""
    if not calls:
        return []
    supplements = matched(calls)
    nest = nested(calls, found.above, supplements)
    verdicts: dict[str, Verdict] = {}
    for request in doubles_merged(nest.requests):
        verdicts.update(_verdicts(request, found))
    for index, reason in judged(calls, found.above, nest).items():
        verdicts[calls[index].call_id] = _uncounted(calls[index], reason, found)
    for call in calls:
        if call.call_id not in verdicts:  # a supplement whose request has not come
            reason = "unattributed" if call.usage.known else "supplement"
            verdicts[call.call_id] = _uncounted(call, reason, found)
    return [verdicts[call.call_id] for call in calls]


def _uncounted(call: CallNode, reason: str, found: Places, duplicate_of: str | None = None) -> Verdict:
    return Verdict(
        call=call,
        context=found.contexts[call.trace_id, call.span_id],
        counted=False,
        not_counted_reason=reason,
        duplicate_of=duplicate_of,
    )


def _verdicts(request: Request, found: Places) -> dict[str, Verdict]:
    """The report that counts, with what the others know, and why the others do not."""
    combined = request.combined()
    head = Verdict(call=combined, context=found.contexts[combined.trace_id, combined.span_id], counted=True)
    if len(request.members) == 1:
        return {combined.call_id: head}
    others = sorted(
        (each for each in request.members if each.call_id != combined.call_id),
        key=lambda each: each.call_id,
    )
    contexts = [head.context, *(found.contexts[each.trace_id, each.span_id] for each in others)]
    made = {
        each.call_id: _uncounted(each, _why(each, combined, request), found, combined.call_id)
        for each in others
    }
    made[combined.call_id] = Verdict(call=combined, context=all_merged(contexts), counted=True)
    return made


def _why(call: CallNode, head: CallNode, request: Request) -> str:
    if call.kind == "supplement":
        return "supplement"
    return "wrapper" if request.encloses(call, head) else "duplicate"
