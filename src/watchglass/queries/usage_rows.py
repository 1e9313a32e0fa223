"""The rows of a usage report: columns as the engine gave them, turned into records when someone reads them.

An answer by hour over a month has thousands of rows; as columns it becomes a document in a tenth of
the time that it takes as records.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, overload

import msgspec
import pyarrow as pa

from watchglass.queries.figures import MONEY_FIELDS, Figures


class UsageRow(Figures, frozen=True, kw_only=True):
    """One group: `group` has a value (or None, unknown) for each dimension asked for.

    `avg_duration_ns` is the mean of the calls' durations, `p95_duration_ns` their 95th percentile to
    within 1% (`store/rollup_figures.py`). Both are None where nobody asked or no duration is known.
    """

    group: dict[str, str | None] = msgspec.field(default_factory=dict[str, str | None])
    avg_duration_ns: int | None = None
    p95_duration_ns: int | None = None


_FIGURES = (*Figures.__struct_fields__, "avg_duration_ns", "p95_duration_ns")


class UsageRows(Sequence[UsageRow]):
    """The rows of an answer whose columns are `<dimension>_shown` and the figures, money as text."""

    def __init__(self, found: pa.Table, by: Sequence[str]) -> None:
        self._by = tuple(by)
        self._columns = [
            *(found[f"{name}_shown"].to_pylist() for name in by),
            *(_plain(found[name], name) for name in _FIGURES),
        ]
        self._length = found.num_rows

    def documents(self) -> list[dict[str, Any]]:
        """Each row flat: its group's dimensions beside its figures; money is text without idle zeros."""
        names = (*self._by, *_FIGURES)
        return [dict(zip(names, values, strict=True)) for values in zip(*self._columns, strict=True)]

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> UsageRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[UsageRow]: ...
    def __getitem__(self, index: int | slice) -> UsageRow | list[UsageRow]:
        if isinstance(index, slice):
            return [self._row(at) for at in range(*index.indices(self._length))]
        return self._row(range(self._length)[index])

    def __iter__(self) -> Iterator[UsageRow]:
        return (self._row(at) for at in range(self._length))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __repr__(self) -> str:
        return repr(list(self))

    def _row(self, at: int) -> UsageRow:
        values = [column[at] for column in self._columns]
        figures = dict(zip(_FIGURES, values[len(self._by) :], strict=True))
        figures |= {name: None if figures[name] is None else Decimal(figures[name]) for name in MONEY_FIELDS}
        return UsageRow(group=dict(zip(self._by, values, strict=False)), **figures)


def _plain(column: pa.ChunkedArray[Any], name: str) -> list[Any]:
    """As Python's own values; numbers by way of numpy, which is ten times as fast."""
    if name == "unpriced":
        return [dict(sorted(pairs)) for pairs in column.to_pylist()]
    if not column.null_count and pa.types.is_integer(column.type):
        return column.to_numpy().tolist()
    if column.null_count == len(column):
        return [None] * len(column)
    return column.to_pylist()
