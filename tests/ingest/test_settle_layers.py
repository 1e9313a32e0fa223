"""Settling against invented programs whose requests are known: any layering of libraries, any order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from tests.ingest.test_settle import MS, call, span
from watchglass.ingest.settle import CallNode, SpanNode, Verdict, settle
from watchglass.model import NO_USAGE, Usage


@dataclass(frozen=True)
class Served:
    """A request as the provider saw it; times in milliseconds."""

    start: int
    end: int
    tokens: tuple[int, int] | None  # None: it failed
    model: str


@dataclass(frozen=True)
class Layer:
    """A library that reports every request: below the layer around it, or in traces of its own."""

    scope: str
    nested: bool
    tells_id: bool
    tells_tokens: bool


@st.composite
def programs(draw: st.DrawFn) -> tuple[list[Served], list[Layer], bool]:
    """Requests of a process, the libraries that report them (outermost first), whether an agent sums them."""
    requests: list[Served] = []
    for _ in range(draw(st.integers(1, 6))):
        # Requests may run at once, but no two of them begin and end together.
        start = len(requests) * 40 + draw(st.integers(0, 20))
        tokens = draw(st.sampled_from([(20, 5), (20, 5), (31, 7), None]))
        end = start + draw(st.sampled_from([30, 60, 200]))
        requests.append(Served(start, end, tokens, draw(st.sampled_from(["gpt-4o", "gpt-4o-mini"]))))
    count = draw(st.integers(1, 3))
    layers = [
        Layer(f"scope-{n}", draw(st.booleans()), draw(st.booleans()), draw(st.booleans()))
        for n in range(count)
    ]
    return requests, layers, draw(st.booleans())


def reported(
    requests: list[Served], layers: list[Layer], agent: bool
) -> tuple[list[SpanNode], list[CallNode]]:
    """What the libraries send of these requests."""
    spans = [span("agent", trace="t")] if agent else []
    calls: list[CallNode] = []
    for number, request in enumerate(requests):
        trace, parent = "t", "agent" if agent else ""
        for depth, layer in enumerate(layers):
            if depth and not layer.nested:
                trace, parent = f"{number}-{depth}", ""
            name = f"{number}-{depth}"
            spans.append(span(name, parent, trace=trace))
            tells = layer.tells_tokens and request.tokens is not None
            calls.append(
                call(
                    name,
                    parent,
                    trace=trace,
                    scope=layer.scope,
                    model=request.model,
                    at=(request.start + depth, request.end - depth),
                    usage=Usage(*request.tokens) if tells and request.tokens else NO_USAGE,
                    response_id=f"r{number}" if layer.tells_id and request.tokens else None,
                    success=request.tokens is not None,
                )
            )
            parent = name
    if agent:
        total = [sum(each.tokens[side] for each in requests if each.tokens) for side in (0, 1)]
        until = max(each.end for each in requests) + 1
        calls.append(call("agent", trace="t", kind="aggregate", at=(0, until), tokens=(total[0], total[1])))
    return spans, calls


@given(programs(), st.randoms(use_true_random=False))
def test_each_request_counts_once(program: tuple[list[Served], list[Layer], bool], random: object) -> None:
    """However many libraries report a request, nested or side by side, it is one call with its tokens."""
    requests, layers, agent = program
    spans, calls = reported(requests, layers, agent)
    random.shuffle(calls)
    verdicts = settle(spans, calls)
    counted = [verdict.call for verdict in verdicts if verdict.counted]
    assert len(counted) == len(requests)
    told = any(layer.tells_tokens for layer in layers)
    served = [each.tokens for each in requests if each.tokens and told]
    assert sum(each.usage.input_tokens or 0 for each in counted) == sum(tokens[0] for tokens in served)
    assert sum(each.usage.output_tokens or 0 for each in counted) == sum(tokens[1] for tokens in served)
    assert {each.start_ns // (40 * MS) for each in counted} == set(range(len(requests)))


@given(programs(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_piece_by_piece_comes_to_the_same(
    program: tuple[list[Served], list[Layer], bool], random: object, size: int
) -> None:
    """Settled after every few spans, with the neighbours it asks for, the totals are those of the whole."""
    spans, calls = reported(*program)
    calls = list(calls)
    random.shuffle(calls)
    arrived: list[CallNode] = []
    verdicts: dict[str, Verdict] = {}
    for first in range(0, len(calls), size):
        fresh = calls[first : first + size]
        arrived += fresh
        traces = _neighbours({each.trace_id for each in fresh}, arrived, verdicts)
        here = {each.call_id for each in arrived if each.trace_id in traces}
        for verdict in settle(
            [each for each in spans if f"{each.trace_id}:{each.span_id}" in here],
            [each for each in arrived if each.call_id in here],
        ):
            verdicts[verdict.call.call_id] = verdict
    assert _totals(verdicts.values()) == _totals(settle(spans, calls))


def _neighbours(traces: set[str], arrived: list[CallNode], verdicts: dict[str, Verdict]) -> set[str]:
    """The traces that must be settled with these: by time, then by what was decided before."""
    own = [each for each in arrived if each.trace_id in traces]
    since, until = min(each.start_ns for each in own), max(each.end_ns for each in own)
    found = traces | {each.trace_id for each in arrived if each.start_ns <= until and each.end_ns >= since}
    tied = {
        (verdict.call.trace_id, verdict.duplicate_of.partition(":")[0])
        for verdict in verdicts.values()
        if verdict.duplicate_of is not None
    }
    while more := {trace for pair in tied if not found.isdisjoint(pair) for trace in pair} - found:
        found |= more
    return found


def _totals(verdicts: Iterable[Verdict]) -> tuple[int, int, int]:
    counted = [each.call.usage for each in verdicts if each.counted]
    return (
        len(counted),
        sum(usage.input_tokens or 0 for usage in counted),
        sum(usage.output_tokens or 0 for usage in counted),
    )
