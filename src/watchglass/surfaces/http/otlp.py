"""OTLP over HTTP: POST /v1/traces, /v1/logs and /v1/metrics, as raw ASGI.

The specification is https://opentelemetry.io/docs/specs/otlp/ (section OTLP/HTTP). Errors are
problem JSON in either encoding; `problems.py` says why.
"""

from __future__ import annotations

import msgspec
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from watchglass.errors import UnsupportedMedia, WatchglassError
from watchglass.ingest.admission import SUPPORTED_CODINGS
from watchglass.ingest.receiver import Encoding, Outcome, Receiver, Signal
from watchglass.surfaces.access import Access, Where, current
from watchglass.surfaces.http.asgi import Receive, Response, Scope, Send, respond
from watchglass.surfaces.http.body import Body, ClientGone, Intake, SenderStalled
from watchglass.surfaces.http.media import Promise, promise
from watchglass.surfaces.http.problems import problem, problem_for

PREFIXES = ("", "/api/public/otel")
"""Where clients look for OTLP: the standard's own root, and the one that langfuse's clients have built in."""

PATHS: dict[str, Signal] = {
    f"{prefix}/v1/{signal}": signal for prefix in PREFIXES for signal in ("traces", "logs", "metrics")
}

_PROTOBUF = b"application/x-protobuf"
_JSON = b"application/json"

_REJECTED_FIELD: dict[Signal, tuple[str, str]] = {
    "traces": ("rejected_spans", "rejectedSpans"),
    "logs": ("rejected_log_records", "rejectedLogRecords"),
    "metrics": ("rejected_data_points", "rejectedDataPoints"),
}
_MESSAGES = {
    "traces": ExportTraceServiceResponse,
    "logs": ExportLogsServiceResponse,
    "metrics": ExportMetricsServiceResponse,
}
_ACCEPTS = (
    (b"accept-post", b"application/x-protobuf, application/json"),
    (b"accept-encoding", SUPPORTED_CODINGS.encode()),
)
"""What a 415 says would have been read (RFC 9110 12.5.3; Accept-Post is W3C's Linked Data Platform)."""

_ALL_WELL: dict[Encoding, Response] = {
    "protobuf": Response(200, _PROTOBUF, b""),  # the encoding of an empty message
    "json": Response(200, _JSON, b"{}"),
}


def protobuf_answer(signal: Signal, outcome: Outcome) -> bytes:
    """The Export…ServiceResponse message: empty if all went well (partial_success MUST be unset then)."""
    if not outcome.rejected and not outcome.message:
        return b""
    message = _MESSAGES[signal]()
    message.partial_success.error_message = outcome.message
    setattr(message.partial_success, _REJECTED_FIELD[signal][0], outcome.rejected)
    return message.SerializeToString()


def json_answer(signal: Signal, outcome: Outcome) -> bytes:
    """The same in OTLP's JSON, where a 64-bit integer is a string of digits."""
    if not outcome.rejected and not outcome.message:
        return b"{}"
    partial = {_REJECTED_FIELD[signal][1]: str(outcome.rejected), "errorMessage": outcome.message}
    return msgspec.json.encode({"partialSuccess": partial})


def answer(signal: Signal, encoding: Encoding, outcome: Outcome) -> Response:
    """The response to a request that was received, in the encoding that it was sent in."""
    if not outcome.rejected and not outcome.message:
        return _ALL_WELL[encoding]
    if encoding == "json":
        return Response(200, _JSON, json_answer(signal, outcome))
    return Response(200, _PROTOBUF, protobuf_answer(signal, outcome))


class Export:
    """The endpoint of one signal. Raises only what is a mistake of ours."""

    def __init__(self, signal: Signal, receiver: Receiver, intake: Intake, access: Access) -> None:
        self._access = access
        self._signal: Signal = signal
        self._receiver = receiver
        self._intake = intake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one export request."""
        try:
            promised = promise(scope)
        except WatchglassError as error:
            body = Body(receive, unread(scope), self._intake)
            await body.refuse(send, _refusal(error))
            return
        body = Body(receive, promised, self._intake)
        try:
            response = await self._export(body, promised, scope.get("watchglass.where", ("", "")))
        except ClientGone:
            return
        finally:
            body.release()
        await body.refuse(send, response) if not body.whole else await respond(send, response)

    async def _export(self, body: Body, promised: Promise, where: Where) -> Response:
        try:
            data = await body.read()
            grant = current()
            self._access.charge(grant, len(data))
            outcome = await self._receiver.receive(self._signal, data, promised.encoding, grant.tenant)
        except WatchglassError as error:
            return _refusal(error)
        except SenderStalled as error:
            return problem(408, str(error))
        self._access.foreign(grant, outcome.foreign, where)
        return answer(self._signal, promised.encoding, outcome)


def unread(scope: Scope) -> Promise:
    """What is known of the body of a request that is refused for its headers."""
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"0")
    known = b"transfer-encoding" not in headers and length.isdigit()
    return Promise("protobuf", "identity", int(length[:20]) if known else None, b"expect" in headers)


def _refusal(error: WatchglassError) -> Response:
    response = problem_for(error)
    if isinstance(error, UnsupportedMedia):
        return msgspec.structs.replace(response, headers=_ACCEPTS)
    return response
