"""A body becomes record batches that the store's tables take, whatever strange values are in it."""

from __future__ import annotations

import base64
import json
import math
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from tests.otlp_bodies import START_NS, any_value, chat, request
from watchglass.errors import BadRequest, TooLarge
from watchglass.ingest.content import content_hash
from watchglass.ingest.prepare import Prepared, prepare, prepare_rejected
from watchglass.ingest.receiver import Signal
from watchglass.pricing.book import PriceBook
from watchglass.store.tables import SCHEMAS

BOOK = PriceBook(())
REF = "\x01ref:"


def made(body: ExportTraceServiceRequest) -> Prepared:
    """Prepared from protobuf; every batch has been looked at."""
    done = prepare("traces", body.SerializeToString(), "protobuf", BOOK, START_NS)
    check(done)
    return done


def check(done: Prepared) -> None:
    """The batches hold what their tables' schemas say, and are sound inside."""
    for table, batch in done.batches.items():
        assert batch.num_rows, table
        batch.validate(full=True)
        schema = SCHEMAS[table]
        assert len(set(batch.schema.names)) == len(batch.schema.names)
        for field in batch.schema:
            wanted = schema.field(field.name)
            assert field.type == wanted.type, (table, field)
            assert wanted.nullable or not batch[field.name].null_count, (table, field)


def rows(done: Prepared, table: str) -> list[dict[str, Any]]:
    """The rows of one table, maps as dictionaries."""
    found = done.batches.get(table)
    return [] if found is None else found.to_pylist(maps_as_pydicts="strict")


def attributes(**values: Any) -> tuple[dict[str, str], dict[str, str]]:
    """(texts, type letters) of a span's attributes."""
    (row,) = rows(made(request(chat(1, 1, **values))), "spans")
    return row["attributes"], row["attribute_types"]


def as_json(body: ExportTraceServiceRequest) -> bytes:
    """OTLP's JSON of the same request: ids in hex, enums as numbers."""

    tree = MessageToDict(body, use_integers_for_enums=True)
    for group in tree.get("resourceSpans", []):
        for holder in group.get("scopeSpans", []):
            for each in holder.get("spans", []):
                for name in ("traceId", "spanId", "parentSpanId"):
                    if name in each:
                        each[name] = base64.b64decode(each[name]).hex()
    return json.dumps(tree).encode()


def test_a_call_is_a_row_of_spans_and_one_of_calls() -> None:
    """An LLM call's span gives a span and a counted call with its tokens and an exact price."""
    done = made(request(chat(1, 2, 3)))
    assert (done.accepted, done.rejected, done.message) == (1, 0, "")
    (span,), (call,) = rows(done, "spans"), rows(done, "calls")
    assert (span["trace_id"], span["span_id"], span["parent_span_id"]) == (
        f"{1:032x}",
        f"{2:016x}",
        f"{3:016x}",
    )
    assert (call["input_tokens"], call["output_tokens"], call["counted"]) == (100, 10, True)
    assert call["cost_usd"] == Decimal("0.000021")
    assert call["cache_read_tokens"] is None


def test_a_span_that_is_no_call_is_kept_whole() -> None:
    """Spans of other kinds are stored, and there is no batch for tables that nothing goes to."""
    body = request(chat(1, 1))
    del body.resource_spans[0].scope_spans[0].spans[0].attributes[:]
    body.resource_spans[0].scope_spans[0].spans[0].name = "GET /"
    body.resource_spans[0].scope_spans[0].scope.name = "web"
    done = made(body)
    assert [row["name"] for row in rows(done, "spans")] == ["GET /"]
    assert set(done.batches) == {"spans"}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_floats_that_are_no_numbers_are_text(value: float) -> None:
    """NaN and the infinities are kept as text with a float's type, and inside JSON as strings."""
    texts, types = attributes(odd=value, inside=[1.5, value, {"deep": value}])
    assert (texts["odd"], types["odd"]) == (repr(value), "d")
    assert json.loads(texts["inside"], parse_constant=pytest.fail)[0] == 1.5
    assert json.loads(texts["inside"])[1] == str(value)


def test_values_keep_their_type() -> None:
    """Each kind of value is stored as text and can be told apart again by its letter; strings have none."""
    texts, types = attributes(
        s="1",
        i=2**63 - 1,
        n=-(2**63),
        d=0.1,
        b=True,
        y=b"\x00\xff",
        j=[1, "a", {"k": [None]}],
        e="",
        none=None,
    )
    assert (texts["s"], texts["e"], "s" in types, "e" in types) == ("1", "", False, False)
    assert (texts["i"], types["i"]) == (str(2**63 - 1), "i")
    assert (texts["n"], types["n"]) == (str(-(2**63)), "i")
    assert (texts["d"], types["d"]) == ("0.1", "d")
    assert (texts["b"], types["b"]) == ("true", "b")
    assert (texts["y"], types["y"]) == ("00ff", "y")
    assert (json.loads(texts["j"]), types["j"]) == ([1, "a", {"k": [None]}], "j")


def test_a_megabyte_of_text_is_stored_once() -> None:
    """A long value is a row of `messages`, referred to by the hash of what it says, however many say it."""
    text = "long " * 200_000
    done = made(request(chat(1, 1, big=text), chat(2, 2, big=text), chat(3, 3, other=text)))
    held = [row for row in rows(done, "messages") if row["content"] == text]
    assert [row["hash"] for row in held] == [content_hash(text)]
    spans = rows(done, "spans")
    assert spans[0]["attributes"]["big"] == spans[2]["attributes"]["other"] == REF + content_hash(text)


def test_texts_of_two_tenants_are_kept_apart() -> None:
    """The same long text of two tenants is two rows: none can learn what the other's calls say."""
    text = "t" * 2000
    done = made(request(chat(1, 1, big=text, tenant__id="a"), chat(2, 2, big=text, tenant__id="b")))
    assert sorted(row["tenant"] for row in rows(done, "messages") if row["content"] == text) == ["a", "b"]


HOSTILE_KEYS = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "'; DROP TABLE spans --",
    "ключ",
    "😀",
    "k" * 10_000,
    "a.b.c",
    REF,
    '"\\',
]


def test_hostile_keys_are_only_keys() -> None:
    """Keys that are empty, huge, with NUL, quotes or other scripts come out as they went in."""
    body = request(chat(1, 1, **dict.fromkeys(HOSTILE_KEYS, "v")))
    texts = rows(made(body), "spans")[0]["attributes"]
    assert {key: texts.get(key) for key in HOSTILE_KEYS} == dict.fromkeys(HOSTILE_KEYS, "v")


def test_a_key_given_twice_is_one_value() -> None:
    """A map has each key once, also when a client sent it twice."""
    body = request(chat(1, 1, twice="a"))
    span = body.resource_spans[0].scope_spans[0].spans[0]
    span.attributes.add(key="twice", value=any_value("b"))
    batch = made(body).batches["spans"]
    keys = [key for key, _ in batch["attributes"][0].as_py()]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    "fault",
    [
        {"trace_id": b""},
        {"trace_id": bytes(16)},
        {"trace_id": b"short"},
        {"span_id": bytes(8)},
        {"span_id": b"x" * 16},
        {"start_time_unix_nano": 0},
    ],
    ids=str,
)
def test_a_span_with_broken_ids_is_refused_alone(fault: dict[str, Any]) -> None:
    """It is counted, named in the message and kept as a row of `rejects`; its neighbours are stored."""
    bad = chat(2, 2)
    for name, value in fault.items():
        setattr(bad, name, value)
    done = made(request(chat(1, 1), bad, chat(3, 3)))
    assert (done.accepted, done.rejected) == (2, 1)
    assert "spans[1]" in done.message
    assert [row["where"] for row in rows(done, "rejects")] == ["resourceSpans[0].scopeSpans[0].spans[1]"]
    assert len(rows(done, "spans")) == len(rows(done, "calls")) == 2


@pytest.mark.parametrize("said", [1e25, -1e25, 1e300, math.nan, math.inf, "1e400", "not money", 10**18])
def test_money_that_does_not_fit_is_unknown(said: Any) -> None:
    """A reported cost that no column can hold costs neither its span nor its neighbours anything."""
    done = made(request(chat(1, 1, gen_ai__usage__cost=said, llm__cost__total=said), chat(2, 2)))
    assert done.accepted == 2
    first, second = rows(done, "calls")
    assert first["reported_cost_usd"] is None or abs(first["reported_cost_usd"]) < 10**20
    assert (first["cost_usd"], second["cost_usd"]) == (Decimal("0.000021"),) * 2


@pytest.mark.parametrize("said", [-1, 2**63 - 1, 1e300, math.nan, "many", "12", True, [1], b"1"])
def test_tokens_that_are_no_count_cost_nobody_else_anything(said: Any) -> None:
    """Whatever stands where a token count should be, the neighbours are counted and the span is kept."""
    odd = {"gen_ai__usage__input_tokens": said, "gen_ai__usage__output_tokens": said}
    done = made(request(chat(1, 1, **odd), chat(2, 2)))
    assert len(rows(done, "spans")) == 2
    calls = {row["span_id"]: row for row in rows(done, "calls")}
    assert calls[f"{2:016x}"]["cost_usd"] == Decimal("0.000021")
    tokens = calls[f"{1:016x}"]["input_tokens"]
    assert tokens is None or 0 <= tokens < 2**63


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=600)
    | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        *(
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "gen_ai.request.model",
            "gen_ai.provider.name",
        ),
        *("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.response.id", "gen_ai.operation.name"),
        *(
            "tenant.id",
            "session.id",
            "user.id",
            "error.type",
            "server.address",
            "code.filepath",
            "code.lineno",
        ),
        *("openinference.span.kind", "llm.model_name", "llm.token_count.prompt", "gen_ai.usage.cost"),
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=6), min_size=1, max_size=4))
def test_both_encodings_give_the_same_rows(spans: list[dict[str, Any]]) -> None:
    """Whatever attributes spans have, all are accepted, and JSON and protobuf make equal batches."""
    body = request(*(chat(n, n, **values) for n, values in enumerate(spans, 1)))
    one = made(body)
    other = prepare("traces", as_json(body), "json", BOOK, START_NS)
    check(other)
    assert one.accepted == other.accepted == len(spans)
    assert one.sighting == other.sighting
    assert set(one.batches) == set(other.batches)
    for table in one.batches:
        assert _sorted(rows(one, table)) == _sorted(rows(other, table)), table


def _sorted(found: list[dict[str, Any]]) -> list[str]:
    return sorted(repr(sorted(row.items())) for row in found)


def test_logs_and_metrics_fit_their_tables() -> None:
    """A log record and points of each kind become rows; NaN in a gauge stays NaN, and times survive."""
    logs, metrics = ExportLogsServiceRequest(), ExportMetricsServiceRequest()
    record = logs.resource_logs.add().scope_logs.add().log_records.add(observed_time_unix_nano=START_NS)
    record.trace_id, record.span_id, record.event_name = b"t" * 16, b"s" * 8, "gen_ai.user.message"
    record.body.CopyFrom(any_value({"content": "hello"}))
    scope = metrics.resource_metrics.add().scope_metrics.add()
    scope.metrics.add(name="g").gauge.data_points.add(time_unix_nano=START_NS, as_double=math.nan)
    scope.metrics.add(name="s").sum.data_points.add(time_unix_nano=START_NS, as_int=-5)
    scope.metrics.add(name="h").histogram.data_points.add(
        time_unix_nano=START_NS, count=2**62, sum=math.inf, bucket_counts=[1], explicit_bounds=[]
    )
    scope.metrics.add(name="e").exponential_histogram.data_points.add(
        time_unix_nano=START_NS, count=1, scale=-4
    )
    scope.metrics.add(name="q").summary.data_points.add(time_unix_nano=START_NS, count=1, sum=1)
    logged = prepare("logs", logs.SerializeToString(), "protobuf", BOOK, START_NS)
    measured = prepare("metrics", metrics.SerializeToString(), "protobuf", BOOK, START_NS)
    for done in (logged, measured):
        check(done)
        assert done.rejected == 0
    assert logged.sighting.touched == [(b"t" * 16).hex()] and logged.sighting.latest_ns == START_NS
    assert len(rows(logged, "logs")[0]["input_messages"]) == 1
    points = {row["name"]: row for row in rows(measured, "metrics")}
    assert set(points) == set("gsheq") and points["s"]["value_int"] == -5 and math.isnan(points["g"]["value"])
    assert points["h"]["count"] == 2**62


def test_only_roots_that_are_alone_are_lone() -> None:
    """A root by itself is lone, with its process where it is a call; siblings and children are touched."""
    seen = made(request(chat(1, 1), chat(2, 2), chat(2, 3), chat(4, 4, 9))).sighting
    assert [each.trace_id for each in seen.lone] == [f"{1:032x}"]
    assert seen.lone[0].process and seen.lone[0].start_ns == START_NS
    assert list(seen.touched) == [f"{2:032x}", f"{4:032x}"]
    assert seen.latest_ns == START_NS
    assert [scope for _, scope in seen.sources] == ["opentelemetry.instrumentation.genai.openai"]


def test_a_body_of_nonsense_says_where() -> None:
    """A body that cannot be read is refused whole, and is a row of `rejects` that fits the table."""
    with pytest.raises(BadRequest) as refused:
        prepare("traces", b"\xff\xff\xff", "protobuf", BOOK, START_NS)
    batch = prepare_rejected("traces", refused.value, START_NS)["rejects"]
    batch.validate(full=True)
    assert isinstance(batch, pa.RecordBatch) and batch["signal"].to_pylist() == ["traces"]


@pytest.mark.parametrize(("body", "encoding"), [(b"", "protobuf"), (b"{}", "json")])
def test_an_empty_request_is_nothing_to_write(body: bytes, encoding: Any) -> None:
    """No spans are no batches, and no error."""
    done = prepare("traces", body, encoding, BOOK, START_NS)
    assert (done.accepted, done.rejected, done.batches) == (0, 0, {})


@pytest.mark.parametrize("signal", ["traces", "logs"])
def test_a_small_body_that_would_become_gigabytes_is_too_large(signal: Signal) -> None:
    """A resource stands in each row: a large one with many items is refused before any memory goes to it."""
    if signal == "traces":
        sent = request(*(chat(each, 1) for each in range(1, 3001)))
        resource = sent.resource_spans[0].resource
    else:
        sent = ExportLogsServiceRequest()
        logs = sent.resource_logs.add()
        logs.scope_logs.add().log_records.extend([LogRecord(time_unix_nano=START_NS)] * 3000)
        resource = logs.resource
    resource.attributes.append(KeyValue(key="large", value=AnyValue(string_value="x" * 100_000)))
    with pytest.raises(TooLarge, match="fewer items"):
        prepare(signal, sent.SerializeToString(), "protobuf", BOOK, START_NS)
