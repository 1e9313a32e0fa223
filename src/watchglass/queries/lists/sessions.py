"""The list of sessions: conversations, as their calls name them."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from watchglass.queries.lists.groups import Groups
from watchglass.queries.lists.question import Askable
from watchglass.store.rollup_figures import BUCKET


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One session of a tenant, summed over its counted calls that match; `last` is when the latest began."""

    session: str
    tenant: str | None
    user: str | None
    service: str | None
    time: str
    last: str
    calls: int
    failed_calls: int
    traces: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None
    unpriced_calls: int


PLAIN = (
    *("tenant", "engagement", "feature", "flow", "flow_type", "phase", "agent", "user", "environment"),
    *("service", "provider", "request_model", "response_model", "operation"),
)
SUMS = """
    count() AS calls,
    countIf(NOT c.success) AS failed_calls,
    sum(c.input_tokens) AS input_tokens,
    sum(c.output_tokens) AS output_tokens,
    sum(c.cost_usd) AS cost_usd,
    countIf(isNull(c.cost_usd)) AS unpriced_calls
"""
"""Of counted calls `c`, in every list."""


def _activity(where: str) -> str:
    return f"""
        SELECT
            assumeNotNull(session) AS id, ifNull(tenant, '') AS owner, toUnixTimestamp64Nano(time) AS time_ns
        FROM store.calls
        WHERE counted AND notEmpty(ifNull(session, '')){where}
    """


def _details(where: str, near: str) -> str:
    return f"""
        SELECT
            assumeNotNull(c.session) AS id,
            id AS session,
            ifNull(c.tenant, '') AS owner,
            any(c.tenant) AS tenant,
            argMax(c.user, c.time_ns) AS user,
            argMax(c.service, c.time_ns) AS service,
            min(c.time_ns) AS first_ns,
            max(c.time_ns) AS last_ns,
            uniqExact(c.trace_id) AS traces,
            {SUMS}
        FROM (
            SELECT *, toUnixTimestamp64Nano(time) AS time_ns
            FROM store.calls FINAL
            WHERE counted AND session IN {{ids:Array(String)}}{where}{near}
        ) AS c
        GROUP BY id, owner
    """


SESSIONS = Groups(
    row=SessionRow,
    askable=Askable(
        filters={
            **{name: name for name in PLAIN},
            "session": "session",
            "model": "coalesce(response_model, request_model)",
        },
        flags={"success": {"true": "success", "false": "NOT success", "": "true"}},
    ),
    activity=_activity,
    moments=f"SELECT {BUCKET} AS hour FROM store.calls WHERE session IN {{ids:Array(String)}}",
    details=_details,
)
