"""The bodies of real clients against what the provider served: counted calls are the truth, in any order."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.corpus import TOKENS, Body, Case, load_cases, mismatches, outcome, spans_of
from watchglass.ingest.settle import Verdict
from watchglass.model import Span
from watchglass.wire.otlp import decode_traces

DOUBTED = {
    "02-openinference-old-anthropic-stream": "its facts call 13 input tokens visible; the other span says 12"
    " in the same way (Anthropic's input without the cache), and nothing in the spans tells the two apart",
}
"""Cases whose facts cannot be read off their spans, and why."""

CASES = load_cases()

pytestmark = pytest.mark.skipif(not CASES, reason="the bodies of ../shared/otlp are not on this machine")

every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_sure_case = pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=pytest.mark.skip(reason=DOUBTED[case.name]))
        if case.name in DOUBTED
        else case
        for case in CASES
    ],
    ids=str,
)

SERVED = {
    "input_tokens": "input_tokens_total",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "reasoning_tokens": "reasoning_tokens",
}


def verdicts_by_id(verdicts: list[Verdict]) -> dict[str, Verdict]:
    """The verdicts of calls, whatever their order."""
    return {verdict.call.call_id: verdict for verdict in verdicts}


@every_sure_case
def test_counted_calls_add_up_to_what_was_served(case: Case) -> None:
    """Calls and tokens, per provider and model, are those of the provider's log, as far as visible."""
    assert mismatches(case, outcome(spans_of([case]))) == []


@every_case
def test_each_answer_has_its_own_numbers(case: Case) -> None:
    """A call that knows its response id says of that very answer what the provider said, or nothing."""
    served = {request["response_id"]: request for request in case.requests if request.get("response_id")}
    seen: set[str] = set()
    for call in (verdict.call for verdict in outcome(spans_of([case])).counted):
        if call.response_id in served:
            assert call.response_id not in seen
            seen.add(call.response_id)
            told = {name: getattr(call.usage, name) for name in SERVED}
            truth = {name: served[call.response_id][fact] for name, fact in SERVED.items()}
            assert {name: truth[name] for name in SERVED if told[name] is not None} == {
                name: value for name, value in told.items() if value is not None
            }


@every_case
def test_never_more_than_was_served(case: Case) -> None:
    """No class of tokens, counted and unattributed together, is larger than the provider's own figure."""
    made = outcome(spans_of([case]))
    over = {
        name: made.totals[name] + made.unattributed[name]
        for name, fact in SERVED.items()
        if made.totals[name] + made.unattributed[name] > case.facts[fact]
    }
    assert not over


@every_case
def test_what_the_spans_do_not_say_is_unknown(case: Case) -> None:
    """Where tokens were served and none are visible, no more calls say zero than there were true zeros."""
    counted = outcome(spans_of([case])).counted
    for name, fact in TOKENS.items():
        if not case.facts[fact] and case.facts[SERVED[name]]:
            claims = sum(getattr(each.call.usage, name) is not None for each in counted)
            assert claims <= sum(not request[SERVED[name]] for request in case.requests)


@every_case
def test_any_order_gives_the_same_verdicts(case: Case) -> None:
    """Shuffled, the spans of a case are settled as they were in order."""
    spans = spans_of([case])
    expected = verdicts_by_id(outcome(spans).verdicts)
    random.Random(case.name).shuffle(spans)
    assert verdicts_by_id(outcome(spans).verdicts) == expected


@every_case
def test_one_span_a_request_gives_the_same_verdicts(case: Case) -> None:
    """A body split into requests of one span each is settled as it was whole."""
    spans = spans_of([case])
    split = [span for body in case.bodies if body.signal == "traces" for span in _split(body)]
    assert verdicts_by_id(outcome(split).verdicts) == verdicts_by_id(outcome(spans).verdicts)


def test_all_cases_together_are_each_as_it_was_alone() -> None:
    """Settled at once, no case's calls are taken for another's."""
    alone = {
        call_id: verdict
        for case in CASES
        for call_id, verdict in verdicts_by_id(outcome(spans_of([case])).verdicts).items()
    }
    together = verdicts_by_id(outcome(spans_of(CASES)).verdicts)
    assert together == alone


def test_all_cases_together_add_up() -> None:
    """The counted calls and tokens of everything at once are the sums over the cases."""
    cases = [case for case in CASES if case.name not in DOUBTED]
    made = outcome(spans_of(cases))
    assert len(made.counted) == sum(case.facts["calls_in_spans"] for case in cases)
    expected = Counter({name: sum(case.facts[fact] for case in cases) for name, fact in TOKENS.items()})
    assert made.totals + made.unattributed == expected


def _split(body: Body) -> list[Span]:
    """The spans of a body, each decoded from a request of its own."""
    whole = ExportTraceServiceRequest()
    if body.encoding == "json":
        return _split_json(body)
    whole.ParseFromString(body.read())
    found: list[Span] = []
    for resource_spans in whole.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                single = ExportTraceServiceRequest()
                into = single.resource_spans.add(resource=resource_spans.resource)
                into.schema_url = resource_spans.schema_url
                scope = into.scope_spans.add(scope=scope_spans.scope, schema_url=scope_spans.schema_url)
                scope.spans.append(span)
                found += decode_traces(single.SerializeToString(), "protobuf").spans
    return found


def _split_json(body: Body) -> list[Span]:

    found: list[Span] = []
    for resource_spans in json.loads(body.read())["resourceSpans"]:
        for scope_spans in resource_spans["scopeSpans"]:
            for span in scope_spans["spans"]:
                scope = {**scope_spans, "spans": [span]}
                single = {"resourceSpans": [{**resource_spans, "scopeSpans": [scope]}]}
                found += decode_traces(json.dumps(single).encode(), "json").spans
    return found
