"""What the HTTP layer shows of a call: each request that is sent while it runs.

Provider clients repeat a failed request by themselves and say nothing of it, and each of those may be billed.
`httpx.Client.send` is where all of LiteLLM's, OpenAI's and Anthropic's clients pass, also those whose
transport is aiohttp. What is recorded of a request is where it went, when, and the answer's status: no
headers, no query. Clients that bring an HTTP library of their own (Bedrock's boto3, LiteLLM's Rust core) are
not seen; their call is one request.
"""

from __future__ import annotations

import functools
import importlib
import sys
from typing import TYPE_CHECKING, Any

from watchglass.capture import boundary, calls, on_behalf
from watchglass.capture.attempts import Attempt

if TYPE_CHECKING:
    from collections.abc import Callable

MODULES = ("httpx", "httpx2")
"""LiteLLM, OpenAI's and Anthropic's clients use httpx; those of 2027 may use its successor."""

_ADDRESSES = 1000

_patched: list[tuple[Any, str, Any]] = []


def install() -> None:
    """Watch the HTTP clients that are imported or can be; a second time changes nothing."""
    if _patched:
        return
    for name in MODULES:
        module = sys.modules.get(name) or _imported(name)
        if module is None:
            continue
        for owner, wrap in ((module.Client, _watched), (module.AsyncClient, _watched_async)):
            original = owner.__dict__["send"]
            owner.send = wrap(original)
            _patched.append((owner, "send", original))


def uninstall() -> None:
    """Undo `install`."""
    while _patched:
        owner, name, original = _patched.pop()
        setattr(owner, name, original)


def _imported(name: str) -> Any:
    if name != "httpx":
        return None  # not ours to import: nobody here uses it yet
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _watched(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def send(client: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        attempt = _noted(request)
        if attempt is None:
            return original(client, request, *args, **kwargs)
        try:
            response = original(client, request, *args, **kwargs)
        except BaseException as error:
            attempt.broken(error)
            raise
        attempt.answered(response.status_code)
        return response

    return send


def _watched_async(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def send(client: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        attempt = _noted(request)
        if attempt is None:
            return await original(client, request, *args, **kwargs)
        try:
            response = await original(client, request, *args, **kwargs)
        except BaseException as error:
            attempt.broken(error)
            raise
        attempt.answered(response.status_code)
        return response

    return send


@boundary.guarded("http.note")
def _noted(request: Any) -> Attempt | None:
    """The request as an attempt at the call that runs here; None where it is none."""
    call = calls.running_here()
    if call is None or request.method != "POST" or on_behalf.of_others(2):
        return None
    url = request.url
    host, path = _address(url.raw_host, url.raw_path.partition(b"?")[0], url)
    # A body that is made while it is sent (a file) is not there yet, and names no model.
    body = getattr(request, "_content", b"")
    # `headers.get` decodes them all; both clients write this one in lower case.
    headers = request.headers.raw
    resent = dict(headers).get(b"x-stainless-retry-count", b"").decode("latin-1")
    attempt = Attempt(host, url.port, path, body, resent, headers)
    call.seen.append(attempt)
    return attempt


_addresses: dict[tuple[bytes, bytes], tuple[str, str]] = {}


def _address(host: bytes, path: bytes, url: Any) -> tuple[str, str]:
    """Host and path of a URL, without its query: httpx decodes them anew each time."""
    known = _addresses.get((host, path))
    if known is None:
        if len(_addresses) > _ADDRESSES:
            _addresses.clear()
        known = _addresses[host, path] = (url.host, url.path)
    return known
