"""The rows of one session: where it was active first, which is narrow work, then everything there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from watchglass.errors import QueryError
from watchglass.queries.lists.windows import hours
from watchglass.queries.plain import moment
from watchglass.store import Engine, Limits
from watchglass.store.rollup_figures import BUCKET, within

MOST_STEPS = 2000
"""Steps of one answer; a person steps through some hundreds, and a browser holds these."""

LONGEST_TEXT = 200_000
MOST_TEXT = 8_000_000
"""Characters of a message, and bytes of all messages of one answer."""


class SessionRows(msgspec.Struct, frozen=True, kw_only=True):
    """Of one tenant, in no order; `texts` are of the messages by their hashes."""

    tenant: str
    calls: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    texts: dict[str, dict[str, Any]]


def session_rows(
    engine: Engine,
    session: str,
    tenant: str | None,
    since_ns: int | None,
    until_ns: int | None,
    limits: Limits,
) -> SessionRows:
    """Counted calls, executions, messages. Raises `QueryError` for several tenants, and an empty window."""
    if since_ns is not None and until_ns is not None and since_ns >= until_ns:
        raise QueryError(f"since ({moment(since_ns)}) is not before until ({moment(until_ns)})")
    params: dict[str, object] = {"session": session}
    conditions = ["session = {session:String}"]
    if tenant is not None:
        conditions.append("ifNull(tenant, '') = {tenant:String}")
        params["tenant"] = tenant
    conditions += [_active(engine, session, params, limits), within([(since_ns, until_ns)], params)]
    where = " AND ".join(conditions)
    calls = _calls(engine, where, params, limits)
    tasks = _tasks(engine, where, params, limits)
    owner = _only(session, {row["owner"] for row in [*calls, *tasks]})
    return SessionRows(
        tenant=owner, calls=calls, tasks=tasks, texts=_texts(engine, owner, _hashes(calls, tasks), limits)
    )


def _active(engine: Engine, session: str, params: dict[str, object], limits: Limits) -> str:
    """The condition on the hours in which the session did anything: of all versions of its rows, so a few
    too many. Tables are sorted by hour, and rows without duplicates are dear to look at everywhere."""
    found = engine.execute(
        f"""
        SELECT {BUCKET} AS hour FROM store.calls WHERE session = {{session:String}} GROUP BY hour
        UNION DISTINCT
        SELECT {BUCKET} AS hour FROM store.tasks WHERE session = {{session:String}} GROUP BY hour
        """,
        {"session": session},
        limits=limits,
    )
    return within(hours(hour * 10**9 for hour in found["hour"].to_pylist()), params)


def _only(session: str, owners: set[str]) -> str:
    if len(owners) > 1:
        named = ", ".join(sorted(owner or "(none)" for owner in owners)[:5])
        raise QueryError(f"several tenants have a session {session[:100]!r}: {named}; add tenant=… of one")
    return next(iter(owners), "")


def _calls(engine: Engine, where: str, params: Mapping[str, object], limits: Limits) -> list[dict[str, Any]]:
    return engine.execute(
        f"""
        SELECT
            ifNull(tenant, '') AS owner, call_id AS id, time_ns, duration_ns,
            if(success, 'ok', 'failed') AS status, operation,
            coalesce(request_model, response_model) AS model, error_type, error_message, agent, task, user,
            trace_id, span_id, input_tokens, output_tokens, cost_usd, unpriced_reason,
            input_messages, output_messages
        FROM usage
        WHERE {where}
        ORDER BY time_ns, id
        """,
        params,
        limits=limits,
    ).to_pylist()


def _tasks(engine: Engine, where: str, params: Mapping[str, object], limits: Limits) -> list[dict[str, Any]]:
    return engine.execute(
        f"""
        SELECT
            ifNull(tenant, '') AS owner, task_id AS id, time_ns, duration_ns, kind, name,
            multiIf(status = 'completed', 'ok', status = 'failed', 'failed', 'running') AS status,
            error_type, error_message, agent, task, user, trace_id, span_id,
            input, output
        FROM tasks
        WHERE {where}
        ORDER BY time_ns, id
        """,
        params,
        limits=limits,
    ).to_pylist()


def _hashes(calls: Iterable[Mapping[str, Any]], tasks: Iterable[Mapping[str, Any]]) -> list[str]:
    found: dict[str, None] = {}
    for row in calls:
        found.update(dict.fromkeys(row["input_messages"]))
        found.update(dict.fromkeys(row["output_messages"]))
    for row in tasks:
        found.update(dict.fromkeys(each for each in (row["input"], row["output"]) if each))
    return list(found)


def _texts(engine: Engine, owner: str, hashes: Sequence[str], limits: Limits) -> dict[str, dict[str, Any]]:
    """Messages by hash, in the order in which they were said as many as fit."""
    if not hashes:
        return {}
    sizes = engine.execute(
        """
        SELECT hash, role, length(content) AS size
        FROM store.messages FINAL
        WHERE tenant = {tenant:String} AND hash IN {hashes:Array(String)}
        """,
        {"tenant": owner, "hashes": list(hashes)},
        limits=limits,
    ).to_pylist()
    known = {row["hash"]: row for row in sizes}
    room, wanted = MOST_TEXT, list[str]()
    for digest in hashes:
        size = min(known[digest]["size"], 4 * LONGEST_TEXT) if digest in known else 0
        if digest in known and size <= room:
            wanted.append(digest)
            room -= size
    contents = _contents(engine, owner, wanted, limits)
    return {
        digest: {
            "role": row["role"],
            "size": row["size"],
            "content": contents.get(digest),
            # Bytes are at least as many as characters, so that nothing that was cut is taken for whole.
            "cut": digest not in contents or len(contents[digest].encode()) < row["size"],
        }
        for digest, row in known.items()
    }


def _contents(engine: Engine, owner: str, hashes: Sequence[str], limits: Limits) -> dict[str, str]:
    if not hashes:
        return {}
    found = engine.execute(
        f"""
        SELECT hash, substringUTF8(content, 1, {LONGEST_TEXT}) AS text
        FROM store.messages FINAL
        WHERE tenant = {{tenant:String}} AND hash IN {{hashes:Array(String)}}
        """,
        {"tenant": owner, "hashes": list(hashes)},
        limits=limits,
    ).to_pylist()
    return {row["hash"]: row["text"] for row in found}
