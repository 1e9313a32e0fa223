"""Calls that LiteLLM's callbacks and caches make while another call runs."""

from __future__ import annotations

from typing import Any

import litellm
import pytest
from litellm.caching.caching import Cache
from litellm.caching.in_memory_cache import InMemoryCache
from litellm.integrations.custom_logger import CustomLogger

from tests.capture.litellm.asking import Run, needs_proxy, openai
from tests.capture.litellm.books import Books
from tests.capture.provider import Provider
from tests.waiting import until, until_later


def embedding(provider: Provider) -> dict[str, Any]:
    return {
        "model": "openai/text-embedding-3-small",
        "input": ["x"],
        "api_base": f"{provider.url}/v1",
        "api_key": "sk-test",
        "cache": {"no-cache": True, "no-store": True},
    }


class Judge(CustomLogger):
    """Asks another model when it is told of a call."""

    def __init__(self, provider: Provider, when: str) -> None:
        super().__init__()
        self.left = [when]
        self.asks = openai(provider, model="openai/gpt-4o")
        self.embeds = embedding(provider)

    async def async_pre_call_deployment_hook(self, kwargs: Any, call_type: Any) -> Any:
        if "pre" in self.left:
            self.left.clear()
            await litellm.aembedding(**self.embeds)
        return kwargs

    async def async_post_call_success_deployment_hook(
        self, request_data: Any, response: Any, call_type: Any
    ) -> None:
        if "post" in self.left:
            self.left.clear()
            await litellm.acompletion(**self.asks)


@pytest.mark.parametrize("when", ["pre", "post"])
def test_what_a_hook_asks_is_a_call_beside_the_one_it_is_called_for(
    books: Books, provider: Provider, run: Run, when: str
) -> None:
    """Both requests are on record, each as what it is, and neither below the other."""
    litellm.callbacks = [*litellm.callbacks, Judge(provider, when)]

    run(litellm.acompletion(**openai(provider)))

    books.agree()
    assert len(books.calls) == 2
    asked = {"chat gpt-4o-mini", "embeddings text-embedding-3-small" if when == "pre" else "chat gpt-4o"}
    assert {each.name for each in books.calls} == asked
    assert {each.parent_span_id for each in books.calls} == {b""}
    assert len({each.trace_id for each in books.calls}) == 1


def test_a_synchronous_logger_that_asks_a_model_hides_nothing(books: Books, provider: Provider) -> None:
    """LiteLLM runs it on another thread, in a copy of the call's context, whether that has ended or not."""

    class Logger(CustomLogger):
        def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
            if kwargs["model"] != "gpt-4o":
                litellm.completion(**openai(provider, model="openai/gpt-4o"))

    litellm.callbacks = [*litellm.callbacks, Logger()]
    for _ in range(5):
        before = len(books.payloads)
        litellm.completion(**openai(provider))
        until(lambda before=before: len(books.payloads) == before + 2)

    books.agree()
    assert {each.parent_span_id for each in books.calls} == {b""}


@needs_proxy
def test_a_cache_that_embeds_before_it_looks_costs_no_record(
    books: Books, provider: Provider, run: Run
) -> None:
    """As a semantic cache does: the call is on record beside the embedding, and a hit sent nothing."""

    class Semantic(InMemoryCache):
        async def async_get_cache(self, key: Any, **kwargs: Any) -> Any:
            await litellm.aembedding(**embedding(provider))
            return await super().async_get_cache(key, **kwargs)

    litellm.cache = Cache(type="local")  # pyright: ignore[reportArgumentType] - it takes the name as well
    litellm.cache.cache = Semantic()

    async def ask() -> None:
        await litellm.acompletion(**openai(provider, caching=True))
        await until_later(lambda: litellm.cache.cache.cache_dict)
        await litellm.acompletion(**openai(provider, caching=True))

    run(ask())

    books.agree()
    assert sorted(each.name.partition(" ")[0] for each in books.calls) == [
        "chat",
        "chat",
        "embeddings",
        "embeddings",
    ]
