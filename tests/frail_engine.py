"""An engine that ends where a test wants it to, as a kill or a full disk would end it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from watchglass.errors import StoreError
from watchglass.store import Engine, Limits


class Killed(StoreError):
    """Stands for the end of the process."""


class Frail:
    """An engine that stops working just before or after the statement of a number."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.number = 0
        self.fails_at: tuple[int, str] | None = None

    def execute(
        self, sql: str, params: Mapping[str, object] = {}, *, limits: Limits | None = None
    ) -> pa.Table:
        changes = not sql.lstrip().startswith(("SELECT", "WITH"))
        self.number += changes
        if changes and self.fails_at == (self.number, "before"):
            raise Killed("before")
        found = self._engine.execute(sql, params, limits=limits)
        if changes and self.fails_at == (self.number, "after"):
            raise Killed("after")
        return found

    def insert(self, table: str, batches: Sequence[pa.RecordBatch]) -> int:
        return self._engine.insert(table, batches)

    def close(self) -> None:
        self._engine.close()
