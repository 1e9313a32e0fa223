"""Rows of a run that nobody took back: they were repriced or settled since, or are gone."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from watchglass.ledger.reprice_plan import inside
from watchglass.ledger.reprice_rows import KEY
from watchglass.store import Engine
from watchglass.store.reprice_runs import Chunk, RepriceRuns, Run

SETTLED, GONE, THERE = "settled", "gone", "not undone"


class LeftRow(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. `price_from` is the run that its price comes from now, or one of the words above."""

    call_id: str
    time_ns: int
    tenant: str | None
    model: str | None
    price_from: str


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """How many, by where their price comes from now, and the first of them."""

    rows: int
    by: dict[str, int]
    first: list[LeftRow]


def left(engine: Engine, runs: RepriceRuns, run: Run, most: int = 20) -> Left:
    """The rows that `run` changed and no run took back. Asked chunk by chunk, where there are any."""
    by: Counter[str] = Counter()
    first: list[LeftRow] = []
    undoing = [each.id for each in runs.undoing(run)]
    for chunk in runs.left(run):
        for row in _of_chunk(engine, run, undoing, chunk, most - len(first)):
            by[row["now"]] += row["held"]
            first += [_row(each, row["now"]) for each in row["first"]][: most - len(first)]
    return Left(rows=by.total(), by=dict(by.most_common()), first=first)


def _row(found: dict[str, Any], now: str) -> LeftRow:
    return msgspec.convert({**found, "price_from": now}, LeftRow)


def _of_chunk(engine: Engine, run: Run, undoing: list[str], chunk: Chunk, most: int) -> list[dict[str, Any]]:
    params: dict[str, object] = {"run": run.id, "undoing": undoing, "chunk": chunk.number}
    part = inside(chunk.part, params)
    return engine.execute(
        f"""
        SELECT
            multiIf(
                c.there = 0, '{GONE}', c.price_run = {{run:String}}, '{THERE}', c.price_run = '', '{SETTLED}',
                c.price_run
            ) AS now,
            count() AS held,
            groupArray({max(most, 0) or 1})(
                CAST(
                    (h.call_id, toUnixTimestamp64Nano(h.time), h.tenant, h.model),
                    'Tuple(call_id String, time_ns Int64, tenant Nullable(String), model Nullable(String))'
                )
            ) AS first
        FROM
        (
            SELECT call_id, time, tenant, model, {KEY} AS k
            FROM store.repricings FINAL
            WHERE run = {{run:String}} AND chunk = {{chunk:UInt32}} AND {part} AND k NOT IN
            (
                SELECT {KEY} FROM store.repricings FINAL
                WHERE run IN {{undoing:Array(String)}} AND chunk = {{chunk:UInt32}} AND {part}
            )
            ORDER BY time, call_id
        ) AS h
        LEFT JOIN
        (
            SELECT 1 AS there, toString(price_run) AS price_run, {KEY} AS k
            FROM store.calls FINAL
            WHERE {part}
        ) AS c
        ON h.k = c.k
        GROUP BY now
        ORDER BY held DESC, now
        """,
        params,
    ).to_pylist()
