"""The spans of one body as columns, and the way back to records for the few that need one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
import numpy as np
import pyarrow as pa

from watchglass.model import Event, Link, Resource, Scope, Span, Value
from watchglass.wire.protobuf_columns import Ints

TEXT, OTHER = 0, 1
"""Kinds of attribute values."""


class SpanColumns(msgspec.Struct, frozen=True):
    """The spans of one body. Arrays have one element a span, or, where said, one an attribute."""

    trace_id: list[str]
    span_id: list[str]
    parent_span_id: list[str]
    name: list[str]
    kind: Ints
    start_ns: Ints
    end_ns: Ints
    status: list[int]
    status_message: list[str]
    trace_state: list[str]
    flags: Ints
    origin: Ints
    """Index into `origins`."""
    origins: list[tuple[Scope, Resource]]
    events: dict[int, list[Event]]
    links: dict[int, list[Link]]
    first_attribute: Ints
    """Index of each span's first attribute, and one past the last span's."""
    key: Ints
    """An attribute: index into `keys`."""
    keys: list[str]
    value_kind: Ints
    """An attribute: TEXT or OTHER."""
    text: pa.StringArray
    """An attribute: its text; '' where the kind is not TEXT."""
    other: dict[int, Value]
    """By attribute: the values that are no text."""

    def __len__(self) -> int:
        return len(self.trace_id)

    def values(self) -> list[Value]:
        """Every attribute's value as Python has it."""
        found: list[Value] = self.text.to_pylist()
        for index, value in self.other.items():
            found[index] = value
        return found

    def spans(self, indices: Iterable[int]) -> Iterator[tuple[int, Span]]:
        """These spans as records, each with its index."""
        values, names, first = self.values(), self.keys, self.first_attribute.tolist()
        key, kind, flags = self.key.tolist(), self.kind.tolist(), self.flags.tolist()
        start_ns, end_ns, origin = self.start_ns.tolist(), self.end_ns.tolist(), self.origin.tolist()
        for index in indices:
            begin, end = first[index], first[index + 1]
            scope, resource = self.origins[origin[index]]
            yield (
                index,
                Span(
                    self.trace_id[index],
                    self.span_id[index],
                    self.parent_span_id[index],
                    self.name[index],
                    kind[index],
                    start_ns[index],
                    end_ns[index],
                    self.status[index],
                    self.status_message[index],
                    dict(zip([names[each] for each in key[begin:end]], values[begin:end], strict=True)),
                    self.events.get(index, []),
                    self.links.get(index, []),
                    scope,
                    resource,
                    self.trace_state[index],
                    flags[index],
                ),
            )


def columns_of(spans: Sequence[Span]) -> SpanColumns:
    """Records as columns: for bodies that were read span by span."""
    origins: dict[tuple[int, int], int] = {}
    held: list[tuple[Scope, Resource]] = []
    keys: dict[str, int] = {}
    key: list[int] = []
    values: list[Value] = []
    for span in spans:
        if (id(span.scope), id(span.resource)) not in origins:
            origins[id(span.scope), id(span.resource)] = len(held)
            held.append((span.scope, span.resource))
        key.extend(keys.setdefault(each, len(keys)) for each in span.attributes)
        values.extend(span.attributes.values())
    first = np.cumsum([0, *(len(span.attributes) for span in spans)]).astype(np.int64)
    is_text = [isinstance(value, str) for value in values]
    texts = [value if isinstance(value, str) else "" for value in values]
    return SpanColumns(
        [span.trace_id for span in spans],
        [span.span_id for span in spans],
        [span.parent_span_id for span in spans],
        [span.name for span in spans],
        np.array([span.kind for span in spans], np.int64),
        np.array([span.start_ns for span in spans], np.int64),
        np.array([span.end_ns for span in spans], np.int64),
        [span.status for span in spans],
        [span.status_message for span in spans],
        [span.trace_state for span in spans],
        np.array([span.flags for span in spans], np.int64),
        np.array([origins[id(span.scope), id(span.resource)] for span in spans], np.int64),
        held,
        {index: span.events for index, span in enumerate(spans) if span.events},
        {index: span.links for index, span in enumerate(spans) if span.links},
        first,
        np.array(key, np.int64),
        [each for each in keys],
        np.where(is_text, TEXT, OTHER).astype(np.int64),
        pa.array(texts, pa.string()),
        {index: value for index, value in enumerate(values) if not is_text[index]},
    )
