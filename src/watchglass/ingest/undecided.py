"""Which of the touched traces have anything to decide: a few questions instead of reading them all."""

from __future__ import annotations

from collections.abc import Sequence

from watchglass.store.engine import Engine

# A trace has something to decide when it was settled before, has an aggregate or a supplement,
# has several calls that are not plain siblings of one scope, has spans that may inherit
# context from others, or has messages that came as log records.
_UNDECIDED = """
SELECT trace_id
FROM store.calls
WHERE trace_id IN {ids:Array(String)}
GROUP BY trace_id
HAVING max(version) > 1 OR max(kind != 'call') OR max(may_wrap)
    OR (uniqExact(span_id) > 1 AND (uniqExact(scope) > 1 OR uniqExact(parent_span_id) > 1))
UNION DISTINCT
SELECT trace_id
FROM store.spans
WHERE trace_id IN {ids:Array(String)}
GROUP BY trace_id
HAVING uniqExact(span_id) > 1 AND max(length(own_context)) > 0
UNION DISTINCT
SELECT trace_id
FROM store.tasks
WHERE trace_id IN {ids:Array(String)}
UNION DISTINCT
SELECT trace_id
FROM store.logs
WHERE trace_id IN {ids:Array(String)}
    AND (notEmpty(input_messages) OR notEmpty(output_messages) OR tenant IS NULL)
"""

# Requests that two scopes of one process may both have reported, found by what both must share:
# a request is taken to last no longer than a day. And streamed requests with the usage that came for
# them in a trace of its own (a supplement), up to an hour after they began (`LONGEST_STREAM_NS`).
_CROSS_TRACE = """
WITH touched AS
(
    SELECT
        owner,
        process,
        min(time) AS since,
        max(time + toIntervalNanosecond(ifNull(duration_ns, 0))) AS until,
        if(max(kind = 'supplement'), since - INTERVAL 1 HOUR, since) AS streaming_since
    FROM store.calls
    WHERE trace_id IN {ids:Array(String)} AND kind != 'aggregate'
    GROUP BY owner, process
),
(SELECT min(since) FROM touched) - INTERVAL 1 DAY AS first_moment,
(SELECT max(until) FROM touched) + INTERVAL 1 HOUR AS last_moment,
(kind = 'call' AND time <= until AND time + toIntervalNanosecond(ifNull(duration_ns, 0)) >= since) AS at_once,
(kind = 'supplement' AND isNull(supplements_span_id) AND isNull(duplicate_of)
    AND time BETWEEN since AND until + INTERVAL 1 HOUR) AS left_over,
(kind = 'call' AND parent_span_id = '' AND isNull(input_tokens) AND isNull(output_tokens)
    AND time BETWEEN streaming_since AND until) AS streaming
SELECT groupUniqArray(trace_id) AS traces
FROM store.calls
INNER JOIN touched USING (owner, process)
WHERE time BETWEEN first_moment AND last_moment AND (at_once OR left_over OR streaming)
GROUP BY owner, process
HAVING uniqExact(scope) > 1 OR max(kind = 'supplement')
    OR (owner, process) IN (SELECT owner, process FROM touched WHERE streaming_since < since)
"""

# Traces that an earlier verdict ties to these: a call whose partner is withheld from settling would be
# taken for one that has none, and be counted beside it.
_TIED = """
WITH
(
    SELECT (min(time) - INTERVAL 1 DAY, max(time) + INTERVAL 1 DAY)
    FROM store.calls
    WHERE trace_id IN {ids:Array(String)}
) AS around
SELECT DISTINCT trace_id
FROM store.calls
WHERE time BETWEEN around.1 AND around.2
    AND (owner, assumeNotNull(duplicate_of)) IN
        (SELECT owner, call_id FROM store.calls WHERE trace_id IN {ids:Array(String)})
UNION DISTINCT
SELECT DISTINCT splitByChar(':', assumeNotNull(duplicate_of))[1] AS its_trace
FROM store.calls
WHERE trace_id IN {ids:Array(String)} AND isNotNull(duplicate_of)
"""


def undecided(engine: Engine, trace_ids: Sequence[str]) -> list[str]:
    """Of these traces those that have something to decide, and whatever other traces they decide in."""

    def ask(sql: str, ids: Sequence[str]) -> list[str]:
        return engine.execute(sql, {"ids": list(ids)}).column(0).to_pylist()

    found = set(ask(_UNDECIDED, trace_ids))
    for traces in engine.execute(_CROSS_TRACE, {"ids": list(trace_ids)})["traces"].to_pylist():
        found.update(traces)
    fresh = found
    while fresh:
        fresh = set(ask(_TIED, sorted(fresh))) - found
        found |= fresh
    return sorted(found)
