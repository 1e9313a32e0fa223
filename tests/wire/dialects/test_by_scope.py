"""Dialects that are known by their scope: Bedrock, Strands, Google ADK, OpenAI Agents."""

from __future__ import annotations

from tests.wire.dialects.made import INTERNAL, described, span, tokens
from watchglass.model import Context
from watchglass.wire.context import own_context
from watchglass.wire.dialects import context, describe

BEDROCK = "opentelemetry.instrumentation.botocore.bedrock-runtime"
ADK = "gcp.vertex.agent"
AGENTS = "opentelemetry.instrumentation.openai_agents"


def test_bedrock_leaves_the_cache_out_of_input() -> None:
    """Bedrock's input leaves the cached tokens out, even where it is many; its method tells of streams."""
    found = described(
        {
            "rpc.method": "ConverseStream",
            "gen_ai.system": "aws.bedrock",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "eu.amazon.nova-pro-v1:0",
            "gen_ai.usage.input_tokens": 5000,
            "gen_ai.usage.output_tokens": 17,
            "gen_ai.usage.cache_read.input_tokens": 1024,
            "gen_ai.usage.cache_creation.input_tokens": 2048,
        },
        scope=BEDROCK,
    )
    assert tokens(found) == (8072, 17, 1024, 2048, None)
    assert (found.dialect, found.streaming) == ("otel-bedrock", True)
    assert describe(span({"rpc.method": "PutObject"}, scope=BEDROCK)) is None


def test_strands() -> None:
    """The chat span is the call, with milliseconds to the first token; the agent repeats the sum."""
    usage = {
        "gen_ai.usage.input_tokens": 1568,
        "gen_ai.usage.prompt_tokens": 1568,
        "gen_ai.usage.output_tokens": 17,
    }
    found = described(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "strands-agents",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.server.time_to_first_token": 217,
            **usage,
        },
        scope="strands.telemetry.tracer",
        kind=INTERNAL,
        events=(
            ("gen_ai.user.message", 1, {"content": '[{"text": "When?"}]'}),
            (
                "gen_ai.choice",
                9,
                {
                    "finish_reason": "tool_use",
                    "message": '[{"toolUse": {"toolUseId": "t1", "name": "order", "input": {"n": 1}}}]',
                },
            ),
        ),
    )
    assert (found.kind, found.ttft_ns, found.finish_reasons) == ("call", 217_000_000, ("tool_use",))
    assert found.input_messages[0].content == '{"parts":[{"content":"When?","type":"text"}],"role":"user"}'
    assert '"tool_call"' in found.output_messages[0].content
    agent = described({"gen_ai.operation.name": "invoke_agent", **usage}, scope="strands.telemetry.tracer")
    assert agent.kind == "aggregate"


def test_strands_hands_on_what_the_provider_counts() -> None:
    """Through Strands, Bedrock's and Anthropic's input leaves the cache out, OpenAI's includes it."""
    about = {
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": 5000,
        "gen_ai.usage.output_tokens": 17,
        "gen_ai.usage.total_tokens": 5017,
        "gen_ai.usage.cache_read_input_tokens": 1000,
    }
    for model, expected in (
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", 6000),
        ("amazon.nova-pro-v1:0", 6000),
        ("claude-sonnet-4-5", 6000),
        ("gpt-4o", 5000),
        ("anthropic/claude-sonnet-4-5", 5000),
    ):
        found = described({**about, "gen_ai.request.model": model}, scope="strands.telemetry.tracer")
        assert tokens(found)[0] == expected, model


def test_adk_adds_the_thinking() -> None:
    """ADK's output attribute leaves thoughts out; the recorded response has all usage and messages."""
    found = described(
        {
            "gen_ai.system": "gcp.vertex.agent",
            "gen_ai.request.model": "gemini-2.5-flash",
            "gcp.vertex.agent.llm_request": (
                '{"model": "gemini-2.5-flash", "config": {"system_instruction": "Be brief."},'
                ' "contents": [{"parts": [{"text": "When?"}], "role": "user"}]}'
            ),
            "gcp.vertex.agent.llm_response": (
                '{"content": {"parts": [{"text": "Soon."}], "role": "model"}, "usage_metadata":'
                ' {"prompt_token_count": 1548, "cached_content_token_count": 1024,'
                ' "candidates_token_count": 17, "thoughts_token_count": 128, "total_token_count": 1693}}'
            ),
            "gen_ai.usage.input_tokens": 1548,
            "gen_ai.usage.output_tokens": 17,
        },
        scope=ADK,
        name="call_llm",
        kind=INTERNAL,
    )
    assert (found.dialect, found.operation, found.may_wrap) == ("google-adk", "generate_content", True)
    assert tokens(found) == (1548, 145, 1024, None, 128)
    assert [each.role for each in found.input_messages] == ["system", "user"]
    assert (
        found.output_messages[0].content == '{"parts":[{"content":"Soon.","type":"text"}],"role":"assistant"}'
    )


def test_adk_usage_of_another_provider() -> None:
    """Where the total shows that the answer holds the thoughts, they are not added again."""
    response = (
        '{"usage_metadata": {"prompt_token_count": 10, "candidates_token_count": 50,'
        ' "thoughts_token_count": 30, "total_token_count": 60}}'
    )
    found = described(
        {"gen_ai.request.model": "openai/o4-mini", "gcp.vertex.agent.llm_response": response},
        scope=ADK,
        name="call_llm",
    )
    assert tokens(found) == (10, 50, None, None, 30)


def test_adk_tool_is_nothing() -> None:
    """A tool's span has empty requests and is no call; an agent's names the agent."""
    tool = {"gen_ai.operation.name": "execute_tool", "gcp.vertex.agent.llm_response": "{}"}
    assert describe(span(tool, scope=ADK, name="execute_tool get_order")) is None
    assert context(span({}, scope=ADK, name="agent_run [order_agent]")) == Context(agent="order_agent")


def test_openai_agents_default_host_and_agent() -> None:
    """The instrumentation's default host and its placeholder of an agent prove nothing and are left out."""
    about = {
        "gen_ai.provider.name": "openai",
        "gen_ai.system": "openai",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.agent.name": "OpenAI Agent",
        "server.address": "api.openai.com",
        "gen_ai.usage.input_tokens": 5,
    }
    found = described(about, scope=AGENTS)
    assert (found.dialect, found.server_address) == ("otel-openai-agents", None)
    assert own_context(span(about, scope=AGENTS)).agent is None
    assert (
        described({**about, "server.address": "llm.internal"}, scope=AGENTS).server_address == "llm.internal"
    )
    assert (
        describe(span({**about, "gen_ai.operation.name": "unknown", "gen_ai.usage.input_tokens": None}))
        is None
    )
