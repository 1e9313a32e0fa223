"""Settling: which described spans are requests that count, whatever the order they come in."""

from __future__ import annotations

import time
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from watchglass.ingest.settle import CallNode, SpanNode, Verdict, settle
from watchglass.ingest.settling.inheritance import places
from watchglass.ingest.settling.nodes import StepNode
from watchglass.model import Context, StepKind, Usage

MS = 1_000_000
TRACE = "a" * 32
OTHER_TRACE = "b" * 32


def span(name: str, parent: str = "", *, trace: str = TRACE, tool: bool = False, **own: str) -> SpanNode:
    """A span whose id is its name."""
    step = StepNode(name, "tool", name) if tool else None
    return SpanNode(trace, name, parent, Context(**own), Context(), step)


def call(
    name: str,
    parent: str = "",
    *,
    trace: str = TRACE,
    scope: str = "openai",
    at: tuple[float, float] = (0, 10),
    tokens: tuple[int | None, int | None] | None = (20, 5),
    model: str = "gpt-4o",
    **more: object,
) -> CallNode:
    """A described span; `at` is in milliseconds, `tokens` are input and output."""
    fields = {"kind": "call", "operation": "chat", "request_model": model, "process": "p1", **more}
    if tokens is not None and "usage" not in fields:
        fields["usage"] = Usage(*tokens)
    return CallNode(
        call_id=f"{trace}:{name}",
        trace_id=trace,
        span_id=name,
        parent_span_id=parent,
        scope=scope,
        start_ns=int(at[0] * MS),
        end_ns=int(at[1] * MS),
        **fields,
    )


def settled(*calls: CallNode, spans: Sequence[SpanNode] = ()) -> dict[str, Verdict]:
    """Verdicts by span id."""
    return {verdict.call.span_id: verdict for verdict in settle(spans, calls)}


def counted(*calls: CallNode, spans: Sequence[SpanNode] = ()) -> set[str]:
    """Span ids of the calls that count."""
    return {name for name, verdict in settled(*calls, spans=spans).items() if verdict.counted}


def reason(verdict: Verdict) -> tuple[str | None, str | None]:
    """Why it does not count, and the span id of what counts instead."""
    return verdict.not_counted_reason, (verdict.duplicate_of or "").partition(":")[2] or None


# Plain calls


def test_a_thousand_identical_siblings_are_a_thousand_calls() -> None:
    """Equal tokens, model and times in one scope never make two calls one."""
    calls = [call(f"s{n}", "root") for n in range(1000)]
    assert len(counted(*calls)) == 1000


def test_siblings_of_one_scope_with_one_response_id_are_calls_each() -> None:
    """A server that gives every answer the same id does not turn its calls into one."""
    calls = [call(f"s{n}", "root", response_id="chatcmpl-0") for n in range(5)]
    assert len(counted(*calls)) == 5


def test_a_failed_call_is_counted() -> None:
    """A request that failed is a request."""
    assert counted(call("a", success=False, tokens=None, error_type="429")) == {"a"}


# Nesting


def test_of_a_span_around_another_with_equal_usage_one_counts() -> None:
    """The span nearest to the wire counts; the outer one is its wrapper and says whose."""
    verdicts = settled(call("outer", scope="litellm"), call("inner", "outer", at=(1, 9)))
    assert verdicts["inner"].counted
    assert reason(verdicts["outer"]) == ("wrapper", "inner")


def test_nesting_sees_through_spans_that_are_no_calls() -> None:
    """Spans that no dialect describes may lie between the two reports of a request."""
    spans = [span("outer"), span("http", "outer"), span("deep", "http"), span("inner", "deep")]
    calls = [call("outer", scope="langchain"), call("inner", "deep", at=(1, 9))]
    assert counted(*calls, spans=spans) == {"inner"}


def test_an_outer_span_without_usage_is_a_wrapper() -> None:
    """Where only the inner report has usage, it is the one that counts."""
    assert counted(call("outer", scope="litellm", tokens=None), call("inner", "outer")) == {"inner"}


def test_what_only_the_outer_span_knows_is_kept() -> None:
    """The report that knows the tokens counts, and takes over what the other one knew beside them."""
    inner = call("inner", "outer", tokens=None, server_address="api.groq.com", response_id="r1", at=(1, 9))
    verdicts = settled(call("outer", scope="langchain"), inner)
    assert verdicts["outer"].counted
    assert verdicts["outer"].call.server_address == "api.groq.com"
    assert verdicts["outer"].call.response_id == "r1"
    assert reason(verdicts["inner"]) == ("duplicate", "outer")


def test_details_come_over_only_where_the_totals_agree() -> None:
    """How many tokens were reasoning is taken from the report whose output total is the same."""
    rich = Usage(100, 30, cache_read_tokens=50, cache_write_tokens=0)
    outer = call("outer", scope="x", response_id="r", usage=Usage(100, 30, reasoning_tokens=20))
    inner = call("inner", "outer", response_id="r", usage=rich)
    assert settled(outer, inner)["inner"].call.usage == Usage(
        100, 30, cache_read_tokens=50, cache_write_tokens=0, reasoning_tokens=20
    )
    other = call("outer", scope="x", response_id="r", usage=Usage(100, 31, reasoning_tokens=20))
    assert settled(other, inner)["inner"].call.usage == rich


def test_three_layers_are_one_request() -> None:
    """However many libraries lie on top of each other, a request counts once."""
    calls = [
        call("a", scope="langchain", tokens=None),
        call("b", "a", scope="litellm"),
        call("c", "b", scope="openai", tokens=None),
    ]
    verdicts = settled(*calls)
    assert [name for name in verdicts if verdicts[name].counted] == ["b"]
    assert reason(verdicts["a"]) == ("wrapper", "b")
    assert reason(verdicts["c"]) == ("duplicate", "b")


def test_retries_below_one_outer_span_count_each() -> None:
    """An outer call over a failed and a successful attempt gives way to the two attempts."""
    calls = [
        call("outer", scope="ai"),
        call("first", "outer", success=False, tokens=None, at=(0, 3)),
        call("second", "outer", at=(4, 9)),
    ]
    assert counted(*calls) == {"first", "second"}


def test_usage_above_retries_goes_to_the_attempt_that_was_answered() -> None:
    """Tokens that only the outer span has belong to the one inner request that succeeded."""
    calls = [
        call("outer", scope="ai", tokens=(20, 5)),
        call("first", "outer", success=False, tokens=None, at=(0, 3)),
        call("second", "outer", tokens=None, at=(4, 9)),
    ]
    verdicts = [verdict for verdict in settle((), calls) if verdict.counted]
    assert len(verdicts) == 2
    assert sum(verdict.call.usage.input_tokens or 0 for verdict in verdicts) == 20


def test_a_call_that_repeats_the_sum_below_it_is_cumulative() -> None:
    """An agent that is described as a call and adds up its calls is not counted."""
    calls = [
        call("agent", tokens=(50, 9)),
        call("a", "agent", tokens=(20, 5)),
        call("b", "agent", tokens=(30, 4)),
    ]
    verdicts = settled(*calls)
    assert reason(verdicts["agent"]) == ("cumulative", None)
    assert verdicts["a"].counted and verdicts["b"].counted


def test_a_call_below_a_tool_of_a_call_is_a_request_of_its_own() -> None:
    """What a tool asks while a call is open is not that call."""
    spans = [span("a"), span("tool", "a", tool=True), span("b", "tool")]
    assert counted(call("a", tokens=(20, 5)), call("b", "tool", tokens=None), spans=spans) == {"a", "b"}


def test_an_embedding_below_a_chat_is_a_request_of_its_own() -> None:
    """Requests of different kinds are different requests."""
    assert len(counted(call("a"), call("b", "a", operation="embeddings", tokens=(20, None)))) == 2


def test_nested_calls_of_one_scope_with_different_answers_are_two() -> None:
    """Two response ids and two usages of one library are two requests, though one encloses the other."""
    calls = [call("a", response_id="r1", tokens=(10, 2)), call("b", "a", response_id="r2", tokens=(9, 3))]
    assert counted(*calls) == {"a", "b"}


def test_a_call_that_failed_twice_over_is_one() -> None:
    """A failure that an outer and an inner library report is one failed request."""
    failed = {"success": False, "tokens": None}
    assert len(counted(call("a", scope="x", **failed), call("b", "a", **failed))) == 1


# Sums


def test_an_aggregate_over_calls_is_cumulative() -> None:
    """An agent's sum is not counted where its calls are."""
    verdicts = settled(call("agent", kind="aggregate", tokens=(50, 9)), call("a", "agent"))
    assert reason(verdicts["agent"]) == ("cumulative", None)


def test_a_bare_sum_is_unattributed() -> None:
    """A crew's sum with no call under it is shown, and not counted."""
    verdicts = settled(call("crew", kind="aggregate", tokens=(50, 9)))
    assert not verdicts["crew"].counted
    assert reason(verdicts["crew"]) == ("unattributed", None)


def test_a_sum_over_calls_without_usage_is_unattributed() -> None:
    """Calls that know no tokens do not hide the sum that does."""
    verdicts = settled(call("crew", kind="aggregate", tokens=(50, 9)), call("a", "crew", tokens=None))
    assert reason(verdicts["crew"]) == ("unattributed", None)
    assert verdicts["a"].counted


def test_of_nested_bare_sums_only_the_outermost_is_unattributed() -> None:
    """A crew's sum holds those of its agents: the same money is shown once."""
    verdicts = settled(
        call("crew", kind="aggregate", tokens=(50, 9)),
        call("agent", "crew", kind="aggregate", tokens=(30, 4)),
    )
    assert reason(verdicts["crew"]) == ("unattributed", None)
    assert reason(verdicts["agent"]) == ("cumulative", None)


def test_a_sum_whose_calls_are_in_other_traces_is_cumulative() -> None:
    """Calls on threads that lost the context still explain a crew's sum, if they add up to it exactly."""
    crew = call("crew", kind="aggregate", tokens=(50, 9), scope="crewai", at=(0, 100))
    first = call("a", trace=OTHER_TRACE, tokens=(20, 5), at=(10, 20))
    second = call("b", trace=OTHER_TRACE, tokens=(30, 4), at=(30, 40))
    assert reason(settled(crew, first, second)["crew"]) == ("cumulative", None)
    assert reason(settled(crew, first)["crew"]) == ("unattributed", None)


# Supplements


def test_a_supplement_hands_its_usage_to_its_request() -> None:
    """A streamed request gets the tokens and the answer that came in a span after it."""
    request = call("request", "root", tokens=None, input_messages=("q",))
    supplement = call(
        "late", "root", at=(30, 30), kind="supplement", input_messages=("q",), output_messages=("an answer",)
    )
    verdicts = settled(request, supplement)
    assert verdicts["request"].counted
    assert verdicts["request"].call.usage == Usage(20, 5)
    assert verdicts["request"].call.output_messages == ("an answer",)
    assert reason(verdicts["late"]) == ("supplement", "request")


def test_each_supplement_finds_its_own_request() -> None:
    """Streams that end in another order than they began keep their own tokens."""
    calls = [
        call("one", "root", at=(0, 2), tokens=None, input_messages=("first",)),
        call("two", "root", at=(1, 3), tokens=None, input_messages=("second",)),
        call("b", "root", at=(8, 8), kind="supplement", tokens=(2, 2), input_messages=("second",)),
        call("a", "root", at=(9, 9), kind="supplement", tokens=(1, 1), input_messages=("first",)),
    ]
    verdicts = settled(*calls)
    assert verdicts["one"].call.usage.input_tokens == 1
    assert verdicts["two"].call.usage.input_tokens == 2


def test_a_supplement_in_a_trace_of_its_own_finds_its_request() -> None:
    """Without a span around them, a streamed request and its supplement are roots of two traces."""
    supplement = call("late", trace=OTHER_TRACE, at=(30, 30), kind="supplement")
    verdicts = settled(call("request", tokens=None), supplement)
    assert verdicts["request"].call.usage == Usage(20, 5)


def test_a_supplement_finds_the_request_of_its_answer() -> None:
    """A supplement whose own request is missing belongs to whatever call reports the same answer."""
    lost = call("late", kind="supplement", supplements_span_id="gone", response_id="r1", scope="litellm")
    verdicts = settled(lost, call("b", trace=OTHER_TRACE, response_id="r1"))
    assert reason(verdicts["late"]) == ("supplement", "b")


def test_a_supplement_that_names_its_request_waits_for_it() -> None:
    """It is not given to another request in the meantime."""
    verdicts = settled(
        call("other", tokens=None), call("late", kind="supplement", supplements_span_id="gone")
    )
    assert verdicts["other"].call.usage.input_tokens is None
    assert reason(verdicts["late"]) == ("unattributed", None)


def test_a_supplement_without_a_request_is_unattributed() -> None:
    """Usage whose request is not there stays visible."""
    verdicts = settled(call("late", kind="supplement"))
    assert reason(verdicts["late"]) == ("unattributed", None)


# Doubles


def test_one_response_id_in_two_scopes_is_one_request() -> None:
    """Two libraries that report one answer in two traces report one request."""
    verdicts = settled(
        call("a", scope="openllmetry", response_id="msg_1", usage=Usage(20, 6)),
        call("b", trace=OTHER_TRACE, at=(1, 9), scope="anthropic", response_id="msg_1"),
    )
    assert verdicts["b"].counted
    assert reason(verdicts["a"]) == ("duplicate", "b")


def test_different_response_ids_are_different_requests() -> None:
    """Equal tokens at the same time do not make two answers one."""
    calls = [call("a", scope="x", response_id="r1"), call("b", trace=OTHER_TRACE, response_id="r2")]
    assert len(counted(*calls)) == 2


def test_equal_tokens_in_two_scopes_at_once_are_one_request() -> None:
    """Where one report has no response id, model and tokens decide."""
    calls = [
        call("a", scope="langchain", model="gpt-4o-2024-08-06"),
        call("b", trace=OTHER_TRACE, response_id="r2", at=(1, 9)),
    ]
    assert len(counted(*calls)) == 1


def test_another_process_is_another_request() -> None:
    """Two processes never report one request."""
    calls = [call("a", scope="x", process="p1"), call("b", trace=OTHER_TRACE, process="p2")]
    assert len(counted(*calls)) == 2


def test_another_time_is_another_request() -> None:
    """Reports that were not going on at the same time are of two requests."""
    calls = [call("a", scope="x", at=(0, 10)), call("b", trace=OTHER_TRACE, at=(10, 20))]
    assert len(counted(*calls)) == 2


def test_another_model_is_another_request() -> None:
    """The small model is not a dated name of the large one."""
    calls = [call("a", scope="x", model="gpt-4o"), call("b", trace=OTHER_TRACE, model="gpt-4o-mini")]
    assert len(counted(*calls)) == 2


def test_doubles_pair_up_one_to_one() -> None:
    """Three equal calls in each of two scopes are three requests, the closest in time paired."""
    left = [call(f"l{n}", scope="langchain", at=(n, 100 + n)) for n in range(3)]
    right = [call(f"r{n}", trace=OTHER_TRACE, at=(n + 0.5, 99.5 + n)) for n in range(3)]
    verdicts = settled(*left, *right)
    assert [reason(verdicts[f"l{n}"]) for n in range(3)] == [("duplicate", f"r{n}") for n in range(3)]


def test_of_two_possible_doubles_the_one_with_the_same_prompt_is_it() -> None:
    """Equal requests of two tenants at once keep their tenants, where both libraries tell the prompt."""
    calls = [
        call("l1", scope="langchain", at=(0, 100), input_messages=("from a",)),
        call("l2", scope="langchain", at=(1, 100), input_messages=("from b",)),
        call("r1", trace=OTHER_TRACE, at=(0.1, 99), input_messages=("from b",)),
        call("r2", trace=OTHER_TRACE, at=(1.1, 99), input_messages=("from a",)),
    ]
    verdicts = settled(*calls)
    assert reason(verdicts["l1"]) == ("duplicate", "r2")
    assert reason(verdicts["r1"]) == ("duplicate", "l2")


def test_doubles_of_a_coarse_clock_pair_up_all_the_same() -> None:
    """A hundred equal calls that began and ended in one tick of the clock, in two scopes, are a hundred."""
    calls = [call(f"{scope}{n}", "root", scope=scope) for scope in ("x", "y") for n in range(100)]
    assert len(counted(*calls)) == 100


def test_failures_reported_by_two_scopes_are_one() -> None:
    """A failed request that two libraries report side by side is one failed request."""
    failed = {"success": False, "tokens": None}
    left = [call(f"l{n}", scope="openllmetry", at=(n * 50, n * 50 + 9), **failed) for n in range(3)]
    right = [call(f"r{n}", trace=OTHER_TRACE, at=(n * 50 + 1, n * 50 + 8), **failed) for n in range(3)]
    assert len(counted(*left, *right)) == 3


def test_three_scopes_report_one_request() -> None:
    """A third library that reports the request again adds nothing."""
    calls = [
        call("a", scope="langchain"),
        call("b", trace=OTHER_TRACE, at=(1, 9), scope="openinference", response_id="r"),
        call("c", trace="c" * 32, at=(2, 8), scope="anthropic", response_id="r"),
    ]
    assert len(counted(*calls)) == 1


def test_the_call_that_counts_takes_the_context_of_its_double() -> None:
    """A bare client span gets the tenant of the trace in which a framework reported the same request."""
    verdicts = settled(
        call("chain", "root", scope="langchain"),
        call("b", trace=OTHER_TRACE, at=(1, 9), response_id="r"),
        spans=[
            span("root", tenant="acme"),
            span("chain", "root"),
            span("b", trace=OTHER_TRACE, feature="search"),
        ],
    )
    assert verdicts["b"].counted
    assert verdicts["b"].context == Context(tenant="acme", feature="search")


# Context


def test_context_comes_from_the_nearest_ancestor_then_the_resource() -> None:
    """Each value by itself: own, then the nearest ancestor's own, then the resource's."""
    resource = Context(tenant="from-resource", user="u", environment="prod")
    spans = [
        SpanNode(TRACE, "root", "", Context(tenant="t1", agent="planner"), Context()),
        SpanNode(TRACE, "middle", "root", Context(agent="writer"), Context()),
        SpanNode(TRACE, "leaf", "middle", Context(feature="f"), resource),
    ]
    contexts = places(spans, ()).contexts
    assert contexts[TRACE, "leaf"] == Context(
        tenant="t1", agent="writer", feature="f", user="u", environment="prod"
    )


def test_a_missing_parent_is_no_parent_yet() -> None:
    """A span whose parent has not come has its own context and its resource's."""
    own = SpanNode(TRACE, "leaf", "gone", Context(tenant="t"), Context(user="u"))
    assert places([own], ()).contexts[TRACE, "leaf"] == Context(tenant="t", user="u")


def test_rings_of_parents_end() -> None:
    """Spans that are their own ancestors are taken for roots; those below them inherit as usual."""
    spans = [
        span("self", "self", tenant="t0"),
        span("a", "c", tenant="t1"),
        span("b", "a", feature="f"),
        span("c", "b"),
        span("below", "b"),
    ]
    contexts = places(spans, ()).contexts
    assert contexts[TRACE, "self"] == Context(tenant="t0")
    assert contexts[TRACE, "c"] == Context()
    assert contexts[TRACE, "below"] == Context(feature="f")
    calls = [call("a", "c"), call("b", "a"), call("c", "b"), call("below", "b")]
    assert len(settle(spans, calls)) == 4


# Properties


SCOPES = st.sampled_from(["openai", "langchain", "anthropic"])
STEPS: tuple[StepKind, ...] = ("flow", "task", "agent", "tool")
TOKENS = st.sampled_from([None, (20, 5), (30, 4), (50, 9), (20, None)])


@st.composite
def forests(draw: st.DrawFn) -> tuple[list[SpanNode], list[CallNode]]:
    """Small random traces of a process, with parents that may be missing or form rings."""
    names = [f"s{n}" for n in range(draw(st.integers(1, 9)))]
    spans: list[SpanNode] = []
    calls: list[CallNode] = []
    for name in names:
        trace = draw(st.sampled_from([TRACE, OTHER_TRACE]))
        parent = draw(st.sampled_from(["", "gone", *names]))
        tenant = draw(st.sampled_from([None, "t1", "t2"]))
        kinds = draw(st.sampled_from([None, None, *STEPS]))
        step = None if kinds is None else StepNode(name, kinds, name)
        spans.append(SpanNode(trace, name, parent, Context(tenant=tenant), Context(), step))
        kind = draw(st.sampled_from(["call", "call", "call", "aggregate", "supplement", None]))
        if kind is not None:
            start = draw(st.integers(0, 20))
            calls.append(
                call(
                    name,
                    parent,
                    trace=trace,
                    scope=draw(SCOPES),
                    kind=kind,
                    at=(start, start + draw(st.integers(0, 20))),
                    tokens=draw(TOKENS),
                    model=draw(st.sampled_from(["gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-mini"])),
                    response_id=draw(st.sampled_from([None, None, "r1", "r2"])),
                    success=draw(st.booleans()),
                    may_wrap=draw(st.booleans()),
                )
            )
    return spans, calls


@given(forests(), st.randoms(use_true_random=False))
def test_order_of_arrival_changes_nothing(
    forest: tuple[list[SpanNode], list[CallNode]], random: object
) -> None:
    """The same spans in any order get the same verdicts."""
    spans, calls = forest
    expected = {verdict.call.call_id: verdict for verdict in settle(spans, calls)}
    spans, calls = list(spans), list(calls)
    random.shuffle(spans)
    random.shuffle(calls)
    assert {verdict.call.call_id: verdict for verdict in settle(spans, calls)} == expected


@given(forests())
def test_settling_creates_no_tokens_and_loses_no_call(forest: tuple[list[SpanNode], list[CallNode]]) -> None:
    """Every call gets one verdict; whatever is not counted has a reason, and doubles point at what counts."""
    spans, calls = forest
    verdicts = settle(spans, calls)
    assert [verdict.call.call_id for verdict in verdicts] == [each.call_id for each in calls]
    counting = {verdict.call.call_id for verdict in verdicts if verdict.counted}
    for verdict in verdicts:
        assert verdict.counted is (verdict.not_counted_reason is None)
        assert verdict.duplicate_of is None or verdict.duplicate_of in counting
    said = sum(each.usage.input_tokens or 0 for each in calls)
    assert sum(each.call.usage.input_tokens or 0 for each in verdicts if each.counted) <= said


@given(forests())
def test_usage_is_shown_as_counted_or_as_unattributed(forest: tuple[list[SpanNode], list[CallNode]]) -> None:
    """Where anybody said anything about tokens, some are counted or shown as unattributed."""
    spans, calls = forest
    if any(each.usage.input_tokens for each in calls):
        verdicts = settle(spans, calls)
        assert any(
            each.call.usage.input_tokens
            for each in verdicts
            if each.counted or each.not_counted_reason == "unattributed"
        )


# Speed


def _seconds(spans: Sequence[SpanNode], calls: Sequence[CallNode]) -> float:
    began = time.thread_time()
    settle(spans, calls)
    return time.thread_time() - began


def test_a_chain_of_ten_thousand_calls_is_settled_at_once() -> None:
    """Depth costs no recursion and no quadratic time."""
    spans = [span(f"s{n}", f"s{n - 1}" if n else "") for n in range(10_000)]
    calls = [
        call(f"s{n}", f"s{n - 1}" if n else "", response_id=f"r{n}", tokens=(n, 5)) for n in range(10_000)
    ]
    assert _seconds(spans, calls) < 20


def test_a_thousand_doubles_are_settled_at_once() -> None:
    """Equal calls in two scopes, all at the same time, pair up without comparing all with all."""
    left = [call(f"l{n}", "root", scope="langchain", at=(n / 100, 100 + n / 100)) for n in range(1000)]
    right = [call(f"r{n}", "root", at=(n / 100 + 0.001, 100 + n / 100)) for n in range(1000)]
    assert len([each for each in settle((), [*left, *right]) if each.counted]) == 1000
    assert _seconds((), [*left, *right]) < 20
