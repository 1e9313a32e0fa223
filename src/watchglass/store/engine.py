"""The seam to the storage engine: SQL in, Arrow out; Arrow in, durable rows.

Two implementations are meant to exist: the embedded engine (`chdb.py`) and a cluster of servers
that speak the same SQL. `tests/store/engine_contract.py` is the one suite that each must pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Limits:
    """What one question may cost. Going over is `QueryLimit`, never a shortened answer.

    `None` is no limit. `read_only` also forbids the question to change any setting, these
    limits included, and to reach outside the store (files, URLs, other servers).
    `row_filters` maps a table or view (`database.name`) to an SQL condition: wherever the question
    names it, however deep, only the rows that meet the condition exist. The text is run as it is,
    so MUST NOT be built from input except through `unhex('…')`. `database` is where names without
    one are looked up.
    """

    time_s: float | None = 30.0
    memory_bytes: int | None = 1 << 30
    result_rows: int | None = 1_000_000
    read_only: bool = True
    row_filters: Mapping[str, str] = field(default_factory=dict[str, str])
    database: str = "default"


class Engine(Protocol):
    """Where rows live.

    An implementation

    - MUST be safe to call from any number of threads at once, MUST run reads in parallel with
      each other and with inserts, and MUST NOT hold the interpreter lock while it works;
    - MUST return from `insert` only when the rows survive the loss of power, and MUST show them
      to every `execute` that starts after that; when `insert` raises, a part of the rows may be
      there, so callers MUST be able to send all of them again (identity makes that harmless);
    - MUST bind parameters by value: no text of a parameter is ever read as SQL;
    - MUST raise only errors of `watchglass.errors`, whose messages MUST NOT name files of the
      server: `QueryError` for a question that makes no sense, `QueryLimit` for one that is too
      dear, `QueryRefused` for one that may not be asked, `StoreFull` when the disk is full,
      `Overloaded` for an insert that may be sent again a little later, `StoreError` otherwise;
    - MUST go on working after any of these (after `StoreFull`: as soon as there is room);
    - MUST NOT be used in a forked child, and MUST say so rather than hang.
    """

    def execute(
        self,
        sql: str,
        params: Mapping[str, object] = {},
        *,
        limits: Limits | None = None,
    ) -> pa.Table:
        """Run one statement and return its result, an empty table where it has none.

        Parameters are written `{name:Type}` in `sql`, with the engine's types; values are str,
        int, float, bool, Decimal, None, datetime, and lists and dicts of these. A moment is best
        passed as integer nanoseconds: `fromUnixTimestamp64Nano({since:Int64}, 'UTC')`.
        `limits=None` is for watchglass's own statements; a reader's question MUST have limits.
        """
        ...

    def insert(self, table: str, batches: Sequence[pa.RecordBatch]) -> int:
        """Add rows to `table` (`database.table`) durably; returns how many.

        Batches share one schema; columns are matched by name, those left out get their default.
        """
        ...

    def close(self) -> None:
        """Stop running reads, let running inserts finish, then let go of the files. Idempotent.

        A call that is under way or comes later raises `StoreError`.
        """
        ...
