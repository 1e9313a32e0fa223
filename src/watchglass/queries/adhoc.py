"""A reader's own SQL: judged, run within limits and scope, answered in plain values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

import pyarrow as pa

from watchglass.errors import QueryError, QueryLimit, QueryRefused
from watchglass.queries.answers import ROWS_A_CHUNK, Answer, ResultColumn, Row
from watchglass.queries.catalogue import Catalogue
from watchglass.queries.fence import Describe, Select, ShowTables, judge
from watchglass.queries.functions import Functions
from watchglass.queries.plain import is_ambiguous, is_number, plain_values
from watchglass.store import Engine, Limits
from watchglass.store.columns import TABLES

_SCOPE_ECHO = re.compile(r"[.:]?\s*(?:In scope|In query) .*", re.DOTALL)
_UNKNOWN_COLUMN = re.compile(r"Unknown expression(?: or function)? identifier [`'](?P<name>[^`']+)[`']")
_UNKNOWN_TABLE = re.compile(r"Unknown table(?: expression)?(?: identifier)? [`'](?P<name>[^`']+)[`']")
_VALUES = re.compile(r"Cannot (?:parse|read|convert)|while (?:executing|converting)|overflow", re.IGNORECASE)


def ask(engine: Engine, sql: str, *, catalogue: Catalogue, functions: Functions, limits: Limits) -> Answer:
    """Run one statement for a reader.

    Raises `QueryRefused` outside the fence, `QueryLimit` over a limit, `QueryError` for what the
    engine cannot make sense of.
    """
    try:
        statement = judge(engine, sql, catalogue=catalogue, functions=functions, limits=limits)
        match statement:
            case Select():
                return _select(engine, statement.sql, limits)
            case ShowTables():
                return _listed(
                    ("name", "meaning"), [[t, TABLES.get(t, "")] for t in sorted(catalogue.tables)]
                )
            case Describe():
                columns = catalogue.tables[statement.table]
                return _listed(("name", "type", "meaning"), [[c.name, c.type, c.meaning] for c in columns])
            case _:
                assert_never(statement)
    except (QueryRefused, QueryLimit):
        raise
    except QueryError as fault:
        raise QueryError(explain(str(fault), catalogue, scoped=bool(limits.row_filters))) from None


def explain(message: str, catalogue: Catalogue, *, scoped: bool) -> str:
    """The engine's complaint as a person needs it: short, and with what could be meant instead.

    A scoped reader is not shown values out of rows: the engine may have met one before it
    filtered it away.
    """
    if scoped and _VALUES.search(message):
        return "a value could not be converted or computed; use the form of the function that ends in OrNull"
    text = _SCOPE_ECHO.sub("", message).strip()
    table = _UNKNOWN_TABLE.search(text)
    if table:
        return f"there is no table {table['name']}; {catalogue.hint}"
    column = _UNKNOWN_COLUMN.search(text)
    if column:
        known = sorted({c.name for columns in catalogue.tables.values() for c in columns})
        near = difflib.get_close_matches(column["name"].rpartition(".")[2], known, n=3)
        meant = f"did you mean {' or '.join(near)}?" if near else "DESCRIBE <table> lists a table's columns"
        return f"there is no column {column['name']} here; {meant}"
    return text


def _select(engine: Engine, sql: str, limits: Limits) -> Answer:
    found = engine.execute(sql, limits=limits)
    types = [""] * found.num_columns
    if any(is_ambiguous(field.type) for field in found.schema):
        types = engine.execute(f"DESCRIBE TABLE ({sql})", limits=limits)["type"].to_pylist()
    columns = tuple(
        ResultColumn(
            field.name, is_number(field.type) and not kind.startswith(("DateTime", "Nullable(DateTime"))
        )
        for field, kind in zip(found.schema, types, strict=True)
    )
    return Answer(columns, TableChunks(found, tuple(types)))


@dataclass(frozen=True, slots=True)
class TableChunks:
    """The rows of a table, turned into plain values only as they are read."""

    table: pa.Table
    types: Sequence[str]

    def __iter__(self) -> Iterator[list[Row]]:
        for batch in self.table.to_batches(max_chunksize=ROWS_A_CHUNK):
            values = [
                plain_values(column, kind) for column, kind in zip(batch.columns, self.types, strict=True)
            ]
            yield [list(row) for row in zip(*values, strict=True)]


def _listed(names: tuple[str, ...], rows: Sequence[Row]) -> Answer:
    return Answer(tuple(ResultColumn(name) for name in names), [rows])
