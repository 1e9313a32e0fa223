"""Settling's rows: which touched traces have anything to decide, their facts, and what is written back.

The rules are in `settle.py`. Here the store is asked twice at most for traces that are settled as
they came (the great majority): do these ids have anything to decide, and do their processes
report through more than one scope.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
import pyarrow as pa

from watchglass.ingest.attention import Attention
from watchglass.ingest.call_rows import CALL_COLUMNS, NOT_PRICED, exact
from watchglass.ingest.columns import TableBuilder
from watchglass.ingest.content import REFERENCE
from watchglass.ingest.importers.superseded import supersede
from watchglass.ingest.settle import CallNode, SpanNode, Verdict, settle_in
from watchglass.ingest.settle_tasks import TASKS, changed_tasks, step_nodes
from watchglass.ingest.settling.inheritance import Places, places
from watchglass.ingest.settling.nodes import StepNode
from watchglass.ingest.task_rows import TASK_COLUMNS, task_version
from watchglass.model import CONTEXT_FIELDS, Context, Usage
from watchglass.pricing.book import PriceBook, PriceRequest
from watchglass.pricing.provider import detect
from watchglass.store.engine import Engine
from watchglass.store.tables import SCHEMAS
from watchglass.store.versions import VersionClock

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

_SPANS = """
SELECT owner, trace_id, span_id, parent_span_id, own_context, resource_context, tenant
FROM store.spans FINAL
WHERE trace_id IN {ids:Array(String)}
"""

_LOGS = """
SELECT owner, trace_id, span_id, input_messages, output_messages
FROM store.logs FINAL
WHERE trace_id IN {ids:Array(String)} AND (notEmpty(input_messages) OR notEmpty(output_messages))
ORDER BY time, log_id
"""

_MERGED = (
    *("provider_label", "server_address", "request_model", "response_model", "response_id", "service_tier"),
    *("ttft_ns", "streaming", "success", "error_type", "error_message"),
)
_TOKENS = dict(
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
_PRICED_BY = ("provider", "request_model", "response_model", "service_tier", "success", *_TOKENS.values())
_FACTS = (
    *("owner", "call_id", "trace_id", "span_id", "parent_span_id", "scope", "process", "kind"),
    *("operation", "duration_ns", "may_wrap", "supplements_span_id", "reported_cost_usd", "finish_reasons"),
    *("input_messages", "output_messages", "origin", "counted", "not_counted_reason", "duplicate_of"),
    *_MERGED,
    *_TOKENS.values(),
    *CONTEXT_FIELDS,
)
_CALLS = f"""
SELECT {", ".join(_FACTS)}, toUnixTimestamp64Nano(time) AS start_ns
FROM store.calls FINAL
WHERE trace_id IN {{ids:Array(String)}}
ORDER BY dialect = 'import' DESC
"""
"""Where an imported row and a span tell of one call the span's comes last: in a dictionary it wins."""

_Logged: TypeAlias = Mapping[tuple[str, str, str], tuple[list[str], list[str]]]
"""Messages that came as log records, by owner, trace and span."""


class SettleRows:
    """Settles traces in the store. Not thread-safe: one settler at a time."""

    def __init__(self, engine: Engine, book: PriceBook, versions: VersionClock) -> None:
        self._engine = engine
        self._book = book
        self._versions = versions

    def __call__(self, trace_ids: Sequence[str]) -> None:
        """Settle these traces, and whatever they decide in others."""
        supersede(self._engine, trace_ids, self._versions)
        ids = self._undecided(trace_ids)
        if not ids:
            return
        # Calls before spans, each once: others write meanwhile, and a span is written before its call,
        # so that every call read has its span among those read after it.
        rows = {(row["owner"], row["call_id"]): row for row in self._rows(_CALLS, ids)}
        tasks = self._rows(TASKS, ids)
        steps = step_nodes(tasks)
        held = self._rows(_SPANS, ids)
        logged = self._logged(ids)
        # One trace id of two owners is two traces: nobody's spans decide anything about another's.
        spans, calls = defaultdict[str, list[SpanNode]](list), defaultdict[str, list[CallNode]](list)
        for row in held:
            spans[row["owner"]].append(_span_node(row, steps))
        for (owner, _), row in rows.items():
            calls[owner].append(_call_node(row, logged))
        found = {owner: places(spans[owner], calls[owner]) for owner in {*spans, *calls}}
        verdicts = [
            (verdict, rows[owner, verdict.call.call_id])
            for owner, asked in calls.items()
            for verdict in settle_in(found[owner], asked)
        ]
        self._write_calls([(verdict, row) for verdict, row in verdicts if _changes(verdict, row)])
        self._write_tasks(changed_tasks(tasks, found))
        if "" in found:
            self._write_tenants(ids, [row for row in held if not row["owner"]], found[""])

    def _undecided(self, trace_ids: Sequence[str]) -> list[str]:
        found = {row["trace_id"] for row in self._rows(_UNDECIDED, trace_ids)}
        for row in self._rows(_CROSS_TRACE, trace_ids):
            found.update(row["traces"])
        fresh = found
        while fresh:
            fresh = {row["trace_id"] for row in self._rows(_TIED, sorted(fresh))} - found
            found |= fresh
        return sorted(found)

    def _rows(self, sql: str, ids: Sequence[str]) -> list[dict[str, Any]]:
        return self._engine.execute(sql, {"ids": list(ids)}).to_pylist(maps_as_pydicts="lossy")

    def _logged(self, ids: Sequence[str]) -> _Logged:
        found: dict[tuple[str, str, str], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
        for row in self._rows(_LOGS, ids):
            asked, answered = found[row["owner"], row["trace_id"], row["span_id"]]
            asked.extend(row["input_messages"])
            answered.extend(row["output_messages"])
        return dict(found)

    def _write_calls(self, changed: Sequence[tuple[Verdict, Mapping[str, Any]]]) -> None:
        if not changed:
            return
        verdicts = {(row["owner"], row["call_id"]): (verdict, row["origin"]) for verdict, row in changed}
        traces = sorted({verdict.call.trace_id for verdict, _ in changed})
        held = self._rows(
            f"SELECT {', '.join(CALL_COLUMNS)} FROM store.calls FINAL"
            " WHERE trace_id IN {ids:Array(String)} ORDER BY dialect = 'import' DESC",
            traces,
        )
        rows = list(
            {key: row for row in held if (key := (row["owner"], row["call_id"])) in verdicts}.values()
        )
        builder = TableBuilder(SCHEMAS["calls"], CALL_COLUMNS)
        version = self._versions.next()
        patched = [self._patched(row, *verdicts[row["owner"], row["call_id"]], version) for row in rows]
        self._reprice([new for old, new in zip(rows, patched, strict=True) if _priced_otherwise(old, new)])
        self._copy_messages(rows, patched)
        builder.rows = [tuple(row[name] for name in CALL_COLUMNS) for row in patched]
        self._engine.insert("store.calls", [builder.batch()])

    def _write_tasks(self, changed: Sequence[tuple[Mapping[str, Any], dict[str, Any]]]) -> None:
        if not changed:
            return
        wanted: dict[tuple[str, str | None], set[str]] = defaultdict(set)
        for before, after in changed:
            if after["tenant"] is not None:
                hashes = {each for each in (after["input"], after["output"]) if each is not None}
                wanted[after["tenant"], before["tenant"]] |= hashes
        self._copy_wanted(wanted)
        version = self._versions.next()
        builder = TableBuilder(SCHEMAS["tasks"], TASK_COLUMNS)
        builder.rows = [
            tuple(
                task_version(row["status"], version) if name == "version" else row[name]
                for name in TASK_COLUMNS
            )
            for _, row in changed
        ]
        self._engine.insert("store.tasks", [builder.batch()])

    def _patched(self, row: Mapping[str, Any], verdict: Verdict, origin: str, version: int) -> dict[str, Any]:
        call = verdict.call
        provider, source = detect(
            label=call.provider_label,
            server_address=call.server_address,
            request_model=call.request_model,
            response_model=call.response_model,
        )
        new = {
            **row,
            **_verdict_columns(verdict),
            "origin": origin or msgspec.json.encode(_call_node(row, {})).decode(),
            "version": version,
        }
        if any(new[name] != row[name] for name in ("provider_label", "server_address", *_MERGED[2:4])):
            new |= {"provider": provider, "provider_source": source}
        return new

    def _reprice(self, rows: Sequence[dict[str, Any]]) -> None:
        asked = [
            PriceRequest(
                provider=row["provider"],
                request_model=row["request_model"],
                response_model=row["response_model"],
                at_ns=row["time"].value,
                usage=Usage(**{field: row[column] for field, column in _TOKENS.items()}),
                service_tier=row["service_tier"],
                success=row["success"],
            )
            for row in rows
        ]
        for row, priced in zip(rows, self._book.price(asked), strict=True):
            priced = priced if row["kind"] == "call" else NOT_PRICED
            row |= {
                "cost_usd": priced.cost_usd,
                "price_source": priced.price_source,
                "price_id": priced.price_id,
                "unpriced_reason": priced.unpriced_reason,
            }

    def _write_tenants(self, ids: Sequence[str], held: Sequence[Mapping[str, Any]], found: Places) -> None:
        """Spans and logs below a span that named its tenant belong to that tenant.

        Only those without an owner: an owner's rows are the owner's, and stay so.
        """
        contexts = found.contexts
        moved: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for row in held:
            key = row["trace_id"], row["span_id"]
            tenant = contexts[key].tenant
            if tenant is not None and tenant != row["tenant"]:
                moved[tenant].add(key)
        self._move("spans", moved)
        tenants = {key: context.tenant for key, context in contexts.items() if context.tenant is not None}
        stray: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for row in self._rows(
            "SELECT DISTINCT trace_id, span_id FROM store.logs FINAL"
            " WHERE trace_id IN {ids:Array(String)} AND tenant IS NULL AND owner = ''",
            ids,
        ):
            if (tenant := tenants.get((row["trace_id"], row["span_id"]))) is not None:
                stray[tenant].add((row["trace_id"], row["span_id"]))
        self._move("logs", stray)

    def _move(self, table: str, moved: Mapping[str, set[tuple[str, str]]]) -> None:
        for tenant, keys in moved.items():
            found = self._engine.execute(
                f"SELECT * FROM store.{table} FINAL"
                " WHERE trace_id IN {traces:Array(String)} AND owner = ''"
                " AND (trace_id || span_id) IN {keys:Array(String)}",
                {"traces": sorted({trace for trace, _ in keys}), "keys": [a + b for a, b in keys]},
            )
            schema = SCHEMAS[table]
            found = found.select(schema.names).cast(schema)
            old = found["tenant"].to_pylist()
            hashes: set[str] = set()
            for attributes in found["attributes"].to_pylist():
                hashes.update(text[len(REFERENCE) :] for _, text in attributes if text.startswith(REFERENCE))
            self._copy(tenant, set(old), hashes)
            found = _replaced(found, "tenant", pa.array([tenant] * found.num_rows, pa.string()))
            version = pa.array([self._versions.next()] * found.num_rows, pa.uint64())
            found = _replaced(found, "version", version)
            self._engine.insert(f"store.{table}", found.combine_chunks().to_batches())

    def _copy_messages(self, old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> None:
        """A call that turns out to be a tenant's takes its messages along."""
        wanted: dict[tuple[str, str | None], set[str]] = defaultdict(set)
        for before, after in zip(old, new, strict=True):
            hashes = {*after["input_messages"], *after["output_messages"]}
            if hashes and after["tenant"] is not None:
                wanted[after["tenant"], before["tenant"]] |= hashes
        self._copy_wanted(wanted)

    def _copy_wanted(self, wanted: Mapping[tuple[str, str | None], set[str]]) -> None:
        """Texts by who has them now and who had them: one question and one insert for all of a tenant."""
        for (tenant, former), hashes in wanted.items():
            self._copy(tenant, {former, None}, hashes)

    def _copy(self, tenant: str, former: Iterable[str | None], hashes: set[str]) -> None:
        sources = {each or "" for each in former} - {tenant}
        if not hashes or not sources:
            return
        found = self._engine.execute(
            "SELECT * FROM store.messages FINAL"
            " WHERE tenant IN {former:Array(String)} AND hash IN {hashes:Array(String)}",
            {"former": sorted(sources), "hashes": sorted(hashes)},
        )
        found = found.select(SCHEMAS["messages"].names).cast(SCHEMAS["messages"])
        if found.num_rows:
            found = _replaced(found, "tenant", pa.array([tenant] * found.num_rows, pa.string()))
            self._engine.insert("store.messages", found.combine_chunks().to_batches())


def _replaced(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), column)


def _span_node(row: Mapping[str, Any], steps: Mapping[tuple[str, str, str], StepNode]) -> SpanNode:
    return SpanNode(
        row["trace_id"],
        row["span_id"],
        row["parent_span_id"],
        Context(**row["own_context"]),
        Context(**row["resource_context"]),
        steps.get((row["owner"], row["trace_id"], row["span_id"])),
    )


def _call_node(row: Mapping[str, Any], logged: _Logged) -> CallNode:
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
            usage=Usage(**{field: row[column] for field, column in _TOKENS.items()}),
            reported_cost_usd=row["reported_cost_usd"],
            finish_reasons=tuple(row["finish_reasons"]),
            input_messages=tuple(row["input_messages"]),
            output_messages=tuple(row["output_messages"]),
            may_wrap=row["may_wrap"],
            supplements_span_id=row["supplements_span_id"],
            **{name: row[name] for name in _MERGED},
        )
    asked, answered = logged.get((row["owner"], node.trace_id, node.span_id), ((), ()))
    if (asked and not node.input_messages) or (answered and not node.output_messages):
        node = msgspec.structs.replace(
            node,
            input_messages=node.input_messages or tuple(asked),
            output_messages=node.output_messages or tuple(answered),
        )
    return node


def _verdict_columns(verdict: Verdict) -> dict[str, Any]:
    call = verdict.call
    return {
        **{name: getattr(call, name) for name in _MERGED},
        **{column: getattr(call.usage, field) for field, column in _TOKENS.items()},
        "reported_cost_usd": exact(call.reported_cost_usd),
        "finish_reasons": list(call.finish_reasons),
        "input_messages": list(call.input_messages),
        "output_messages": list(call.output_messages),
        **dict(zip(CONTEXT_FIELDS, msgspec.structs.astuple(verdict.context), strict=True)),
        "counted": verdict.counted,
        "not_counted_reason": verdict.not_counted_reason,
        "duplicate_of": verdict.duplicate_of,
    }


def _changes(verdict: Verdict, row: Mapping[str, Any]) -> bool:
    return any(row[name] != value for name, value in _verdict_columns(verdict).items())


def _priced_otherwise(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return any(old[name] != new[name] for name in _PRICED_BY)


_UNSETTLED = """
SELECT DISTINCT trace_id
FROM store.spans
WHERE _part IN
(
    SELECT name FROM system.parts
    WHERE database = 'store' AND table = 'spans' AND active
        AND modification_time >= fromUnixTimestamp({since:Int64})
)
UNION DISTINCT
SELECT DISTINCT trace_id
FROM store.logs
WHERE trace_id != '' AND _part IN
(
    SELECT name FROM system.parts
    WHERE database = 'store' AND table = 'logs' AND active
        AND modification_time >= fromUnixTimestamp({since:Int64})
)
"""


def unsettled_traces(engine: Engine, settled_until_ns: int) -> list[str]:
    """Traces with rows written after a checkpoint: what a killed server had no time to settle."""
    found = engine.execute(_UNSETTLED, {"since": settled_until_ns // 10**9})
    return found["trace_id"].to_pylist() if found.num_rows else []


# A log record may have come before the span that it is about.
_LATEST = """
SELECT toUnixTimestamp64Nano(greatest(
    (SELECT max(start_time) FROM store.spans),
    (SELECT max(time) FROM store.calls
        WHERE dialect = 'import' AND trace_id != '' AND time < now() + INTERVAL 1 DAY),
    (SELECT max(time) FROM store.logs WHERE trace_id != '')
)) AS latest
"""


def attention(engine: Engine, now_ns: int) -> Attention:
    """What the store remembers for `Attention`: its latest moment, and a day's processes and scopes."""
    latest = engine.execute(_LATEST)
    sources = engine.execute(
        "SELECT DISTINCT process, scope FROM store.calls"
        " WHERE time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC') AND kind != 'aggregate'",
        {"since": now_ns - 86_400 * 10**9},
    )
    return Attention(
        latest["latest"][0].as_py() or 0,
        [(row["process"], row["scope"]) for row in sources.to_pylist()],
    )
