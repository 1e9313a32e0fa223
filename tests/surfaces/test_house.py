"""The whole server over the real store: what is acknowledged is there, after a stop and after a kill."""

from __future__ import annotations

import gzip
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tests.new_store import prepared

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PROTOBUF = {"content-type": "application/x-protobuf"}
READY = re.compile(r"watchglass is ready: (http://\S+) .* (\S+) \(OTLP/gRPC\)")
SERVE = "import sys; from watchglass.surfaces.cli import main; sys.argv[0] = 'watchglass'; main()"


class House:
    """`watchglass serve` on a data directory, on free ports."""

    def __init__(self, data: Path, *further: str) -> None:
        options = ["--data", str(prepared(data, served=True)), "--port", "0", "--grpc-port", "0", *further]
        command = [sys.executable, "-c", SERVE, "serve", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        found = READY.match(self.process.stdout.readline())
        self.url, self.grpc_address = found.groups() if found else ("", "")
        self.http = httpx.Client(base_url=self.url, timeout=60)

    def count(self, table: str = "spans") -> int:
        response = self.http.post("/api/v1/query", json={"sql": f"SELECT count() AS n FROM {table}"})
        assert response.status_code == 200, response.text
        return int(response.json()[0]["n"])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err


@pytest.fixture
def open_house() -> Iterator[Callable[..., House]]:
    opened: list[House] = []

    def begin(data: Path, *further: str) -> House:
        opened.append(House(data, *further))
        return opened[-1]

    yield begin
    for each in opened:
        each.http.close()
        each.process.kill()
        each.process.communicate()


def request(first: int, count: int) -> bytes:
    """Spans that are calls, with ids of their own."""
    message = ExportTraceServiceRequest()
    scope = message.resource_spans.add().scope_spans.add()
    now = time.time_ns()
    attributes = {"operation.name": "chat", "system": "openai", "request.model": "gpt-4o"}
    for number in range(first, first + count):
        span = scope.spans.add(name="chat gpt-4o", start_time_unix_nano=now, end_time_unix_nano=now + 1000)
        span.trace_id, span.span_id = (number + 1).to_bytes(16, "big"), (number + 1).to_bytes(8, "big")
        for key, value in attributes.items():
            span.attributes.append(KeyValue(key=f"gen_ai.{key}", value=AnyValue(string_value=value)))
        span.attributes.append(KeyValue(key="gen_ai.usage.input_tokens", value=AnyValue(int_value=1000)))
        span.attributes.append(KeyValue(key="gen_ai.usage.output_tokens", value=AnyValue(int_value=10)))
    return message.SerializeToString()


def test_what_is_acknowledged_is_there(open_house: Callable[[Path], House], tmp_path: Path) -> None:
    """Spans sent over HTTP and gRPC are seen by the next query, once each, also after a stop and a kill."""
    house = open_house(tmp_path / "data")
    assert house.http.get("/ready").status_code == 200
    assert house.http.get("/health").json()["status"] == "ok"
    assert house.http.post("/v1/traces", content=request(0, 5), headers=PROTOBUF).status_code == 200
    zipped = PROTOBUF | {"content-encoding": "gzip"}
    assert (
        house.http.post("/v1/traces", content=gzip.compress(request(5, 5)), headers=zipped).status_code == 200
    )
    with grpc.insecure_channel(house.grpc_address) as channel:
        assert channel.unary_unary(TRACES)(request(10, 5), timeout=60) == b""
        assert channel.unary_unary(TRACES)(request(10, 5), timeout=60) == b""
    assert house.count() == 15
    code, err = house.stop()
    assert code == 0
    assert "Traceback" not in err
    again = open_house(tmp_path / "data")
    assert again.count("calls") == 15
    assert again.http.post("/v1/traces", content=request(15, 2000), headers=PROTOBUF).status_code == 200
    again.stop(signal.SIGKILL)
    assert open_house(tmp_path / "data").count() == 2015


def test_a_second_server_names_the_first(open_house: Callable[[Path], House], tmp_path: Path) -> None:
    """A second server on one data directory ends with one sentence that names the holder's address."""
    first = open_house(tmp_path)
    second = open_house(tmp_path)
    _, err = second.process.communicate(timeout=60)
    assert second.process.returncode == 4
    assert first.url in err and str(first.process.pid) in err
    assert len(err.splitlines()) == 1


def test_malformed_bodies_are_refused_and_harm_nobody(
    open_house: Callable[[Path], House], tmp_path: Path
) -> None:
    """A body that is no protobuf is a 400 that says where, and its neighbours are stored."""
    house = open_house(tmp_path)
    good = request(0, 3)
    assert house.http.post("/v1/traces", content=good, headers=PROTOBUF).status_code == 200
    response = house.http.post("/v1/traces", content=b"\xff" * 20, headers=PROTOBUF)
    assert response.status_code == 400
    assert response.json()["detail"]
    assert house.http.post("/v1/traces", content=request(3, 3), headers=PROTOBUF).status_code == 200
    assert house.count() == 6


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGKILL, marks=pytest.mark.long)])
def test_what_is_acknowledged_under_load_survives_the_end(
    open_house: Callable[[Path], House], tmp_path: Path, number: signal.Signals
) -> None:
    """Whether the server is stopped or killed while requests come, every acknowledged span is there once."""
    house = open_house(tmp_path)
    acknowledged: list[int] = []
    ended = threading.Event()

    def send(lane: int) -> None:
        with httpx.Client(base_url=house.url, timeout=60) as client:
            for first in range(lane * 1_000_000, (lane + 1) * 1_000_000, 20):
                try:
                    response = client.post("/v1/traces", content=request(first, 20), headers=PROTOBUF)
                except httpx.HTTPError:
                    return
                if response.status_code == 200:
                    acknowledged.append(first)
                if len(acknowledged) >= 40:
                    ended.set()

    lanes = [threading.Thread(target=send, args=(lane,)) for lane in range(4)]
    for lane in lanes:
        lane.start()
    assert ended.wait(60)
    code, err = house.stop(number)
    for lane in lanes:
        lane.join()
    assert (code, "Traceback" in err) == (0 if number is signal.SIGTERM else -9, False)
    again = open_house(tmp_path)
    spans = again.http.post("/api/v1/query", json={"sql": "SELECT span_id FROM spans"}).json()
    there = [int(row["span_id"], 16) - 1 for row in spans]
    assert len(there) == len(set(there))
    assert set(there) >= {first + step for first in acknowledged for step in range(20)}
