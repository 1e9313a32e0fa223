"""The context of a request in an ASGI application."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from starlette.responses import StreamingResponse
from starlette.websockets import WebSocket

from tests.our_log import ours
from watchglass.capture import propagation
from watchglass.capture.context import context, current
from watchglass.capture.propagation.asgi import ContextMiddleware
from watchglass.capture.propagation.trust import shared_secret
from watchglass.errors import ConfigError

TRACE = "0af7651916cd43dd8448eb211c80319c"
SENT = {
    "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
    "baggage": "watchglass.tenant=acme,watchglass.user=ann",
}


def seen() -> dict[str, str]:
    """The context in force, and the trace."""
    span = trace.get_current_span().get_span_context()
    return {**current().fields, "trace": trace.format_trace_id(span.trace_id)}


def application(**options: Any) -> FastAPI:
    app = FastAPI()
    app.add_middleware(ContextMiddleware, **options)

    @app.get("/async")
    async def answered() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]
        return seen()

    @app.get("/threaded")
    def threaded() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]
        return seen()

    @app.get("/streamed")
    async def streamed() -> StreamingResponse:  # pyright: ignore[reportUnusedFunction]
        return StreamingResponse((str(seen().get("tenant")) for _ in range(2)), media_type="text/plain")

    @app.websocket("/socket")
    async def socket(socket: WebSocket) -> None:  # pyright: ignore[reportUnusedFunction]
        await socket.accept()
        await socket.send_json(seen())
        await socket.close()

    return app


def ask(app: Any, path: str = "/async", headers: dict[str, str] = SENT, address: str = "10.0.0.1") -> Any:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(address, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://own") as client:
            return await client.get(path, headers=headers)

    answer = asyncio.run(asked())
    return answer.json() if answer.headers["content-type"] == "application/json" else answer.text


@pytest.mark.parametrize("path", ["/async", "/threaded"])
def test_a_trusted_caller_names_the_tenant(path: str) -> None:
    """A caller from a trusted network says for whom it calls, to handlers in the loop and in threads."""
    app = application(trust=["10.0.0.0/8"])
    assert ask(app, path) == {"tenant": "acme", "user": "ann", "trace": TRACE}


def test_streamed_answers_and_sockets_are_within() -> None:
    """The body that is streamed after the handler has returned, and a web socket, are in the context too."""
    app = application(trust=lambda caller: True)
    assert ask(app, "/streamed") == "acmeacme"
    with TestClient(app).websocket_connect("/socket", headers=SENT) as socket:
        assert socket.receive_json() == {"tenant": "acme", "user": "ann", "trace": TRACE}


@pytest.mark.parametrize("options", [{}, {"trust": []}, {"trust": ["192.168.0.0/16"]}])
@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "testclient"])
def test_nobody_else_does(options: dict[str, Any], address: str) -> None:
    """From any other caller, loopback included, only the trace is taken."""
    assert ask(application(**options), address=address) == {"trace": TRACE}


def test_a_secret_is_proof() -> None:
    """Behind a proxy, whoever shows the secret is trusted."""
    app = application(trust=shared_secret("0123456789abcdef"))
    assert ask(app, headers={**SENT, "watchglass-secret": "0123456789abcdef"})["tenant"] == "acme"
    assert ask(app) == {"trace": TRACE}


def test_the_process_wide_rules_hold_where_none_are_given() -> None:
    """Without `trust` the middleware goes by what the process was set up with, then and later."""
    app = application()
    try:
        propagation.install(trust=["10.0.0.0/8"], secret="0123456789abcdef")
        assert ask(app)["tenant"] == "acme"
        secret = {**SENT, "watchglass-secret": "0123456789abcdef"}
        assert ask(app, headers=secret, address="8.8.8.8")["tenant"] == "acme"
        assert ask(app, address="8.8.8.8") == {"trace": TRACE}
    finally:
        propagation.uninstall()
    assert ask(app) == {"trace": TRACE}


def test_it_goes_with_opentelemetrys_own_instrumentation() -> None:
    """The server span that an instrumentation made of the same headers stays in force."""
    app = application(trust=["10.0.0.0/8"])
    FastAPIInstrumentor.instrument_app(app, tracer_provider=TracerProvider())

    @app.get("/span")
    async def span() -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        span: Any = trace.get_current_span()
        return {"kind": span.kind.name, **seen()}

    assert ask(app, "/span") == {"kind": "SERVER", "tenant": "acme", "user": "ann", "trace": TRACE}


def test_what_the_application_sets_comes_on_top() -> None:
    """A handler that knows better sets the tenant as anywhere."""
    app = application(trust=["10.0.0.0/8"])

    @app.get("/own")
    async def own() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]
        with context(tenant="b"):
            return seen()

    assert ask(app, "/own") == {"tenant": "b", "trace": TRACE}


def test_broken_requests_reach_the_application() -> None:
    """Headers that mean nothing, or a scope that lacks what the protocol asks for, are the application's."""
    app = application(trust=["10.0.0.0/8"])
    assert ask(app, headers={"traceparent": "zz", "baggage": "%ff,=,;"})["trace"] != TRACE
    reached: list[str] = []

    async def bare(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["type"])

    for scope in ({"type": "http"}, {"type": "lifespan"}, {"type": "http", "headers": None}):
        asyncio.run(ContextMiddleware(bare)(scope, None, None))  # type: ignore[arg-type]  # never called
    assert reached == ["http", "lifespan", "http"]


def test_an_error_of_the_application_is_its_own(caplog: pytest.LogCaptureFixture) -> None:
    """What the application raises passes through, and nothing of it stays in force."""

    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("theirs")

    async def asked() -> dict[str, str]:
        with pytest.raises(ValueError, match="theirs"):
            scope = {"type": "http", "headers": [(b"traceparent", SENT["traceparent"].encode())]}
            await ContextMiddleware(fails)(scope, None, None)  # type: ignore[arg-type]  # never called
        return seen()

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(asked()) == {"trace": "0" * 32}
    assert ours(caplog) == []


def test_what_cannot_be_trusted_is_refused_at_set_up() -> None:
    """A host's name in the place of a network is an error when the application is put together."""
    with pytest.raises(ConfigError):
        ContextMiddleware(application(), trust=["api.internal"])
