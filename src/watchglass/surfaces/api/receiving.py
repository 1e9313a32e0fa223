"""The endpoints that are answered elsewhere: OTLP has a faster way in, and health needs no store."""

from __future__ import annotations

from typing import Any

from watchglass.surfaces.api.endpoint import Endpoint

_STATE: dict[str, Any] = {"type": "object", "additionalProperties": True}

RECEIVING: list[Endpoint] = [
    *(
        Endpoint(
            method="POST",
            path=f"/v1/{signal}",
            summary=f"Receive {signal} over OTLP/HTTP",
            details="An OTLP export request as protobuf or JSON, plain or gzip or deflate. The answer comes "
            "when all that it accepts is on disk; what is rejected is counted and named in `partialSuccess`.",
            needs="ingest",
            body=_STATE,
            body_type="application/x-protobuf",
            answer=_STATE,
            answer_type="application/x-protobuf",
        )
        for signal in ("traces", "logs", "metrics")
    ),
    Endpoint(
        method="GET", path="/health", summary="State of the server and its store", needs="any", answer=_STATE
    ),
    Endpoint(
        method="GET",
        path="/ready",
        summary="Whether to send requests here now",
        needs="nothing",
        answer=_STATE,
    ),
]
