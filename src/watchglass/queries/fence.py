"""The fence around a reader's own SQL: what may be asked, judged on the engine's own parse of it.

The statement is first rewritten by the engine's formatter, which takes exactly one statement and
leaves neither comments nor second spellings; then its syntax tree is checked node by node against
lists of what is allowed. What is run afterwards is the very text that was judged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from watchglass.errors import QueryError, QueryRefused
from watchglass.queries.catalogue import DATABASE, Catalogue
from watchglass.queries.functions import TABLE_FUNCTIONS, Functions
from watchglass.queries.syntax import Node, read_tree
from watchglass.store import Engine, Limits

MAX_SQL_CHARS = 64 * 1024

_NODES = frozenset(
    {
        *("SelectWithUnionQuery", "SelectQuery", "SelectIntersectExceptQuery", "ExpressionList", "Subquery"),
        *("Function", "Identifier", "TableIdentifier", "Literal", "Asterisk", "QualifiedAsterisk"),
        *("ColumnsTransformerList", "ColumnsExceptTransformer", "ColumnsReplaceTransformer"),
        *("ColumnsReplaceTransformer::Replacement", "ColumnsRegexpMatcher", "ColumnsListMatcher"),
        *("TablesInSelectQuery", "TablesInSelectQueryElement", "TableExpression", "TableJoin", "ArrayJoin"),
        *("WithElement", "OrderByElement", "WindowDefinition", "WindowListElement", "InterpolateElement"),
    }
)
_CLAUSES = {
    "Set": "SETTINGS is not open to readers; leave it out",
    "ColumnsApplyTransformer": "APPLY is not open to readers; write the function around each column",
    "QueryParameter": "parameters ({name:Type}) are not filled in here; write the value",
}
_START = re.compile(r"\s*\(*\s*(SELECT|WITH)\b")
_DESCRIBE = re.compile(r"DESCRIBE TABLE (?:`?watchglass`?\.)?`?(\w+)`?")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_ECHO = re.compile(r":?\s*In scope SELECT formatQuerySingleLine\(.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Select:
    """A statement that may be run as it is."""

    sql: str


@dataclass(frozen=True, slots=True)
class ShowTables:
    """Which tables are there?"""


@dataclass(frozen=True, slots=True)
class Describe:
    """Which columns has this documented table?"""

    table: str


def judge(
    engine: Engine, sql: str, *, catalogue: Catalogue, functions: Functions, limits: Limits
) -> Select | ShowTables | Describe:
    """The one statement in `sql`, if a reader may run it.

    Raises `QueryError` for what is no SQL and `QueryRefused` for what is not open to readers.
    """
    text = _normal(engine, sql, limits)
    if text == "SHOW TABLES":
        return ShowTables()
    described = _DESCRIBE.fullmatch(text)
    if described and described[1] in catalogue.tables:
        return Describe(described[1])
    if not _START.match(text) or ";" in _QUOTED.sub("''", text):
        raise QueryRefused(
            "only one SELECT (or WITH … SELECT), SHOW TABLES or DESCRIBE <table> can be asked here, "
            f"not {_excerpt(sql)!r}; {catalogue.hint}"
        )
    tree = engine.execute(f"EXPLAIN AST {text}", limits=limits)
    check(read_tree(tree.column(0).to_pylist()), catalogue, functions)
    return Select(text)


def check(nodes: Sequence[Node], catalogue: Catalogue, functions: Functions) -> None:
    """Judge every node of a statement's syntax tree. Raises `QueryRefused` at the first that is closed."""
    for node in nodes:
        if node.kind not in _NODES:
            raise QueryRefused(_CLAUSES.get(node.kind, f"{node.kind} is not open to readers; leave it out"))
        _check_place(node)
        if node.kind in ("Identifier", "TableIdentifier", "QualifiedAsterisk"):
            _check_name(node, catalogue, functions)
        elif node.kind == "Function":
            _check_function(node, catalogue, functions)


def _check_place(node: Node) -> None:
    """FORMAT and INTO OUTFILE are printed as children of the whole statement, beside its selects."""
    parent = node.parent()
    if parent is None and node.kind != "SelectWithUnionQuery":
        raise QueryRefused(f"{node.kind} is not open to readers; ask with SELECT")
    if parent is not None and parent.kind == "SelectWithUnionQuery" and node.kind != "ExpressionList":
        raise QueryRefused(
            "FORMAT and INTO OUTFILE are not open to readers; leave them out and choose the output outside"
        )


def _check_name(node: Node, catalogue: Catalogue, functions: Functions) -> None:
    database, _, table = node.name.partition(".")
    if table and database.lower() in catalogue.closed_databases:
        raise QueryRefused(f"{node.name} is not open to readers; {catalogue.hint}")
    if node.kind == "TableIdentifier" and table and (database != DATABASE or table not in catalogue.tables):
        raise QueryRefused(f"there is no table {node.name} for readers; {catalogue.hint}")
    # A function's bare name can be handed to another function (arrayMap(sleep, …)).
    call = node.parent(2)
    is_argument = call is not None and call.kind == "Function"
    if is_argument and functions.refers_to_closed(node.name) and not catalogue.has_column(node.name):
        raise QueryRefused(f"the function {node.name} is not open to readers")


def _check_function(node: Node, catalogue: Catalogue, functions: Functions) -> None:
    parent = node.parent()
    if parent is not None and parent.kind == "TableExpression":
        if node.name not in TABLE_FUNCTIONS:
            raise QueryRefused(f"the table function {node.name} is not open to readers; {catalogue.hint}")
    elif not functions.allows(node.name):
        if node.name in functions.all or node.name.lower() in functions.all:
            raise QueryRefused(f"the function {node.name} is not open to readers")
        raise QueryError(f"there is no function {node.name}")


def _normal(engine: Engine, sql: str, limits: Limits) -> str:
    if not sql.strip():
        raise QueryError("the question is empty; write a SELECT")
    if len(sql) > MAX_SQL_CHARS:
        raise QueryError(f"the question has {len(sql)} characters; at most {MAX_SQL_CHARS} can be asked")
    if "\0" in sql:
        raise QueryError("the question holds a zero byte; leave it out")
    try:
        found = engine.execute(
            "SELECT formatQuerySingleLine({sql:String}) AS sql", {"sql": sql}, limits=limits
        )
    except QueryError as fault:
        raise type(fault)(_ECHO.sub("", str(fault)).strip(" .:")) from None
    return found["sql"][0].as_py()


def _excerpt(sql: str) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= 40 else text[:39] + "…"
