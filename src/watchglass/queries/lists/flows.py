"""The list of flows: runs of workflows and crews, and whatever calls and tasks name a flow."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from watchglass.queries.lists.groups import Groups
from watchglass.queries.lists.question import Askable
from watchglass.store.rollup_figures import BUCKET


class FlowRow(msgspec.Struct, frozen=True, kw_only=True):
    """One flow of a tenant; sums are of counted calls. `last` is when its latest call or task began.

    `status` is NULL where no span tells of the flow itself. `tasks` counts tasks and runs of agents.
    """

    flow: str
    flow_type: str | None
    name: str | None
    phase: str | None
    status: str | None
    tenant: str | None
    engagement: str | None
    feature: str | None
    session: str | None
    service: str | None
    trace_id: str
    time: str
    last: str
    duration_ns: int | None
    tasks: int
    failed_tasks: int
    calls: int
    failed_calls: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None
    unpriced_calls: int


_BOTH = (
    *("tenant", "engagement", "feature", "flow", "flow_type", "phase", "agent", "session", "user"),
    *("environment", "service"),
)


def _activity(where: str) -> str:
    return f"""
        SELECT assumeNotNull(flow) AS id, ifNull(tenant, '') AS owner, toUnixTimestamp64Nano(time) AS time_ns
        FROM store.calls
        WHERE counted AND notEmpty(ifNull(flow, '')){where}
        UNION ALL
        SELECT assumeNotNull(flow) AS id, ifNull(tenant, '') AS owner, toUnixTimestamp64Nano(time) AS time_ns
        FROM store.tasks
        WHERE notEmpty(ifNull(flow, '')){where}
    """


def _details(where: str, near: str) -> str:
    # The facts of a flow are those of table `flows`, worked out the same way for these few.
    return f"""
        WITH told AS
        (
            SELECT
                assumeNotNull(flow) AS id, tenant, flow_type, phase, engagement, feature, session, service,
                trace_id, span_id, time_ns, time_ns + ifNull(duration_ns, 0) AS until_ns, '' AS kind,
                false AS outermost, '' AS name, '' AS status, success, input_tokens, output_tokens, cost_usd
            FROM (SELECT * FROM usage WHERE flow IN {{ids:Array(String)}}{where}{near})
            UNION ALL
            SELECT
                assumeNotNull(flow) AS id, tenant, flow_type, phase, engagement, feature, session, service,
                trace_id, span_id, time_ns, time_ns + ifNull(duration_ns, 0) AS until_ns, kind,
                outermost, name, status, true AS success, NULL AS input_tokens, NULL AS output_tokens,
                NULL AS cost_usd
            FROM (SELECT * FROM tasks WHERE flow IN {{ids:Array(String)}}{where}{near})
        ),
        told.kind = '' AS is_call,
        told.kind = 'flow' AND told.outermost AS whole
        SELECT
            told.id AS id,
            told.id AS flow,
            ifNull(told.tenant, '') AS owner,
            any(told.tenant) AS tenant,
            argMin(told.flow_type, (told.time_ns, told.span_id)) AS flow_type,
            nullIf(argMinIf(told.name, (told.time_ns, told.span_id), whole), '') AS name,
            argMax(told.phase, (told.time_ns, told.span_id)) AS phase,
            multiIf(
                countIf(whole) = 0, NULL,
                countIf(whole AND told.status = 'failed') > 0, 'failed',
                countIf(whole AND told.status != 'completed') > 0, 'running',
                'completed'
            ) AS status,
            argMin(told.engagement, (told.time_ns, told.span_id)) AS engagement,
            argMin(told.feature, (told.time_ns, told.span_id)) AS feature,
            argMin(told.session, (told.time_ns, told.span_id)) AS session,
            argMin(told.service, (told.time_ns, told.span_id)) AS service,
            argMin(told.trace_id, (told.time_ns, NOT whole, told.span_id)) AS trace_id,
            min(told.time_ns) AS first_ns,
            max(told.time_ns) AS last_ns,
            if(status = 'running', NULL, max(told.until_ns) - first_ns) AS duration_ns,
            countIf(told.kind IN ('task', 'agent')) AS tasks,
            countIf(told.kind IN ('task', 'agent') AND told.status = 'failed') AS failed_tasks,
            countIf(is_call) AS calls,
            countIf(is_call AND NOT told.success) AS failed_calls,
            sum(told.input_tokens) AS input_tokens,
            sum(told.output_tokens) AS output_tokens,
            sum(told.cost_usd) AS cost_usd,
            countIf(is_call AND isNull(told.cost_usd)) AS unpriced_calls
        FROM told
        GROUP BY id, owner
    """


FLOWS = Groups(
    row=FlowRow,
    askable=Askable(filters={**{name: name for name in _BOTH}, "status": "status", "name": "name"}),
    activity=_activity,
    moments=f"""
        SELECT {BUCKET} AS hour FROM store.calls WHERE flow IN {{ids:Array(String)}}
        UNION ALL
        SELECT {BUCKET} AS hour FROM store.tasks WHERE flow IN {{ids:Array(String)}}
    """,
    details=_details,
    late={"status": lambda row: row["status"] or "", "name": lambda row: row["name"] or ""},
)
