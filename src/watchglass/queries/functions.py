"""Which of the engine's functions a reader's own SQL may call.

A list of what is allowed, not of what is forbidden: the engine gains functions with each release,
and a new one stays closed until somebody has looked at it. It is kept by the engine's own
categories (`system.functions`, ClickHouse 26.9), so that the hundreds of plain functions of text,
time and arithmetic need no list of names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watchglass.store import Engine

PURE_CATEGORIES = frozenset(
    {
        *("Aggregate Functions", "Arithmetic", "Arrays", "Bit", "Bitmap", "Comparison", "Conditional"),
        *("Dates and Times", "Distance", "Encoding", "Financial", "Hash", "IP Address", "JSON", "Logical"),
        *("Map", "Mathematical", "Null", "Random Number", "Rounding", "String", "String Replacement"),
        *("String Search", "String Splitting", "Time Window", "Tuple", "Type Conversion", "URL", "UUID"),
    }
)
"""Categories whose functions compute from their arguments alone."""

PURE_OTHERS = frozenset(
    {
        *("bar", "byteSize", "countDigits", "finalizeAggregation", "formatReadableDecimalSize"),
        *(
            "formatReadableQuantity",
            "formatReadableSize",
            "formatReadableTimeDelta",
            "identity",
            "materialize",
        ),
        *("neighbor", "parseReadableSize", "parseReadableSizeOrNull", "parseReadableSizeOrZero"),
        *(
            "parseTimeDelta",
            "rowNumberInAllBlocks",
            "runningAccumulate",
            "runningDifference",
            "toColumnTypeName",
        ),
        *("toTypeName", "transform", "dynamicType", "variantElement", "variantType", "initializeAggregation"),
        *("getSubcolumn", "caseWithExpression", "widthBucket"),
    }
)
"""Single functions that are as harmless and sit in the catch-all categories, or in none."""

SYNTAX = frozenset({"lambda", "exists", "grouping"})
"""What the parser prints as functions and the engine does not list as such."""

CLOSED = frozenset(
    {"aggThrow", "throwIf", "flameGraph", "estimateCompressionRatio", "serverTimezone", "chdb"}
)
"""Inside the categories above, and yet not about the reader's rows."""

TABLE_FUNCTIONS = frozenset(
    {"numbers", "numbers_mt", "zeros", "zeros_mt", "generate_series", "generateSeries", "values"}
)
"""Table functions that make rows out of nothing; every other one can leave the store."""

_COMBINATORS = (
    *("If", "Array", "Map", "SimpleState", "State", "Merge", "ForEach", "Distinct", "OrDefault", "OrNull"),
    *("Resample", "ArgMin", "ArgMax"),
)


@dataclass(frozen=True, slots=True)
class Functions:
    """The engine's functions: those that are open, in lower case too where case does not matter."""

    open: frozenset[str]
    open_any_case: frozenset[str]
    open_aggregates: frozenset[str]
    all: frozenset[str]

    def allows(self, name: str) -> bool:
        """Whether a reader may call `name`, combinators (`sumIf`, `uniqExactMerge`) included."""
        if name in self.open or name.lower() in self.open_any_case:
            return True
        return any(
            name.endswith(suffix) and self._allows_aggregate(name.removesuffix(suffix))
            for suffix in _COMBINATORS
        )

    def _allows_aggregate(self, name: str) -> bool:
        if name in self.open_aggregates or (name.lower() in self.open_any_case & self.open_aggregates):
            return True
        return any(
            name.endswith(suffix) and self._allows_aggregate(name.removesuffix(suffix))
            for suffix in _COMBINATORS
        )

    def refers_to_closed(self, name: str) -> bool:
        """Whether a bare word names a function that exists and is closed."""
        return (name in self.all or name.lower() in self.all) and not self.allows(name)


def read_functions(engine: Engine) -> Functions:
    """Ask the engine what there is and keep what is open."""
    found = engine.execute(
        """
        SELECT name, alias_to, is_aggregate, case_insensitive, categories
        FROM system.functions
        """
    ).to_pylist()
    by_name: dict[str, Mapping[str, Any]] = {row["name"]: row for row in found}
    rows = [row for row in found if _is_open(row, by_name)]
    return Functions(
        open=frozenset(row["name"] for row in rows) | SYNTAX,
        open_any_case=frozenset(row["name"].lower() for row in rows if row["case_insensitive"])
        | {"grouping"},
        open_aggregates=frozenset(
            form for row in rows if row["is_aggregate"] for form in (row["name"], row["name"].lower())
        ),
        all=frozenset(form for row in found for form in (row["name"], row["name"].lower())),
    )


def _is_open(row: Mapping[str, Any], by_name: Mapping[str, Mapping[str, Any]]) -> bool:
    real = by_name.get(row["alias_to"], row)
    if real["name"] in CLOSED or row["name"] in CLOSED:
        return False
    if real["name"] in PURE_OTHERS or row["name"] in PURE_OTHERS:
        return True
    return bool(set(real["categories"].split(",")) & PURE_CATEGORIES)
