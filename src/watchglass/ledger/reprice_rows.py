"""The rows of one chunk: what is about to change is noted first, then the calls are written from the notes.

A note says what the row was and what it is to be, and of which version of the row it speaks. Writing takes
the new values from the notes, and only for rows that are still of that version: so it can be done again
after a kill, and a row that somebody sent anew between the two is left alone (its note goes). Both inserts
are one block, hence one part, hence there or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pyarrow as pa

from watchglass.ledger.reprice_plan import HOUR, Asked, inside
from watchglass.ledger.sql_prices import Priced
from watchglass.store import SCHEMAS
from watchglass.store.reprice_runs import Chunk, Run, Tally, run_id
from watchglass.store.rollup_engine import RolledEngine

PRICE = ("cost_usd", "price_source", "price_id", "unpriced_reason", "provider", "provider_source")
"""The columns that a price is made of."""

# A row as both tables know it. `time` may differ between versions of one, and then it is another's price.
KEY = "sipHash128(trace_id, span_id, call_id, owner, time)"

# One part. One thread, and a join that keeps the order, since rows that come sorted need not be moved, all
# their columns, before they are written: half of what an insert costs. Two chunks are done at once instead.
_ONE_PART = """
SETTINGS max_insert_threads = 1, min_insert_block_size_rows = 4000000, max_insert_block_size = 4000000,
    min_insert_block_size_bytes = 0, max_threads = 1, join_algorithm = 'hash'
"""
# `query_plan_filter_push_down`, in the statements that say so: pushing a condition on what was computed
# down to the rows takes a second, and there is nothing to be had from it.
_CALLS = SCHEMAS["calls"].names
_NOTES = SCHEMAS["repricings"].names

# Imported rows stay below a span's own report of the same call (`IMPORT_VERSION`): of rows with the same
# version the one that was written last stands.
_VERSION = "if(c.dialect = 'import' AND c.version = 0, 0, {version:UInt64})"


class ChunkRows:
    """The rows of a chunk of a run. The caller has the engine `alone`."""

    def __init__(self, engine: RolledEngine, run: Run, chunk: Chunk) -> None:
        self._engine = engine
        self._run = run
        self._params: dict[str, object] = {"run": run.id, "chunk": chunk.number}
        self._part = inside(chunk.part, self._params)
        self._chunk = chunk
        # Without FINAL: a chunk is noted once, for what was noted is finished before it is done again.
        self._notes = (
            f"store.repricings WHERE run = {{run:String}} AND chunk = {{chunk:UInt32}} AND {self._part}"
        )

    def note(self, priced: Priced, asked: Asked, version: int, at_ns: int) -> None:
        """What pricing anew changes."""
        held = (
            "time",
            "trace_id",
            "span_id",
            "call_id",
            "owner",
            "tenant",
            "counted",
            "price_run",
            "version",
        )
        columns = (*held, "request_model", "response_model", *PRICE)
        only = f"{asked.only} AND {self._part}"
        source, params = narrowed(priced, asked, self._chunk).source(columns, only=only)
        values = {
            **{name: name for name in (*held[:-2], *(f"new_{name}" for name in PRICE))},
            **{f"old_{name}": name for name in PRICE},
            "model": "coalesce(response_model, request_model)",
            "old_price_run": "price_run",
            "new_price_run": "{run:String}",
            "old_version": "version",
        }
        self._insert_notes(values, f"({source}) WHERE changed", params, version, at_ns)

    def note_undoing(self, version: int, at_ns: int) -> None:
        """What taking back changes: rows whose price is still from the run that is taken back."""
        assert self._run.undoes is not None
        undone = run_id(self._run.undoes)
        held = ("time", "trace_id", "span_id", "call_id", "owner", "tenant", "counted")
        values = {
            **{name: f"c.{name}" for name in held},
            **{f"old_{name}": f"c.{name}" for name in PRICE},
            **{f"new_{name}": f"h.old_{name}" for name in PRICE},
            "model": "coalesce(c.response_model, c.request_model)",
            "old_price_run": "c.price_run",
            "new_price_run": "h.old_price_run",
            "old_version": "c.version",
        }
        whose = "tenant = {tenant:String}" if self._run.tenant is not None else "1"
        before = ", ".join(f"old_{name}" for name in (*PRICE, "price_run"))
        joined = f"""
            (
                SELECT {", ".join((*held, *PRICE, "price_run", "version"))}, request_model, response_model,
                    {KEY} AS k
                FROM store.calls FINAL
                WHERE {self._part} AND price_run = {{undone:String}} AND {whose}
            ) AS c
            INNER JOIN
            (
                SELECT {before}, {KEY} AS k
                FROM store.repricings FINAL
                WHERE run = {{undone:String}} AND chunk = {{chunk:UInt32}} AND {self._part}
            ) AS h
            ON c.k = h.k
            """
        params: dict[str, object] = {"undone": undone, "tenant": self._run.tenant or ""}
        self._insert_notes(values, joined, params, version, at_ns)

    def noted(self) -> list[int]:
        """The hours (since 1970) of which there are notes."""
        return self._execute(f"SELECT DISTINCT {HOUR} AS hour FROM {self._notes}")["hour"].to_pylist()

    def write(self, hours: Sequence[int], version: int) -> None:
        """Make the calls of these hours say what the notes say. Harmless where they do."""
        new = {**{name: f"h.new_{name}" for name in (*PRICE, "price_run")}, "version": _VERSION}
        values = ", ".join(new.get(name, f"c.{name}") for name in _CALLS)
        notes = ", ".join(f"new_{name}" for name in (*PRICE, "price_run"))
        self._engine.rewrite(
            f"""
            INSERT INTO store.calls ({", ".join(_CALLS)})
            SELECT {values}
            FROM (SELECT {", ".join(_CALLS)}, {KEY} AS k FROM store.calls FINAL WHERE {self._part}) AS c
            ANY INNER JOIN
            (SELECT {notes}, old_price_run, old_version, {KEY} AS k FROM {self._notes}) AS h
            ON c.k = h.k
            WHERE c.version = h.old_version AND c.price_run = h.old_price_run
            {_ONE_PART}
            """,
            {**self._params, "version": version},
            hours=hours,
        )
        self._forget_strays(version)

    def looked(self, asked: Asked) -> int:
        """How many rows the chunk is about. Cheaper before they are there in two versions."""
        params = dict(self._params)
        if self._run.undoes is None:
            condition = asked.within(self._chunk.part).condition(params)
            where = f"store.calls FINAL WHERE {self._part} AND {condition} AND {asked.only} AND kind = 'call'"
        else:
            params["undone"] = run_id(self._run.undoes)
            where = (
                "store.repricings WHERE run = {undone:String} AND chunk = {chunk:UInt32}"
                f" AND {self._part}"
            )
        return int(self._engine.execute(f"SELECT count() AS n FROM {where}", params)["n"][0].as_py())

    def tally(self, looked: int) -> Tally:
        """What the notes add up to, of so many rows."""
        found = self._execute(
            f"""
            SELECT
                count() AS changed, countIf(counted) AS of_counted,
                toString(ifNull(sumIf(old_cost_usd, counted), 0)) AS before_usd,
                toString(ifNull(sumIf(new_cost_usd, counted), 0)) AS after_usd
            FROM {self._notes}
            """
        ).to_pylist()[0]
        return Tally(
            looked, found["changed"], found["of_counted"],
            Decimal(found["before_usd"]), Decimal(found["after_usd"]),
        )  # fmt: skip

    def _insert_notes(
        self, values: dict[str, str], source: str, params: dict[str, object], version: int, at_ns: int
    ) -> None:
        values = {
            "run": "{run:String}",
            "chunk": "{chunk:UInt32}",
            "at": "fromUnixTimestamp64Nano({at:Int64}, 'UTC')",
            "version": "{noted:UInt64}",
            **values,
        }
        self._engine.execute(
            f"""
            INSERT INTO store.repricings ({", ".join(_NOTES)})
            SELECT {", ".join(f"{values[name]} AS note_{name}" for name in _NOTES)}
            FROM {source}
            {_ONE_PART}, query_plan_filter_push_down = 0
            """,
            {**params, **self._params, "at": at_ns, "noted": version},
        )

    def _forget_strays(self, version: int) -> None:
        """Notes of rows that are others by now. Where as many were written as were noted there are none.

        Imported rows do not get the version, and rows that are taken back do not name this run.
        """
        written = (
            f"SELECT count() FROM store.calls WHERE {self._part}"
            " AND (price_run = {run:String} OR version = {version:UInt64})"
        )
        same = self._engine.execute(
            f"SELECT count() = ({written}) AS same FROM {self._notes}", {**self._params, "version": version}
        )
        if same["same"][0].as_py():
            return
        strays = f"""
            SELECT c.k
            FROM (SELECT price_run, {KEY} AS k FROM store.calls FINAL WHERE {self._part}) AS c
            INNER JOIN (SELECT new_price_run, {KEY} AS k FROM {self._notes}) AS h ON c.k = h.k
            WHERE c.price_run != h.new_price_run
            """
        if self._execute(f"SELECT 1 FROM ({strays}) LIMIT 1").num_rows:
            self._execute(
                f"ALTER TABLE store.repricings DELETE WHERE run = {{run:String}} AND chunk = {{chunk:UInt32}}"
                f" AND {KEY} IN ({strays}) SETTINGS mutations_sync = 1"
            )

    def _execute(self, sql: str) -> pa.Table:
        return self._engine.execute(sql, self._params)


def narrowed(priced: Priced, asked: Asked, chunk: Chunk) -> Priced:
    """The same prices for a chunk's calls only."""
    return msgspec.structs.replace(priced, window=asked.within(chunk.part))
