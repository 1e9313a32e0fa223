"""Settling's rows: which touched traces have anything to decide, their facts, and what is written back.

The rules are in `settle.py`. The great majority of traces is settled as it came: `undecided.py` asks
which are not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from watchglass.ingest.call_rows import CALL_COLUMNS, NOT_PRICED
from watchglass.ingest.columns import TableBuilder
from watchglass.ingest.importers.calls import DIALECT, IMPORT_VERSION
from watchglass.ingest.importers.superseded import supersede
from watchglass.ingest.settle import CallNode, SpanNode, Verdict, settle_in
from watchglass.ingest.settle_nodes import (
    CALLS,
    LOGS,
    MERGED,
    SPANS,
    TOKENS,
    Logged,
    call_node,
    changes,
    priced_otherwise,
    span_node,
    stand_in,
    verdict_columns,
)
from watchglass.ingest.settle_tasks import TASKS, changed_tasks, step_nodes
from watchglass.ingest.settle_tenants import Tenants
from watchglass.ingest.settling.inheritance import places
from watchglass.ingest.task_rows import TASK_COLUMNS, task_version
from watchglass.ingest.undecided import undecided
from watchglass.model import Usage
from watchglass.pricing.book import PriceBook, PriceRequest
from watchglass.pricing.provider import detect
from watchglass.store.engine import Engine
from watchglass.store.rollup_engine import alone
from watchglass.store.tables import SCHEMAS
from watchglass.store.versions import VersionClock


class SettleRows:
    """Settles traces in the store. Not thread-safe: one settler at a time."""

    def __init__(self, engine: Engine, book: PriceBook, versions: VersionClock) -> None:
        self._engine = engine
        self._book = book
        self._versions = versions
        self._tenants = Tenants(engine, versions)

    def __call__(self, trace_ids: Sequence[str]) -> None:
        """Settle these traces, and whatever they decide in others."""
        with alone(self._engine):
            self._settle(trace_ids)

    def _settle(self, trace_ids: Sequence[str]) -> None:
        supersede(self._engine, trace_ids, self._versions)
        ids = undecided(self._engine, trace_ids)
        if not ids:
            return
        # Calls before spans, each once: others write meanwhile, and a span is written before its call,
        # so that every call read has its span among those read after it.
        # Imported calls of a trace that name no span have no place in it, and nothing to inherit.
        rows = {(row["owner"], row["call_id"]): row for row in self._rows(CALLS, ids) if row["span_id"]}
        tasks = self._rows(TASKS, ids)
        steps = step_nodes(tasks)
        held = self._rows(SPANS, ids)
        logged = self._logged(ids)
        # One trace id of two owners is two traces: nobody's spans decide anything about another's.
        spans, calls = defaultdict[str, list[SpanNode]](list), defaultdict[str, list[CallNode]](list)
        for row in held:
            spans[row["owner"]].append(span_node(row, steps))
        there = {(row["owner"], row["trace_id"], row["span_id"]) for row in held}
        for (owner, _), row in rows.items():
            calls[owner].append(call_node(row, logged))
            if (owner, row["trace_id"], row["span_id"]) not in there:
                spans[owner].append(stand_in(row))
        found = {owner: places(spans[owner], calls[owner]) for owner in {*spans, *calls}}
        verdicts = [
            (verdict, rows[owner, verdict.call.call_id])
            for owner, asked in calls.items()
            for verdict in settle_in(found[owner], asked)
        ]
        self._write_calls([(verdict, row) for verdict, row in verdicts if changes(verdict, row)])
        self._write_tasks(changed_tasks(tasks, found))
        if "" in found:
            self._tenants.spans_and_logs(ids, [row for row in held if not row["owner"]], found[""])

    def _rows(self, sql: str, ids: Sequence[str]) -> list[dict[str, Any]]:
        return self._engine.execute(sql, {"ids": list(ids)}).to_pylist(maps_as_pydicts="lossy")

    def _logged(self, ids: Sequence[str]) -> Logged:
        found: dict[tuple[str, str, str], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
        for row in self._rows(LOGS, ids):
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
        self._reprice(
            [new for old, new in zip(rows, patched, strict=True) if priced_otherwise(old, new, self._book)]
        )
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
        self._tenants.texts(wanted)
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
            **verdict_columns(verdict),
            "origin": origin or msgspec.json.encode(call_node(row, {})).decode(),
            # A span's own report, whose version is higher, still replaces an imported row.
            "version": IMPORT_VERSION if row["dialect"] == DIALECT else version,
        }
        if any(new[name] != row[name] for name in ("provider_label", "server_address", *MERGED[2:4])):
            new |= {"provider": provider, "provider_source": source}
        return new

    def _reprice(self, rows: Sequence[dict[str, Any]]) -> None:
        asked = [
            PriceRequest(
                provider=row["provider"],
                request_model=row["request_model"],
                response_model=row["response_model"],
                at_ns=row["time"].value,
                usage=Usage(**{field: row[column] for field, column in TOKENS.items()}),
                service_tier=row["service_tier"],
                success=row["success"],
                tenant=row["tenant"],
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
                "price_run": "",  # whatever run had priced it: this is another price
            }

    def _copy_messages(self, old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> None:
        """A call that turns out to be a tenant's takes its messages along."""
        wanted: dict[tuple[str, str | None], set[str]] = defaultdict(set)
        for before, after in zip(old, new, strict=True):
            hashes = {*after["input_messages"], *after["output_messages"]}
            if hashes and after["tenant"] is not None:
                wanted[after["tenant"], before["tenant"]] |= hashes
        self._tenants.texts(wanted)
