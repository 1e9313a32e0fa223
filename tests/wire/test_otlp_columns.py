"""The fast reading of trace bodies says what the patient one says, or says nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanProto

from tests.corpus import load_cases
from tests.wire.test_otlp import VALUES, as_otlp_json, request, span
from watchglass.model import Span
from watchglass.wire.columns import SpanColumns, columns_of
from watchglass.wire.otlp import decode_traces
from watchglass.wire.otlp_columns import read_spans
from watchglass.wire.protobuf_columns import MOST_FIELDS, Unreadable


def records(columns: SpanColumns) -> list[Span]:
    """All spans of some columns."""
    return [each for _, each in columns.spans(range(len(columns)))]


@given(st.lists(st.dictionaries(st.text(max_size=8), VALUES, max_size=6), min_size=0, max_size=6))
@settings(max_examples=200, deadline=None)
def test_columns_hold_the_same_spans(attributes: list[dict[str, Any]]) -> None:
    """Whatever the attributes hold, the columns' records are those of the patient reading."""
    body = request(*[span(i + 1, given, kind=i % 6, flags=i) for i, given in enumerate(attributes)])
    data = body.SerializeToString()
    assert records(read_spans(data)) == decode_traces(data, "protobuf").spans


@given(st.lists(st.dictionaries(st.text(max_size=8), VALUES, max_size=6), min_size=0, max_size=6))
@settings(max_examples=50, deadline=None)
def test_records_become_columns_and_come_back(attributes: list[dict[str, Any]]) -> None:
    """Spans that were read one by one, as JSON is, are the same after being columns."""
    spans = decode_traces(
        as_otlp_json(request(*[span(i + 1, given) for i, given in enumerate(attributes)])), "json"
    ).spans
    assert records(columns_of(spans)) == spans


def test_events_links_status_and_parents_are_read() -> None:
    """The rarer fields of a span come through as well."""
    full = span(7, {"a": 1}, parent_span_id=b"\3" * 8, trace_state="x=y", flags=257)
    full.events.add(name="exception", time_unix_nano=5).attributes.extend(span(1, {"k": "v"}).attributes)
    full.links.add(trace_id=b"\1" * 16, span_id=b"\2" * 8)
    full.status.code, full.status.message = 2, "broken pipe"
    data = request(full, span(8)).SerializeToString()
    assert records(read_spans(data)) == decode_traces(data, "protobuf").spans


@given(st.data())
@settings(max_examples=600, deadline=None)
def test_a_mutation_is_read_alike_or_not_at_all(data: st.DataObject) -> None:
    """A body with changed bytes is Unreadable, or reads exactly as the patient reading has it."""
    body = bytearray(
        request(span(1, {"a": "x" * 20, "n": -3, "l": [1, {"k": "v"}]}), span(2)).SerializeToString()
    )
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    mutated = bytes(body[: data.draw(st.integers(0, len(body)))])
    try:
        fast = records(read_spans(mutated))
    except Unreadable:
        return
    patient = decode_traces(mutated, "protobuf")
    assert fast == patient.spans
    assert patient.rejects == []


def test_bad_spans_are_left_to_the_patient_reading() -> None:
    """An impossible id or a key given twice makes the body unreadable here, not wrong."""
    twice = span(1, {"a": "1"})
    twice.attributes.extend(span(1, {"a": "2"}).attributes)
    for bad in (span(1, trace_id=b"\1"), twice, SpanProto()):
        with pytest.raises(Unreadable):
            read_spans(request(bad).SerializeToString())


def test_every_body_of_the_corpus_is_read_alike() -> None:
    """Each real trace body reads the same both ways."""
    cases = load_cases()
    if not cases:
        pytest.skip("the shared corpus of OTLP bodies is not on this machine")
    for case in cases:
        for body in case.bodies:
            if body.signal == "traces" and body.encoding == "protobuf":
                data = body.read()
                assert records(read_spans(data)) == decode_traces(data, "protobuf").spans, body.file.name


def test_a_span_of_very_many_attributes_is_not_walked_field_by_field() -> None:
    """One span with thousands of attributes costs a step each here, so it is left to the other reader."""
    body = request(span(1, {f"k{each}": "x" for each in range(MOST_FIELDS)})).SerializeToString()
    with pytest.raises(Unreadable):
        read_spans(body)
    (read,) = decode_traces(body, "protobuf").spans
    assert len(read.attributes) == MOST_FIELDS
