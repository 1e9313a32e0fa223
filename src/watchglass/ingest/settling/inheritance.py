"""What a span inherits from those above it: context, executions, and the described span that encloses it.

A flow that somebody named (`flow_id`), wherever above, outranks one that is only known by its span; of those
the outermost is the run that all below it belongs to. Of tasks the nearest is the one.

Parents may be missing (they come later), may be their own parents, or form rings; a span on a ring
is taken for a root. No recursion: a trace may be ten thousand spans deep.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from watchglass.ingest.settling.nodes import CallNode, SpanNode, StepNode
from watchglass.model import Context

Key: TypeAlias = tuple[str, str]
"""(trace_id, span_id)"""

EMPTY = Context()


class Within(msgspec.Struct, frozen=True, gc=False):
    """The executions around something."""

    nearest: str | None = None
    """`task_id` of the nearest, of any kind."""
    agent: str | None = None
    """`task_id` of the nearest run of an agent."""
    flow: StepNode | None = None
    """The outermost flow."""
    feature: str | None = None
    """The default of the nearest that has one."""


NOTHING = Within()


class Place(msgspec.Struct, frozen=True, gc=False):
    """What a span hands down to its children."""

    context: Context
    enclosing: int
    """Index of the nearest described span, this one included; -1 where there is none."""
    beyond_tool: bool
    """A tool's span lies between that one and the children."""
    within: Within = NOTHING


ROOT = Place(EMPTY, -1, False)
_WALKING = Place(EMPTY, -2, False)


class Places(msgspec.Struct):
    """The answer for a set of traces."""

    contexts: dict[Key, Context]
    """Effective context of every span: its own, else its nearest ancestor's own, else its resource's."""
    around: dict[Key, Within]
    """For each span that is an execution: those around it."""
    above: list[Place]
    """For each described span: what its parent hands down."""


def places(spans: Sequence[SpanNode], calls: Sequence[CallNode]) -> Places:
    """Walk every span up to what is known already, and back down."""
    nodes = {(span.trace_id, span.span_id): span for span in spans}
    described: dict[Key, int] = {}
    for index, call in enumerate(calls):
        key = (call.trace_id, call.span_id)
        if key not in nodes:
            nodes[key] = SpanNode(call.trace_id, call.span_id, call.parent_span_id, EMPTY, EMPTY)
        if call.kind != "supplement":
            described[key] = index
    done: dict[Key, Place] = {}
    rings: set[Key] = set()
    for key in nodes:
        if key not in done:
            _walk(key, nodes, described, done, rings)
    return Places(
        {key: _effective(done[key], node) for key, node in nodes.items()},
        {key: _above(key, nodes, done, rings).within for key, node in nodes.items() if node.step is not None},
        [_above((call.trace_id, call.span_id), nodes, done, rings) for call in calls],
    )


def _above(key: Key, nodes: Mapping[Key, SpanNode], done: Mapping[Key, Place], rings: set[Key]) -> Place:
    return ROOT if key in rings else done.get((key[0], nodes[key].parent_span_id), ROOT)


def _effective(place: Place, node: SpanNode) -> Context:
    context = merged(place.context, node.resource)
    within = place.within
    if within is NOTHING:
        return context
    flow, run = within.flow, within.agent
    changes: dict[str, str] = {}
    if within.feature is not None and context.feature is None:
        changes["feature"] = within.feature
    if flow is not None and context.flow is None:
        changes["flow"] = flow.task_id
    if flow is not None and context.flow_type is None:
        changes["flow_type"] = flow.name
    if run is not None and context.task_id is None:
        changes["task_id"] = run
    return msgspec.structs.replace(context, **changes) if changes else context


def _walk(
    key: Key,
    nodes: Mapping[Key, SpanNode],
    described: Mapping[Key, int],
    done: dict[Key, Place],
    rings: set[Key],
) -> None:
    path: list[Key] = []
    place = ROOT
    while True:
        known = done.get(key)
        if known is _WALKING:
            ring = path[path.index(key) :]
            del path[len(path) - len(ring) :]
            rings.update(ring)
            # Every span of it is a root, whichever of them the walk met first.
            done.update((each, _step(ROOT, nodes[each], described.get(each, -1))) for each in ring)
            place = done[key]
            break
        if known is not None:
            place = known
            break
        node = nodes.get(key)
        if node is None:
            break
        path.append(key)
        done[key] = _WALKING
        if not node.parent_span_id:
            break
        key = (node.trace_id, node.parent_span_id)
    for key in reversed(path):
        place = done[key] = _step(place, nodes[key], described.get(key, -1))


def _step(above: Place, node: SpanNode, described: int) -> Place:
    context = merged(node.own, above.context)
    within = above.within if node.step is None else _entered(above.within, node.step)
    if described >= 0:
        return Place(context, described, node.tool, within)
    if context is above.context and within is above.within:
        return above
    return Place(context, above.enclosing, above.beyond_tool or node.tool, within)


def _entered(within: Within, step: StepNode) -> Within:
    return Within(
        step.task_id,
        step.task_id if step.kind == "agent" else within.agent,
        step if step.kind == "flow" and within.flow is None else within.flow,
        within.feature if step.feature is None else step.feature,
    )


def merged(first: Context, second: Context) -> Context:
    """Each value of `first`, else that of `second`."""
    if first is EMPTY or first == EMPTY:
        return second
    if second is EMPTY or second == EMPTY:
        return first
    return Context(
        *(
            mine if mine is not None else theirs
            for mine, theirs in zip(
                msgspec.structs.astuple(first), msgspec.structs.astuple(second), strict=True
            )
        )
    )


def all_merged(contexts: Iterable[Context]) -> Context:
    """The first of each value."""
    found = EMPTY
    for context in contexts:
        found = merged(found, context)
    return found
