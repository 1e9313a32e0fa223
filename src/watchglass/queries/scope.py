"""Whose rows a reader may see, applied in this one place to every question.

The engine is told, per question, to keep only rows of the reader's tenants wherever a table or
view is read, however deep: in subqueries, unions, joins, common table expressions and views. The
question's author does nothing for it and can do nothing against it, as long as the question itself
may not change settings (`readonly`, and the fence) and can only name tables that have a filter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

NOTHING = "0"
"""The condition that no row meets."""

TENANT_COLUMNS = ("tenant", "client_account_id")
"""What the tenant is called; the second in the tables that keep the names of teams."""

EVERY = "1"
"""The condition that every row meets."""

PUBLIC = frozenset(
    {"store.prices", "watchglass.prices", "watchglass.llm_model_pricing", "store.expired_passes"}
)
"""What has no tenant because it is nobody's and everybody may read it: the price book, and until when calls
have expired."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The tenants whose rows a reader may see; `None` is everything, rows of no tenant included."""

    tenants: frozenset[str] | None = None


EVERYTHING = Scope()


def row_filters(scope: Scope, tables: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """The condition that each table's rows must meet; `tables` maps `database.name` to its columns.

    Every table gets one, and one that has no tenant column and is not `PUBLIC` shows a scoped reader
    nothing: a table that is added later and forgotten here is closed, not open.
    """
    if scope.tenants is None:
        return {}
    return {
        table: EVERY if table in PUBLIC else _condition(scope.tenants, frozenset(columns))
        for table, columns in tables.items()
    }


def _condition(tenants: frozenset[str], columns: frozenset[str]) -> str:
    column = next((name for name in TENANT_COLUMNS if name in columns), None)
    if not tenants or column is None:
        return NOTHING
    # Hexadecimal, so that no tenant's name can end the text and begin something else.
    names = ", ".join(
        f"unhex('{tenant.encode('utf-8', 'surrogatepass').hex()}')" for tenant in sorted(tenants)
    )
    return f"{column} IN ({names})"
