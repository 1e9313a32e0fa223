"""Posts a body to a server over HTTP, as OTLP exporters do, and reads what became of it."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from watchglass.errors import BadRequest, Overloaded, Unauthenticated, Unreachable
from watchglass.surfaces.demo.traffic import Batch

TIMEOUT_S = 60
_LATER = frozenset({429, 502, 503, 504})
_LONGEST_WAIT_S = 30


class HttpPost:
    """A `Post` to the server at `address`, through `opener`; `headers` hold the key, if one is needed."""

    def __init__(
        self, address: str, opener: urllib.request.OpenerDirector, headers: Mapping[str, str]
    ) -> None:
        self._address = address
        self._opener = opener
        self._headers = {"content-type": "application/x-protobuf", **headers}

    def __call__(self, batch: Batch, /) -> None:
        """See `Post`."""
        request = urllib.request.Request(self._address + batch.path, data=batch.body, headers=self._headers)
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as response:
                self._accepted(response.read())
        except urllib.error.HTTPError as refusal:
            raise self._refused(refusal) from None
        except (OSError, http.client.HTTPException) as fault:
            raise Unreachable(
                f"no server answers at {self._address} ({getattr(fault, 'reason', fault)}); start one with "
                "`watchglass serve`, or name another with --url"
            ) from None

    def _accepted(self, answer: bytes) -> None:
        left_out = ExportTraceServiceResponse.FromString(answer).partial_success
        if left_out.rejected_spans:  # of logs, rejected_log_records has the same number
            raise BadRequest(
                f"{left_out.rejected_spans} demo records were rejected: {left_out.error_message}"
            )

    def _refused(self, refusal: urllib.error.HTTPError) -> Exception:
        if refusal.code in _LATER:
            asked = refusal.headers.get("retry-after", "")
            seconds = int(asked) if asked.isdigit() else 1
            return Overloaded(
                f"{self._address} has no room for the demo now (HTTP {refusal.code}); try again later",
                retry_after_s=min(seconds, _LONGEST_WAIT_S),
            )
        if refusal.code in (401, 403):
            return Unauthenticated(
                f"{self._address} wants a key that may send; give one with --key or WATCHGLASS_KEY"
            )
        return BadRequest(
            f"{self._address} refused the demo traffic (HTTP {refusal.code}); is it a watchglass server? "
            "Name one with --url"
        )
