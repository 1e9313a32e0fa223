"""OpenLLMetry's spans, from its `llm.*` names to the traceloop SDK."""

from __future__ import annotations

from tests.wire.dialects.made import INTERNAL, described, span, tokens
from watchglass.model import Context, Message
from watchglass.wire.dialects import context, describe, step

OLD = {
    "llm.request.type": "chat",
    "gen_ai.system": "OpenAI",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.openai.api_base": "https://api.deepinfra.com/v1/openai/",
}


def test_indexed_prompts() -> None:
    """The dialect of 2024: indexed messages and tool calls, prompt tokens that include the cache."""
    found = described(
        {
            **OLD,
            "llm.is_streaming": False,
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "Where is it?",
            "gen_ai.prompt.1.role": "tool",
            "gen_ai.prompt.1.tool_call_id": "c1",
            "gen_ai.prompt.1.content": "Lyon",
            "gen_ai.completion.0.finish_reason": "tool_calls",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.tool_calls.0.id": "c2",
            "gen_ai.completion.0.tool_calls.0.name": "look",
            "gen_ai.completion.0.tool_calls.0.arguments": '{"n": 1}',
            "gen_ai.usage.prompt_tokens": 1044,
            "gen_ai.usage.completion_tokens": 17,
            "llm.usage.total_tokens": 1061,
            "gen_ai.usage.cache_read_input_tokens": 1024,
        }
    )
    assert (found.dialect, found.kind, found.operation) == ("openllmetry", "call", "chat")
    assert found.server_address == "https://api.deepinfra.com/v1/openai/"
    assert tokens(found) == (1044, 17, 1024, None, None)
    assert found.finish_reasons == ("tool_calls",)
    assert found.streaming is False
    assert found.input_messages == (
        Message("user", '{"parts":[{"content":"Where is it?","type":"text"}],"role":"user"}'),
        Message(
            "tool", '{"parts":[{"id":"c1","response":"Lyon","type":"tool_call_response"}],"role":"tool"}'
        ),
    )
    assert found.output_messages == (
        Message(
            "assistant",
            '{"parts":[{"arguments":{"n":1},"id":"c2","name":"look","type":"tool_call"}],"role":"assistant"}',
        ),
    )
    assert found.content_keys == (
        "gen_ai.prompt.0.content",
        "gen_ai.prompt.1.content",
        "gen_ai.completion.0.tool_calls.0.arguments",
    )


def test_first_names() -> None:
    """The `llm.*` names of 2023 are read too."""
    found = described(
        {
            "llm.vendor": "Cohere",
            "llm.request.type": "completion",
            "llm.request.model": "command",
            "llm.response.model": "command-r",
            "llm.prompts.0.content": "Hi",
            "llm.completions.0.content": "Ho",
            "llm.usage.prompt_tokens": 2,
            "llm.usage.completion_tokens": 3,
        }
    )
    assert (found.provider_label, found.request_model, found.response_model) == (
        "Cohere",
        "command",
        "command-r",
    )
    assert tokens(found)[:2] == (2, 3)
    assert len(found.input_messages) == len(found.output_messages) == 1


def test_embedding_and_rerank() -> None:
    """The request type names the operation where there is no operation name."""
    assert described({**OLD, "llm.request.type": "embedding"}).operation == "embeddings"
    assert described({**OLD, "llm.request.type": "rerank"}).operation == "rerank"


def test_spans_around_the_calls() -> None:
    """Workflow, task, agent and tool spans are nothing, or a repetition where they carry usage."""
    agent = {"traceloop.span.kind": "agent", "gen_ai.request.model": "gpt-4o", "gen_ai.system": "crewai"}
    assert describe(span(agent, name="Researcher.agent")) is None
    assert described({**agent, "gen_ai.usage.prompt_tokens": 70}, name="Researcher.agent").kind == "aggregate"


def test_crew_sum_in_a_string() -> None:
    """CrewAI's crew span has the sum of all its calls as one string: a repetition."""
    found = described(
        {
            "gen_ai.provider.name": "crewai",
            "gen_ai.operation.name": "invoke_agent",
            "crewai.crew.token_usage": (
                "total_tokens=3406 prompt_tokens=3355 cached_prompt_tokens=2048 completion_tokens=51 "
                "reasoning_tokens=0 successful_requests=3"
            ),
        },
        kind=INTERNAL,
        name="crewai.workflow",
    )
    assert (found.kind, found.dialect) == ("aggregate", "openllmetry")
    assert tokens(found) == (3355, 51, 2048, None, 0)


def test_label_behind_a_framework() -> None:
    """LangChain's own name gives way to the provider that it passes on."""
    found = described(
        {
            "gen_ai.system": "Langchain",
            "llm.request.type": "chat",
            "gen_ai.request.model": "m",
            "traceloop.association.properties.ls_provider": "anthropic",
        }
    )
    assert found.provider_label == "anthropic"


def test_failed_langchain_call_has_no_answering_model() -> None:
    """A failure has no model that answered, though LangChain's instrumentation repeats the one asked for."""
    found = described(
        {**OLD, "gen_ai.response.model": "gpt-4o", "error.type": "OpenAIRateLimitError"},
        status=2,
        message="429",
    )
    assert (found.success, found.error_type, found.response_model) == (False, "OpenAIRateLimitError", None)


def test_agent_and_task_of_a_crew() -> None:
    """An agent span names its agent; a CrewAI task its agent, and in its step its id."""
    agent = span({"traceloop.span.kind": "agent", "traceloop.entity.name": "clerk"})
    task = span({"traceloop.span.kind": "task", "crewai.task.id": "t-1", "crewai.task.agent": "Writer"})
    assert context(agent) == Context(agent="clerk")
    assert context(task) == Context(agent="Writer")
    done = step(task)
    assert done is not None
    assert (done.kind, done.agent, done.metadata) == ("task", "Writer", {"crewai.task.id": "t-1"})
