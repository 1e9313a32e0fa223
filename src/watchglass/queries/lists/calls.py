"""The list of calls."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from watchglass.queries.lists.question import Askable
from watchglass.queries.lists.rows import Rows


class CallRow(msgspec.Struct, frozen=True, kw_only=True):
    """One call; every field is the column of table `calls` of that name."""

    call_id: str
    trace_id: str
    span_id: str
    time: str
    tenant: str | None
    engagement: str | None
    feature: str | None
    flow: str | None
    task: str | None
    task_id: str | None
    agent: str | None
    session: str | None
    user: str | None
    environment: str | None
    service: str | None
    provider: str | None
    request_model: str | None
    response_model: str | None
    operation: str
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: Decimal | None
    reported_cost_usd: Decimal | None
    price_source: str | None
    unpriced_reason: str | None
    duration_ns: int | None
    ttft_ns: int | None
    success: bool
    error_type: str | None
    error_message: str | None
    counted: bool
    not_counted_reason: str | None
    duplicate_of: str | None


_PLAIN = (
    *("tenant", "engagement", "feature", "flow", "flow_type", "phase", "task", "task_id", "agent", "session"),
    *("user", "environment", "service", "scope", "provider", "request_model", "response_model", "operation"),
    *("error_type", "unpriced_reason", "price_source", "dialect", "service_tier", "not_counted_reason"),
    *("trace_id", "response_id"),
)

CALLS = Rows(
    table="calls",
    id="call_id",
    row=CallRow,
    askable=Askable(
        filters={
            **{name: name for name in _PLAIN},
            "model": "coalesce(response_model, request_model)",
            "key": "nullIf(metadata['key'], '')",
        },
        least={
            "min_cost_usd": "cost_usd",
            "min_duration_ms": "duration_ns / 1000000",
            "min_tokens": "ifNull(input_tokens, 0) + ifNull(output_tokens, 0)",
        },
        sorts={
            "cost": "ifNull(cost_usd, -1)",
            "duration": "ifNull(duration_ns, -1)",
            "tokens": "ifNull(input_tokens, 0) + ifNull(output_tokens, 0)",
        },
        flags={
            "success": {"true": "success", "false": "NOT success", "": "true"},
            "counted": {"true": "counted", "false": "NOT counted", "any": "true", "": "counted"},
            "streaming": {"true": "streaming", "false": "NOT streaming", "": "true"},
        },
    ),
)
"""Only calls that count are listed unless `counted` says otherwise, so that a list adds up to `usage`."""
