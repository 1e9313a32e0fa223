"""Rows that turn out to be a tenant's: its spans and logs move, its texts are copied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from watchglass.ingest.content import REFERENCE
from watchglass.ingest.settling.inheritance import Places
from watchglass.store.engine import Engine
from watchglass.store.tables import SCHEMAS
from watchglass.store.versions import VersionClock


class Tenants:
    """Gives rows to the tenants that they turn out to be of."""

    def __init__(self, engine: Engine, versions: VersionClock) -> None:
        self._engine = engine
        self._versions = versions

    def spans_and_logs(self, ids: Sequence[str], held: Sequence[Mapping[str, Any]], found: Places) -> None:
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
        untold = self._engine.execute(
            "SELECT DISTINCT trace_id, span_id FROM store.logs FINAL"
            " WHERE trace_id IN {ids:Array(String)} AND tenant IS NULL AND owner = ''",
            {"ids": list(ids)},
        )
        for row in untold.to_pylist():
            if (tenant := tenants.get((row["trace_id"], row["span_id"]))) is not None:
                stray[tenant].add((row["trace_id"], row["span_id"]))
        self._move("logs", stray)

    def _move(self, table: str, moved: Mapping[str, set[tuple[str, str]]]) -> None:
        # A span belongs to whom it hangs below; a log that names its tenant belongs to that one.
        only = "AND tenant IS NULL" if table == "logs" else ""
        for tenant, keys in moved.items():
            found = self._engine.execute(
                f"SELECT * FROM store.{table} FINAL"
                f" WHERE trace_id IN {{traces:Array(String)}} AND owner = '' {only}"
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

    def texts(self, wanted: Mapping[tuple[str, str | None], set[str]]) -> None:
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
