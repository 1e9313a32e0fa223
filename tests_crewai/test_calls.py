"""Requests that a crew sends, against the provider's own ledger: each once, with its tokens, whichever
client."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
from crewai import LLM

from tests.capture.provider import Answer
from tests_crewai.conftest import Recorded, ToolProvider
from tests_crewai.crews import agent, crew, model, task, weather
from watchglass.capture.context import context
from watchglass.capture.records import SpanRecord

TOKENS = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read": "gen_ai.usage.cache_read.input_tokens",
    "reasoning": "gen_ai.usage.reasoning.output_tokens",
}

SAID = Answer(text="sunny", input_tokens=100, output_tokens=30, cache_read=40, reasoning=10)


def agrees(recorded: Recorded, provider: ToolProvider) -> None:
    """Each request in the ledger is one call, in order, with its model, outcome, id and tokens; and no
    other."""
    calls = recorded.calls
    assert len(calls) == len(provider.ledger) > 0
    for call, request in zip(calls, provider.ledger, strict=True):
        assert call.attributes["gen_ai.request.model"] == request.model
        assert (call.status == 2) == (request.status >= 400), call
        assert call.attributes["http.response.status_code"] == request.status
        assert call.attributes["server.port"] == provider.port
        if request.status >= 400:
            assert "gen_ai.usage.input_tokens" not in call.attributes
            continue
        assert call.attributes["gen_ai.response.id"] == request.response_id
        for field, key in TOKENS.items():
            if field == "reasoning" and request.path.endswith("/messages"):
                assert key not in call.attributes  # Anthropic does not say
            elif request.told:
                assert call.attributes.get(key, 0) == getattr(request, field), (field, request)
            else:
                assert key not in call.attributes


def anthropic(provider: ToolProvider, **more: Any) -> Any:
    return LLM(model="anthropic/claude-sonnet-4-5", base_url=provider.url, api_key="sk-ant-secret", **more)


def responses(provider: ToolProvider, **more: Any) -> Any:
    return model(provider, "gpt-5-mini", api="responses", **more)


MODELS = {
    "openai": model,
    "openai, streamed": lambda provider: model(provider, stream=True),
    "openai responses": responses,
    "openai responses, streamed": lambda provider: responses(provider, stream=True),
    "anthropic": anthropic,
    "anthropic, streamed": lambda provider: anthropic(provider, stream=True),
    "litellm": lambda provider: model(provider, litellm=True),
    "litellm, streamed": lambda provider: model(provider, litellm=True, stream=True),
}


@pytest.mark.parametrize("way", MODELS)
def test_each_request_of_a_crew_is_one_call(provider: ToolProvider, recorded: Recorded, way: str) -> None:
    """With a tool or without, by CrewAI's own clients and through LiteLLM, streamed or whole: the ledger."""
    provider.default = SAID
    crew(task(agent(MODELS[way](provider))), task(agent(MODELS[way](provider)), "second")).kickoff()
    agrees(recorded, provider)
    scope = "watchglass.litellm" if way.startswith("litellm") else "watchglass.crewai"
    assert {each.scope for each in recorded.calls} == {scope}
    assert {each.attributes["gen_ai.provider.name"] for each in recorded.calls} == {
        "anthropic" if "anthropic" in way else "openai"
    }


@pytest.mark.parametrize("way", ["openai", "openai, streamed", "anthropic", "anthropic, streamed", "litellm"])
def test_each_turn_of_a_loop_of_tools_is_one_call(
    provider: ToolProvider, recorded: Recorded, way: str
) -> None:
    """A tool that the model asks for costs a second request; both are below the agent, the tool's result and
    the model's wish for it in their messages."""
    provider.default = SAID
    crew(task(agent(MODELS[way](provider), tools=[weather]))).kickoff()
    agrees(recorded, provider)
    assert len(recorded.calls) == 2
    (one,) = recorded.of("invoke_agent")
    assert [recorded.above(each) for each in recorded.calls] == [one, one]
    wish, answer = recorded.calls
    assert "weather" in str(wish.attributes["gen_ai.output.messages"])
    assert "Rome" in str(wish.attributes["gen_ai.output.messages"])
    assert "sunny in Rome" in str(answer.attributes["gen_ai.input.messages"])
    assert "sunny" in str(answer.attributes["gen_ai.output.messages"])


@pytest.mark.parametrize("way", ["openai", "anthropic"])
def test_a_retry_that_the_client_hides_is_a_call_of_its_own(
    provider: ToolProvider, recorded: Recorded, way: str
) -> None:
    """A client that is answered 500 sends again and says nothing: two calls, the second a retry of the
    first."""
    provider.fail(500)
    crew(task(agent(MODELS[way](provider)))).kickoff()
    agrees(recorded, provider)
    failed, answered = recorded.calls
    assert failed.attributes["error.type"] == "InternalServerError"
    assert "scripted failure 500" in failed.status_message
    assert answered.attributes["watchglass.retry_of"] == f"{failed.trace_id.hex()}:{failed.span_id.hex()}"
    assert answered.attributes["watchglass.attempt"] == 2


@pytest.mark.parametrize("way", ["openai", "openai, streamed", "anthropic", "litellm"])
def test_asynchronous_crews_send_the_same_calls(provider: ToolProvider, recorded: Recorded, way: str) -> None:
    """`akickoff` uses other clients; the ledger is met all the same."""
    provider.default = SAID
    asyncio.run(crew(task(agent(MODELS[way](provider), tools=[weather]))).akickoff())
    agrees(recorded, provider)


def test_a_refused_request_is_a_failed_call_with_the_providers_words(
    provider: ToolProvider, recorded: Recorded
) -> None:
    """401: its type, status and message; no tokens, and the application's error is the provider client's."""
    provider.fail(*[401] * 20)
    with pytest.raises(Exception, match="401"):
        crew(task(agent(model(provider), max_retry_limit=0))).kickoff()
    agrees(recorded, provider)
    assert {each.attributes["error.type"] for each in recorded.calls} == {"AuthenticationError"}
    assert {each.status_message for each in recorded.calls} == {"scripted failure 401"}


def test_a_connection_that_breaks_is_a_failed_call_each_time(
    provider: ToolProvider, recorded: Recorded
) -> None:
    """No answer at all: a failed call without a status, then the retry that was answered."""
    provider.fail("reset")
    crew(task(agent(model(provider)))).kickoff()
    broken, answered = recorded.calls
    assert (broken.status, answered.status) == (2, 0)
    assert "http.response.status_code" not in broken.attributes
    assert len(provider.ledger) == 2


@pytest.mark.parametrize("way", ["openai, streamed", "anthropic, streamed"])
def test_a_stream_that_breaks_off_is_a_failed_call(
    provider: ToolProvider, recorded: Recorded, way: str
) -> None:
    """What came of the answer is kept; what it took is unknown, unless the beginning said it."""
    provider.fail("cut")
    llm = MODELS[way](provider)
    with suppress(Exception):  # what the client makes of it is its own affair
        llm.call("weather?")
    first = recorded.calls[0]
    assert first.status == 2
    assert first.attributes["watchglass.stream.end"] == "failed"


@pytest.mark.parametrize("way", ["openai, streamed", "anthropic, streamed"])
def test_a_streamed_answer_says_when_its_first_token_came(
    provider: ToolProvider, recorded: Recorded, way: str
) -> None:
    """Time to first token is after the start and before the end, and the stream was read to its end."""
    assert MODELS[way](provider).call("weather?") == provider.default.text
    (call,) = recorded.calls
    first = call.attributes["watchglass.ttft_ns"]
    assert isinstance(first, int)
    assert 0 < first <= call.end_ns - call.start_ns
    assert call.attributes["watchglass.streaming"] is True
    assert call.attributes["watchglass.stream.end"] == "exhausted"
    assert provider.default.text in str(call.attributes["gen_ai.output.messages"])


def test_calls_are_of_the_crew_the_task_and_the_tenant(provider: ToolProvider, recorded: Recorded) -> None:
    """What the context says is on each call, in whatever thread CrewAI sends it; the feature is `crewai`."""
    with context(tenant="7", engagement="9", user="u"):
        crew(task(agent(model(provider), tools=[weather]))).kickoff()
    for call in recorded.calls:
        assert (
            call.context.items()
            >= {
                "watchglass.tenant": "7",
                "watchglass.engagement": "9",
                "user.id": "u",
                "watchglass.feature": "crewai",
                "watchglass.task": "weather_report",
                "gen_ai.agent.name": "Reporter",
                "watchglass.flow.type": "crew",
            }.items()
        )


@pytest.mark.parametrize("way", ["openai", "litellm"])
def test_the_application_may_say_another_feature(
    provider: ToolProvider, recorded: Recorded, way: str
) -> None:
    """`context(feature=…)` around a crew is the feature of its calls."""
    with context(feature="assessment"):
        crew(task(agent(MODELS[way](provider)))).kickoff()
    assert {each.context["watchglass.feature"] for each in recorded.calls} == {"assessment"}


def test_a_model_asked_by_itself_is_one_call(provider: ToolProvider, recorded: Recorded) -> None:
    """`LLM.call` without any agent is recorded, of the feature `crewai`, with the question and the answer."""
    model(provider, temperature=0.5).call("weather?")
    agrees(recorded, provider)
    (call,) = recorded.calls
    assert call.context["watchglass.feature"] == "crewai"
    assert call.attributes["gen_ai.request.temperature"] == 0.5
    said = [json.loads(str(call.attributes[f"gen_ai.{each}.messages"]))[-1] for each in ("input", "output")]
    assert [each["role"] for each in said] == ["user", "assistant"]
    assert said[0]["parts"] == [{"type": "text", "content": "weather?"}]


def test_many_tenants_at_once_meet_the_ledger(provider: ToolProvider, recorded: Recorded) -> None:
    """Six tenants' crews at once in threads: each request is one call, and it is its own tenant's."""

    async def of(tenant: str) -> None:
        with context(tenant=tenant):
            await crew(task(agent(model(provider, f"gpt-{tenant}"), tools=[weather]))).kickoff_async()

    async def all_of() -> None:
        await asyncio.gather(*(of(f"t{number}") for number in range(6)))

    asyncio.run(all_of())
    sent = sorted((request.model, request.response_id) for request in provider.ledger)
    assert sorted(_identity(each) for each in recorded.calls) == sent
    for call in recorded.calls:
        assert call.attributes["gen_ai.request.model"] == f"gpt-{call.context['watchglass.tenant']}"


def _identity(call: SpanRecord) -> tuple[str, str]:
    return str(call.attributes["gen_ai.request.model"]), str(call.attributes["gen_ai.response.id"])


def test_keys_stay_in_the_process(provider: ToolProvider, recorded: Recorded) -> None:
    """No key of a client is in anything that is recorded."""
    crew(task(agent(model(provider), tools=[weather]))).kickoff()
    crew(task(agent(anthropic(provider)))).kickoff()
    assert {request.key for request in provider.ledger} == {"sk-test-secret", "sk-ant-secret"}
    assert "secret" not in repr(recorded.all)
