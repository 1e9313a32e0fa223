"""The context of a request in an ASGI application (FastAPI, Starlette, Django, Quart …)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from watchglass.capture import boundary
from watchglass.capture.propagation import carrying, headers, trust

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]


class ContextMiddleware:
    """Runs each request in the context that its headers name.

    `traceparent` is always taken (unless an instrumentation outside of this has made a span of it), the
    tenant and so on only from callers that `trust` allows: networks (`["10.0.0.0/8"]`), a function of the
    `Caller`, or `shared_secret("…")`. None means what `init` was told, and without that: nobody.

    `app.add_middleware(watchglass.ContextMiddleware, trust=["10.0.0.0/8"])`, or around any ASGI application.
    What the application sets within (`with watchglass.context(tenant=…)`) comes on top.
    """

    def __init__(self, app: App, trust: trust.Trust | None = None) -> None:
        self.app = app
        self._trusted = None if trust is None else _judge(trust)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        luggage = self._luggage(scope) if scope["type"] in ("http", "websocket") else None
        if luggage is None:
            await self.app(scope, receive, send)
            return
        worn = luggage.put_on()
        try:
            await self.app(scope, receive, send)
        finally:
            carrying.take_off(worn)

    @boundary.guarded("propagation.asgi")
    def _luggage(self, scope: Message) -> carrying.Luggage | None:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in scope["headers"]:
            found[name.decode("latin-1").lower()].append(value.decode("latin-1"))
        client = scope.get("client")
        caller = trust.Caller(client[0] if client else None, {name: ",".join(v) for name, v in found.items()})
        trusted = self._trusted or headers.rules.trusted
        return headers.received(found, trusted(caller))


_judge = trust.judge
