"""What every dialect keeps (`contract.py`), whatever the attributes hold."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.dialects.made import span
from watchglass.model import Described, Step
from watchglass.wire.context import own_context
from watchglass.wire.dialects import DIALECTS, MARKERS, context, describe, step, totals

NUMBERS = st.integers() | st.floats() | st.integers(0, 5000).map(str)
TEXTS = st.sampled_from(
    [
        "chat",
        "call_llm",
        "[]",
        "{}",
        "null",
        '[{"role": "user", "parts": [{"type": "text"}]}]',
        '[{"role": 1, "content": [{"text": 2}, 3, null]}]',
        '{"usage_metadata": {"prompt_token_count": "x"}, "content": {"parts": [1]}}',
        "{'prompt_tokens': 5, 'prompt_tokens_details': {'cached_tokens': -1}}",
        '[{"type": {"a": 1}, "text": 3}]',
        "[" * 3000,
        '{"content": {"parts": ' + "[" * 900 + "]" * 900 + "}}",
        "prompt_tokens=9999999999999999999999",
    ]
) | st.text(max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "role", "content", "parts", "tool_calls", "toolUse", "function"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        *sorted(MARKERS),
        *("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.cache_read.input_tokens"),
        *(
            "gen_ai.usage.reasoning_tokens",
            "gen_ai.usage.total_tokens",
            "gen_ai.input.messages",
            "error.type",
        ),
        *("gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.prompt", "gen_ai.prompt.0.content"),
        *("gen_ai.prompt.0.role", "gen_ai.prompt.x.role", "gen_ai.completion.0.tool_calls.0.name"),
        *("gen_ai.completion.0.role", "gen_ai.completion.0.finish_reason", "gen_ai.response.finish_reasons"),
        *("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token", "hidden_params"),
        *("metadata.usage_object", "llm.openai.usage", "llm.openai.id", "gcp.vertex.agent.llm_request"),
        *("crewai.crew.token_usage", "litellm.cost.total", "rpc.method", "litellm.model_group"),
        *("traceloop.entity.name", "traceloop.entity.input", "input.value", "output.value", "metadata"),
        *("gen_ai.agent.name", "gen_ai.tool.call.arguments", "gen_ai.task.status", "watchglass.task.id"),
        *("watchglass.cache_hit", "watchglass.ttft_ns", "watchglass.cost.reported_usd", "watchglass.attempt"),
        *("watchglass.metadata.a", "watchglass.usage.total_tokens", "watchglass.request_sent"),
    ]
)
SCOPES = st.sampled_from(
    [
        *(
            "litellm",
            "strands.telemetry.tracer",
            "gcp.vertex.agent",
            "opentelemetry.instrumentation.openai_agents",
        ),
        *("opentelemetry.instrumentation.botocore.bedrock-runtime", "traceloop.tracer", "anything", ""),
        *("watchglass.litellm", "watchglass.steps"),
        *("openinference.instrumentation.crewai", "openinference.instrumentation.llama_index"),
        *("openinference.instrumentation.langchain", "opentelemetry.instrumentation.langchain"),
    ]
)
NAMES = st.sampled_from(
    ["raw_gen_ai_request", "call_llm", "agent_run [a]", "chat", "a.run", "invocation", ""]
)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["gen_ai.choice", "gen_ai.user.message", "exception", "gen_ai.content.prompt"]),
        st.integers(-5, 5),
        st.dictionaries(
            st.sampled_from(["content", "message", "exception.type", "gen_ai.prompt"]), VALUES, max_size=3
        ),
    ),
    max_size=2,
)


@given(st.dictionaries(KEYS, VALUES, max_size=10), SCOPES, NAMES, EVENTS, st.integers(0, 2))
def test_never_raises_and_says_the_same_twice(
    attributes: dict[str, Any], scope: str, name: str, events: Any, status: int
) -> None:
    """No attribute value makes a dialect raise; the record is typed as declared; asked again it is equal."""
    made = span(attributes, scope=scope, name=name, events=tuple(events), status=status)
    found = describe(made)
    own_context(made)
    done = step(made)
    if done is not None:
        msgspec.convert(msgspec.to_builtins(done), Step)
        assert set(done.content_keys) <= set(attributes) and done.name
        assert step(span(attributes, scope=scope, name=name, events=tuple(events), status=status)) == done
    if found is None:
        return
    msgspec.convert(msgspec.to_builtins(found), Described)
    assert set(found.content_keys) <= set(attributes)
    again = describe(span(attributes, scope=scope, name=name, events=tuple(events), status=status))
    assert again == found


@given(st.dictionaries(KEYS, st.integers(0, 5000), max_size=12))
def test_parts_are_within_their_totals(attributes: dict[str, Any]) -> None:
    """Whatever is reported, input is never less than its cached parts, nor output less than reasoning."""
    usage = totals.usage(attributes)
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    assert usage.input_tokens is None or usage.input_tokens >= cached
    assert usage.output_tokens is None or usage.output_tokens >= (usage.reasoning_tokens or 0)


def test_names_are_unique() -> None:
    """A record's dialect names one reader."""
    names = [each.name for each in DIALECTS]
    assert len(set(names)) == len(names)


def test_a_span_asked_twice_is_matched_once() -> None:
    """Description and context of one span come from the same dialect, also with another span in between."""
    first = span({"traceloop.span.kind": "agent", "traceloop.entity.name": "clerk"})
    other = span({"gen_ai.system": "x"})
    assert (context(first).agent, context(other).agent, context(first).agent) == ("clerk", None, "clerk")
