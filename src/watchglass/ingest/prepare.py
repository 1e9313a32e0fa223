"""One function: an OTLP body in, Arrow record batches for the store out.

This is the whole of the work that costs processor time, and it touches nothing but its
arguments, so it runs as well in this process as in a spawned one (`decoders.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TypeVar

import msgspec
import numpy as np
import pyarrow as pa

from watchglass.errors import BadRequest, TooLarge
from watchglass.ingest.attention import Lone, Sighting
from watchglass.ingest.call_rows import CALL_COLUMNS, CallDraft, call_rows, draft
from watchglass.ingest.columns import TableBuilder
from watchglass.ingest.content import Contents
from watchglass.ingest.other_rows import (
    LOG_COLUMNS,
    MESSAGE_COLUMNS,
    METRIC_COLUMNS,
    REJECT_COLUMNS,
    log_row,
    metric_row,
    reject_row,
)
from watchglass.ingest.receiver import Signal
from watchglass.ingest.span_columns import spans_batch
from watchglass.ingest.span_rows import SPAN_COLUMNS, ResourceCache, ResourceFacts, effective
from watchglass.ingest.step_events import step_row
from watchglass.ingest.task_rows import TASK_COLUMNS, own_with, task_row
from watchglass.model import Context, Described, LogRecord, Span, Step
from watchglass.pricing.book import PriceBook
from watchglass.store.tables import SCHEMAS
from watchglass.wire.columns import SpanColumns, columns_of
from watchglass.wire.context import matters, own_context, own_context_of
from watchglass.wire.dialects import SCOPES, describe, step
from watchglass.wire.otlp import Encoding, decode_logs, decode_traces
from watchglass.wire.otlp_columns import read_spans
from watchglass.wire.otlp_metrics import MetricPoint, decode_metrics
from watchglass.wire.protobuf_columns import Unreadable
from watchglass.wire.rejects import Reject

COLUMNS: dict[str, tuple[str, ...]] = {
    "spans": SPAN_COLUMNS,
    "calls": CALL_COLUMNS,
    "tasks": TASK_COLUMNS,
    "messages": MESSAGE_COLUMNS,
    "logs": LOG_COLUMNS,
    "metrics": METRIC_COLUMNS,
    "rejects": REJECT_COLUMNS,
}

REPEATED_BYTES = 256 * 2**20
"""What a body may grow to by its resources, which stand in each row: a column holds 2 GiB, and a body of
1 MB can ask for more than the machine has."""

Item = TypeVar("Item", LogRecord, MetricPoint)

_NAMED_REJECTS = 5
_TENANT = "tenant"
_NO_CONTEXT = Context()


class Prepared(msgspec.Struct, frozen=True):
    """One body, ready to be written."""

    accepted: int
    rejected: int
    message: str
    batches: dict[str, pa.RecordBatch]
    sighting: Sighting = Sighting()
    """What settling must know of it."""
    foreign: int = 0
    """Of the rejected, those that named another tenant than the owner."""


def prepare(
    signal: Signal, body: bytes, encoding: Encoding, book: PriceBook, now_ns: int, owner: str = ""
) -> Prepared:
    """Decode, normalise and price one body. Raises `BadRequest` where nothing of it can be read.

    `owner` is the tenant that the sender's key is bound to: all rows are that tenant's, and items
    that name another are rejected.
    """
    tables = _Tables(owner)
    if signal == "traces":
        return _traces(body, encoding, book, now_ns, tables)
    if signal == "logs":
        return _logs(body, encoding, now_ns, tables)
    return _metrics(body, encoding, now_ns, tables)


def prepare_rejected(
    signal: Signal, error: BadRequest, now_ns: int, owner: str = ""
) -> dict[str, pa.RecordBatch]:
    """A body that was refused whole, as a row of `rejects`."""
    builder = TableBuilder(SCHEMAS["rejects"], COLUMNS["rejects"])
    builder.rows.append(reject_row(Reject(error.where or "", str(error)), signal, now_ns, owner))
    return {"rejects": builder.batch()}


class _Tables(dict[str, TableBuilder]):
    """The builders that a body needed, and its texts."""

    def __init__(self, owner: str) -> None:
        super().__init__()
        self.owner = owner
        self.contents = Contents()

    def __missing__(self, name: str) -> TableBuilder:
        builder = self[name] = TableBuilder(SCHEMAS[name], COLUMNS[name])
        return builder

    def prepared(
        self,
        signal: Signal,
        accepted: int,
        rejects: list[Reject],
        sighting: Sighting,
        now_ns: int,
        spans: pa.RecordBatch | None = None,
    ) -> Prepared:
        for reject in rejects:
            self["rejects"].rows.append(reject_row(reject, signal, now_ns, self.owner))
        for (tenant, digest), (role, content, time_ns) in self.contents.rows.items():
            # The version is when it was received: the youngest row of a text says how long it is kept.
            self["messages"].rows.append((tenant, digest, role, content, time_ns, now_ns))
        batches = {name: builder.batch() for name, builder in self.items() if builder.rows}
        if spans is not None:
            batches["spans"] = spans
        foreign = sum(each.where == _TENANT for each in rejects)
        return Prepared(accepted, len(rejects), _message(rejects), batches, sighting, foreign)


def _traces(body: bytes, encoding: Encoding, book: PriceBook, now_ns: int, tables: _Tables) -> Prepared:
    spans, rejects = _columns(body, encoding)
    return _spans(spans, rejects, book, now_ns, tables)


def _spans(
    spans: SpanColumns, rejects: list[Reject], book: PriceBook, now_ns: int, tables: _Tables
) -> Prepared:
    facts = [ResourceFacts.of(resource, tables.owner) for _, resource in spans.origins]
    sizes = [
        _facts_bytes(each, scope.name + scope.version)
        for each, (scope, _) in zip(facts, spans.origins, strict=True)
    ]
    origin = spans.origin.tolist()
    _bounded(sizes[each] for each in origin)
    tenants = [facts[each].context.tenant for each in origin]
    own, content_keys, drafts = dict[int, Context](), dict[int, tuple[str, ...]](), dict[int, CallDraft]()
    steps = dict[int, tuple[Span, Step, Context]]()
    silent = {at: each.other_tenant for at, each in enumerate(facts) if each.other_tenant is not None}
    intruders = {index: silent[at] for index, at in enumerate(origin) if at in silent} if silent else {}
    for index, span in spans.spans(_telling(spans)):
        described, said = describe(span), own_context(span)
        done = step(span) if described is None or described.kind == "aggregate" else None
        if done is not None:
            said = own_with(done, span, said)
        context = effective(said, facts[origin[index]].context)
        tenants[index] = context.tenant
        if said is not _NO_CONTEXT:
            own[index] = said
            if tables.owner and said.tenant is not None:
                intruders[index] = said.tenant
        if described is not None:
            content_keys[index] = described.content_keys
            drafts[index] = draft(span, described, context, facts[origin[index]])
        if done is not None:
            content_keys[index] = (*content_keys.get(index, ()), *done.content_keys)
            steps[index] = span, done, context
    intruders = {index: tenant for index, tenant in intruders.items() if tenant != tables.owner}
    if intruders:
        spans, refused = _without(spans, intruders, tables.owner)
        return _spans(spans, [*rejects, *refused], book, now_ns, tables)
    tables["tasks"].rows = [
        task_row(span, done, context, facts[origin[index]], tables.contents)
        for index, (span, done, context) in steps.items()
    ]
    if drafts:
        tables["calls"].rows = call_rows(list(drafts.values()), book, tables.contents)
    batch = None
    if len(spans):
        batch = spans_batch(spans, facts, tenants, own, content_keys, tables.contents, tables.owner)
    return tables.prepared("traces", len(spans), rejects, _sighting(spans, drafts), now_ns, batch)


def _without(
    spans: SpanColumns, intruders: Mapping[int, str], owner: str
) -> tuple[SpanColumns, list[Reject]]:
    kept, refused = list[Span](), list[Reject]()
    for index, span in spans.spans(range(len(spans))):
        if index in intruders:
            refused.append(_intrusion(intruders[index], owner, span.trace_id, span.span_id))
        else:
            kept.append(span)
    return columns_of(kept), refused


def _intrusion(other: str, owner: str, trace_id: str, span_id: str) -> Reject:
    reason = f"it names the tenant {other[:100]!r}, and the key it came with writes only as {owner!r}"
    return Reject(_TENANT, reason, trace_id, span_id)


def _columns(body: bytes, encoding: Encoding) -> tuple[SpanColumns, list[Reject]]:
    if encoding == "protobuf":
        with suppress(Unreadable):
            return read_spans(body), []
    decoded = decode_traces(body, encoding)
    return columns_of(decoded.spans), decoded.rejects


def _telling(spans: SpanColumns) -> list[int]:
    """Spans that may say something of an LLM request or of their context; most others are never records."""
    tells = np.array([matters(key) for key in spans.keys], bool)
    owners = np.repeat(np.arange(len(spans)), np.diff(spans.first_attribute))[tells[spans.key]]
    by_scope = np.array([scope.name in SCOPES for scope, _ in spans.origins], bool)
    telling = by_scope[spans.origin]
    telling[owners] = True
    return np.nonzero(telling)[0].tolist()


def _sighting(spans: SpanColumns, drafts: Mapping[int, CallDraft]) -> Sighting:
    in_trace = Counter(spans.trace_id)
    touched, lone, latest_ns = set[str](), list[Lone](), 0
    starts = spans.start_ns.tolist()
    for index, trace_id in enumerate(spans.trace_id):
        drafted = drafts.get(index)
        plain = drafted is None or _plain(drafted.described)
        if not plain or in_trace[trace_id] > 1 or spans.parent_span_id[index]:
            touched.add(trace_id)
            latest_ns = max(latest_ns, starts[index])
        else:
            lone.append(Lone(trace_id, "" if drafted is None else drafted.facts.process, starts[index]))
    sources = {(each.facts.process, each.span.scope.name) for each in drafts.values()}
    return Sighting(sorted(touched), lone, sorted(sources), latest_ns)


def _plain(described: Described) -> bool:
    """A call that says its own usage and wraps nothing."""
    return described.kind == "call" and not described.may_wrap and described.usage.known


def _logs(body: bytes, encoding: Encoding, now_ns: int, tables: _Tables) -> Prepared:
    decoded = decode_logs(body, encoding)
    cache = ResourceCache(tables.owner)
    logs, refused = _owned(decoded.logs, cache, tables.owner)
    _bounded(_facts_bytes(cache.facts(record.resource), record.scope.name) for record in logs)
    for record in logs:
        tables["logs"].rows.append(log_row(record, cache, tables.contents))
        told = step_row(record, cache.facts(record.resource), tables.contents)
        if told is not None:
            tables["tasks"].rows.append(told)
    touched = sorted({record.trace_id for record in logs if record.span_id})
    latest_ns = max((record.time_ns or record.observed_ns for record in logs), default=0)
    sighting = Sighting(touched, latest_ns=latest_ns)
    return tables.prepared("logs", len(logs), [*decoded.rejects, *refused], sighting, now_ns)


def _metrics(body: bytes, encoding: Encoding, now_ns: int, tables: _Tables) -> Prepared:
    decoded = decode_metrics(body, encoding)
    cache = ResourceCache(tables.owner)
    points, refused = _owned(decoded.points, cache, tables.owner)
    _bounded(_facts_bytes(cache.facts(point.resource), point.scope.name) for point in points)
    for point in points:
        tables["metrics"].rows.append(metric_row(point, cache, tables.contents))
    return tables.prepared("metrics", len(points), [*decoded.rejects, *refused], Sighting(), now_ns)


def _owned(items: list[Item], cache: ResourceCache, owner: str) -> tuple[list[Item], list[Reject]]:
    """Log records or points without those that name another tenant than the owner."""
    if not owner:
        return items, []
    kept, refused = list[Item](), list[Reject]()
    for item in items:
        other = cache.facts(item.resource).intruded(own_context_of(item.attributes).tenant)
        if other is None:
            kept.append(item)
        else:
            trace_id, span_id = getattr(item, "trace_id", ""), getattr(item, "span_id", "")
            refused.append(_intrusion(other, owner, trace_id, span_id))
    return kept, refused


def _facts_bytes(facts: ResourceFacts, scope: str) -> int:
    return (
        len(facts.json)
        + len(scope)
        + len(facts.process)
        + len(facts.service or "")
        + sum(map(len, facts.context_map.values()))
    )


def _bounded(sizes: Iterable[int]) -> None:
    total = sum(sizes)
    if total > REPEATED_BYTES:
        raise TooLarge(
            f"the resources of this body come to {total >> 20} MiB when each item has its own; the limit is "
            f"{REPEATED_BYTES >> 20} MiB: send fewer items in a body, or less in the resource",
            where="resource",
        )


def _message(rejects: list[Reject]) -> str:
    if not rejects:
        return ""
    named = "; ".join(
        f"{each.where}{f' (span {each.span_id})' if each.span_id else ''}: {each.reason}"
        for each in rejects[:_NAMED_REJECTS]
    )
    more = len(rejects) - _NAMED_REJECTS
    return named + (f"; and {more} more, all in the table `rejects`" if more > 0 else "")
