"""Settling in the real store: what must be looked at together is, however the spans come in."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.new_store import prepared
from tests.otlp_bodies import START_NS as SENT_NS
from tests.otlp_bodies import chat, request
from watchglass.clock import SystemClock
from watchglass.ingest.attention import Attention
from watchglass.ingest.prepare import prepare
from watchglass.ingest.settle_rows import SettleRows
from watchglass.pricing.book import PriceBook
from watchglass.pricing.listed import ListedPrice
from watchglass.store import open_store

START_NS = 1_760_000_000_000_000_000
MS = 1_000_000


class House:
    """A store, and the write path up to settling, one span at a time."""

    def __init__(self, store: Any) -> None:
        self._store = self.store = store
        self._book = PriceBook(())
        self._settle = SettleRows(store.engine, self._book, store.versions)
        self._attention = Attention()
        self._made = 0

    def trace(self) -> str:
        """A trace id that nobody has."""
        self._made += 1
        return f"{self._made:032x}"

    def settle(self, traces: list[str]) -> None:
        """Settle these."""
        self._settle(traces)

    def settle_telling(self, traces: list[str], tell: Any) -> None:
        """Settle these with an engine that tells of each question before it is asked."""
        SettleRows(_Watched(self._store.engine, tell), self._book, self._store.versions)(traces)

    def send(self, trace: str, scope: str, at: tuple[int, int], *, process: str, **said: str | int) -> str:
        """As `write`, and settled."""
        call_id = self.write(trace, scope, at, process=process, **said)
        self._settle(self._attention.needed(self._sighting))
        return call_id

    def write(self, trace: str, scope: str, at: tuple[int, int], *, process: str, **said: str | int) -> str:
        """One chat span, a root, from `at[0]` to `at[1]` milliseconds; answers its call id."""
        attributes: dict[str, str | int] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o",
        }
        attributes |= {key.replace("__", "."): value for key, value in said.items()}
        self._made += 1
        span_id = f"{self._made:016x}"
        request = ExportTraceServiceRequest()
        sent = request.resource_spans.add()
        sent.resource.attributes.append(_pair("service.instance.id", process))
        scoped = sent.scope_spans.add()
        scoped.scope.name = scope
        scoped.spans.add(
            trace_id=bytes.fromhex(trace),
            span_id=bytes.fromhex(span_id),
            name="chat",
            start_time_unix_nano=START_NS + at[0] * MS,
            end_time_unix_nano=START_NS + at[1] * MS,
            attributes=[_pair(key, value) for key, value in attributes.items()],
        )
        prepared = prepare("traces", request.SerializeToString(), "protobuf", self._book, START_NS)
        for table, batch in prepared.batches.items():
            self._store.engine.insert(f"store.{table}", [batch])
        self._sighting = prepared.sighting
        return f"{trace}:{span_id}"

    def mark(self, call_id: str, run: str) -> None:
        """As if a run had repriced it."""
        self._store.engine.execute(
            "INSERT INTO store.calls"
            " SELECT * REPLACE ({run:String} AS price_run, {version:UInt64} AS version)"
            " FROM store.calls FINAL WHERE call_id = {id:String}",
            {"run": run, "version": self._store.versions.next(), "id": call_id},
        )

    def run_of(self, call_id: str) -> str:
        """The run that its price is from."""
        found = self._store.engine.execute(
            "SELECT price_run FROM store.calls FINAL WHERE call_id = {id:String}", {"id": call_id}
        )
        return found["price_run"][0].as_py()

    def counted(self, process: str) -> dict[str, int | None]:
        """Call ids that count in a process, with their input tokens."""
        rows = self._store.engine.execute(
            "SELECT call_id, input_tokens FROM store.calls FINAL"
            " WHERE process LIKE {process:String} AND counted",
            {"process": f"%{process}%"},
        ).to_pylist()
        return {row["call_id"]: row["input_tokens"] for row in rows}


def _pair(key: str, value: str | int) -> KeyValue:
    said = AnyValue(string_value=value) if isinstance(value, str) else AnyValue(int_value=value)
    return KeyValue(key=key, value=said)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One store for all tests of this file; each uses a process of its own."""
    data: Path = tmp_path_factory.mktemp("data")
    with open_store(prepared(data), program="tests", address="nowhere", clock=SystemClock()) as store:
        yield House(store)


TOLD = {"gen_ai__usage__input_tokens": 20, "gen_ai__usage__output_tokens": 5}


def test_doubles_in_two_traces_are_one_call(house: House) -> None:
    """Two scopes of one process that report a request in two traces, in two requests, report one call."""
    house.send(house.trace(), "outer", (0, 100), process="two-traces", **TOLD)
    inner = house.send(house.trace(), "inner", (60, 99), process="two-traces", **TOLD)
    assert house.counted("two-traces") == {inner: 20}


def test_a_neighbour_in_time_does_not_part_doubles(house: House) -> None:
    """A later span that overlaps one of two doubles leaves them together."""
    house.send(house.trace(), "outer", (0, 100), process="neighbour", **TOLD)
    inner = house.send(house.trace(), "inner", (60, 99), process="neighbour", **TOLD)
    other = house.send(
        house.trace(), "inner", (0, 10), process="neighbour", gen_ai__request__model="o3", **TOLD
    )
    assert house.counted("neighbour") == {inner: 20, other: 20}


@pytest.mark.parametrize("usage_first", [False, True])
def test_usage_in_a_trace_of_its_own_finds_its_request(house: House, usage_first: bool) -> None:
    """A streamed request gets the tokens that came after it in another trace, whichever arrived first."""
    process = f"streamed-{usage_first}"
    asked, told = house.trace(), house.trace()
    data = '{"model": "gpt-4o"}'

    def usage() -> None:
        house.send(
            told,
            "logfire.openai",
            (300, 300),
            process=process,
            logfire__span_type="log",
            request_data=data,
            **TOLD,
        )

    if usage_first:
        usage()
    call = house.send(asked, "logfire.openai", (0, 20), process=process, request_data=data)
    if not usage_first:
        usage()
    assert house.counted(process) == {call: 20}


def test_a_row_that_is_settled_with_other_tokens_is_no_longer_priced_by_a_run(house: House) -> None:
    """It keeps the mark of the run that repriced it while nothing changes that a price depends on."""
    asked, told, process = house.trace(), house.trace(), "marked"
    data = '{"model": "gpt-4o"}'
    call = house.send(asked, "logfire.openai", (0, 20), process=process, request_data=data)
    house.mark(call, "r1")
    house.settle([asked])
    assert house.run_of(call) == "r1"
    said = {"logfire__span_type": "log", "request_data": data, **TOLD}
    house.send(told, "logfire.openai", (300, 300), process=process, **said)
    assert house.counted(process) == {call: 20}
    assert house.run_of(call) == ""


def test_a_span_that_arrives_while_settling_is_no_trouble(house: House) -> None:
    """Rows written between two of the pass's reads neither fail it nor are half seen."""
    trace = house.trace()
    late: list[str] = []

    def meanwhile(sql: str) -> None:
        if "FINAL" in sql and len(late) < 8:
            late.append(house.write(trace, "late", (0, 5), process="meanwhile"))

    house.write(trace, "early", (0, 5), process="meanwhile", gen_ai__usage__input_tokens=3)
    house.write(trace, "middle", (0, 9), process="meanwhile", gen_ai__usage__input_tokens=4)
    house.settle_telling([trace], meanwhile)
    assert late
    house.settle([trace])
    assert house.counted("meanwhile")


class _Watched:
    """An engine that tells a test of each question before it is asked."""

    def __init__(self, engine: Any, tell: Any) -> None:
        self._engine, self._tell = engine, tell

    def execute(self, sql: str, *given: Any, **named: Any) -> Any:
        """As the engine, after telling."""
        self._tell(sql)
        return self._engine.execute(sql, *given, **named)

    def insert(self, table: str, batches: Any) -> int:
        """As the engine."""
        return self._engine.insert(table, batches)


def test_a_call_that_turns_out_to_be_a_tenants_is_priced_by_that_ones_prices(house: House) -> None:
    """Its parent came later and says whose it is; what it cost before is replaced."""
    everybodys = ListedPrice(provider="openai", model="gpt-4o", input=Decimal(2), output=Decimal(0))
    book = PriceBook((everybodys, msgspec.structs.replace(everybodys, input=Decimal(1), tenant="acme")))

    def costs(*spans: Span) -> list[Decimal | None]:
        body = request(*spans).SerializeToString()
        done = prepare("traces", body, "protobuf", book, SENT_NS)
        for table, batch in done.batches.items():
            house.store.engine.insert(f"store.{table}", [batch])
        SettleRows(house.store.engine, book, house.store.versions)([f"{77:032x}"])
        found = house.store.engine.execute(
            "SELECT cost_usd FROM store.calls FINAL WHERE trace_id = {id:String} AND counted",
            {"id": f"{77:032x}"},
        )
        return found["cost_usd"].to_pylist()

    child = chat(77, 2, 1, gen_ai__request__model="gpt-4o")
    parent = chat(77, 1, name="turn", tenant="acme")
    del parent.attributes[:5]  # what makes it a call
    assert costs(child) == [Decimal("0.0002")]
    assert costs(parent) == [Decimal("0.0001")]
