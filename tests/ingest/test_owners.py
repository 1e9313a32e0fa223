"""A key that is bound to a tenant writes only as that tenant, and touches nobody else's rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.new_store import prepared
from tests.otlp_bodies import START_NS, any_value, chat, pairs, request
from watchglass.errors import BadRequest
from watchglass.ingest.prepare import Prepared, prepare, prepare_rejected
from watchglass.ingest.receiver import Signal
from watchglass.ingest.settle_rows import SettleRows
from watchglass.pricing.book import PriceBook
from watchglass.store import Store, open_store

BOOK = PriceBook(())
ACME = {"service.instance.id": "p", "tenant.id": "acme"}


def owned(body: Any, owner: str, signal: Signal = "traces") -> Prepared:
    """Prepared as what a key bound to `owner` sent."""
    return prepare(signal, body.SerializeToString(), "protobuf", BOOK, START_NS, owner)


def column(done: Prepared, table: str, name: str) -> list[Any]:
    """One column of a table that was prepared; nothing where the table is not there."""
    return done.batches[table][name].to_pylist() if table in done.batches else []


def test_what_a_bound_key_sends_is_its_tenants() -> None:
    """Spans, calls and messages that name no tenant, or the key's own, belong to the key's tenant."""
    long = "x" * 2000
    done = owned(
        request(
            chat(1, 1), chat(1, 2, 1, tenant="acme", note=long), chat(2, 3, gen_ai__input__messages="[]")
        ),
        "acme",
    )
    assert done.rejected == 0
    for table in ("spans", "calls"):
        assert column(done, table, "tenant") == ["acme"] * 3
        assert column(done, table, "owner") == ["acme"] * 3
    assert set(column(done, "messages", "tenant")) == {"acme"}
    assert all(dict(each)["tenant"] == "acme" for each in column(done, "spans", "resource_context"))


def test_without_a_bound_key_nothing_has_an_owner() -> None:
    """Rows of an unbound key keep the tenant that they name, and have no owner."""
    done = owned(request(chat(1, 1, tenant="globex")), "")
    assert (column(done, "spans", "tenant"), column(done, "spans", "owner")) == (["globex"], [""])
    assert (column(done, "calls", "tenant"), column(done, "calls", "owner")) == (["globex"], [""])


def test_a_span_that_names_another_tenant_is_rejected_and_its_neighbours_are_kept() -> None:
    """Each such span is named in the answer and a row of `rejects` that its sender may see."""
    done = owned(request(chat(1, 1), chat(1, 2, 1, tenant="globex"), chat(1, 3, 1)), "acme")
    assert (done.accepted, done.rejected) == (2, 1)
    assert column(done, "spans", "span_id") == column(done, "calls", "span_id") == [f"{1:016x}", f"{3:016x}"]
    assert "names the tenant 'globex'" in done.message and f"{2:016x}" in done.message
    assert column(done, "rejects", "tenant") == ["acme"]
    assert column(done, "rejects", "span_id") == [f"{2:016x}"]


def test_a_resource_speaks_for_the_spans_that_name_nobody() -> None:
    """Under a resource of another tenant only spans that name the key's own tenant are kept."""
    plain = chat(1, 1)
    del plain.attributes[:]  # not an LLM call: never read one by one
    body = request(plain, chat(1, 2), chat(1, 3, tenant="globex"), resource=ACME)
    done = owned(body, "globex")
    assert column(done, "spans", "span_id") == [f"{3:016x}"]
    assert column(done, "spans", "tenant") == ["globex"]
    assert sorted(column(done, "rejects", "span_id")) == [f"{1:016x}", f"{2:016x}"]


def test_logs_and_metrics_of_another_tenant_are_rejected() -> None:
    """Log records and data points have the same rule as spans."""
    logs, metrics = ExportLogsServiceRequest(), ExportMetricsServiceRequest()
    records = logs.resource_logs.add().scope_logs.add().log_records
    for tenant in ("acme", "globex"):
        record = records.add(observed_time_unix_nano=START_NS, attributes=pairs({"tenant": tenant}))
        record.body.CopyFrom(any_value(tenant))
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="g")
    metric.gauge.data_points.add(time_unix_nano=START_NS, as_int=1, attributes=pairs({"tenant": "globex"}))
    metric.gauge.data_points.add(time_unix_nano=START_NS, as_int=2)
    logged, measured = owned(logs, "acme", "logs"), owned(metrics, "acme", "metrics")
    assert (logged.accepted, logged.rejected) == (measured.accepted, measured.rejected) == (1, 1)
    assert (column(logged, "logs", "tenant"), column(logged, "logs", "owner")) == (["acme"], ["acme"])
    assert (column(measured, "metrics", "tenant"), column(measured, "metrics", "value_int")) == (
        ["acme"],
        [2],
    )


def test_a_body_that_is_refused_whole_is_seen_by_its_sender() -> None:
    """The row of `rejects` of an unreadable body has its sender's tenant."""
    refused = prepare_rejected("traces", BadRequest("no", where="byte 1"), START_NS, "acme")["rejects"]
    assert refused["tenant"].to_pylist() == ["acme"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(prepared(tmp_path_factory.mktemp("owners") / "data")) as opened:
        yield opened


def write(store: Store, body: ExportTraceServiceRequest, owner: str) -> list[str]:
    """Write a body as one of this owner, settle its traces, and say which they are."""
    done = owned(body, owner)
    for table, batch in done.batches.items():
        store.engine.insert(f"store.{table}", [batch])
    traces = sorted(set(column(done, "spans", "trace_id")))
    SettleRows(store.engine, BOOK, store.versions)(traces)
    return traces


def of(store: Store, owner: str, trace: str, what: str) -> list[Any]:
    """One column of the calls that an owner has in a trace."""
    return store.engine.execute(
        f"SELECT {what} AS what FROM store.calls FINAL"
        " WHERE owner = {owner:String} AND trace_id = {trace:String} ORDER BY span_id",
        {"owner": owner, "trace": trace},
    )["what"].to_pylist()


def test_another_writer_with_the_same_ids_overwrites_nothing(store: Store) -> None:
    """Two owners that send one trace and span id have a row each, of spans and of calls."""
    first = request(chat(10, 1, name="of acme", gen_ai__request__model="gpt-4o"))
    [trace] = write(store, first, "acme")
    write(store, request(chat(10, 1, name="of globex")), "globex")
    assert of(store, "acme", trace, "request_model") == ["gpt-4o"]
    names = store.engine.execute(
        "SELECT owner, name FROM store.spans FINAL WHERE trace_id = {trace:String} ORDER BY owner",
        {"trace": trace},
    )
    assert names.to_pylist() == [
        {"owner": "acme", "name": "of acme"},
        {"owner": "globex", "name": "of globex"},
    ]


def test_another_writer_cannot_take_a_call_out_of_the_count(store: Store) -> None:
    """A parent that another owner claims, in the same trace and process, makes no duplicate of a call."""
    told = {"gen_ai__response__id": "chatcmpl-1"}
    inner = request(chat(11, 2, 1, **told), scope="inner", resource=ACME)
    outer = request(chat(11, 1, **told), scope="outer", resource={"service.instance.id": "p"})
    [trace] = write(store, inner, "acme")
    write(store, outer, "globex")
    assert of(store, "acme", trace, "counted") == of(store, "globex", trace, "counted") == [True]
    write(store, request(chat(11, 1, **told), scope="outer", resource=ACME), "acme")
    assert of(store, "acme", trace, "counted") == [False, True]  # its own library's report does
    assert of(store, "globex", trace, "counted") == [True]


def test_another_writer_cannot_change_whose_a_span_is(store: Store) -> None:
    """A tenant named by another owner's root is not inherited; settling keeps the owner's."""
    child = request(chat(12, 2, 1))
    [trace] = write(store, child, "acme")
    write(store, request(chat(12, 1, tenant="globex", engagement_id="theirs")), "globex")
    assert of(store, "acme", trace, "tenant") == ["acme"]
    assert of(store, "acme", trace, "engagement") == [None]
    write(store, request(chat(12, 1, tenant="initech", engagement_id="free")), "")
    write(store, request(chat(12, 3, 1)), "")
    assert of(store, "", trace, "tenant") == ["initech", "initech"]  # unbound writers inherit as ever
    assert of(store, "acme", trace, "tenant") == ["acme"]
    tenants = store.engine.execute(
        "SELECT owner, groupUniqArray(tenant) AS of FROM store.spans FINAL WHERE trace_id = {trace:String}"
        " GROUP BY owner ORDER BY owner",
        {"trace": trace},
    )["of"].to_pylist()
    assert tenants == [["initech"], ["acme"], ["globex"]]
