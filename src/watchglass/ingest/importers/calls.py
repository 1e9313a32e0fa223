"""Rows as Arrow rows of `store.calls`: who served each, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import accumulate, chain, repeat
from typing import Any

import pyarrow as pa

from watchglass.ingest.importers.rows import Rows
from watchglass.model import Usage
from watchglass.pricing.book import PriceBook, Priced, PriceRequest
from watchglass.pricing.provider import detect
from watchglass.store.tables import CALLS

DIALECT = "import"
IMPORT_VERSION = 0
"""Below that of a span (1), so that a span's own report of a call replaces the imported one, whichever came
first, and nothing imported replaces anything that was settled or repriced."""

_COUNTS = (
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens"),
    *("reasoning_tokens", "input_audio_tokens", "output_audio_tokens", "total_tokens_reported"),
)
_REQUIRED_TEXTS = ("trace_id", "span_id", "parent_span_id", "scope", "process", "origin", "price_run")


def call_batch(rows: Rows, ids: Sequence[str], book: PriceBook, owner: str = "") -> pa.RecordBatch:
    """The rows with these ids, priced at their time."""
    count = len(rows)
    if not count:
        return pa.RecordBatch.from_pylist([], schema=CALLS)
    columns = dict(rows.fields)
    success = _success(columns, count)
    served = _served(columns, count)
    priced = _price(columns, success, [provider for provider, _ in served], book)
    columns |= {
        "call_id": ids,
        "provider_label": columns.get("provider", [None] * count),
        "provider": [provider for provider, _ in served],
        "provider_source": [source for _, source in served],
        "success": success,
        "cost_usd": [each.cost_usd for each in priced],
        "price_source": [each.price_source for each in priced],
        "price_id": [each.price_id for each in priced],
        "unpriced_reason": [each.unpriced_reason for each in priced],
    }
    constant: dict[str, Any] = {
        "kind": "call",
        "counted": True,
        "may_wrap": False,
        "dialect": DIALECT,
        "owner": owner,
        "version": IMPORT_VERSION,
        # No process is known to have made two imported calls: only ids and ancestors tie them to others.
        "process": DIALECT,
        **dict.fromkeys(_REQUIRED_TEXTS[:4] + _REQUIRED_TEXTS[5:], ""),
    }
    arrays = [_array(field, columns, constant, rows.metadata, count) for field in CALLS]
    return pa.RecordBatch.from_arrays(arrays, schema=CALLS)


def _success(columns: Mapping[str, Sequence[Any]], count: int) -> list[bool]:
    """As the row says; where it does not, a call with an error has failed."""
    said = columns.get("success", repeat(None, count))
    errors = columns.get("error_type", repeat(None, count))
    messages = columns.get("error_message", repeat(None, count))
    return [
        each if each is not None else error is None and message is None
        for each, error, message in zip(said, errors, messages, strict=False)
    ]


def _served(columns: Mapping[str, Sequence[Any]], count: int) -> list[tuple[str | None, str | None]]:
    """Who served each call and how that is known; found once for each way of saying it."""
    said = list(
        zip(
            *(
                columns.get(name, [None] * count)
                for name in ("provider", "server_address", "request_model", "response_model")
            ),
            strict=True,
        )
    )
    known = {
        each: detect(label=each[0], server_address=each[1], request_model=each[2], response_model=each[3])
        for each in set(said)
    }
    return [known[each] for each in said]


def _price(
    columns: Mapping[str, Sequence[Any]],
    success: Sequence[bool],
    providers: Sequence[str | None],
    book: PriceBook,
) -> list[Priced]:
    count = len(success)
    nobody: Sequence[Any] = [None] * count
    asked, answered, tier, tenants = (
        columns.get(name, nobody) for name in ("request_model", "response_model", "service_tier", "tenant")
    )
    usages = map(Usage, *(columns.get(name, nobody) for name in _COUNTS))
    return book.price(
        [
            PriceRequest(
                provider=a,
                request_model=b,
                response_model=c,
                at_ns=d,
                usage=e,
                service_tier=f,
                success=g,
                tenant=h,
            )
            for a, b, c, d, e, f, g, h in zip(
                providers, asked, answered, columns["time"], usages, tier, success, tenants, strict=True
            )
        ]
    )


def _array(
    field: pa.Field,
    columns: Mapping[str, Sequence[Any]],
    constant: Mapping[str, Any],
    metadata: Sequence[Mapping[str, str]],
    count: int,
) -> pa.Array:
    name, kind = field.name, field.type
    if name == "metadata":
        return _maps(metadata, kind)
    if name == "operation":
        said = columns.get(name)
        return pa.repeat("chat", count) if said is None else pa.array([each or "chat" for each in said], kind)
    if pa.types.is_list(kind):
        said = columns.get(name)
        if said is None:
            return pa.ListArray.from_arrays(
                pa.array([0] * (count + 1), pa.int32()), pa.array([], kind.value_type), type=kind
            )
        return pa.array([each or () for each in said], kind)
    if name in columns:
        column = columns[name]
        if not field.nullable and None in column:
            column = [each or "" for each in column]
        return _money(column, kind) if pa.types.is_decimal(kind) else pa.array(column, kind)
    if name in constant:
        return pa.repeat(pa.scalar(constant[name], kind), count)
    return pa.nulls(count, kind)


def _money(column: Sequence[Decimal | None], kind: pa.DataType) -> pa.Array:
    return pa.array(column, kind)


def _maps(metadata: Sequence[Mapping[str, str]], kind: pa.MapType) -> pa.Array:
    offsets = pa.array([0, *accumulate(map(len, metadata))], pa.int32())
    keys = pa.array(list(chain.from_iterable(metadata)), kind.key_type)
    items = pa.array(list(chain.from_iterable(each.values() for each in metadata)), kind.item_type)
    return pa.MapArray.from_arrays(offsets, keys, items, type=kind)
