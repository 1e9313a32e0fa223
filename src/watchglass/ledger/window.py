"""Which calls a ledger's work is about: a span of time, and whatever else usage can be filtered by."""

from __future__ import annotations

import msgspec

from watchglass.errors import QueryError
from watchglass.queries.plain import moment
from watchglass.queries.usage import DIMENSIONS, FILTERS


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that start in `[since_ns, until_ns)` (a bound that is None is open) and match every filter.

    A filter names the values that match, by the names of `queries.usage.FILTERS`; '' stands for NULL.
    """

    since_ns: int | None = None
    until_ns: int | None = None
    filters: dict[str, tuple[str, ...]] = {}

    def check(self) -> None:
        """Raise `QueryError` for a filter that does not exist or a window that ends before it begins."""
        for name in self.filters:
            if name not in FILTERS:
                raise QueryError(
                    f"calls cannot be filtered by {name!r}; they can by {', '.join(sorted(FILTERS))}"
                )
        if self.since_ns is not None and self.until_ns is not None and self.since_ns > self.until_ns:
            raise QueryError(f"since ({moment(self.since_ns)}) is after until ({moment(self.until_ns)})")

    def condition(self, params: dict[str, object]) -> str:
        """The SQL condition on rows of `store.calls`; its values are added to `params`.

        Raises as `check` does.
        """
        self.check()
        conditions: list[str] = []
        for sign, name, at_ns in (
            (">=", "window_since", self.since_ns),
            ("<", "window_until", self.until_ns),
        ):
            if at_ns is not None:
                params[name] = at_ns
                conditions.append(f"time {sign} fromUnixTimestamp64Nano({{{name}:Int64}}, 'UTC')")
        for name, values in self.filters.items():
            params[f"window_{name}"] = list(values)
            conditions.append(f"has({{window_{name}:Array(String)}}, ifNull({DIMENSIONS[name]}, ''))")
        return " AND ".join(conditions) or "1"
