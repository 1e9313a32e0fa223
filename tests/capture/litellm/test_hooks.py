"""LiteLLM's hooks report what does not pass through the entry points, and nothing twice."""

from __future__ import annotations

from typing import Any

import litellm
import pytest

from tests.capture.litellm.asking import Run, openai
from tests.capture.litellm.books import Books
from tests.capture.provider import Provider
from tests.waiting import until, until_later
from watchglass.capture import recorder
from watchglass.capture.litellm import LLMUsageCallback, install, is_litellm_tracking_enabled, uninstall


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_names_imported_before_us_are_reported_by_hooks(
    books: Books, provider: Provider, run: Run, stream: bool, asynchronous: bool
) -> None:
    """A function that the application took before tracking began is recorded once, with the same figures."""
    uninstall()
    early: Any = litellm.acompletion if asynchronous else litellm.completion
    install()
    asked = openai(provider, stream=stream, metadata={"feature_context": "early", "client_account_id": 3})
    if stream:
        asked["stream_options"] = {"include_usage": True}

    async def ask() -> None:
        answer: Any = await early(**asked)
        if stream:
            async for _ in answer:
                pass
        await until_later(lambda: books.payloads)

    if asynchronous:
        run(ask())
    else:
        answer = early(**asked)
        if stream:
            list(answer)
    until(lambda: books.payloads)

    (call,) = books.calls
    (request,) = provider.ledger
    assert call.attributes["gen_ai.usage.input_tokens"] == request.input_tokens
    assert call.attributes["gen_ai.usage.output_tokens"] == request.output_tokens
    assert call.attributes["gen_ai.provider.name"] == "openai"
    assert call.context == {"watchglass.feature": "early", "watchglass.tenant": "3"}
    assert "code.file.path" not in call.attributes


def test_hooks_add_nothing_to_what_is_wrapped(books: Books, provider: Provider) -> None:
    """With both in force a call is one record, and the hooks leave it at that when they run later."""
    ran: list[str] = []

    class Last(litellm.integrations.custom_logger.CustomLogger):
        def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
            ran.append(kwargs["litellm_call_id"])

    litellm.callbacks = [LLMUsageCallback(), LLMUsageCallback(), Last()]
    litellm.completion(**openai(provider))
    # Of a call of an earlier test LiteLLM may tell only now: this one's own is waited for.
    until(lambda: books.call.attributes["watchglass.call_id"] in ran)

    books.agree()
    assert len(books.payloads) == 1


def test_the_application_may_clear_the_callbacks(books: Books, provider: Provider) -> None:
    """After `litellm.callbacks = []` wrapped calls are still recorded."""
    litellm.callbacks = []

    litellm.completion(**openai(provider))

    books.agree()


def test_setting_up_twice_changes_nothing(books: Books, provider: Provider) -> None:
    """The entry points are wrapped once, however often it is asked for; undone, LiteLLM is as it was."""
    wrapped, send = litellm.completion, litellm.httpx.Client.send
    callbacks = list(litellm.callbacks)

    install()

    assert litellm.completion is wrapped
    assert litellm.httpx.Client.send is send
    assert litellm.callbacks == callbacks
    assert is_litellm_tracking_enabled()
    litellm.completion(**openai(provider))
    assert len(books.payloads) == 1
    uninstall()
    assert not is_litellm_tracking_enabled()
    assert litellm.completion is not wrapped
    assert not hasattr(litellm.completion, "__wrapped__") or litellm.completion.__module__.startswith(
        "litellm"
    )


def test_nothing_is_recorded_where_nobody_listens(books: Books, provider: Provider) -> None:
    """Without a sink a call goes straight through."""
    recorder.install(None)

    litellm.completion(**openai(provider))

    assert not books.payloads


def test_a_fault_of_ours_is_not_the_applications(
    books: Books, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """A sink that breaks costs the record, not the call, and is said once."""
    from watchglass.capture import boundary

    class Broken:
        def append(self, payload: bytes) -> bool:
            raise RuntimeError("the disk is on fire")

    recorder.install(Broken())
    for _ in range(3):
        assert litellm.completion(**openai(provider)).choices

    assert boundary.failures["record"] == 3
    assert caplog.text.count("the disk is on fire") == 1
    boundary.forget()


def test_a_failure_that_only_hooks_saw_may_have_been_sent(books: Books, provider: Provider) -> None:
    """Nobody watched the HTTP layer for it: the record does not say that no request was sent."""
    uninstall()
    early: Any = litellm.completion
    install()
    provider.fail(401)

    with pytest.raises(litellm.AuthenticationError):
        early(**openai(provider, max_retries=0))
    until(lambda: books.payloads)

    assert books.call.attributes["error.type"] == "AuthenticationError"
    assert "watchglass.request_sent" not in books.call.attributes
    assert len(provider.ledger) == 1
