"""Log records, metric points and rejects as rows of their tables."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, cast

from watchglass.ingest.content import LONG_TEXT_BYTES, Contents
from watchglass.ingest.span_rows import (
    FRESH_VERSION,
    ResourceCache,
    attribute_columns,
    effective,
    storable,
)
from watchglass.model import Context, LogRecord, Value
from watchglass.wire.context import own_context_of
from watchglass.wire.log_messages import messages_of
from watchglass.wire.otlp_metrics import MetricPoint
from watchglass.wire.rejects import Reject
from watchglass.wire.values import to_json

LOG_COLUMNS = (
    *("log_id", "time", "observed_time", "trace_id", "span_id", "severity", "severity_text", "event_name"),
    *("body", "attributes", "attribute_types", "input_messages", "output_messages"),
    *("tenant", "service", "scope", "resource", "owner", "version"),
)
METRIC_COLUMNS = (
    *("point_id", "name", "kind", "unit", "description", "time", "start_time", "value", "value_int"),
    *("count", "sum", "data", "attributes", "attribute_types", "temporality", "monotonic"),
    *("tenant", "service", "scope", "resource", "owner", "version"),
)
REJECT_COLUMNS = ("time", "signal", "where", "reason", "trace_id", "span_id", "tenant")
MESSAGE_COLUMNS = ("tenant", "hash", "role", "content", "last_time", "version")

_NOTHING: frozenset[str] = frozenset()


def log_row(record: LogRecord, cache: ResourceCache, contents: Contents) -> tuple[Any, ...]:
    """One row in the order of `LOG_COLUMNS`."""
    facts = cache.facts(record.resource)
    tenant = effective(own_context_of(record.attributes), facts.context).tenant
    time_ns = record.time_ns or record.observed_ns
    texts, types = attribute_columns(record.attributes, _NOTHING, tenant, time_ns, contents)
    body = _body(record.body)
    asked, answered = messages_of(record)
    return (
        _identity(
            record.trace_id,
            record.span_id,
            time_ns,
            record.event_name,
            body,
            to_json(cast("Value", [texts])),
            facts.json,
        ),
        time_ns,
        record.observed_ns,
        record.trace_id,
        record.span_id,
        record.severity,
        record.severity_text,
        record.event_name,
        body if len(body) < LONG_TEXT_BYTES else contents.reference(tenant, body, time_ns),
        texts,
        types,
        contents.add_messages(tenant, asked, time_ns),
        contents.add_messages(tenant, answered, time_ns),
        tenant,
        facts.service,
        record.scope.name,
        facts.json,
        facts.owner,
        FRESH_VERSION,
    )


def metric_row(point: MetricPoint, cache: ResourceCache, contents: Contents) -> tuple[Any, ...]:
    """One row in the order of `METRIC_COLUMNS`."""
    facts = cache.facts(point.resource)
    context: Context = effective(own_context_of(point.attributes), facts.context)
    texts, types = attribute_columns(point.attributes, _NOTHING, context.tenant, point.time_ns, contents)
    return (
        _identity(
            point.name,
            point.kind,
            point.time_ns,
            point.start_ns,
            to_json(cast("Value", [texts])),
            point.scope.name,
            facts.json,
        ),
        point.name,
        point.kind,
        point.unit,
        point.description,
        point.time_ns,
        point.start_ns or None,
        point.value,
        point.value_int,
        point.count,
        point.sum,
        to_json(storable(point.data)) if point.data else "",
        texts,
        types,
        point.temporality,
        point.monotonic,
        context.tenant,
        facts.service,
        point.scope.name,
        facts.json,
        facts.owner,
        FRESH_VERSION,
    )


def reject_row(reject: Reject, signal: str, now_ns: int, owner: str) -> tuple[Any, ...]:
    """One row in the order of `REJECT_COLUMNS`."""
    return (now_ns, signal, reject.where, reject.reason, reject.trace_id, reject.span_id, owner or None)


def _body(body: Value) -> str:
    if body is None:
        return ""
    return body if isinstance(body, str) else to_json(storable(body))


def _identity(*parts: object) -> str:
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(str(part).encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()
