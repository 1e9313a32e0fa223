"""The embedded engine: ClickHouse inside this process, behind the `Engine` seam.

Facts that shaped this file: one connection serialises what it is asked, several run at once, so
there is a small pool; a setting made on a connection stays there, and `readonly` cannot be taken
back, so a limited question gets a fresh connection (2 ms) that is thrown away; the driver's
streaming insert (`send_insert`) reports success when the disk is full and nothing was written, so
rows go in as a file that the engine selects from, whose failures it does report (10% dearer);
the engine crashes the process when it exits during a query, so `close` stops reads, waits for
inserts, and only then closes.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol, cast
from urllib.parse import quote

import pyarrow as pa

from watchglass.errors import StoreError
from watchglass.store.engine import Limits
from watchglass.store.faults import open_fault, read_fault, write_fault
from watchglass.store.parameters import bind

# Uncompressed Arrow, since it does not leave the process; and no removal of duplicates inside a
# new part (FINAL and merges do it), which costs as much as all the rest of an insert.
# A body may hold spans of any number of months, each a partition; refusing it would never end.
# Looking for chains of comparisons (a < b AND b < 5) takes the engine 0.2 s of a long question, for nothing.
_SESSION = (
    "SET output_format_arrow_compression_method = 'none', optimize_on_insert = 0,"
    " max_partitions_per_insert_block = 0, optimize_and_compare_chain = 0"
)
QUESTION = "question"
"""How a reader's question is marked; its `readonly` keeps it from marking itself as something else."""

_CLOSE_PATIENCE_S = 30.0


class _Result(Protocol):
    def bytes(self) -> bytes: ...
    def rows_written(self) -> int: ...


class _Connection(Protocol):
    """The part of the driver's connection that is used here; the driver itself is untyped."""

    def query(self, query: str, format: str, params: Mapping[str, str] | None = None) -> _Result: ...
    def close(self) -> None: ...


class ChdbEngine:
    """One store directory, open in this process. See `Engine` for what it promises."""

    def __init__(self, path: Path, config_file: Path | None = None, *, connections: int = 8) -> None:
        """Open or create the store at `path`.

        `config_file` must exist: the driver ignores a missing one in silence.
        Raises `StoreBusy` when another process has it open.
        """
        if config_file is not None and not config_file.is_file():
            raise StoreError(f"the engine's settings file {config_file} is missing; open the store again")
        if forbidden := {"?", "&"} & set(str(path)):
            raise StoreError(
                f"the data directory {path} has a {forbidden.pop()!r} in its name; choose another"
            )
        self._path = path
        self._dsn = str(path) + (f"?config-file={quote(str(config_file))}" if config_file else "")
        self._pid = os.getpid()
        self._ready = threading.Condition()
        self._busy = 0
        self._closed = False
        self._idle: list[_Connection] = [self._connect()]
        self._room = threading.BoundedSemaphore(connections)

    def execute(
        self,
        sql: str,
        params: Mapping[str, object] = {},
        *,
        limits: Limits | None = None,
    ) -> pa.Table:
        """See `Engine.execute`."""
        bound = bind(params)
        with self._connection(fresh=limits is not None) as connection:
            try:
                if limits is not None:
                    connection.query(f"USE `{limits.database}`", "Null")
                    connection.query(_limiting(limits), "Null")
                raw = connection.query(sql, "ArrowStream", bound).bytes()
            except RuntimeError as error:
                raise self._read_error(error) from None
        return pa.ipc.open_stream(raw).read_all() if raw else pa.table({})

    def insert(self, table: str, batches: Sequence[pa.RecordBatch]) -> int:
        """See `Engine.insert`."""
        rows = sum(batch.num_rows for batch in batches)
        if not rows:
            return 0
        columns = ", ".join(f"`{name}`" for name in batches[0].schema.names)
        with self._connection() as connection, _as_file(batches) as file:
            try:
                written = connection.query(
                    f"INSERT INTO {table} ({columns}) SELECT {columns} FROM file('{file}', 'ArrowStream')",
                    "Null",
                ).rows_written()
            except RuntimeError as error:
                raise write_fault(table, str(error)) from None
        if written != rows:
            raise StoreError(f"{written} of {rows} rows for {table} were written; send all of them again")
        return rows

    def close(self) -> None:
        """See `Engine.close`."""
        with self._ready:
            if self._closed or os.getpid() != self._pid:
                return
            self._closed = True
            running = self._busy > 0
        if running:
            self._stop_reads()
        with self._ready:
            if not self._ready.wait_for(lambda: self._busy == 0, _CLOSE_PATIENCE_S):
                raise StoreError(
                    f"the store did not come to rest in {_CLOSE_PATIENCE_S:.0f} s; it stays open"
                )
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _stop_reads(self) -> None:
        """Questions, and what waits for deletions: those go on by themselves at the next opening."""
        connection = self._connect()
        try:
            connection.query("KILL QUERY WHERE query_kind IN ('Select', 'Alter') ASYNC", "Null")
        except RuntimeError:
            pass  # all of them were done already; whatever still runs is waited for below
        finally:
            connection.close()

    def _read_error(self, error: RuntimeError) -> Exception:
        if self._closed:
            return StoreError("the store is closing; ask again when the server is back")
        return read_fault(str(error))

    @contextmanager
    def _connection(self, *, fresh: bool = False) -> Generator[_Connection]:
        """A connection for one statement: from the pool, or of its own and never used again."""
        if os.getpid() != self._pid:
            raise StoreError("the store was opened before this process was forked; spawn it instead")
        with self._room:
            connection = self._enter(fresh)
            try:
                yield connection
            finally:
                self._leave(connection, fresh)

    def _enter(self, fresh: bool) -> _Connection:
        with self._ready:
            if self._closed:
                raise StoreError("the store is closed; open it again")
            self._busy += 1
            if not fresh and self._idle:
                return self._idle.pop()
        try:
            return self._connect()
        except BaseException:
            self._rest()
            raise

    def _connect(self) -> _Connection:
        import chdb  # 0.3 s and 200 MB: only for those who open a store

        try:
            connection = cast("_Connection", chdb.connect(self._dsn))  # pyright: ignore[reportUnknownMemberType]
            connection.query(_SESSION, "Null")
        except RuntimeError as error:
            raise open_fault(str(error), locked=_is_locked(self._path)) from None
        return connection

    def _leave(self, connection: _Connection, fresh: bool) -> None:
        if fresh:
            connection.close()
        else:
            with self._ready:
                self._idle.append(connection)
        self._rest()

    def _rest(self) -> None:
        with self._ready:
            self._busy -= 1
            self._ready.notify_all()


def _is_locked(path: Path) -> bool:
    """Whether somebody holds the engine's own lock; its error does not say."""
    try:
        with (path / "status").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _limiting(limits: Limits) -> str:
    """One SET for a connection that is used once; `readonly` last, for it shuts the door."""
    settings: list[str] = [f"log_comment = '{QUESTION}'"]
    if limits.time_s is not None:
        settings += [
            f"max_execution_time = {limits.time_s}",
            "timeout_overflow_mode = 'throw'",
        ]
    if limits.memory_bytes is not None:
        settings += [f"max_memory_usage = {limits.memory_bytes}"]
    if limits.result_rows is not None:
        settings += [
            f"max_result_rows = {limits.result_rows}",
            "result_overflow_mode = 'throw'",
        ]
    if limits.row_filters:
        pairs = ", ".join(f"{_quoted(table)}: {_quoted(rule)}" for table, rule in limits.row_filters.items())
        settings += [f"additional_table_filters = {{{pairs}}}"]
    if limits.read_only:
        settings += ["readonly = 1"]
    return "SET " + ", ".join(settings)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@contextmanager
def _as_file(batches: Sequence[pa.RecordBatch]) -> Generator[str]:
    """The batches as an Arrow stream that the engine can open by name: in memory where that exists."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("watchglass-rows", os.MFD_CLOEXEC), "wb") as file:
            _write_stream(file, batches)
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.NamedTemporaryFile(prefix="watchglass-rows-") as named:
            _write_stream(named, batches)
            yield named.name


def _write_stream(file: IO[bytes], batches: Sequence[pa.RecordBatch]) -> None:
    with pa.ipc.new_stream(file, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    file.flush()
