"""The context of a call over gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import grpc
import grpc.aio
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.grpc import client_interceptor, grpcext
from opentelemetry.sdk.trace import TracerProvider

from tests.capture.propagation.services import LOOPBACK, METHOD, grpc_aio_service, grpc_service
from watchglass.capture import propagation
from watchglass.capture.context import context, current
from watchglass.capture.propagation.grpc import (
    grpc_aio_client_interceptors,
    grpc_client_interceptors,
    grpc_server_interceptors,
)
from watchglass.capture.propagation.trust import shared_secret
from watchglass.errors import ConfigError

PROVIDER = TracerProvider()
SECRET = "0123456789abcdef"

Service = Callable[[Any], AbstractContextManager[str]]


@pytest.fixture(params=[grpc_service, grpc_aio_service])
def service(request: pytest.FixtureRequest) -> Service:
    made: Service = request.param
    return made


def ours(channel: grpc.Channel) -> grpc.Channel:
    return grpc.intercept_channel(channel, *grpc_client_interceptors())


def theirs(channel: grpc.Channel) -> Any:
    return grpcext.intercept_channel(channel, client_interceptor(PROVIDER))


def told(address: str, *, metadata: Any = None) -> str:
    """The tenant that a server answers to have been told."""
    with grpc.insecure_channel(address) as bare, context(tenant="acme"):
        return ours(bare).unary_unary(METHOD + "One")(b"x", metadata=metadata).decode()


def test_only_trusted_callers_are_believed(service: Service) -> None:
    """A server of either kind takes the tenant from a trusted network and from nobody else."""
    with service(LOOPBACK) as address:
        assert told(address) == "acme"
    for trust in ([], ["10.0.0.0/8"], lambda caller: False):
        with service(trust) as address:
            assert told(address) == ""


def test_a_secret_is_proof(service: Service) -> None:
    """A client that was set up with the secret shows it, and is trusted for it."""
    with service(shared_secret(SECRET)) as address:
        assert told(address) == ""
        try:
            propagation.install(secret=SECRET)
            assert told(address) == "acme"
        finally:
            propagation.uninstall()


def test_a_channel_without_the_interceptor_tells_nothing(service: Service) -> None:
    """OpenTelemetry's own interceptor sends the trace and not the tenant, also under our propagator."""
    propagation.install()
    try:
        with service(LOOPBACK) as address, grpc.insecure_channel(address) as bare, context(tenant="acme"):
            channel = theirs(bare)
            assert channel.unary_unary(METHOD + "One")(b"x") == b""
    finally:
        propagation.uninstall()


@pytest.mark.parametrize("ours_first", [True, False])
def test_it_goes_with_opentelemetrys_own(service: Service, ours_first: bool) -> None:
    """Before or after OpenTelemetry's interceptor, the tenant is told."""
    propagation.install()
    try:
        with service(LOOPBACK) as address, grpc.insecure_channel(address) as channel:
            for intercepted in (ours, theirs) if ours_first else (theirs, ours):
                channel = intercepted(channel)
            with context(tenant="acme"):
                assert channel.unary_unary(METHOD + "One")(b"x") == b"acme"
    finally:
        propagation.uninstall()


class Bare(grpc.GenericRpcHandler):
    """Answers every method with the metadata that came, the context and the trace; `/abort` with an error."""

    def service(self, details: Any) -> Any:
        def answer(_request: bytes, call: Any) -> bytes:
            if details.method == "/abort":
                call.abort(grpc.StatusCode.NOT_FOUND, "theirs")
            span = trace.get_current_span().get_span_context()
            said = {k: v for k, v in details.invocation_metadata if not k.startswith("user-agent")}
            return repr((said, dict(current().fields), trace.format_span_id(span.span_id))).encode()

        return None if details.method == "/none" else grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture
def bare() -> Generator[str]:
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool, (Bare(),), interceptors=grpc_server_interceptors(trust=LOOPBACK))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(None).wait()


def test_metadata_of_ones_own_are_kept(bare: str) -> None:
    """Metadata go along beside ours, binary ones too, and the span in force is the parent at the server."""
    mine = (("a", "b"), ("x-bin", b"\x00\xff"), ("baggage", "theirs=1"))

    async def by_aio() -> bytes:
        async with grpc.aio.insecure_channel(bare, interceptors=grpc_aio_client_interceptors()) as channel:
            answer: bytes = await channel.unary_unary("/any")(b"", metadata=mine)
            return answer

    with context(tenant="acme"), PROVIDER.get_tracer("application").start_as_current_span("x") as span:
        here = trace.format_span_id(span.get_span_context().span_id)
        with grpc.insecure_channel(bare) as plain:
            answers = [ours(plain).unary_unary("/any")(b"", metadata=mine), asyncio.run(by_aio())]
    for answer in answers:
        said, fields, parent = eval(answer, {})
        assert said["traceparent"].split("-")[2] == parent == here
        assert (said["a"], said["x-bin"]) == ("b", b"\x00\xff")
        assert said["baggage"] == "theirs=1,watchglass.tenant=acme"
        assert fields == {"tenant": "acme"}


@pytest.mark.parametrize(("method", "code"), [("/abort", "NOT_FOUND"), ("/none", "UNIMPLEMENTED")])
def test_errors_are_the_applications(bare: str, method: str, code: str) -> None:
    """An aborted call, or one that nobody serves, ends as it does without us."""
    with grpc.insecure_channel(bare) as plain:
        with pytest.raises(grpc.RpcError) as failed:
            ours(plain).unary_unary(method)(b"")
        assert failed.value.code().name == code  # type: ignore[attr-defined]  # it is a call as well


def test_what_cannot_be_trusted_is_refused_at_set_up() -> None:
    """A host's name in the place of a network is an error when the server is put together."""
    with pytest.raises(ConfigError):
        grpc_server_interceptors(trust=["api.internal"])
