"""Metrics from the spans of other instrumentations: HTTP, gRPC and databases, by OpenTelemetry's conventions.

Both the present names of attributes and those before 2024 are read: the instrumentations in use still write
the latter unless told otherwise (`OTEL_SEMCONV_STABILITY_OPT_IN`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from watchglass.capture.prometheus.runtime import metric
from watchglass.capture.records import Attribute, SpanRecord

Said = Mapping[str, Attribute]

SERVER, CLIENT, ERROR = 2, 3, 2
CACHES = {"redis", "memcached", "valkey"}
OPERATIONS = {"select", "insert", "update", "delete"}

_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"}
_FIRST_WORD = re.compile(r"[\s(]*([A-Za-z]+)")


def count(record: SpanRecord, said: Said) -> None:
    """Count a span that is no call and no step, if it is one of these."""
    if record.kind not in (SERVER, CLIENT):
        return
    seconds = max(record.end_ns - record.start_ns, 0) / 1e9
    if said.get("rpc.system", said.get("rpc.system.name")) == "grpc":
        _grpc(record, said, seconds)
    elif method := _one(said, "http.request.method", "http.method"):
        _http(record, said, str(method), seconds)
    elif system := _one(said, "db.system.name", "db.system"):
        _database(record, said, str(system), seconds)


def _http(record: SpanRecord, said: Said, method: str, seconds: float) -> None:
    side = "http" if record.kind == SERVER else "http_client"
    # Any word may come as a method from outside, and each would be a series.
    labels = {"method": method if method in _METHODS else "_OTHER", "endpoint": _endpoint(record, said)}
    status = _one(said, "http.response.status_code", "http.status_code")
    metric(f"{side}_requests_total", **labels, status=status).inc()
    metric(f"{side}_request_duration_seconds", **labels).observe(seconds)
    failed = record.status == ERROR or (isinstance(status, int) and status >= 500)
    if failed:
        _error("http", said, status)


def _endpoint(record: SpanRecord, said: Said) -> Attribute:
    """The route of a server, never a path, which holds ids; the host of a client."""
    if record.kind == SERVER:
        return said.get("http.route")
    host = _one(said, "server.address", "net.peer.name", "http.host")
    return host or urlsplit(str(_one(said, "url.full", "http.url") or "")).hostname


def _grpc(record: SpanRecord, said: Said, seconds: float) -> None:
    method = str(said.get("rpc.method") or record.name)
    service, _, name = method.strip("/").rpartition("/")
    side = "server" if record.kind == SERVER else "client"
    labels = {"service": said.get("rpc.service") or service, "method": name, "side": side}
    status = _one(said, "rpc.grpc.status_code", "rpc.response.status_code")
    metric("grpc_requests_total", **labels, status=status).inc()
    metric("grpc_request_duration_seconds", **labels).observe(seconds)
    if record.status == ERROR:
        _error("grpc", said, status)


def _database(record: SpanRecord, said: Said, system: str, seconds: float) -> None:
    told = _one(said, "db.operation.name", "db.operation", "db.query.text", "db.statement")
    if system in CACHES or told is None:  # a connection that is opened is no statement
        return
    word = _FIRST_WORD.match(str(told))
    operation = word[1].lower() if word else ""
    metric("db_query_duration_seconds", operation=operation if operation in OPERATIONS else "other").observe(
        seconds
    )
    if record.status == ERROR:
        _error("db", said, None)


def _error(source: str, said: Said, status: Attribute) -> None:
    metric("errors_total", source=source, error_type=said.get("error.type") or status).inc()


def _one(said: Said, *keys: str) -> Attribute:
    return next((said[key] for key in keys if said.get(key) is not None), None)
