"""Each request that the provider saw is one record, and no other is."""

from __future__ import annotations

import asyncio
import inspect
import json
import pickle
from typing import Any

import litellm
import pytest
from litellm.caching.caching import Cache

from tests.capture.litellm.asking import ASKED, Run, anthropic, needs_proxy, needs_tenacity, openai
from tests.capture.litellm.books import USAGE, Books
from tests.capture.provider import Answer, Provider
from tests.waiting import until, until_later

WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"town": {}}}},
}


def test_a_call_says_who_served_it_what_it_used_and_what_it_cost(books: Books, provider: Provider) -> None:
    """A synchronous call is one record with provider, model, tokens, cost, texts and the caller's line."""
    provider.default = Answer(reasoning=4, cache_read=2, input_tokens=20)

    litellm.completion(**openai(provider))

    books.agree()
    own = books.call.attributes
    assert own["gen_ai.provider.name"] == "openai"
    assert own["gen_ai.operation.name"] == "chat"
    assert own["gen_ai.response.model"] == "gpt-4o-mini"
    assert own["gen_ai.response.finish_reasons"] == ["stop"]
    assert own["watchglass.service_tier"] == "default"
    assert own["watchglass.cost.reported_usd"] == "0.00000825"  # 18 × 0.15 + 2 × 0.075 + 9 × 0.60 per million
    assert (own["server.address"], own["server.port"]) == ("127.0.0.1", provider.port)
    assert own["code.file.path"] == __file__
    assert own["code.function.name"] == "test_a_call_says_who_served_it_what_it_used_and_what_it_cost"
    assert json.loads(str(own["gen_ai.input.messages"])) == [
        {"role": "user", "parts": [{"type": "text", "content": "What is two and two?"}]}
    ]
    assert json.loads(str(own["gen_ai.output.messages"]))[0]["parts"][0]["content"] == Answer().text
    assert books.call.name == "chat gpt-4o-mini"
    assert (books.call.kind, books.call.status, books.call.parent_span_id) == (3, 0, b"")
    assert books.call.end_ns > books.call.start_ns


def test_an_asynchronous_call_is_the_same(books: Books, provider: Provider, run: Run) -> None:
    """`acompletion` is one record, although it goes through `completion` on another thread."""

    async def ask() -> None:
        await litellm.acompletion(**openai(provider))

    run(ask())

    books.agree()
    assert books.call.attributes["code.file.path"] == __file__
    assert str(books.call.attributes["code.function.name"]).endswith("ask")


def test_requests_at_once_say_who_asked(books: Books, provider: Provider, run: Run) -> None:
    """Each request of a `gather` is of the line that made it; the functions stay coroutine functions."""
    assert inspect.iscoroutinefunction(litellm.acompletion) and asyncio.iscoroutinefunction(
        litellm.aembedding
    )
    assert "model" in inspect.signature(litellm.acompletion).parameters
    assert pickle.loads(pickle.dumps(litellm.acompletion)) is litellm.acompletion

    async def both() -> None:
        await asyncio.gather(litellm.acompletion(**openai(provider)), litellm.acompletion(**openai(provider)))

    run(both())

    assert len(books.calls) == 2
    for call in books.calls:
        assert call.attributes["code.file.path"] == __file__
        assert str(call.attributes["code.function.name"]).endswith("both")


def test_cached_tokens_of_anthropic_are_part_of_the_input(books: Books, provider: Provider) -> None:
    """Anthropic's input leaves cached tokens out; the record's has them, with the part kept for an hour."""
    provider.default = Answer(input_tokens=100, cache_read=40, cache_write_5m=10, cache_write_1h=20)

    litellm.completion(**anthropic(provider))

    books.agree()
    own = books.call.attributes
    assert own["gen_ai.provider.name"] == "anthropic"
    assert own[USAGE + "input_tokens"] == 100
    assert own["watchglass.usage.cache_write_1h_tokens"] == 20
    assert "gen_ai.response.id" not in own  # LiteLLM makes one up


@pytest.mark.parametrize("stream", [False, True])
def test_fast_mode_of_anthropic_is_a_tier(books: Books, provider: Provider, stream: bool) -> None:
    """Its price is another, and the service tier beside it says `standard`."""
    provider.default = Answer(speed="fast")

    answer = litellm.completion(**anthropic(provider), stream=stream)
    if stream:
        list(answer)

    assert books.call.attributes["watchglass.service_tier"] == "fast"


@needs_proxy
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("kind", [openai, anthropic])
def test_tools_are_in_the_messages(
    books: Books, provider: Provider, run: Run, kind: Any, asynchronous: bool
) -> None:
    """A tool call is in the answer's messages, and in the next request's beside its result."""
    provider.default = Answer(tool=("weather", {"town": "Ghent"}))
    asked = kind(provider, tools=[WEATHER])
    answer: Any = run(litellm.acompletion(**asked)) if asynchronous else litellm.completion(**asked)
    said = answer.choices[0].message
    result = {"role": "tool", "tool_call_id": said.tool_calls[0].id, "content": "12 °C"}
    provider.default = Answer()

    litellm.completion(**{**asked, "messages": [*ASKED, said, result]})

    books.agree()
    first, second = books.requests
    part = json.loads(str(first.attributes["gen_ai.output.messages"]))[0]["parts"][0]
    assert (part["type"], part["name"], json.loads(part["arguments"])) == (
        "tool_call",
        "weather",
        {"town": "Ghent"},
    )
    assert first.attributes["gen_ai.response.finish_reasons"] == ["tool_calls"]
    resent = json.loads(str(second.attributes["gen_ai.input.messages"]))
    assert [message["role"] for message in resent] == ["user", "assistant", "tool"]
    assert resent[2]["parts"][0]["response"] == "12 °C"


def test_embeddings_and_text_completions(books: Books, provider: Provider, run: Run) -> None:
    """Embeddings have no output tokens; a text completion that goes through a chat's code is one request."""
    base = {"api_base": f"{provider.url}/v1", "api_key": "sk-test"}

    litellm.embedding(model="openai/text-embedding-3-small", input=["a", "b"], **base)
    run(litellm.aembedding(model="openai/text-embedding-3-small", input=["a", "b"], **base))
    litellm.text_completion(model="openai/gpt-3.5-turbo-instruct", prompt="Say it", **base)
    run(litellm.atext_completion(model="openai/gpt-3.5-turbo-instruct", prompt="Say it", **base))

    books.agree()
    operations = [call.attributes["gen_ai.operation.name"] for call in books.requests]
    assert operations == ["embeddings", "embeddings", "text_completion", "text_completion"]
    assert {call.attributes["gen_ai.provider.name"] for call in books.calls} == {"openai"}


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_failure_is_a_call(books: Books, provider: Provider, run: Run, asynchronous: bool) -> None:
    """A call that fails is recorded with LiteLLM's error and its message, and the caller gets the error."""
    provider.fail(401)

    with pytest.raises(litellm.AuthenticationError):
        if asynchronous:
            run(litellm.acompletion(**openai(provider, max_retries=0)))
        else:
            litellm.completion(**openai(provider, max_retries=0))

    books.agree()
    assert books.call.attributes["error.type"] == "AuthenticationError"
    assert "scripted failure 401" in books.call.status_message


def test_a_time_limit_is_a_failed_call(books: Books, provider: Provider) -> None:
    """A request that is not answered in time has status 0 in both books."""
    provider.fail("timeout")

    with pytest.raises(litellm.Timeout):
        litellm.completion(**openai(provider, timeout=0.3, max_retries=0))

    until(lambda: provider.ledger)  # it has the request, and perhaps not yet written that down
    books.agree()
    assert books.call.attributes["error.type"] == "Timeout"


def test_an_answer_that_is_no_json_is_a_failed_call(books: Books, provider: Provider) -> None:
    """The provider answered 200 and billed; the client could not read it, and the record says both."""
    provider.fail("bad_json")

    with pytest.raises(litellm.InternalServerError):
        litellm.completion(**openai(provider, max_retries=0))

    books.agree()
    assert books.call.status == 2


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("options", [{}, {"num_retries": 3}, {"max_retries": 3}])
def test_each_retry_is_a_call_of_its_own(
    books: Books, provider: Provider, run: Run, asynchronous: bool, options: dict[str, Any]
) -> None:
    """Retries by LiteLLM and by the provider's client: failed calls, linked, then the one that worked."""
    provider.fail(500, 429)

    if asynchronous:
        run(litellm.acompletion(**openai(provider, **options)))
    else:
        litellm.completion(**openai(provider, **options))

    books.agree()
    first, second, third = books.requests
    assert [call.attributes.get("error.type") for call in (first, second, third)] == [
        "InternalServerError",
        "RateLimitError",
        None,
    ]
    assert second.attributes["watchglass.retry_of"] == f"{first.trace_id.hex()}:{first.span_id.hex()}"
    assert third.attributes["watchglass.retry_of"] == f"{second.trace_id.hex()}:{second.span_id.hex()}"
    assert third.attributes["watchglass.attempt"] == 3
    assert first.trace_id == third.trace_id
    assert first.end_ns <= second.start_ns and second.end_ns <= third.start_ns


@needs_tenacity
def test_retries_that_all_fail_are_failed_calls(books: Books, provider: Provider) -> None:
    """When every attempt fails there is one failed record for each, and nothing beside them."""
    provider.fail(*[500] * 20)

    with pytest.raises(litellm.InternalServerError):
        litellm.completion(**openai(provider, num_retries=2))

    books.agree()
    assert all(call.status == 2 for call in books.calls)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_fallback_is_a_call_of_another_model(
    books: Books, provider: Provider, run: Run, asynchronous: bool
) -> None:
    """`fallbacks=` sends a second request to another model: its own call, linked to the one it replaces."""
    provider.fail(500, model="gpt-4o-mini")
    asked = openai(provider, fallbacks=["openai/gpt-4o"], max_retries=0)

    if asynchronous:
        run(litellm.acompletion(**asked))
    else:
        litellm.completion(**asked)

    books.agree()
    failed, answered = books.requests
    assert answered.attributes["gen_ai.request.model"] == "gpt-4o"
    assert answered.attributes["watchglass.fallback_of"] == f"{failed.trace_id.hex()}:{failed.span_id.hex()}"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_longer_context_is_a_fallback(
    books: Books, provider: Provider, run: Run, asynchronous: bool
) -> None:
    """`context_window_fallback_dict` changes the model within one call: two requests, two models."""
    provider.fail("context_window", model="gpt-4o-mini")
    asked = openai(provider, context_window_fallback_dict={"openai/gpt-4o-mini": "openai/gpt-4o"})

    if asynchronous:
        run(litellm.acompletion(**asked))
    else:
        litellm.completion(**asked)

    books.agree()
    failed, answered = books.requests
    assert (failed.attributes["gen_ai.request.model"], answered.attributes["gen_ai.request.model"]) == (
        "gpt-4o-mini",
        "gpt-4o",
    )
    assert answered.attributes["watchglass.fallback_of"] == f"{failed.trace_id.hex()}:{failed.span_id.hex()}"


def router(provider: Provider, **more: Any) -> litellm.Router:
    base = {"api_base": f"{provider.url}/v1", "api_key": "sk-test", "max_retries": 0}
    models = [
        {"model_name": "cheap", "litellm_params": {"model": "openai/gpt-4o-mini", **base}},
        {"model_name": "premium", "litellm_params": {"model": "openai/gpt-4o", **base}},
    ]
    return litellm.Router(model_list=models, retry_after=0, **more)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_routers_retries_and_fallbacks_are_calls(
    books: Books, provider: Provider, run: Run, asynchronous: bool
) -> None:
    """The router tries a deployment again, then another model: a record each, linked in one trace."""
    provider.fail(500, 500, model="gpt-4o-mini")
    routes = router(provider, num_retries=1, fallbacks=[{"cheap": ["premium"]}], disable_cooldowns=True)

    if asynchronous:
        run(routes.acompletion(model="cheap", messages=ASKED))
    else:
        routes.completion(model="cheap", messages=ASKED)

    books.agree()
    first, second, third = books.requests
    assert second.attributes["watchglass.retry_of"] == f"{first.trace_id.hex()}:{first.span_id.hex()}"
    assert third.attributes["watchglass.fallback_of"] == f"{second.trace_id.hex()}:{second.span_id.hex()}"
    assert first.trace_id == second.trace_id == third.trace_id
    assert not any("api_base" in key or "model_info" in key for key in third.attributes)


@needs_proxy
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_a_cached_answer_is_no_request(
    books: Books, provider: Provider, run: Run, asynchronous: bool, stream: bool
) -> None:
    """What LiteLLM's cache answers is marked so, and has neither tokens nor cost."""
    litellm.cache = Cache()
    asked = openai(provider, caching=True, stream=stream)

    async def consumed() -> None:
        answer: Any = await litellm.acompletion(**asked)
        if stream:
            async for _ in answer:
                pass
        await until_later(lambda: litellm.cache.cache.cache_dict)

    for _ in range(2):
        if asynchronous:
            run(consumed())
        elif stream:
            list(litellm.completion(**asked))
        else:
            litellm.completion(**asked)
        until(lambda: litellm.cache.cache.cache_dict)

    assert len(provider.ledger) == 1
    books.agree()
    assert len(books.calls) == 2
    hit = books.calls[1].attributes
    assert hit["watchglass.cache_hit"] is True
    assert not any(key.startswith((USAGE, "watchglass.cost")) for key in hit)


def test_what_fails_before_anything_is_sent_is_one_failed_call(books: Books, provider: Provider) -> None:
    """An unknown provider or a missing key is a failed call that says that nothing was sent."""
    with pytest.raises(litellm.BadRequestError):
        litellm.completion(model="nobody-knows-this", messages=ASKED)

    assert not provider.ledger
    assert books.call.attributes["watchglass.request_sent"] is False
    assert books.call.attributes["error.type"] == "BadRequestError"
    assert "gen_ai.provider.name" not in books.call.attributes


@pytest.mark.parametrize("stream", [False, True])
def test_a_mocked_answer_bills_nothing(books: Books, provider: Provider, stream: bool) -> None:
    """`mock_response` is recorded as a mock: what LiteLLM makes up as usage is at most an estimate."""
    answer: Any = litellm.completion(**openai(provider, mock_response="Four.", stream=stream))
    if stream:
        list(answer)

    own = books.call.attributes
    assert not provider.ledger
    assert own["watchglass.mock"] is True and own["watchglass.request_sent"] is False
    assert not any(key.startswith((USAGE, "watchglass.cost")) for key in own)
    assert "Four." in str(own["gen_ai.output.messages"])


def test_an_answer_without_usage_has_no_tokens(books: Books, provider: Provider) -> None:
    """Unknown is absent: neither 0 nor what LiteLLM would guess."""
    provider.default = Answer(usage=False)

    litellm.completion(**openai(provider))

    books.agree()


def test_the_record_is_kept_before_the_caller_goes_on(books: Books, provider: Provider, run: Run) -> None:
    """When the call returns or raises, its record is in the sink, written by the caller's own thread."""
    import threading

    litellm.completion(**openai(provider))
    assert len(books.payloads) == 1
    run(litellm.acompletion(**openai(provider)))
    assert len(books.payloads) == 2
    provider.fail(400)
    with pytest.raises(litellm.BadRequestError):
        litellm.completion(**openai(provider))
    assert len(books.payloads) == 3
    assert set(books.threads) == {threading.get_ident()}


_PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
_MOST = {"model": "openai/some-model", "api_key": "sk-test"}


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("acompletion", {"messages": ASKED, "max_retries": 0}),
        ("atext_completion", {"prompt": "two and two?", "max_retries": 0}),
        ("aembedding", {"input": ["x"], "max_retries": 0}),
        ("aimage_generation", {"prompt": "a cat", "max_retries": 0}),
        ("aimage_edit", {"prompt": "a cat", "image": _PNG}),
        ("aimage_variation", {"image": _PNG, "max_retries": 0}),
        ("amoderation", {"input": "x", "max_retries": 0}),
        ("atranscription", {"file": ("a.wav", b"RIFF"), "max_retries": 0}),
        ("aspeech", {"input": "x", "voice": "alloy", "max_retries": 0}),
        ("acompact_responses", {"input": "x"}),
        ("avideo_generation", {"prompt": "a cat"}),
        ("agenerate_content", {"model": "gemini/some-model", "contents": [{"parts": [{"text": "x"}]}]}),
        (
            "agenerate_content_stream",
            {"model": "gemini/some-model", "contents": [{"parts": [{"text": "x"}]}]},
        ),
    ],
)
def test_every_asynchronous_twin_that_fails_is_one_failed_call(
    books: Books, provider: Provider, run: Run, name: str, asked: dict[str, Any]
) -> None:
    """Its synchronous twin, which it goes through, records nothing of its own, and no success."""
    provider.fail(404)

    with pytest.raises(Exception, match=r"."):
        ask = getattr(litellm, name, None) or getattr(litellm.google_genai, name)
        run(ask(**{**_MOST, **asked}, api_base=f"{provider.url}/v1"))

    assert [each.status for each in books.calls] == [2]
    assert len(provider.ledger) == 1
    assert books.call.attributes["http.response.status_code"] == 404


@needs_proxy
def test_tokens_of_a_list_that_was_cached_in_part_are_an_estimate(
    books: Books, provider: Provider, run: Run
) -> None:
    """LiteLLM adds those of the cached texts to those that were billed: neither count is one of the bill."""
    litellm.cache = Cache(type="local")  # pyright: ignore[reportArgumentType] - it takes the name as well
    asked = {"model": "openai/embedder", "api_base": f"{provider.url}/v1", "api_key": "sk-test"}

    async def ask() -> None:
        await litellm.aembedding(**asked, input=["a"], caching=True)
        await until_later(lambda: litellm.cache.cache.cache_dict)
        await litellm.aembedding(**asked, input=["a", "b"], caching=True)

    run(ask())

    first, second = books.calls
    assert len(provider.ledger) == 2
    assert first.attributes[USAGE + "input_tokens"] == provider.ledger[0].input_tokens
    assert USAGE + "input_tokens" not in second.attributes
    assert "watchglass.cache_hit" not in second.attributes
    estimated: Any = second.attributes["watchglass.estimated.input_tokens"]
    assert estimated > provider.ledger[1].input_tokens


@pytest.mark.parametrize("model", ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"])
def test_a_key_from_the_environment_stays_out_of_an_errors_message(
    books: Books, provider: Provider, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    """The one that was sent is known, wherever it came from, and one that it is a part of goes as a whole."""
    key = "plain words as a key".replace(" ", "")
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, key)
    provider.refusal = f"no such key: {key}, nor {key}-and-more"
    provider.fail(401)
    asked = openai(provider, model=model, max_retries=0, extra_headers={"x-team": f"{key}-and-more"})
    del asked["api_key"]
    if model.startswith("anthropic"):
        asked["api_base"] = provider.url

    with pytest.raises(litellm.AuthenticationError, match=key):
        litellm.completion(**asked)

    assert provider.ledger[0].key == key
    assert key not in books.call.status_message
    assert "and-more" not in books.call.status_message
    assert key.encode() not in books.payloads[0]
