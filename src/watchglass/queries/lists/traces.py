"""The list of traces: one row each, whether they hold calls or not."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from watchglass.queries.lists.groups import ITS_CALLS, Groups
from watchglass.queries.lists.question import Askable
from watchglass.queries.lists.sessions import PLAIN, SUMS
from watchglass.store.rollup_figures import BUCKET


class TraceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One trace. `name` and `service` are those of its root, or of its first span while that has not come.

    `last` is when the latest span began; `errors` counts spans that ended badly; sums are of counted calls.
    """

    trace_id: str
    name: str
    service: str | None
    tenant: str | None
    time: str
    last: str
    duration_ns: int
    spans: int
    errors: int
    calls: int
    failed_calls: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None
    unpriced_calls: int


_OF_SPANS = ("tenant", "service")
_OF_CALLS = tuple(name for name in (*PLAIN, "session", "task") if name not in _OF_SPANS)
_ITS_CALLS = f"trace_id IN (SELECT trace_id FROM {ITS_CALLS} AND {{condition}})"


def _activity(where: str) -> str:
    # Without FINAL: what is found here is only where to look, and this table is sorted by trace, not by time.
    return f"""
        SELECT trace_id AS id, '' AS owner, toUnixTimestamp64Nano(start_time) AS time_ns
        FROM (SELECT *, start_time AS time FROM store.spans)
        WHERE true{where}
    """


def _details(where: str, near: str) -> str:
    # Of the table itself, for PREWHERE: else all spans of the parts of its key are read whole. A trace's
    # versions are all in or all out, so that it changes nothing about which is the latest.
    return f"""
        WITH
        trees AS
        (
            SELECT
                s.trace_id AS id,
                argMin(s.name, (notEmpty(s.parent_span_id), s.start_time_ns)) AS name,
                argMin(s.service, (notEmpty(s.parent_span_id), s.start_time_ns)) AS service,
                argMin(s.tenant, (notEmpty(s.parent_span_id), s.start_time_ns)) AS tenant,
                min(s.start_time_ns) AS first_ns,
                max(s.start_time_ns) AS last_ns,
                max(s.start_time_ns + ifNull(s.duration_ns, 0)) - first_ns AS duration_ns,
                count() AS spans,
                countIf(s.status = 2) AS errors
            FROM
            (
                SELECT *, start_time AS time, toUnixTimestamp64Nano(start_time) AS start_time_ns
                FROM store.spans FINAL
                PREWHERE trace_id IN {{ids:Array(String)}}
                WHERE true{where}
            ) AS s
            GROUP BY id
        ),
        spent AS
        (
            SELECT c.trace_id AS id, {SUMS}
            FROM (SELECT * FROM usage WHERE trace_id IN {{ids:Array(String)}}{near}) AS c
            GROUP BY id
        )
        SELECT
            id, id AS trace_id, '' AS owner, name, service, tenant, first_ns, last_ns, duration_ns, spans,
            errors, calls, failed_calls, input_tokens, output_tokens, cost_usd, unpriced_calls
        FROM trees
        LEFT JOIN spent USING (id)
    """


TRACES = Groups(
    row=TraceRow,
    askable=Askable(
        filters={
            **{name: name for name in (*_OF_SPANS, *_OF_CALLS)},
            "model": "coalesce(response_model, request_model)",
        },
        within=dict.fromkeys((*_OF_CALLS, "model"), _ITS_CALLS),
        flags={
            "errors": {
                "true": "trace_id IN (SELECT trace_id FROM store.spans WHERE status = 2)",
                "false": "true",
                "": "true",
            }
        },
    ),
    activity=_activity,
    # A call begins when its span does; the hours beside are for calls whose spans are gone.
    moments=f"""
        SELECT arrayJoin([{BUCKET} - 3600, {BUCKET}, {BUCKET} + 3600]) AS hour
        FROM (SELECT start_time AS time FROM store.spans WHERE trace_id IN {{ids:Array(String)}})
    """,
    late={"errors": lambda row: "true" if row["errors"] else "false"},
    details=_details,
)
