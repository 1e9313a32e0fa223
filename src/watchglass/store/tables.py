"""The physical tables as Arrow schemas: what `Engine.insert` takes for each.

The tables themselves are made by `migrations/`; a test holds the two together. Text that the
table keeps as LowCardinality is plain `string` here: the engine builds the dictionaries.
"""

from __future__ import annotations

import pyarrow as pa

TEXT = pa.string()
TEXTS = pa.list_(pa.string())
TEXT_MAP = pa.map_(pa.string(), pa.string())
MOMENT = pa.timestamp("ns", tz="UTC")
COUNT = pa.int64()
MONEY = pa.decimal128(38, 18)
VERSION = pa.uint64()


def _schema(required: dict[str, pa.DataType], optional: dict[str, pa.DataType] | None = None) -> pa.Schema:
    return pa.schema(
        [pa.field(name, kind, nullable=False) for name, kind in required.items()]
        + [pa.field(name, kind, nullable=True) for name, kind in (optional or {}).items()]
    )


SPANS = _schema(
    {
        "trace_id": TEXT,
        "span_id": TEXT,
        "parent_span_id": TEXT,
        "name": TEXT,
        "kind": pa.uint8(),
        "start_time": MOMENT,
        "status": pa.uint8(),
        "status_message": TEXT,
        "scope": TEXT,
        "scope_version": TEXT,
        "own_context": TEXT_MAP,
        "resource_context": TEXT_MAP,
        "process": TEXT,
        "attributes": TEXT_MAP,
        "attribute_types": TEXT_MAP,
        "content_keys": TEXTS,
        "events": TEXT,
        "links": TEXT,
        "resource": TEXT,
        "trace_state": TEXT,
        "flags": pa.uint32(),
        "owner": TEXT,
        "version": VERSION,
    },
    {"duration_ns": pa.int64(), "service": TEXT, "tenant": TEXT},
)

CALLS = _schema(
    {
        "call_id": TEXT,
        "trace_id": TEXT,
        "span_id": TEXT,
        "parent_span_id": TEXT,
        "time": MOMENT,
        "kind": TEXT,
        "process": TEXT,
        "scope": TEXT,
        "operation": TEXT,
        "finish_reasons": TEXTS,
        "success": pa.bool_(),
        "counted": pa.bool_(),
        "may_wrap": pa.bool_(),
        "dialect": TEXT,
        "input_messages": TEXTS,
        "output_messages": TEXTS,
        "metadata": TEXT_MAP,
        "origin": TEXT,
        "price_run": TEXT,
        "owner": TEXT,
        "version": VERSION,
    },
    {
        **dict.fromkeys(
            (
                *(
                    "tenant",
                    "engagement",
                    "feature",
                    "flow",
                    "flow_type",
                    "phase",
                    "task",
                    "task_id",
                    "agent",
                    "session",
                ),
                *("user", "environment", "service"),
                *("provider", "provider_source", "provider_label", "server_address"),
                *("request_model", "response_model", "response_id"),
            ),
            TEXT,
        ),
        **dict.fromkeys(
            (
                *(
                    "input_tokens",
                    "output_tokens",
                    "cache_read_tokens",
                    "cache_write_tokens",
                ),
                *(
                    "cache_write_1h_tokens",
                    "reasoning_tokens",
                    "input_audio_tokens",
                    "output_audio_tokens",
                ),
                "total_tokens_reported",
            ),
            COUNT,
        ),
        "cost_usd": MONEY,
        "reported_cost_usd": MONEY,
        **dict.fromkeys(("price_source", "price_id", "unpriced_reason", "service_tier"), TEXT),
        "duration_ns": pa.int64(),
        "ttft_ns": pa.int64(),
        "streaming": pa.bool_(),
        **dict.fromkeys(("error_type", "error_message", "not_counted_reason", "duplicate_of"), TEXT),
        "supplements_span_id": TEXT,
        "code_file": TEXT,
        "code_line": pa.uint32(),
        "code_function": TEXT,
    },
)

TASKS = _schema(
    {
        "task_id": TEXT,
        "trace_id": TEXT,
        "span_id": TEXT,
        "kind": TEXT,
        "name": TEXT,
        "status": TEXT,
        "time": MOMENT,
        "states": pa.map_(pa.string(), pa.int64()),
        "process": TEXT,
        "scope": TEXT,
        "metadata": TEXT_MAP,
        "dialect": TEXT,
        "outermost": pa.bool_(),
        "owner": TEXT,
        "version": VERSION,
    },
    {
        "completed": MOMENT,
        "duration_ns": pa.int64(),
        **dict.fromkeys(
            (
                *("parent_task_id", "tenant", "engagement", "feature", "flow", "flow_type", "phase", "task"),
                *("agent", "session", "user", "environment", "service", "error_type", "error_message"),
                *("input", "output"),
            ),
            TEXT,
        ),
    },
)

MESSAGES = _schema(
    {
        "tenant": TEXT,
        "hash": TEXT,
        "role": TEXT,
        "content": TEXT,
        "last_time": MOMENT,
        "version": VERSION,
    }
)

LOGS = _schema(
    {
        "log_id": TEXT,
        "time": MOMENT,
        "observed_time": MOMENT,
        "trace_id": TEXT,
        "span_id": TEXT,
        "severity": pa.uint8(),
        "severity_text": TEXT,
        "event_name": TEXT,
        "body": TEXT,
        "attributes": TEXT_MAP,
        "attribute_types": TEXT_MAP,
        "input_messages": TEXTS,
        "output_messages": TEXTS,
        "scope": TEXT,
        "resource": TEXT,
        "owner": TEXT,
        "version": VERSION,
    },
    {"tenant": TEXT, "service": TEXT},
)

METRICS = _schema(
    {
        "point_id": TEXT,
        "name": TEXT,
        "kind": TEXT,
        "unit": TEXT,
        "description": TEXT,
        "time": MOMENT,
        "data": TEXT,
        "attributes": TEXT_MAP,
        "attribute_types": TEXT_MAP,
        "temporality": TEXT,
        "scope": TEXT,
        "resource": TEXT,
        "owner": TEXT,
        "version": VERSION,
    },
    {
        "start_time": MOMENT,
        "value": pa.float64(),
        "value_int": pa.int64(),
        "count": pa.uint64(),
        "sum": pa.float64(),
        "monotonic": pa.bool_(),
        "tenant": TEXT,
        "service": TEXT,
    },
)

REJECTS = _schema(
    {
        "time": MOMENT,
        "signal": TEXT,
        "where": TEXT,
        "reason": TEXT,
        "trace_id": TEXT,
        "span_id": TEXT,
        "source": TEXT,
    },
    {"tenant": TEXT},
)

AUDIT = _schema(
    {
        "time": MOMENT,
        "event": TEXT,
        "key_id": TEXT,
        "route": TEXT,
        "reason": TEXT,
        "remote": TEXT,
        "count": pa.uint64(),
    },
    {"tenant": TEXT},
)

PRICES = _schema(
    {
        "edition": VERSION,
        "provider": TEXT,
        "model": TEXT,
        "per_request": MONEY,
        "above": TEXT,
        "source": TEXT,
        "price_id": TEXT,
        "dated": pa.bool_(),
    },
    {
        "tier": TEXT,
        "since": MOMENT,
        "until": MOMENT,
        "daily": TEXT,
        **dict.fromkeys(
            (
                *("input", "output", "cache_read", "cache_write", "cache_write_1h"),
                *("reasoning", "input_audio", "output_audio"),
            ),
            MONEY,
        ),
        "citation": TEXT,
    },
)

_PRICE = ("price_source", "price_id", "unpriced_reason", "provider", "provider_source")

REPRICINGS = _schema(
    {
        "run": TEXT,
        "chunk": pa.uint32(),
        "at": MOMENT,
        "time": MOMENT,
        "trace_id": TEXT,
        "span_id": TEXT,
        "call_id": TEXT,
        "owner": TEXT,
        "counted": pa.bool_(),
        "old_price_run": TEXT,
        "new_price_run": TEXT,
        "old_version": VERSION,
        "version": VERSION,
    },
    {
        "tenant": TEXT,
        "model": TEXT,
        "old_cost_usd": MONEY,
        "new_cost_usd": MONEY,
        **{f"{age}_{name}": TEXT for name in _PRICE for age in ("old", "new")},
    },
)

BILLS = _schema(
    {
        "file": TEXT,
        "ordinal": pa.uint32(),
        "name": TEXT,
        "format": TEXT,
        "taken": VERSION,
        "provider": TEXT,
        "since": MOMENT,
        "until": MOMENT,
        "zone": TEXT,
        "long_context": pa.bool_(),
        "decimals": pa.uint8(),
        "place": TEXT,
    },
    {
        **dict.fromkeys(("item", "project", "key", "model", "token_class", "tier", "region"), TEXT),
        **dict.fromkeys(("above", "tokens", "requests"), COUNT),
        "amount_usd": pa.decimal256(76, 38),
        "request_id": TEXT,
    },
)

BILL_FILES = _schema(
    {"file": TEXT, "name": TEXT, "format": TEXT, "taken": VERSION, "lines": pa.uint64(), "refused": TEXT}
)

SCHEMAS: dict[str, pa.Schema] = {
    "spans": SPANS,
    "calls": CALLS,
    "tasks": TASKS,
    "messages": MESSAGES,
    "logs": LOGS,
    "metrics": METRICS,
    "rejects": REJECTS,
    "audit": AUDIT,
    "prices": PRICES,
    "repricings": REPRICINGS,
    "bills": BILLS,
    "bill_files": BILL_FILES,
}
"""Arrow schema of each table of database `store`, by its name without the database."""
