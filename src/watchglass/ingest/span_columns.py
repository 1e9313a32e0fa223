"""Spans as a record batch of `store.spans`, a column at a time; long texts stored once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from watchglass.ingest.content import LONG_TEXT_BYTES, Contents
from watchglass.ingest.span_rows import (
    FRESH_VERSION,
    SPAN_COLUMNS,
    TYPE_LETTERS,
    ResourceFacts,
    as_text,
    context_map,
    events_json,
    links_json,
)
from watchglass.model import Context
from watchglass.store.tables import SCHEMAS
from watchglass.wire.columns import TEXT, SpanColumns

_SCHEMA = pa.schema([SCHEMAS["spans"].field(name) for name in SPAN_COLUMNS])
_MAP = SCHEMAS["spans"].field("attributes").type


def spans_batch(
    spans: SpanColumns,
    facts: Sequence[ResourceFacts],
    tenants: Sequence[str | None],
    own: Mapping[int, Context],
    content_keys: Mapping[int, tuple[str, ...]],
    contents: Contents,
    owner: str = "",
) -> pa.RecordBatch:
    """One batch in the order of `SPAN_COLUMNS`.

    `facts` has one element an origin, `tenants` one a span; `own` and `content_keys` name the spans
    that have some. Texts under `content_keys` are in the messages already and left out.
    """
    count = len(spans)
    texts, types = _attributes(spans, tenants, content_keys, contents)
    durations = spans.end_ns - spans.start_ns
    columns: dict[str, Any] = {
        "trace_id": spans.trace_id,
        "span_id": spans.span_id,
        "parent_span_id": spans.parent_span_id,
        "name": spans.name,
        "kind": pa.array(np.where((spans.kind >= 0) & (spans.kind <= 5), spans.kind, 0), pa.uint8()),
        "start_time": pa.array(spans.start_ns).cast(SCHEMAS["spans"].field("start_time").type),
        "duration_ns": pa.array(durations, mask=durations < 0),
        "status": spans.status,
        "status_message": spans.status_message,
        "service": _by_origin(spans, [each.service for each in facts]),
        "scope": _by_origin(spans, [scope.name for scope, _ in spans.origins]),
        "scope_version": _by_origin(spans, [scope.version for scope, _ in spans.origins]),
        "tenant": tenants,
        "own_context": _maps(count, {index: context_map(each) for index, each in own.items()}),
        "resource_context": _by_origin(spans, [list(each.context_map.items()) for each in facts], _MAP),
        "process": _by_origin(spans, [each.process for each in facts]),
        "attributes": texts,
        "attribute_types": types,
        "content_keys": _lists(count, content_keys),
        "events": _sparse(count, {index: events_json(each) for index, each in spans.events.items()}),
        "links": _sparse(count, {index: links_json(each) for index, each in spans.links.items()}),
        "resource": _by_origin(spans, [each.json for each in facts]),
        "trace_state": spans.trace_state,
        "flags": pa.array(spans.flags & 0xFFFFFFFF, pa.uint32()),
        "owner": pa.repeat(pa.scalar(owner), count),
        "version": pa.array(np.full(count, FRESH_VERSION), pa.uint64()),
    }
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, field.type)
        for column, field in zip((columns[field.name] for field in _SCHEMA), _SCHEMA, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA)


def _attributes(
    spans: SpanColumns,
    tenants: Sequence[str | None],
    content_keys: Mapping[int, tuple[str, ...]],
    contents: Contents,
) -> tuple[pa.Array, pa.Array]:
    """The maps of texts and of type letters."""
    count, held = len(spans), len(spans.key)
    owner = np.repeat(np.arange(count), np.diff(spans.first_attribute))
    keep = _kept(spans, owner, content_keys)
    other = {index: value for index, value in spans.other.items() if keep[index]}
    replaced = _long_texts(spans, keep, owner, tenants, contents)
    for index, value in other.items():
        span = owner[index]
        replaced[index] = as_text(value, tenants[span], int(spans.start_ns[span]), contents)
    places = np.nonzero(keep)[0]
    source = np.arange(held)
    source[list(replaced)] = held + np.arange(len(replaced))
    texts = pa.concat_arrays([spans.text, pa.array(list(replaced.values()), pa.string())])
    keys = pa.array(spans.keys, pa.string())
    typed = np.array(sorted(other), np.int64)
    letters = [TYPE_LETTERS.get(type(other[index]), "j") for index in typed.tolist()]
    return (
        _map(
            _offsets(owner[places], count),
            keys.take(pa.array(spans.key[places])),
            texts.take(pa.array(source[places])),
        ),
        _map(
            _offsets(owner[typed], count),
            keys.take(pa.array(spans.key[typed])),
            pa.array(letters, pa.string()),
        ),
    )


def _kept(spans: SpanColumns, owner: Any, content_keys: Mapping[int, tuple[str, ...]]) -> Any:
    keep = np.ones(len(spans.key), bool)
    number = {key: index for index, key in enumerate(spans.keys)}
    size = max(1, len(number))
    left_out = [
        span * size + number[key] for span, keys in content_keys.items() for key in keys if key in number
    ]
    if left_out:
        keep[np.isin(owner * size + spans.key, left_out)] = False
    return keep


def _long_texts(
    spans: SpanColumns, keep: Any, owner: Any, tenants: Sequence[str | None], contents: Contents
) -> dict[int, str]:
    """References that stand for the texts which are worth a row of their own."""
    ends = np.frombuffer(spans.text.buffers()[1], np.int32)[spans.text.offset :][: len(spans.key) + 1]
    long = np.nonzero((np.diff(ends) >= LONG_TEXT_BYTES) & keep & (spans.value_kind == TEXT))[0].tolist()
    found: dict[int, str] = {}
    for index in long:
        text = spans.text[index].as_py()
        if len(text) >= LONG_TEXT_BYTES:
            span = owner[index]
            found[index] = contents.reference(tenants[span], text, int(spans.start_ns[span]))
    return found


def _map(offsets: pa.Array, keys: pa.Array, items: pa.Array) -> pa.Array:
    return pa.MapArray.from_arrays(offsets, keys, items, type=_MAP)


def _offsets(owners: Any, count: int) -> pa.Array:
    sizes = np.bincount(owners, minlength=count)
    return pa.array(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32))


def _maps(count: int, known: Mapping[int, Mapping[str, str]]) -> pa.Array:
    sizes = np.zeros(count, np.int64)
    indices = sorted(known)
    sizes[indices] = [len(known[index]) for index in indices]
    offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32))
    keys = [key for index in indices for key in known[index]]
    items = [item for index in indices for item in known[index].values()]
    return _map(offsets, pa.array(keys, pa.string()), pa.array(items, pa.string()))


def _lists(count: int, known: Mapping[int, tuple[str, ...]]) -> pa.Array:
    sizes = np.zeros(count, np.int64)
    indices = sorted(known)
    sizes[indices] = [len(known[index]) for index in indices]
    offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32))
    items = pa.array([item for index in indices for item in known[index]], pa.string())
    return pa.ListArray.from_arrays(offsets, items, type=SCHEMAS["spans"].field("content_keys").type)


def _sparse(count: int, known: Mapping[int, str]) -> list[str]:
    texts = [""] * count
    for index, text in known.items():
        texts[index] = text
    return texts


def _by_origin(spans: SpanColumns, values: Sequence[Any], kind: Any = None) -> pa.Array:
    """What is one for all spans of an origin, repeated for each."""
    return pa.array(values, kind or pa.string()).take(pa.array(spans.origin))
