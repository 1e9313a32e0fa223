"""OTLP over gRPC: the three Export services, on raw message bytes.

grpcio inflates and frames; the bytes go to the `Receiver` as they came, so protobuf is decoded
once, in one place. gRPC's `:authority` is not checked: a web page cannot speak HTTP/2 without TLS,
which is what the Host check of the HTTP side is for.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest as BadRequestDetail
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from watchglass import errors
from watchglass.ingest.admission import MAX_BODY_BYTES, ByteBudget
from watchglass.ingest.receiver import Receiver, Signal
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
    if isinstance(error, errors.Refused):
        return grpc.StatusCode.PERMISSION_DENIED
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


def _export(signal: Signal, receiver: Receiver, budget: ByteBudget) -> _Handler:
    async def export(request: bytes, context: _Context) -> bytes:
        held = 0
        try:
            budget.take(len(request))
            held = len(request)
            outcome = await receiver.receive(signal, request, "protobuf")
        except errors.WatchglassError as error:
            status = status_of(error)
            metadata = (("grpc-status-details-bin", status.SerializeToString()),)
            await context.abort(code_of(error), status.message, metadata)
        except Exception:  # broad: the one boundary of gRPC, as `Application` is that of HTTP
            log.exception("mistake in a gRPC request", extra={"signal": signal})
            await context.abort(grpc.StatusCode.INTERNAL, "The server made a mistake; see its log.")
        finally:
            budget.give(held)
        return protobuf_answer(signal, outcome)

    return export


class GrpcServer:
    """A gRPC server on one address; `start` says which port it got."""

    def __init__(
        self, receiver: Receiver, budget: ByteBudget, *, max_message_bytes: int = MAX_BODY_BYTES
    ) -> None:
        self._server = grpc.aio.server(
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
                _export(signal, receiver, budget)
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
