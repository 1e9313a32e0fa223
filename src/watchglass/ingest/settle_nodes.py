"""Rows of the store as what settling is told, and its verdicts as columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from watchglass.ingest.call_rows import exact
from watchglass.ingest.settle import CallNode, SpanNode, Verdict
from watchglass.ingest.settling.nodes import StepNode
from watchglass.model import CONTEXT_FIELDS, Context, Usage
from watchglass.pricing.book import PriceBook

SPANS = """
SELECT owner, trace_id, span_id, parent_span_id, own_context, resource_context, tenant
FROM store.spans FINAL
WHERE trace_id IN {ids:Array(String)}
"""

LOGS = """
SELECT owner, trace_id, span_id, input_messages, output_messages
FROM store.logs FINAL
WHERE trace_id IN {ids:Array(String)} AND (notEmpty(input_messages) OR notEmpty(output_messages))
ORDER BY time, log_id
"""

MERGED = (
    *("provider_label", "server_address", "request_model", "response_model", "response_id", "service_tier"),
    *("ttft_ns", "streaming", "success", "error_type", "error_message"),
)
TOKENS = dict(
    zip(
        Usage.__struct_fields__,
        (
            *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"),
            *("cache_write_1h_tokens", "reasoning_tokens", "input_audio_tokens", "output_audio_tokens"),
            "total_tokens_reported",
        ),
        strict=True,
    )
)
_PRICED_BY = ("provider", "request_model", "response_model", "service_tier", "success", *TOKENS.values())
_FACTS = (
    *("owner", "call_id", "trace_id", "span_id", "parent_span_id", "scope", "process", "kind"),
    *("operation", "duration_ns", "may_wrap", "supplements_span_id", "reported_cost_usd", "finish_reasons"),
    *("input_messages", "output_messages", "origin", "counted", "not_counted_reason", "duplicate_of"),
    *MERGED,
    *TOKENS.values(),
    *CONTEXT_FIELDS,
)
CALLS = f"""
SELECT {", ".join(_FACTS)}, toUnixTimestamp64Nano(time) AS start_ns
FROM store.calls FINAL
WHERE trace_id IN {{ids:Array(String)}}
ORDER BY dialect = 'import' DESC
"""
"""Where an imported row and a span tell of one call the span's comes last: in a dictionary it wins."""

Logged: TypeAlias = Mapping[tuple[str, str, str], tuple[list[str], list[str]]]
"""Messages that came as log records, by owner, trace and span."""


def span_node(row: Mapping[str, Any], steps: Mapping[tuple[str, str, str], StepNode]) -> SpanNode:
    """A row of `store.spans`, with what it executes."""
    return SpanNode(
        row["trace_id"],
        row["span_id"],
        row["parent_span_id"],
        Context(**row["own_context"]),
        Context(**row["resource_context"]),
        steps.get((row["owner"], row["trace_id"], row["span_id"])),
    )


def stand_in(row: Mapping[str, Any]) -> SpanNode:
    """The span of a call that has none in the store: it was imported, or the span was deleted by its age.

    What the call says of its context is then all there is, and stays.
    """
    own = Context(**{name: row[name] for name in CONTEXT_FIELDS})
    return SpanNode(row["trace_id"], row["span_id"], row["parent_span_id"], own, Context())


def call_node(row: Mapping[str, Any], logged: Logged) -> CallNode:
    """A row of `store.calls` as it was first described, with the messages that came as log records."""
    if row["origin"]:
        node = msgspec.json.decode(row["origin"], type=CallNode)
    else:
        start_ns = row["start_ns"] if "start_ns" in row else row["time"].value
        node = CallNode(
            call_id=row["call_id"],
            trace_id=row["trace_id"],
            span_id=row["span_id"],
            parent_span_id=row["parent_span_id"],
            scope=row["scope"],
            process=row["process"],
            start_ns=start_ns,
            end_ns=start_ns + (row["duration_ns"] or 0),
            kind=row["kind"],
            operation=row["operation"],
            usage=Usage(**{field: row[column] for field, column in TOKENS.items()}),
            reported_cost_usd=row["reported_cost_usd"],
            finish_reasons=tuple(row["finish_reasons"]),
            input_messages=tuple(row["input_messages"]),
            output_messages=tuple(row["output_messages"]),
            may_wrap=row["may_wrap"],
            supplements_span_id=row["supplements_span_id"],
            **{name: row[name] for name in MERGED},
        )
    asked, answered = logged.get((row["owner"], node.trace_id, node.span_id), ((), ()))
    if (asked and not node.input_messages) or (answered and not node.output_messages):
        node = msgspec.structs.replace(
            node,
            input_messages=node.input_messages or tuple(asked),
            output_messages=node.output_messages or tuple(answered),
        )
    return node


def verdict_columns(verdict: Verdict) -> dict[str, Any]:
    """The columns of `store.calls` that settling decides."""
    call = verdict.call
    return {
        **{name: getattr(call, name) for name in MERGED},
        **{column: getattr(call.usage, field) for field, column in TOKENS.items()},
        "reported_cost_usd": exact(call.reported_cost_usd),
        "finish_reasons": list(call.finish_reasons),
        "input_messages": list(call.input_messages),
        "output_messages": list(call.output_messages),
        **dict(zip(CONTEXT_FIELDS, msgspec.structs.astuple(verdict.context), strict=True)),
        "counted": verdict.counted,
        "not_counted_reason": verdict.not_counted_reason,
        "duplicate_of": verdict.duplicate_of,
    }


def changes(verdict: Verdict, row: Mapping[str, Any]) -> bool:
    """Whether the row does not say so yet."""
    return any(row[name] != value for name, value in verdict_columns(verdict).items())


def priced_otherwise(old: Mapping[str, Any], new: Mapping[str, Any], book: PriceBook) -> bool:
    """Whether anything has changed that a price depends on."""
    if old["tenant"] != new["tenant"] and not book.tenants.isdisjoint((old["tenant"], new["tenant"])):
        return True
    return any(old[name] != new[name] for name in _PRICED_BY)
