"""Requests of CrewAI's clients of Azure, Bedrock and Gemini, as CrewAI itself counts them.

These bring HTTP libraries of their own, so nothing is seen on the way out: a call is an answer whose tokens
CrewAI takes note of, or an `LLM.call` that raised. What the provider's client sends again by itself is not
seen, and the texts of answers are those of the agent.
"""

from __future__ import annotations

import inspect
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from watchglass.capture import boundary, calls
from watchglass.capture.calls import Call
from watchglass.capture.crewai import around, bodies, patches
from watchglass.capture.records import Attributes
from watchglass.names import REQUEST_SENT

SCOPE = "watchglass.crewai"

_CLIENTS = frozenset({"azure", "botocore", "google"})
"""Packages whose errors are a provider's, or of the way there."""


class _Asking:
    """One `LLM.call`: the request that is under way, and how many were answered."""

    __slots__ = ("answered", "call", "llm")

    def __init__(self, llm: Any, call: Call | None) -> None:
        self.llm = llm
        self.call = call
        self.answered = 0


_asking: ContextVar[_Asking | None] = ContextVar("watchglass_crewai_asking", default=None)


def wrap_azure(module: ModuleType) -> None:
    """Wrap the client of Azure AI."""
    _wrap(module.AzureCompletion)


def wrap_bedrock(module: ModuleType) -> None:
    """Wrap the client of Bedrock."""
    _wrap(module.BedrockCompletion)


def wrap_gemini(module: ModuleType) -> None:
    """Wrap the client of Gemini."""
    _wrap(module.GeminiCompletion)


def _wrap(completion: Any) -> None:
    patches.replace(completion, "call", _call)
    patches.replace(completion, "acall", _acall)
    patches.replace(completion, "_track_token_usage_internal", _tracked)


def _call(original: Any) -> Any:
    signature = inspect.signature(original)

    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        asking = _begun(self, signature, args, kwargs)
        if asking is None:
            return original(self, *args, **kwargs)
        token = _asking.set(asking)
        try:
            result = original(self, *args, **kwargs)
        except BaseException as error:
            _failed(asking, error)
            raise
        finally:
            _asking.reset(token)
        _over(asking)
        return result

    return wrapper


def _acall(original: Any) -> Any:
    signature = inspect.signature(original)

    async def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        asking = _begun(self, signature, args, kwargs)
        if asking is None:
            return await original(self, *args, **kwargs)
        token = _asking.set(asking)
        try:
            result = await original(self, *args, **kwargs)
        except BaseException as error:
            _failed(asking, error)
            raise
        finally:
            _asking.reset(token)
        _over(asking)
        return result

    return wrapper


def _tracked(original: Any) -> Any:
    def wrapper(self: Any, usage: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, usage, *args, **kwargs)
        asking = _asking.get()
        if asking is not None and asking.llm is self:
            _answered(asking, usage)
        return result

    return wrapper


@boundary.guarded("crewai.reported")
def _begun(
    llm: Any, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> _Asking | None:
    # Bedrock's client may ask through a `call` of its own: still one request.
    before = _asking.get()
    if before is not None and before.llm is llm:
        return None
    call = _request(llm)
    if call is None:
        return None
    body = {"messages": patches.arguments(signature, (llm, *args), kwargs).get("messages")}
    if isinstance(body["messages"], str):
        body = {"input": body["messages"]}
    bodies.describe_request(body, call.attributes, call.context.get("watchglass.feature"))
    return _Asking(llm, call)


def _request(llm: Any) -> Call | None:
    provider = str(llm.provider or "").lower() or None
    return calls.begin(SCOPE, "chat", str(llm.model), provider=provider, context=around.context())


@boundary.guarded("crewai.reported")
def _answered(asking: _Asking, usage: Any) -> None:
    own: Attributes = {}
    if isinstance(usage, dict):
        _note(usage, own)
    calls.finish(asking.call, own)
    asking.answered += 1
    asking.call = _request(asking.llm)  # the next turn of a loop of tools, if there is one


@boundary.guarded("crewai.reported")
def _failed(asking: _Asking, error: BaseException) -> None:
    own: Attributes = {}
    if type(error).__module__.partition(".")[0] in _CLIENTS or asking.answered:
        own[REQUEST_SENT] = True
    cause = error.__cause__ or error.__context__
    if cause is not None and type(cause).__module__.partition(".")[0] in _CLIENTS:
        own[REQUEST_SENT] = True
    calls.fail(asking.call, error, own)


@boundary.guarded("crewai.reported")
def _over(asking: _Asking) -> None:
    """It returned: an answer whose tokens nobody noted is a request all the same."""
    if asking.answered:
        calls.drop(asking.call)
    else:
        calls.finish(asking.call)


def _note(usage: dict[str, Any], own: Attributes) -> None:
    """Tokens as CrewAI hands them on; it writes 0 where a class was not told, so 0 of those says nothing."""
    read = _first(usage, "cached_prompt_tokens", "cacheReadInputTokens", "cacheReadInputTokenCount")
    written = _first(usage, "cacheWriteInputTokens", "cacheWriteInputTokenCount")
    asked = _first(usage, "prompt_tokens", "prompt_token_count")
    if asked is None and (apart := _first(usage, "inputTokens")) is not None:
        asked = apart + (read or 0) + (written or 0)  # Bedrock counts what was cached apart
    answered = _first(usage, "completion_tokens", "candidates_token_count", "outputTokens")
    if not asked and not answered:
        return
    for key, value in (("input_tokens", asked), ("output_tokens", answered)):
        if value is not None:
            own[f"gen_ai.usage.{key}"] = value
    for key, value in (
        ("cache_read.input_tokens", read),
        ("cache_creation.input_tokens", written),
        ("reasoning.output_tokens", _first(usage, "reasoning_tokens")),
    ):
        if value:
            own[f"gen_ai.usage.{key}"] = value


def _first(usage: dict[str, Any], *names: str) -> int | None:
    return next((usage[name] for name in names if type(usage.get(name)) is int), None)
