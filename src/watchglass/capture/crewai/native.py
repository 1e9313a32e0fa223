"""Requests of CrewAI's own provider clients, which LiteLLM never sees, one record for each that is sent.

Counted where they go out: at the HTTP client of the provider client that CrewAI made for itself. One call of
its `LLM` may ask several times (a loop of tools), and the provider's client repeats what failed without a
word; here each is one request. The application's own clients, and what LiteLLM sends, do not come through
these.
"""

from __future__ import annotations

import functools
import inspect
import json
from types import ModuleType
from typing import Any

from watchglass.capture import boundary, calls, recorder
from watchglass.capture.attempts import Attempt
from watchglass.capture.calls import Call
from watchglass.capture.crewai import around, bodies, patches
from watchglass.capture.crewai.streams import Events, follow, follow_async
from watchglass.names import STREAMING

SCOPE = "watchglass.crewai"

_OBSERVED = "_watchglass_provider"


def wrap_openai(module: ModuleType) -> None:
    """Wrap the client of OpenAI and of those that speak as it does."""
    _wrap(module.OpenAICompletion)


def wrap_anthropic(module: ModuleType) -> None:
    """Wrap the client of Anthropic."""
    _wrap(module.AnthropicCompletion)


def _wrap(completion: Any) -> None:
    for name in ("_get_sync_client", "_get_async_client"):
        patches.replace(completion, name, _observing)
    patches.replace(completion, "call", _attempts)
    patches.replace(completion, "acall", _attempts_async)


def _attempts(original: Any) -> Any:
    """What one call sends again is linked to what failed."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with calls.attempts():
            return original(*args, **kwargs)

    return wrapper


def _attempts_async(original: Any) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        with calls.attempts():
            return await original(*args, **kwargs)

    return wrapper


def _observing(original: Any) -> Any:
    def wrapper(self: Any) -> Any:
        client = original(self)
        _observe(self, client)
        return client

    return wrapper


@boundary.guarded("crewai.client")
def _observe(completion: Any, client: Any) -> None:
    http = client._client
    held = vars(http)
    if _OBSERVED in held:
        return
    held[_OBSERVED] = str(completion.provider or "").lower() or None
    held["send"] = functools.partial(_send_async if _is_async(http) else _send, http)


def _is_async(http: Any) -> bool:
    return inspect.iscoroutinefunction(type(http).send)


def _send(http: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
    call = _begin(http, request)
    if call is None:
        return type(http).send(http, request, *args, **kwargs)
    attempt = _attempt(request)
    try:
        with calls.running(call):
            response = type(http).send(http, request, *args, **kwargs)
            if response.status_code >= 400:
                response.read()  # as the client is about to
    except BaseException as error:
        _broken(call, attempt, error)
        raise
    if _streams(call, attempt, response):
        _followed(call, response)
    return response


async def _send_async(http: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
    call = _begin(http, request)
    if call is None:
        return await type(http).send(http, request, *args, **kwargs)
    attempt = _attempt(request)
    try:
        with calls.running(call):
            response = await type(http).send(http, request, *args, **kwargs)
            if response.status_code >= 400:
                await response.aread()
    except BaseException as error:
        _broken(call, attempt, error)
        raise
    if _streams(call, attempt, response):
        _followed(call, response)
    return response


@boundary.guarded("crewai.call")
def _begin(http: Any, request: Any) -> Call | None:
    """The call that a request is; None for what is no request to a model, or part of a call that is."""
    if not recorder.recording() or not patches.allowed() or request.method != "POST":
        return None
    if bodies.form(request.url.path) is None or calls.running_here() is not None:
        return None
    body = json.loads(request.content)
    call = calls.begin(
        SCOPE, "chat", str(body.get("model") or ""), provider=vars(http)[_OBSERVED], context=around.context()
    )
    if call is None:
        return None
    bodies.describe_request(body, call.attributes, call.context.get("watchglass.feature"))
    if body.get("stream"):
        call.attributes[STREAMING] = True
    return call


def _attempt(request: Any) -> Attempt:
    url = request.url
    resent = request.headers.get("x-stainless-retry-count", "")
    return Attempt(url.host, url.port, url.path, request.content, resent)


@boundary.guarded("crewai.call.broken")
def _broken(call: Call, attempt: Attempt, error: BaseException) -> None:
    """No answer came."""
    attempt.broken(error)
    _note(call, attempt)
    calls.fail(call, error)


@boundary.guarded("crewai.call.answered")
def _streams(call: Call, attempt: Attempt, response: Any) -> bool:
    """Record an answer that is whole, or a refusal; True for one that is still to be read."""
    attempt.answered(response.status_code)
    _note(call, attempt)
    if response.status_code >= 400:
        calls.fail(call, _refusal(attempt.error_type, response))
        return False
    if "_content" not in vars(response):
        return True
    own: dict[str, Any] = {}
    try:
        whole = json.loads(response.content)
    except ValueError as error:
        calls.fail(call, error)
        return False
    bodies.describe_answer(whole, own, call.context.get("watchglass.feature"))
    calls.finish(call, own)
    return False


def _note(call: Call, attempt: Attempt) -> None:
    """The request as the HTTP layer sees it, unless that has noted it already."""
    if not call.seen:
        call.seen.append(attempt)


def _refusal(name: str, response: Any) -> Exception:
    """An error of that name, with what the provider said: the client makes its own of it later."""
    try:
        body = response.json()
    except ValueError:
        body = None
    said = body.get("error") if isinstance(body, dict) else None
    message = said.get("message") if isinstance(said, dict) else said
    return type(name, (Exception,), {})(str(message or f"answered {response.status_code}"))


@boundary.guarded("crewai.call.stream")
def _followed(call: Call, response: Any) -> None:
    """Read along what the client reads of a streamed answer."""
    events = Events(call, bodies.form(response.request.url.path) or "")
    held = vars(response)
    held["iter_bytes"] = functools.partial(follow, events, response.iter_bytes)
    held["aiter_bytes"] = functools.partial(follow_async, events, response.aiter_bytes)
    held["close"] = functools.partial(_closing, events, response.close)
    held["aclose"] = functools.partial(_aclosing, events, response.aclose)


def _closing(events: Events, close: Any) -> Any:
    events.end("closed")
    return close()


async def _aclosing(events: Events, aclose: Any) -> Any:
    events.end("closed")
    return await aclose()
