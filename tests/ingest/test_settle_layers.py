"""Settling against invented programs whose requests are known: any layering of libraries, any order."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from tests.ingest.test_settle import MS, call, span
from watchglass.ingest.settle import CallNode, SpanNode, settle
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
    """Requests of one process, the libraries that report them (outermost first), and if an agent adds them up."""
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
    random.shuffle(calls)  # type: ignore[attr-defined]
    verdicts = settle(spans, calls)
    counted = [verdict.call for verdict in verdicts if verdict.counted]
    assert len(counted) == len(requests)
    told = any(layer.tells_tokens for layer in layers)
    served = [each.tokens for each in requests if each.tokens and told]
    assert sum(each.usage.input_tokens or 0 for each in counted) == sum(tokens[0] for tokens in served)
    assert sum(each.usage.output_tokens or 0 for each in counted) == sum(tokens[1] for tokens in served)
    assert {each.start_ns // (40 * MS) for each in counted} == set(range(len(requests)))
