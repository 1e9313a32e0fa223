"""Executions that hang: begun, not ended, and silent for longer than such an execution ever takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec

from watchglass.queries.agents.question import AgentsQuestion, between
from watchglass.queries.agents.work import UNFINISHED
from watchglass.queries.figures import tidy
from watchglass.queries.plain import moment
from watchglass.store import Engine, Limits

OLD_NS = 3_600 * 10**9
"""An execution may take hours, and then calls and steps are made meanwhile; one this young is not judged at
all."""

QUIET_NS = OLD_NS // 2
"""Nothing is stuck before it has been silent for so long: well beyond what a request to a model takes with
its retries (the clients of OpenAI and Anthropic give up after ten minutes)."""

TIMES = 3
"""…nor before so many times the 99th percentile of what has ended of the same kind and name."""

MOST = 200
"""So many executions are judged, those that began first: it is a list for people, not a count."""

_OLD_MIN, _QUIET_MIN = OLD_NS // 60_000_000_000, QUIET_NS // 60_000_000_000
RULE = (
    f"An execution is stuck when it began at least {_OLD_MIN} minutes ago, has not ended, and nothing was "
    f"heard of it (no call, no step inside it) for {_QUIET_MIN} minutes, nor for {TIMES} times as long as 99%"
    f" of its like took; or when what it lies within has ended. The {MOST} that began first are looked at."
)


class StuckTask(msgspec.Struct, frozen=True, kw_only=True):
    """An execution that hangs. `heard` is the last sign of it: its start, a call's end or a step inside it.

    `quiet_ns` is how long ago that is; `allowed_ns` how long it might have been silent, and
    `usual_ns` the 99th percentile of those `ended` executions of its kind and name that it follows from.
    `why` is silent, or parent_ended: then it will never be heard of again, however short the silence.
    """

    task_id: str
    trace_id: str
    time: str
    kind: str
    name: str
    status: str
    agent: str | None
    tenant: str | None
    flow: str | None
    flow_type: str | None
    why: Literal["silent", "parent_ended"]
    heard: str
    quiet_ns: int
    allowed_ns: int
    usual_ns: int | None
    ended: int
    calls: int
    cost_usd: Decimal | None
    last_model: str | None


def stuck(engine: Engine, question: AgentsQuestion, limits: Limits) -> list[StuckTask]:
    """Those that began in the window, longest silent first; of what hangs within another the innermost."""
    open_ = _unfinished(engine, question, limits)
    if not open_:
        return []
    signs = _signs(engine, open_, question, limits)
    now = min(question.now_ns, question.until_ns)
    heard = _heard(open_, signs)
    made = [_judged(row, signs.get(row["task_id"], {}), heard[row["task_id"]], now) for row in open_]
    found = {
        each.task_id: each for each in made if each.quiet_ns > each.allowed_ns or each.why == "parent_ended"
    }
    outer = {row["parent_task_id"] for row in open_ if row["task_id"] in found}
    return sorted(
        (each for each in found.values() if each.task_id not in outer), key=lambda each: -each.quiet_ns
    )


def _unfinished(engine: Engine, question: AgentsQuestion, limits: Limits) -> list[dict[str, Any]]:
    """What is old enough to be stuck, each with how long its like takes."""
    oldest = min(question.now_ns, question.until_ns) - OLD_NS
    params: dict[str, object] = {"since": question.since_ns, "until": question.until_ns, "oldest": oldest}
    return engine.execute(
        f"""
        WITH usual AS
        (
            SELECT kind, name, count(duration_ns) AS ended, quantileExact(0.99)(duration_ns) AS usual_ns
            FROM tasks
            WHERE NOT ({UNFINISHED}) AND {between("time")} {question.matching(params)}
            GROUP BY kind, name
        )
        SELECT task_id, parent_task_id, trace_id, time_ns, kind, name, status, agent, tenant, flow, flow_type,
            ifNull(usual.ended, 0) AS ended, if(ended = 0, NULL, usual.usual_ns) AS usual_ns,
            parent_task_id IN (
                SELECT task_id FROM tasks WHERE NOT ({UNFINISHED}) AND {between("time")}
            ) AS parent_ended
        FROM tasks LEFT JOIN usual USING (kind, name)
        WHERE {UNFINISHED} AND {between("time")} {question.matching(params)}
            AND time < fromUnixTimestamp64Nano({{oldest:Int64}}, 'UTC')
        ORDER BY time_ns
        LIMIT {MOST:d}
        """,
        params,
        limits=limits,
    ).to_pylist()


def _signs(
    engine: Engine, rows: Sequence[Mapping[str, Any]], question: AgentsQuestion, limits: Limits
) -> dict[str, dict[str, Any]]:
    """When each was last heard of after it began, and the calls in it."""
    params: dict[str, object] = {
        "since": min(row["time_ns"] for row in rows),
        "until": question.now_ns,
        "ids": [row["task_id"] for row in rows],
    }
    found = engine.execute(
        f"""
        SELECT id, max(at_ns) AS heard_ns, sum(is_call) AS calls, sum(cost_usd) AS cost_usd,
            argMaxIf(model, at_ns, is_call) AS last_model
        FROM
        (
            SELECT task_id AS id, time_ns + ifNull(duration_ns, 0) AS at_ns, true AS is_call, cost_usd,
                coalesce(response_model, request_model) AS model
            FROM usage
            WHERE {between("time")} AND task_id IN {{ids:Array(String)}}
            UNION ALL
            SELECT parent_task_id AS id, time_ns + ifNull(duration_ns, 0) AS at_ns, false AS is_call,
                NULL AS cost_usd, NULL AS model
            FROM tasks
            WHERE {between("time")} AND parent_task_id IN {{ids:Array(String)}}
        )
        GROUP BY id
        """,
        params,
        limits=limits,
    ).to_pylist()
    return {row["id"]: row for row in found}


def _heard(rows: Sequence[Mapping[str, Any]], signs: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """When each was last heard of: what is heard of one is heard of all that it lies within."""
    parents = {row["task_id"]: row["parent_task_id"] for row in rows}
    heard = dict.fromkeys(parents, 0)
    for row in rows:
        at_ns = max(row["time_ns"], signs.get(row["task_id"], {}).get("heard_ns") or 0)
        task_id, seen = row["task_id"], set[str]()
        while task_id in heard and task_id not in seen:  # nothing forbids a sender to go round in circles
            heard[task_id] = max(heard[task_id], at_ns)
            seen.add(task_id)
            task_id = parents[task_id]
    return heard


def _judged(row: Mapping[str, Any], sign: Mapping[str, Any], heard_ns: int, now_ns: int) -> StuckTask:
    usual = row["usual_ns"]
    return StuckTask(
        **{name: row[name] for name in ("task_id", "trace_id", "kind", "name", "status", "agent", "tenant")},
        flow=row["flow"],
        flow_type=row["flow_type"],
        time=moment(row["time_ns"]),
        why="parent_ended" if row["parent_ended"] else "silent",
        heard=moment(heard_ns),
        quiet_ns=now_ns - heard_ns,
        allowed_ns=max(QUIET_NS, TIMES * (usual or 0)),
        usual_ns=usual,
        ended=row["ended"],
        calls=sign.get("calls") or 0,
        cost_usd=tidy(sign.get("cost_usd")),
        last_model=sign.get("last_model"),
    )
