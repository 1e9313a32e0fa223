"""The context of a call over gRPC: interceptors for clients and servers, of threads and of asyncio.

A client's interceptor does not see which server its channel leads to, so putting it on a channel says
that the server there may be told the tenant. OpenTelemetry's own instrumentation never tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import unquote

import grpc
import grpc.aio

from watchglass.capture import boundary, scoped
from watchglass.capture.propagation import carrying, headers, trust

_Trusted = Callable[[], trust.Judge]


def grpc_client_interceptors() -> list[Any]:
    """For `grpc.intercept_channel(channel, *grpc_client_interceptors())`."""
    return [_Client()]


def grpc_aio_client_interceptors() -> list[Any]:
    """For `grpc.aio.insecure_channel(target, interceptors=grpc_aio_client_interceptors())`.

    One a kind of call, since a channel takes an interceptor for the first kind that it is of.
    """
    return [_AioUnaryUnary(), _AioUnaryStream(), _AioStreamUnary(), _AioStreamStream()]


def grpc_server_interceptors(trust: trust.Trust | None = None) -> list[Any]:
    """For `grpc.server(pool, interceptors=grpc_server_interceptors(trust=["10.0.0.0/8"]))`.

    `trust` as for `ContextMiddleware`. Raises `ConfigError` for what cannot be trusted.
    """
    return [_Server(_trusted(trust))]


def grpc_aio_server_interceptors(trust: trust.Trust | None = None) -> list[Any]:
    """For `grpc.aio.server(interceptors=grpc_aio_server_interceptors(trust=["10.0.0.0/8"]))`."""
    return [_AioServer(_trusted(trust))]


def _trusted(allowed: trust.Trust | None) -> _Trusted:
    if allowed is None:
        return lambda: headers.rules.trusted
    judge = trust.judge(allowed)
    return lambda: judge


def _call(self: object, continuation: Any, client_call_details: Any, request: Any) -> Any:
    return continuation(_told(client_call_details, tuple) or client_call_details, request)


async def _aio_call(self: object, continuation: Any, client_call_details: Any, request: Any) -> Any:
    told = _told(client_call_details, lambda pairs: grpc.aio.Metadata(*pairs))
    return await continuation(told or client_call_details, request)


# The four kinds of call are intercepted in the same way; only their types, and names of parameters, differ.
_any_call: Any = _call
_any_aio_call: Any = _aio_call


class _Client(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    intercept_unary_unary = _any_call
    intercept_unary_stream = _any_call
    intercept_stream_unary = _any_call
    intercept_stream_stream = _any_call


class _AioUnaryUnary(grpc.aio.UnaryUnaryClientInterceptor):
    intercept_unary_unary = _any_aio_call


class _AioUnaryStream(grpc.aio.UnaryStreamClientInterceptor):
    intercept_unary_stream = _any_aio_call


class _AioStreamUnary(grpc.aio.StreamUnaryClientInterceptor):
    intercept_stream_unary = _any_aio_call


class _AioStreamStream(grpc.aio.StreamStreamClientInterceptor):
    intercept_stream_stream = _any_aio_call


@boundary.guarded("propagation.grpc")
def _told(details: Any, metadata: Callable[[list[tuple[str, Any]]], Any]) -> Any:
    """The details of a call with the context in their metadata."""
    before: list[tuple[str, Any]] = [(key, value) for key, value in details.metadata or ()]
    sent = headers.outgoing(headers.shown(dict(before)))
    pairs = [pair for pair in before if pair[0] not in sent] + list(sent.items())
    return _Details(details, metadata(pairs))


class _Details(grpc.ClientCallDetails):
    """The details of a call with other metadata; whatever else there is, is the original's."""

    def __init__(self, details: Any, metadata: Any) -> None:
        self._details = details
        self.metadata = metadata

    def __getattr__(self, name: str) -> Any:
        return getattr(self._details, name)

    def _replace(self, **changed: Any) -> Any:
        """As the library's own details, which are a named tuple, have it; other interceptors use it."""
        return self._details._replace(**{"metadata": self.metadata, **changed})


class _Server(grpc.ServerInterceptor):
    def __init__(self, trusted: _Trusted) -> None:
        self._trusted = trusted

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler = continuation(handler_call_details)
        return _within(handler, handler_call_details, self._trusted, _streamed) or handler


class _AioServer(grpc.aio.ServerInterceptor):
    def __init__(self, trusted: _Trusted) -> None:
        self._trusted = trusted

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler = await continuation(handler_call_details)
        return _within(handler, handler_call_details, self._trusted, lambda behaviour: behaviour) or handler


_KINDS: dict[tuple[bool, bool], tuple[str, Callable[..., Any]]] = {
    (False, False): ("unary_unary", grpc.unary_unary_rpc_method_handler),
    (False, True): ("unary_stream", grpc.unary_stream_rpc_method_handler),
    (True, False): ("stream_unary", grpc.stream_unary_rpc_method_handler),
    (True, True): ("stream_stream", grpc.stream_stream_rpc_method_handler),
}
"""Handlers by whether requests and responses are streams."""


@boundary.guarded("propagation.grpc")
def _within(handler: Any, details: Any, trusted: _Trusted, streamed: Callable[[Any], Any]) -> Any:
    """The handler of a call, run in the context that the call's metadata name."""
    if handler is None:  # nobody serves this method
        return None
    name, make = _KINDS[bool(handler.request_streaming), bool(handler.response_streaming)]
    behaviour = getattr(handler, name)
    if handler.response_streaming:
        behaviour = streamed(behaviour)

    def scope(_request: Any, context: Any) -> carrying.Within:
        return carrying.Within(_luggage(details.invocation_metadata, context, trusted) or carrying.packed())

    return make(scoped.wrapped(behaviour, scope), handler.request_deserializer, handler.response_serializer)


def _streamed(behaviour: Callable[[Any, Any], Iterable[Any]]) -> Callable[[Any, Any], Iterator[Any]]:
    """A behaviour that may return any iterator, as a generator function: those are scoped step by step."""

    def stream(request: Any, context: Any) -> Iterator[Any]:
        yield from behaviour(request, context)

    return stream


@boundary.guarded("propagation.grpc")
def _luggage(metadata: Any, context: Any, trusted: _Trusted) -> carrying.Luggage | None:
    found: dict[str, str] = {}
    for key, value in metadata or ():
        if isinstance(value, str):  # the others are binary, and none of ours
            found[key] = f"{found[key]},{value}" if key in found else value
    return headers.received(found, trusted()(trust.Caller(_address(context.peer()), found)))


def _address(peer: str) -> str | None:
    """The address in `ipv4:10.0.0.1:50051` or `ipv6:[::1]:50051` (whose brackets may be percent-encoded)."""
    scheme, _, rest = unquote(peer).partition(":")
    return rest.rpartition(":")[0].strip("[]") if scheme in ("ipv4", "ipv6") else None
