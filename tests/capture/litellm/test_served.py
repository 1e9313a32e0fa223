"""From an application through a real server: the store's totals are the provider's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import litellm
import pytest

import watchglass
from tests.capture.litellm.asking import ASKED, anthropic, openai
from tests.capture.provider import Answer, Provider
from tests.server_process import ServerProcess
from watchglass.capture.litellm import tracking


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    made = ServerProcess(tmp_path / "data").start()
    yield made
    assert made.stop() == 0, made.log()


def test_the_stores_totals_are_the_providers(
    server: ServerProcess, provider: Provider, tmp_path: Path
) -> None:
    """Calls of every kind, failed and repeated ones too: one row a request, with its tokens."""
    provider.answers["gpt-4o-mini"] = Answer(input_tokens=40, cache_read=10, reasoning=3)
    provider.answers["claude-sonnet-4-5"] = Answer(input_tokens=100, cache_read=40, cache_write_1h=20)
    started = watchglass.init(
        endpoint=server.url, spool_dir=str(tmp_path / "spool"), service_name="shop", instrument=["litellm"]
    )
    tracking.install()
    try:
        asyncio.run(everything(provider))
        assert started.flush(60)
    finally:
        watchglass.shutdown()
        tracking.uninstall()
    server.settle()

    rows = server.query(
        "SELECT tenant, feature, request_model, success, error_type, input_tokens, output_tokens, "
        "cache_read_tokens, cache_write_tokens, reasoning_tokens, response_id FROM calls WHERE counted"
    )
    billed = provider.billed()
    assert len(rows) == len(provider.ledger)
    for column, name in (
        ("input_tokens", "input_tokens"),
        ("output_tokens", "output_tokens"),
        ("cache_read_tokens", "cache_read"),
        ("cache_write_tokens", "cache_write"),
        ("reasoning_tokens", "reasoning"),
    ):
        assert sum(int(row[column] or 0) for row in rows) == billed[name], column
    failed = [request for request in provider.ledger if request.status != 200]
    assert len([row for row in rows if not row["success"]]) == len(failed)
    assert {(row["tenant"], row["feature"]) for row in rows} == {("7", "chat")}


async def everything(provider: Provider) -> None:
    """What an application may do with LiteLLM in one run."""
    told: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
    with watchglass.context(tenant=7, feature="chat"):
        litellm.completion(**openai(provider))
        litellm.completion(**anthropic(provider))
        await litellm.acompletion(**openai(provider))
        list(litellm.completion(**openai(provider, **told)))
        async for _ in await litellm.acompletion(**anthropic(provider, **told)):
            pass
        base = {"api_base": f"{provider.url}/v1", "api_key": "sk-test"}
        await litellm.aembedding(model="openai/text-embedding-3-small", input=["a"], **base)
        provider.fail(500, 429)
        await litellm.acompletion(**openai(provider, num_retries=3))
        provider.fail(500, model="gpt-4o-mini")
        await litellm.acompletion(**openai(provider, fallbacks=["openai/gpt-4o"], max_retries=0))
        provider.fail(401)
        with pytest.raises(litellm.AuthenticationError):
            await litellm.acompletion(**openai(provider))
        litellm.completion(model="openai/gpt-4o-mini", messages=ASKED, mock_response="no request")
        await asyncio.gather(*(litellm.acompletion(**openai(provider)) for _ in range(20)))
