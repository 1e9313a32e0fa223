"""OpenInference: requests, what only looks like one, sums, and what the answer in `output.value` adds."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest

from tests.wire.dialects.made import INTERNAL, described, span, tokens
from watchglass.model import Context
from watchglass.wire.dialects import context, describe

OPENAI = "openinference.instrumentation.openai"
ANTHROPIC = "openinference.instrumentation.anthropic"

ANSWER = {
    "id": "chatcmpl-7",
    "object": "chat.completion",
    "model": "gpt-4o-2024-08-06",
    "service_tier": "flex",
    "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "Blue."}}],
    "usage": {
        "prompt_tokens": 1200,
        "completion_tokens": 60,
        "total_tokens": 1260,
        "prompt_tokens_details": {"cached_tokens": 1024},
        "completion_tokens_details": {"reasoning_tokens": 40},
    },
}


def test_a_request_by_the_openai_client() -> None:
    """The answered model is `llm.model_name`; the asked one, id, tier and streaming come out of JSON."""
    found = described(
        {
            "openinference.span.kind": "LLM",
            "llm.provider": "azure",
            "llm.system": "openai",
            "llm.model_name": "gpt-4o-2024-08-06",
            "llm.invocation_parameters": '{"model": "my-deployment", "stream": true}',
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": "Be brief.",
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.content": "Which colour?",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "Blue.",
            "llm.finish_reason": "stop",
            "llm.token_count.prompt": 1200,
            "llm.token_count.completion": 60,
            "llm.token_count.total": 1260,
            "llm.token_count.prompt_details.cache_read": 1024,
            "llm.token_count.completion_details.reasoning": 40,
            "output.value": json.dumps(ANSWER),
        },
        scope=OPENAI,
        name="ChatCompletion",
        kind=INTERNAL,
        status=1,
        events=(("First Token Stream Event", 250_000_000, {}),),
    )
    assert (found.kind, found.operation, found.dialect) == ("call", "chat", "openinference")
    assert tokens(found) == (1200, 60, 1024, None, 40)
    assert (found.request_model, found.response_model) == ("my-deployment", "gpt-4o-2024-08-06")
    assert (found.response_id, found.service_tier, found.provider_label) == ("chatcmpl-7", "flex", "azure")
    assert (found.ttft_ns, found.streaming, found.finish_reasons) == (250_000_000, True, ("stop",))
    assert [each.role for each in found.input_messages] == ["system", "user"]
    assert found.output_messages[0].content == (
        '{"parts":[{"content":"Blue.","type":"text"}],"role":"assistant"}'
    )
    assert found.content_keys[-1] == "output.value"
    assert not found.may_wrap


def test_a_protocol_is_no_provider() -> None:
    """The openai client's `llm.system` tells only the protocol; that of other scopes tells the provider."""
    attributes = {"openinference.span.kind": "LLM", "llm.system": "openai", "llm.model_name": "qwen3:8b"}
    assert described(attributes, scope=OPENAI).provider_label is None
    assert (
        described(attributes, scope="openinference.instrumentation.openai_agents").provider_label == "openai"
    )
    no_system = {"openinference.span.kind": "LLM", "llm.model_name": "llama-3.3-70b-versatile"}
    assert described(no_system, scope="openinference.instrumentation.groq").provider_label == "groq"


@pytest.mark.parametrize("key", ["api_base", "base_url", "azure_endpoint"])
def test_the_host_is_among_the_parameters(key: str) -> None:
    """The base URL stands in the invocation parameters under the client's own name for it."""
    found = described(
        {
            "openinference.span.kind": "LLM",
            "llm.invocation_parameters": json.dumps({"model": "m", key: "https://llm.example/v1"}),
        },
        scope="openinference.instrumentation.litellm",
    )
    assert found.server_address == "https://llm.example/v1"
    assert found.may_wrap


def test_an_answer_among_the_parameters_names_no_requested_model() -> None:
    """openai-agents puts the whole answer among the parameters: its model was not asked for."""
    found = described(
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "gpt-4o-2024-08-06",
            "llm.invocation_parameters": '{"id": "resp_1", "created_at": 1.0, "model": "gpt-4o-2024-08-06"}',
            "output.value": '{"id": "resp_1", "object": "response", "model": "gpt-4o-2024-08-06"}',
        },
        scope="openinference.instrumentation.openai_agents",
    )
    assert (found.request_model, found.response_model) == (None, "gpt-4o-2024-08-06")
    assert found.response_id == "resp_1"


def test_a_failed_request_is_a_call() -> None:
    """A failure has its exception, no usage, and the model that was asked for."""
    found = described(
        {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "llm.provider": "openai"},
        scope=OPENAI,
        status=2,
        message="RateLimitError: too many",
        events=(
            ("exception", 5, {"exception.type": "openai.RateLimitError", "exception.message": "too many"}),
        ),
    )
    assert (found.kind, found.success, found.error_type) == ("call", False, "openai.RateLimitError")
    assert found.request_model == "gpt-4o"
    assert tokens(found) == (None, None, None, None, None)


@pytest.mark.parametrize(
    ("scope", "name", "output"),
    [
        (OPENAI, "InputTokenCountResponse", None),
        (OPENAI, "SyncCursorPage", '{"data": []}'),
        (OPENAI, "FileObject", '{"id": "file-1"}'),
        (ANTHROPIC, "messages.count_tokens", '{"input_tokens": 12}'),
        ("some.library", "measure", '{"total_tokens": 31}'),
        ("openinference.instrumentation.llama_index", "OpenAI._prepare_chat_with_tools", '{"messages": []}'),
    ],
)
def test_llm_kind_and_no_request(scope: str, name: str, output: str | None) -> None:
    """Token counting, preparation and the rest of OpenAI's API have kind LLM and ask no model."""
    attributes = {"openinference.span.kind": "LLM", "llm.invocation_parameters": '{"model": "gpt-4o"}'}
    if output is not None:
        attributes["output.value"] = output
    assert describe(span(attributes, scope=scope, name=name)) is None


@pytest.mark.parametrize("kind", ["CHAIN", "TOOL", "PROMPT", "RETRIEVER", "AGENT", "GUARDRAIL", 7])
def test_other_kinds_are_nothing(kind: str | int) -> None:
    """Steps that say nothing of tokens have nothing to do with requests."""
    assert describe(span({"openinference.span.kind": kind, "output.value": "done"}, name="step")) is None


def test_an_agent_repeats_the_sum() -> None:
    """smolagents writes the sum of the calls into the agent's span in the names of the calls."""
    found = described(
        {
            "openinference.span.kind": "AGENT",
            "llm.token_count.prompt": 900,
            "llm.token_count.completion": 30,
            "llm.token_count.total": 930,
        },
        scope="openinference.instrumentation.smolagents",
    )
    assert found.kind == "aggregate"
    assert tokens(found) == (900, 30, None, None, None)


def test_a_crew_has_its_sum_in_its_output() -> None:
    """CrewAI's own figures stand inside the crew's output; a listener writes the bare total."""
    output = {
        "raw": "done",
        "tasks_output": [],
        "token_usage": {
            "total_tokens": 3406,
            "prompt_tokens": 3355,
            "cached_prompt_tokens": 2048,
            "completion_tokens": 51,
            "successful_requests": 3,
        },
    }
    crew = {"openinference.span.kind": "CHAIN", "output.value": json.dumps(output)}
    found = described(crew, scope="openinference.instrumentation.crewai", name="crew.kickoff")
    assert (found.kind, found.usage.total_tokens) == ("aggregate", 3406)
    assert tokens(found) == (3355, 51, 2048, None, None)
    assert describe(span(crew, scope="openinference.instrumentation.langchain")) is None
    bare = described({"openinference.span.kind": "CHAIN", "llm.token_count.total": 3406})
    assert (bare.kind, bare.usage.total_tokens, bare.usage.known) == ("aggregate", 3406, False)


def test_embeddings() -> None:
    """An embedding has texts, input tokens and no output."""
    found = described(
        {
            "openinference.span.kind": "EMBEDDING",
            "embedding.model_name": "text-embedding-3-small",
            "embedding.embeddings.0.embedding.text": "a parcel",
            "embedding.embeddings.1.embedding.text": "__REDACTED__",
            "embedding.embeddings.0.embedding.vector": [0.1, 0.2],
            "llm.token_count.prompt": 4,
            "llm.cost.total": 8e-08,
        },
        name="CreateEmbeddings",
    )
    assert (found.operation, found.request_model) == ("embeddings", "text-embedding-3-small")
    assert tokens(found) == (4, None, None, None, None)
    assert found.reported_cost_usd == Decimal("8e-8")
    assert [each.content for each in found.input_messages] == [
        '{"parts":[{"content":"a parcel","type":"text"}],"role":"user"}'
    ]


def test_zeros_that_mean_unknown() -> None:
    """No request is without tokens and no known price is 0: both are what nobody knew."""
    found = described(
        {
            "openinference.span.kind": "LLM",
            "llm.token_count.prompt": 0,
            "llm.token_count.completion": 0,
            "llm.token_count.prompt_details.cache_read": 0,
            "llm.cost.total": 0.0,
        }
    )
    assert tokens(found) == (None, None, None, None, None)
    assert found.reported_cost_usd is None


def test_bedrock_leaves_the_cache_out() -> None:
    """A total that adds up only with the cached tokens shows that they are not in the prompt."""
    found = described(
        {
            "openinference.span.kind": "LLM",
            "llm.token_count.prompt": 5000,
            "llm.token_count.completion": 10,
            "llm.token_count.total": 8082,
            "llm.token_count.prompt_details.cache_read": 1024,
            "llm.token_count.prompt_details.cache_write": 2048,
        },
        scope="openinference.instrumentation.bedrock",
    )
    assert tokens(found) == (8072, 10, 1024, 2048, None)


def test_anthropics_answer_has_the_cache_that_the_span_left_out() -> None:
    """A prompt that is Anthropic's own input excludes what the answer says was cached."""
    usage = {"input_tokens": 21, "output_tokens": 17, "cache_read_input_tokens": 1024}
    found = described(
        {
            "openinference.span.kind": "LLM",
            "llm.token_count.prompt": 21,
            "llm.token_count.completion": 17,
            "output.value": json.dumps({"id": "msg_1", "type": "message", "model": "claude", "usage": usage}),
        },
        scope=ANTHROPIC,
    )
    assert tokens(found) == (1045, 17, 1024, None, None)


def test_streams_of_the_old_anthropic_instrumentation() -> None:
    """Before 1.0 a stream's prompt lacks the cache without a trace: where caching is asked for, unknown."""
    made = span(
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "claude-sonnet-4-5",
            "llm.token_count.prompt": 12,
            "llm.token_count.completion": 17,
            "input.value": '{"messages": [{"role": "user", "content": "Hi"}]}',
        },
        scope=ANTHROPIC,
        name="Messages",
    )
    old = msgspec.structs.replace(made, scope=msgspec.structs.replace(made.scope, version="0.1.20"))
    plain = describe(old)
    cached = {**old.attributes, "input.value": '{"system": [{"cache_control": {"type": "ephemeral"}}]}'}
    told = describe(msgspec.structs.replace(old, attributes=cached))
    assert plain is not None
    assert told is not None
    assert tokens(plain) == (12, 17, None, None, None)
    assert tokens(told) == (None, 17, None, None, None)


def test_langchains_result() -> None:
    """The answered model and the provider's id are inside LangChain's result, also of a stream."""
    metadata = {"id": "chatcmpl-9", "model_name": "gpt-4o-mini-2024-07-18", "finish_reason": "stop"}
    message = {"kwargs": {"id": "lc_run--5", "content": "Blue.", "response_metadata": metadata}}
    found = described(
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "gpt-4o-mini",
            "llm.invocation_parameters": '{"model": "gpt-4o-mini"}',
            "output.value": json.dumps({"generations": [[{"text": "Blue.", "message": message}]]}),
        },
        scope="openinference.instrumentation.langchain",
        name="ChatOpenAI",
    )
    assert (found.response_id, found.finish_reasons) == ("chatcmpl-9", ("stop",))
    assert (found.request_model, found.response_model) == ("gpt-4o-mini", "gpt-4o-mini-2024-07-18")
    assert found.may_wrap
    assert found.output_messages[0].content == (
        '{"parts":[{"content":"Blue.","type":"text"}],"role":"assistant"}'
    )


def test_an_answer_as_python_text() -> None:
    """smolagents keeps the client's answer as its Python text, the only place that tells of the cache."""
    raw = (
        "ChatCompletion(id='chatcmpl-3', choices=[Choice(finish_reason='stop', message=Message(content="
        "'cached_tokens=999999 usage=')) ], model='gpt-4o-2024-08-06', service_tier='default', "
        "usage=CompletionUsage(completion_tokens=17, prompt_tokens=2432, total_tokens=2449, "
        "prompt_tokens_details=PromptTokensDetails(audio_tokens=0, cached_tokens=1024)))"
    )
    found = described(
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "gpt-4o",
            "llm.token_count.prompt": 2432,
            "llm.token_count.completion": 17,
            "output.value": json.dumps({"role": "assistant", "content": "x", "raw": raw}),
        },
        scope="openinference.instrumentation.smolagents",
    )
    assert tokens(found) == (2432, 17, 1024, None, None)
    assert (found.response_id, found.response_model) == ("chatcmpl-3", "gpt-4o-2024-08-06")


def test_tool_calls_and_their_results() -> None:
    """Tool calls stand beside the content, among it (Anthropic), or both: each is one part."""
    call = {
        "tool_call.id": "t1",
        "tool_call.function.name": "get_order",
        "tool_call.function.arguments": '{"n": 1}',
    }
    prefix = "llm.output_messages.0.message."
    found = described(
        {
            "openinference.span.kind": "LLM",
            "llm.input_messages.0.message.role": "tool",
            "llm.input_messages.0.message.tool_call_id": "t0",
            "llm.input_messages.0.message.content": "Tuesday",
            prefix + "role": "assistant",
            prefix + "contents.0.message_content.type": "text",
            prefix + "contents.0.message_content.text": "Let me look.",
            **{f"{prefix}contents.1.{key}": value for key, value in call.items()},
            **{f"{prefix}tool_calls.0.{key}": value for key, value in call.items()},
        },
        scope=ANTHROPIC,
    )
    assert json.loads(found.output_messages[0].content)["parts"] == [
        {"type": "text", "content": "Let me look."},
        {"type": "tool_call", "id": "t1", "name": "get_order", "arguments": {"n": 1}},
    ]
    assert json.loads(found.input_messages[0].content)["parts"] == [
        {"type": "tool_call_response", "id": "t0", "response": "Tuesday"}
    ]
    assert f"{prefix}contents.0.message_content.text" in found.content_keys


def test_hidden_content_is_no_message() -> None:
    """What the instrumentation was told to hide is left out, not stored as a text."""
    found = described(
        {
            "openinference.span.kind": "LLM",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "__REDACTED__",
            "input.value": "__REDACTED__",
            "output.value": "__REDACTED__",
            "llm.token_count.prompt": 5,
        }
    )
    assert (found.input_messages, found.output_messages) == ((), ())


def test_messages_where_there_are_only_bodies() -> None:
    """Without message attributes the messages come out of `input.value` and `output.value`."""
    found = described(
        {
            "openinference.span.kind": "LLM",
            "input.value": '[{"role": "user", "content": "Which colour?"}]',
            "output.value": json.dumps([{"id": "t1", "function": {"name": "look", "arguments": "{}"}}]),
        }
    )
    assert [each.role for each in found.input_messages] == ["user"]
    assert json.loads(found.output_messages[0].content) == {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "t1", "name": "look", "arguments": {}}],
    }
    assert found.content_keys == ("input.value", "output.value")


def test_rewritten_spans_of_other_scopes() -> None:
    """Arize's processors rewrite other libraries' spans in place: the kind counts, not the scope."""
    rewritten = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "gpt-4o",
        "llm.token_count.prompt": 25,
        "llm.token_count.completion": 17,
    }
    for scope in ("strands.telemetry.tracer", "litellm"):
        found = described(rewritten, scope=scope)
        assert (found.dialect, tokens(found)) == ("openinference", (25, 17, None, None, None))


def test_a_frameworks_id_is_no_response_id() -> None:
    """An `id` beside nothing that a provider says is the framework's own."""
    found = described({"openinference.span.kind": "LLM", "output.value": '{"id": "run-1", "content": "x"}'})
    assert found.response_id is None


def test_both_conventions_at_once() -> None:
    """Where the GenAI conventions' names stand beside, they fill what is missing and are content too."""
    found = described(
        {
            "openinference.span.kind": "LLM",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.response.model": "claude-sonnet-4-5-20250929",
            "gen_ai.response.id": "msg_1",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.usage.input_tokens": 3084,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.cache_read.input_tokens": 1024,
            "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]',
        },
        scope=ANTHROPIC,
    )
    assert tokens(found) == (3084, 17, 1024, None, None)
    assert (found.response_id, found.provider_label) == ("msg_1", "anthropic")
    assert (found.request_model, found.response_model) == ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929")
    assert found.content_keys == ("gen_ai.input.messages",)
    assert len(found.input_messages) == 1


def test_the_agent_is_an_agent_spans() -> None:
    """Only a span of kind AGENT names an agent: elsewhere the node is a step of a graph."""
    agent = {"openinference.span.kind": "AGENT", "graph.node.id": "Researcher"}
    assert context(span(agent)) == Context(agent="Researcher")
    assert context(span({**agent, "openinference.span.kind": "CHAIN"})) == Context()
