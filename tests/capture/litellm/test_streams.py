"""Streamed answers are recorded however they end."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import litellm
import pytest
from litellm import CustomStreamWrapper
from opentelemetry import trace
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider

from tests.capture.litellm.asking import Run, anthropic, needs_proxy, openai
from tests.capture.litellm.books import USAGE, Books
from tests.capture.provider import Answer, Provider
from tests.waiting import until, until_later
from watchglass.capture import unfinished

TOLD = {"stream": True, "stream_options": {"include_usage": True}}


async def read(asked: dict[str, Any]) -> list[Any]:
    answer: Any = await litellm.acompletion(**asked)
    assert isinstance(answer, CustomStreamWrapper)
    return [piece async for piece in answer]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("kind", [openai, anthropic])
def test_a_stream_that_is_read_to_its_end(
    books: Books, provider: Provider, run: Run, kind: Any, asynchronous: bool
) -> None:
    """It is one call, with the tokens of its last piece and the time to its first."""
    provider.default = Answer(input_tokens=100, cache_read=40, output_tokens=11)
    if asynchronous:
        pieces = run(read(kind(provider, **TOLD)))
    else:
        answer: Any = litellm.completion(**kind(provider, **TOLD))
        assert isinstance(answer, CustomStreamWrapper)
        assert type(answer).__name__ == "CustomStreamWrapper"
        assert not books.payloads
        pieces = list(answer)

    assert len(pieces) > 3
    books.agree()
    own = books.call.attributes
    assert own["watchglass.streaming"] is True
    assert own["watchglass.stream.end"] == "exhausted"
    assert 0 < int(str(own["watchglass.ttft_ns"])) < books.call.end_ns - books.call.start_ns
    assert own["gen_ai.response.finish_reasons"] == ["stop"]
    assert Answer().text in str(own["gen_ai.output.messages"])


@pytest.mark.parametrize("asynchronous", [False, True])
def test_tokens_that_nobody_told_are_absent(
    books: Books, provider: Provider, run: Run, asynchronous: bool
) -> None:
    """OpenAI tells a stream's tokens only if asked to; LiteLLM's guess is not recorded in their place."""
    if asynchronous:
        run(read(openai(provider, stream=True)))
    else:
        list(litellm.completion(**openai(provider, stream=True)))

    books.agree()
    assert not any(key.startswith(USAGE) for key in books.call.attributes)


def test_a_stream_that_is_dropped_is_recorded(books: Books, provider: Provider) -> None:
    """A stream that nobody reads any more is recorded when it is collected, with what was known of it."""
    provider.default = Answer(input_tokens=30)
    answer: Any = litellm.completion(**anthropic(provider, stream=True))
    next(answer)
    assert not books.payloads

    del answer

    def told() -> bool:
        gc.collect()
        return bool(books.payloads)

    until(told)  # LiteLLM's own logging holds it for a moment

    own = books.call.attributes
    assert own["watchglass.stream.end"] == "abandoned"
    assert own[USAGE + "input_tokens"] == 30
    assert USAGE + "output_tokens" not in own  # so far the provider only said that it begins
    assert books.call.status == 0


def test_a_stream_that_is_closed_is_recorded(books: Books, provider: Provider, run: Run) -> None:
    """`aclose` ends the call there."""

    async def some() -> None:
        answer: Any = await litellm.acompletion(**openai(provider, **TOLD))
        await anext(answer)
        await answer.aclose()
        assert len(books.payloads) == 1

    run(some())

    assert books.call.attributes["watchglass.stream.end"] == "closed"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_stream_that_breaks_off_is_a_failed_call(
    books: Books, provider: Provider, run: Run, asynchronous: bool
) -> None:
    """When the provider hangs up half-way the caller gets LiteLLM's error, and the record has it too."""
    provider.fail("cut")

    with pytest.raises(Exception) as caught:
        if asynchronous:
            run(read(openai(provider, **TOLD)))
        else:
            list(litellm.completion(**openai(provider, **TOLD)))

    assert caught.type is not AssertionError
    books.agree()
    assert books.call.status == 2
    assert books.call.attributes["watchglass.stream.end"] == "failed"
    assert books.call.attributes["error.type"]


def test_a_stream_whose_reader_is_cancelled_is_recorded(books: Books, provider: Provider, run: Run) -> None:
    """A task that is cancelled while it waits leaves a failed call, and the cancellation passes."""
    provider.fail("timeout")

    async def cancelled() -> None:
        task = asyncio.create_task(litellm.acompletion(**openai(provider, stream=True, max_retries=0)))
        await until_later(lambda: provider.ledger)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(cancelled())

    assert books.call.status == 2
    assert books.call.attributes["error.type"] == "CancelledError"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_text_completions_stream_too(books: Books, provider: Provider, run: Run, asynchronous: bool) -> None:
    """A streamed text completion passes through two of LiteLLM's entry points and is one call."""
    asked: dict[str, Any] = {
        "model": "openai/gpt-3.5-turbo-instruct",
        "prompt": "Say it",
        "api_base": f"{provider.url}/v1",
        "api_key": "sk-test",
        "stream": True,
    }

    async def all_of_it() -> None:
        answer: Any = await litellm.atext_completion(**asked)
        async for _ in answer:
            pass

    if asynchronous:
        run(all_of_it())
    else:
        list(litellm.text_completion(**asked))

    books.agree()
    assert books.call.attributes["gen_ai.operation.name"] == "text_completion"


@needs_proxy
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_responses_api(
    books: Books, provider: Provider, run: Run, stream: bool, asynchronous: bool
) -> None:
    """A response, streamed or not, is one chat with the tokens of its end."""
    asked: dict[str, Any] = {
        "model": "openai/gpt-4o-mini",
        "input": "What is two and two?",
        "api_base": f"{provider.url}/v1",
        "api_key": "sk-test",
        "stream": stream,
    }

    async def all_of_it() -> None:
        answer: Any = await litellm.aresponses(**asked)
        if stream:
            async for _ in answer:
                pass

    if asynchronous:
        run(all_of_it())
    else:
        answer: Any = litellm.responses(**asked)
        if stream:
            list(answer)

    books.agree()
    assert books.call.attributes["gen_ai.operation.name"] == "chat"
    assert Answer().text in str(books.call.attributes["gen_ai.output.messages"])


def test_the_routers_streams_are_recorded_once(books: Books, provider: Provider, run: Run) -> None:
    """The router wraps the stream in one of its own: still one call."""
    base = {"api_base": f"{provider.url}/v1", "api_key": "sk-test"}
    models = [{"model_name": "cheap", "litellm_params": {"model": "openai/gpt-4o-mini", **base}}]
    routes = litellm.Router(model_list=models)
    asked: Any = [{"role": "user", "content": "Hi"}]

    async def all_of_it() -> None:
        answer: Any = await routes.acompletion("cheap", asked, stream=True)
        async for _ in answer:
            pass

    run(all_of_it())
    list(routes.completion("cheap", asked, stream=True))

    books.agree()
    assert [call.attributes["watchglass.stream.end"] for call in books.calls] == ["exhausted"] * 2


@needs_proxy
@pytest.mark.parametrize("whole", [True, False])
def test_anthropics_own_events_are_read_as_they_pass(
    books: Books, provider: Provider, run: Run, whole: bool
) -> None:
    """`anthropic_messages` hands on bytes: id, tokens, reason and text are in them; broken off, what came."""
    provider.default = Answer(input_tokens=50, cache_read=20)

    async def ask() -> None:
        stream: Any = await litellm.anthropic_messages(**anthropic(provider, max_tokens=9, stream=True))
        async for _ in stream:
            pass

    if whole:
        run(ask())
    else:
        provider.fail("cut")
        with pytest.raises(Exception, match=r"."):
            run(ask())

    own = books.call.attributes
    assert own["gen_ai.response.id"] == provider.ledger[0].response_id
    assert (own[USAGE + "input_tokens"], own[USAGE + "cache_read.input_tokens"]) == (50, 20)
    if whole:
        assert own["watchglass.ttft_ns"]
        books.agree()
        assert own["gen_ai.response.finish_reasons"] == ["end_turn"]
        assert Answer().text in str(own["gen_ai.output.messages"])
    else:
        assert USAGE + "output_tokens" not in own


def test_a_stream_that_nobody_reads_on_is_recorded_at_the_end(books: Books, provider: Provider) -> None:
    """When recording stops, an answer that is still held is recorded as abandoned, once."""
    stream: Any = litellm.completion(**openai(provider, stream=True))
    next(stream)

    unfinished.end_all()

    assert books.call.attributes["watchglass.stream.end"] == "abandoned"
    list(stream)
    unfinished.end_all()
    assert len(books.calls) == 1


def test_a_stream_beside_another_instrumentation_leaves_its_span_nowhere(
    books: Books, provider: Provider
) -> None:
    """OpenTelemetry's for OpenAI puts our call back as it ends: the caller's span is current again."""
    traced = TracerProvider()
    theirs = OpenAIInstrumentor()
    theirs.instrument(tracer_provider=traced)
    try:
        with traced.get_tracer("application").start_as_current_span("work") as work:
            list(litellm.completion(**openai(provider, stream=True)))
            assert trace.get_current_span() is work
    finally:
        theirs.uninstrument()
    assert not trace.get_current_span().get_span_context().is_valid
