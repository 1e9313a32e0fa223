"""One function: an OTLP body in, Arrow record batches for the store out.

This is the whole of the work that costs processor time, and it touches nothing but its
arguments, so it runs as well in this process as in a spawned one (`decoders.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
import pyarrow as pa

from watchglass.errors import BadRequest
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
from watchglass.ingest.span_rows import FRESH_VERSION, SPAN_COLUMNS, ResourceCache, effective, span_row
from watchglass.model import Described, Span
from watchglass.pricing.book import PriceBook
from watchglass.store.tables import SCHEMAS
from watchglass.wire.context import own_context
from watchglass.wire.dialects import describe
from watchglass.wire.otlp import Encoding, decode_logs, decode_traces
from watchglass.wire.otlp_metrics import decode_metrics
from watchglass.wire.rejects import Reject

COLUMNS: dict[str, tuple[str, ...]] = {
    "spans": SPAN_COLUMNS,
    "calls": CALL_COLUMNS,
    "messages": MESSAGE_COLUMNS,
    "logs": LOG_COLUMNS,
    "metrics": METRIC_COLUMNS,
    "rejects": REJECT_COLUMNS,
}

_NAMED_REJECTS = 5


class Prepared(msgspec.Struct, frozen=True):
    """One body, ready to be written."""

    accepted: int
    rejected: int
    message: str
    batches: dict[str, pa.RecordBatch]
    sighting: Sighting = Sighting()
    """What settling must know of it."""


def prepare(signal: Signal, body: bytes, encoding: Encoding, book: PriceBook, now_ns: int) -> Prepared:
    """Decode, normalise and price one body. Raises `BadRequest` where nothing of it can be read."""
    tables = _Tables()
    if signal == "traces":
        return _traces(body, encoding, book, now_ns, tables)
    if signal == "logs":
        return _logs(body, encoding, now_ns, tables)
    decoded = decode_metrics(body, encoding)
    cache = ResourceCache()
    for point in decoded.points:
        tables["metrics"].rows.append(metric_row(point, cache, tables.contents))
    return tables.prepared(signal, len(decoded.points), decoded.rejects, Sighting(), now_ns)


def prepare_rejected(signal: Signal, error: BadRequest, now_ns: int) -> dict[str, pa.RecordBatch]:
    """A body that was refused whole, as a row of `rejects`."""
    builder = TableBuilder(SCHEMAS["rejects"], COLUMNS["rejects"])
    builder.rows.append(reject_row(Reject(error.where or "", str(error)), signal, now_ns))
    return {"rejects": builder.batch()}


class _Tables(dict[str, TableBuilder]):
    """The builders that a body needed, and its texts."""

    def __init__(self) -> None:
        super().__init__()
        self.contents = Contents()

    def __missing__(self, name: str) -> TableBuilder:
        builder = self[name] = TableBuilder(SCHEMAS[name], COLUMNS[name])
        return builder

    def prepared(
        self, signal: Signal, accepted: int, rejects: list[Reject], sighting: Sighting, now_ns: int
    ) -> Prepared:
        for reject in rejects:
            self["rejects"].rows.append(reject_row(reject, signal, now_ns))
        for (tenant, digest), (role, content, time_ns) in self.contents.rows.items():
            self["messages"].rows.append((tenant, digest, role, content, time_ns, FRESH_VERSION))
        batches = {name: builder.batch() for name, builder in self.items() if builder.rows}
        return Prepared(accepted, len(rejects), _message(rejects), batches, sighting)


def _traces(body: bytes, encoding: Encoding, book: PriceBook, now_ns: int, tables: _Tables) -> Prepared:
    decoded = decode_traces(body, encoding)
    cache, drafts, spans = ResourceCache(), list[CallDraft](), tables["spans"].rows
    for span in decoded.spans:
        drafted = _span(span, cache, tables.contents, spans)
        if drafted is not None:
            drafts.append(drafted)
    if drafts:
        tables["calls"].rows = call_rows(drafts, book, tables.contents)
    sighting = _sighting(decoded.spans, drafts)
    return tables.prepared("traces", len(decoded.spans), decoded.rejects, sighting, now_ns)


def _sighting(spans: Sequence[Span], drafts: Sequence[CallDraft]) -> Sighting:
    in_trace = Counter(span.trace_id for span in spans)
    processes = {(each.span.trace_id, each.span.span_id): each.facts.process for each in drafts}
    undecided = {each.span.trace_id for each in drafts if not _plain(each.described)}
    touched, lone, latest_ns = set[str](), list[Lone](), 0
    for span in spans:
        trace_id = span.trace_id
        if span.parent_span_id or in_trace[trace_id] > 1 or trace_id in undecided:
            touched.add(trace_id)
            latest_ns = max(latest_ns, span.start_ns)
        else:
            lone.append(Lone(trace_id, processes.get((trace_id, span.span_id), ""), span.start_ns))
    sources = {(each.facts.process, each.span.scope.name) for each in drafts}
    return Sighting(sorted(touched), lone, sorted(sources), latest_ns)


def _plain(described: Described) -> bool:
    """A call that says its own usage and wraps nothing."""
    return described.kind == "call" and not described.may_wrap and described.usage.known


def _span(
    span: Span, cache: ResourceCache, contents: Contents, rows: list[tuple[object, ...]]
) -> CallDraft | None:
    described = describe(span)
    facts = cache.facts(span.resource)
    own = own_context(span)
    context = effective(own, facts.context)
    content_keys = described.content_keys if described is not None else ()
    rows.append(span_row(span, own, facts, context.tenant, content_keys, contents))
    return None if described is None else draft(span, described, context, facts)


def _logs(body: bytes, encoding: Encoding, now_ns: int, tables: _Tables) -> Prepared:
    decoded = decode_logs(body, encoding)
    cache = ResourceCache()
    for record in decoded.logs:
        tables["logs"].rows.append(log_row(record, cache, tables.contents))
    touched = sorted({record.trace_id for record in decoded.logs if record.span_id})
    latest_ns = max((record.time_ns for record in decoded.logs), default=0)
    return tables.prepared("logs", len(decoded.logs), decoded.rejects, Sighting(touched, latest_ns=latest_ns), now_ns)


def _message(rejects: list[Reject]) -> str:
    if not rejects:
        return ""
    named = "; ".join(
        f"{each.where}{f' (span {each.span_id})' if each.span_id else ''}: {each.reason}"
        for each in rejects[:_NAMED_REJECTS]
    )
    more = len(rejects) - _NAMED_REJECTS
    return named + (f"; and {more} more, all in the table `rejects`" if more > 0 else "")
