"""Real LiteLLM, recorded, against a provider on this machine that keeps its own books."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import litellm
import pytest

from tests.capture.litellm.books import Books
from tests.capture.provider import Provider
from watchglass.capture import boundary, content, recorder
from watchglass.capture.litellm import tracking

litellm.suppress_debug_info = True


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as started:
        yield started


@pytest.fixture
def books(provider: Provider) -> Iterator[Books]:
    """LiteLLM recorded into a list, beside the provider's ledger; nothing of ours may have failed."""
    boundary.forget()
    kept = Books(provider)
    before = content.use(content.policy("whole"))
    recorder.install(kept)
    tracking.install()
    yield kept
    tracking.uninstall()
    recorder.install(None)
    content.use(before)
    litellm.logging_callback_manager._reset_all_callbacks()
    litellm.cache = None
    assert not boundary.failures


@pytest.fixture
def run() -> Iterator[Callable[[Awaitable[Any]], Any]]:
    """Runs coroutines on one event loop: LiteLLM keeps clients that belong to theirs."""
    with asyncio.Runner() as runner:

        async def within(awaitable: Awaitable[Any]) -> Any:
            return await awaitable

        yield lambda awaitable: runner.run(within(awaitable))
