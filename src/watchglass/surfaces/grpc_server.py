"""OTLP over gRPC: the three Export services, on raw message bytes.

grpcio inflates and frames; the bytes go to the `Receiver` as they came, so protobuf is decoded
once, in one place. gRPC's `:authority` is not checked: a web page cannot speak HTTP/2 without TLS,
which is what the Host check of the HTTP side is for.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeAlias

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest as BadRequestDetail
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from watchglass import errors
from watchglass.ingest.admission import MAX_BODY_BYTES, ByteBudget
from watchglass.ingest.receiver import Receiver, Signal
from watchglass.surfaces.access import Access, Grant, current, current_sender, granted
from watchglass.surfaces.http.otlp import protobuf_answer
from watchglass.surfaces.http.problems import retry_after_s

log = logging.getLogger(__name__)

SERVICES: dict[str, Signal] = {
    "opentelemetry.proto.collector.trace.v1.TraceService": "traces",
    "opentelemetry.proto.collector.logs.v1.LogsService": "logs",
    "opentelemetry.proto.collector.metrics.v1.MetricsService": "metrics",
}

_Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
_Handler: TypeAlias = Callable[[bytes, _Context], Awaitable[bytes]]


def code_of(error: errors.WatchglassError) -> grpc.StatusCode:
    """The status code that says what `error` means to the sender (OTLP/gRPC, "Failures").

    A full server is UNAVAILABLE, which every client resends; RESOURCE_EXHAUSTED without RetryInfo
    is one that no client resends, which is right for what is too large.
    """
    if isinstance(error, errors.TooLarge):
        return grpc.StatusCode.RESOURCE_EXHAUSTED
    if isinstance(error, errors.BadRequest):
        return grpc.StatusCode.INVALID_ARGUMENT
    if isinstance(error, errors.Unauthenticated):
        return grpc.StatusCode.UNAUTHENTICATED
    if isinstance(error, errors.Refused):
        return grpc.StatusCode.PERMISSION_DENIED
    if isinstance(error, errors.TooMany):
        return grpc.StatusCode.RESOURCE_EXHAUSTED  # with RetryInfo: to be sent again
    return grpc.StatusCode.UNAVAILABLE if retry_after_s(error) is not None else grpc.StatusCode.INTERNAL


def status_of(error: errors.WatchglassError) -> Status:
    """The `google.rpc.Status` with when to retry, or where the mistake is."""
    status = Status(code=code_of(error).value[0], message=str(error))
    retry = retry_after_s(error)
    if retry is not None:
        _attach(status, RetryInfo(retry_delay=Duration(seconds=retry)))
    if isinstance(error, errors.BadRequest) and error.where:
        violation = BadRequestDetail.FieldViolation(field=error.where, description=str(error))
        _attach(status, BadRequestDetail(field_violations=[violation]))
    return status


def _attach(status: Status, detail: Any) -> None:
    packed = AnyMessage()
    packed.Pack(detail)
    status.details.append(packed)


class Doorkeeper(grpc.aio.ServerInterceptor):  # pyright: ignore[reportUntypedBaseClass]  # grpcio has no types
    """Lets calls in, whatever method they name, before anything of them is read."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """The handler of a call: the method's own, or one that refuses."""
        metadata = dict(handler_call_details.invocation_metadata or ())
        said = metadata.get("authorization", "")
        authorization = said if isinstance(said, str) else said.decode("latin-1")
        where = (handler_call_details.method[:100], "")
        try:
            grant = self._access.admit(authorization, "ingest", where)
        except errors.WatchglassError as error:
            return _refusing(error)
        handler = await continuation(handler_call_details)
        return None if handler is None else _granted(handler, grant)


def _granted(handler: Any, grant: Grant) -> Any:
    async def call(request: bytes, context: _Context) -> bytes:
        with granted(grant):
            return await handler.unary_unary(request, context)

    return grpc.unary_unary_rpc_method_handler(call)


def _refusing(error: errors.WatchglassError) -> Any:
    """Takes a stream of messages, so that not even the first has to be read before the answer."""

    async def refuse(_: Any, context: _Context) -> bytes:
        return await _abort(context, error)

    return grpc.stream_unary_rpc_method_handler(refuse)


async def _abort(context: _Context, error: errors.WatchglassError) -> NoReturn:
    status = status_of(error)
    metadata = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(code_of(error), status.message, metadata)
    raise AssertionError("abort raises")


def _export(signal: Signal, receiver: Receiver, budget: ByteBudget, access: Access) -> _Handler:
    async def export(request: bytes, context: _Context) -> bytes:
        held, sender = 0, current_sender()
        try:
            budget.take(len(request), 0, sender)
            held = len(request)
            grant = current()
            access.charge(grant, held)
            outcome = await receiver.receive(signal, request, "protobuf", grant.tenant)
        except errors.WatchglassError as error:
            await _abort(context, error)
        except Exception:  # broad: the one boundary of gRPC, as `Application` is that of HTTP
            log.exception("mistake in a gRPC request", extra={"signal": signal})
            await context.abort(grpc.StatusCode.INTERNAL, "The server made a mistake; see its log.")
        finally:
            budget.give(held, sender)
        access.foreign(grant, outcome.foreign, (signal, context.peer()))
        return protobuf_answer(signal, outcome)

    return export


class GrpcServer:
    """A gRPC server on one address; `start` says which port it got."""

    def __init__(
        self,
        receiver: Receiver,
        budget: ByteBudget,
        *,
        access: Access | None = None,
        max_message_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        access = access or Access()
        self._server = grpc.aio.server(
            interceptors=(Doorkeeper(access),),
            options=(
                ("grpc.so_reuseport", 0),  # else two servers share the port in silence
                ("grpc.max_receive_message_length", max_message_bytes),
                ("grpc.max_metadata_size", 64 << 10),
            ),
            maximum_concurrent_rpcs=1000,
        )
        for service, signal in SERVICES.items():
            # No (de)serializers, so bytes both ways; the stubs have no word for that.
            handler: grpc.RpcMethodHandler[Any, Any] = grpc.unary_unary_rpc_method_handler(
                _export(signal, receiver, budget, access)
            )
            services = grpc.method_handlers_generic_handler(service, {"Export": handler})
            self._server.add_generic_rpc_handlers((services,))

    def bind(self, host: str, port: int) -> int:
        """Take the port, not yet answering; the port taken. Raises `ConfigError`."""
        name = f"[{host}]" if ":" in host else host
        try:
            bound = self._server.add_insecure_port(f"{name}:{port}")
        except RuntimeError:
            bound = 0
        if not bound:
            raise errors.ConfigError(
                f"port {port} on {host} cannot be had for gRPC, something else may be listening there; "
                "stop it, or choose another with --grpc-port"
            )
        return bound

    async def start(self) -> None:
        """Begin to answer."""
        await self._server.start()

    async def stop(self, grace_s: float) -> None:
        """Take no new requests, and give those under way `grace_s` seconds."""
        await self._server.stop(grace_s)
