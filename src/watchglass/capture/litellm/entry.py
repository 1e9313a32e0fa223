"""The entry points: what LiteLLM's callers, its router and its own retries go through."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from watchglass.capture import boundary, calls, content, ids
from watchglass.capture.application_code import Line, here
from watchglass.capture.calls import Call
from watchglass.capture.litellm import messages, seen
from watchglass.capture.litellm.answers import describe_answer, describe_provider
from watchglass.capture.litellm.metadata import apply_metadata, context_of
from watchglass.capture.litellm.streams import watch
from watchglass.names import CALL_ID, MOCK, REQUEST_SENT, STREAMING

if TYPE_CHECKING:
    from collections.abc import Callable

    from watchglass.capture.records import Attributes

SCOPE = "watchglass.litellm"

OPERATIONS: dict[str, str] = {
    "completion": "chat",
    "text_completion": "text_completion",
    "embedding": "embeddings",
    "responses": "chat",
    "compact_responses": "chat",
    "anthropic_messages": "chat",
    "generate_content": "generate_content",
    "generate_content_stream": "generate_content",
    "image_generation": "image_generation",
    "image_edit": "image_generation",
    "image_variation": "image_generation",
    "rerank": "rerank",
    "transcription": "transcription",
    "speech": "speech",
    "moderation": "moderation",
    "video_generation": "video_generation",
}
"""LiteLLM's functions (each with its `a…` twin), and what OpenTelemetry calls what they do."""

_WITHIN = frozenset(
    (
        *(
            "acompletion",
            "atext_completion",
            "aembedding",
            "aimg_generation",
            "aimage_edit",
            "atranscription",
        ),
        *("acompact_responses", "agenerate_content", "agenerate_content_stream"),
        *("arerank", "aspeech", "aresponses", "amoderation", "is_async", "async_call"),
    )
)
"""Keywords by which LiteLLM's asynchronous functions call their synchronous twins: that is no new call."""

_MOCKS = frozenset(("mock_response", "mock_tool_calls", "mock_timeout"))


def tracked(original: Callable[..., Any], operation: str) -> Callable[..., Any]:
    """A synchronous entry point that records what goes through it."""

    @functools.wraps(original)
    def entry(*args: Any, **kwargs: Any) -> Any:
        call = _started(operation, args, kwargs)
        if call is None:
            return original(*args, **kwargs)
        try:
            answer = original(*args, **kwargs)
        except BaseException as error:
            _failed(call, error, kwargs)
            raise
        followed = _answered(call, answer, kwargs)
        return answer if followed is None else followed

    return entry


class _Asking(functools.partial[Any]):
    """A coroutine function that notes which line called it: a task of `gather` runs later, from the loop.

    To `inspect` and `asyncio` a partial of a coroutine function is one, which an object of our own is not
    before Python 3.12.
    """

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.func(_line(), *args, **kwargs)

    def __reduce__(self) -> str:
        """By its name, like the function that it stands for."""
        return str(vars(self)["__name__"])


@boundary.guarded("litellm.line")
def _line() -> Line | None:
    return here()


def tracked_async(original: Callable[..., Any], operation: str) -> Callable[..., Any]:
    """An asynchronous entry point that records what goes through it."""

    @functools.wraps(original)
    async def entry(line: Line | None, /, *args: Any, **kwargs: Any) -> Any:
        call = _started(operation, args, kwargs, line)
        if call is None:
            return await original(*args, **kwargs)
        try:
            answer = await original(*args, **kwargs)
        except BaseException as error:
            _failed(call, error, kwargs)
            raise
        followed = _answered(call, answer, kwargs)
        return answer if followed is None else followed

    return functools.update_wrapper(_Asking(entry), original)


def grouped(original: Callable[..., Any]) -> Callable[..., Any]:
    """The router's own loop of retries and fallbacks: the calls within are attempts at one thing."""

    @functools.wraps(original)
    async def entry(*args: Any, **kwargs: Any) -> Any:
        with calls.attempts():
            return await original(*args, **kwargs)

    return entry


@boundary.guarded("litellm.begin")
def _started(
    operation: str, args: tuple[Any, ...], kwargs: dict[str, Any], line: Line | None = None
) -> Call | None:
    if not _WITHIN.isdisjoint(kwargs) and any(kwargs.get(name) is True for name in _WITHIN):
        return None
    model = kwargs.get("model") or (args[0] if args and isinstance(args[0], str) else "")
    metadata = kwargs.get("metadata")
    if metadata is None:
        metadata = kwargs.get("litellm_metadata")
    context = context_of(metadata, kwargs.get("user"))
    call = calls.begin(SCOPE, operation, str(model), context=context, line=line)
    if call is None:
        return None
    own = call.attributes
    call_id = kwargs.get("litellm_call_id")
    if not isinstance(call_id, str):
        # LiteLLM makes one where there is none: a UUID, for which the bits of one of our ids will do.
        bits = ids.trace_id().hex()
        call_id = f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"
        kwargs["litellm_call_id"] = call_id
    own[CALL_ID] = call_id
    seen.open_call(call_id)
    if metadata:
        apply_metadata(metadata, own)
    if kwargs.get("stream"):
        own[STREAMING] = True
    feature = (context.fields if context else {}).get("feature")
    if content.wanted(feature):
        asked = messages.asked(operation, args, kwargs)
        if asked is not None:
            content.put(own, "gen_ai.input.messages", asked, feature)
    call.enter()
    return call


def _secrets(kwargs: dict[str, Any]) -> tuple[str, ...]:
    """What this call was given as a credential, to take it out of an error's message."""
    found = [kwargs.get(name) for name in ("api_key", "azure_ad_token", "aws_secret_access_key")]
    for name in ("extra_headers", "headers"):
        headers = kwargs.get(name)
        if isinstance(headers, dict):
            found.extend(headers.values())
    return tuple(each for each in found if isinstance(each, str) and len(each) >= 4)


@boundary.guarded("litellm.failed")
def _failed(call: Call, error: BaseException, kwargs: dict[str, Any]) -> None:
    call.leave()
    seen.close_call(call)
    call.secrets = _secrets(kwargs)
    _mocked(call, kwargs)
    describe_provider(call, None, kwargs, error)
    calls.fail(call, error)


@boundary.guarded("litellm.answered")
def _answered(call: Call, answer: Any, kwargs: dict[str, Any]) -> Any:
    """Record the answer, or follow it if it is a stream: then what to hand to the caller is returned."""
    call.leave()
    _mocked(call, kwargs)
    describe_provider(call, answer, kwargs, None)
    followed = watch(call, answer)
    if followed is not None:
        call.secrets = _secrets(kwargs)
        return followed
    seen.close_call(call)
    said: Attributes = {}
    describe_answer(call, answer, said)
    calls.finish(call, said)
    return None


def _mocked(call: Call, kwargs: dict[str, Any]) -> None:
    if (
        not call.seen
        and not _MOCKS.isdisjoint(kwargs)
        and any(kwargs.get(name) is not None for name in _MOCKS)
    ):
        call.attributes[MOCK] = True
        call.attributes[REQUEST_SENT] = False
