"""OTLP over HTTP, spoken to over real sockets."""

from __future__ import annotations

import gzip
import json
import random
import socket
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.our_log import ours
from watchglass.errors import BadRequest, Overloaded, StoreError, StoreFull
from watchglass.ingest.receiver import Outcome
from watchglass.surfaces.http import body

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
GZIP = PROTOBUF | {"content-encoding": "gzip"}
HEAD = b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"


def problem(response: Any) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert body["title"] and body["detail"]
    return body


@pytest.mark.parametrize("prefix", ["", "/api/public/otel"])
@pytest.mark.parametrize("signal", ["traces", "logs", "metrics"])
def test_each_signal_has_its_path(server: Any, signal: str, prefix: str) -> None:
    """The three signals come in on OTLP's paths and on those that langfuse's clients use."""
    response = server.http.post(f"{prefix}/v1/{signal}", content=b"body", headers=PROTOBUF)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "application/x-protobuf"
    assert server.receiver.received == [(signal, b"body", "protobuf")]


@pytest.mark.parametrize("path", ["//v1/traces", "/v1/traces/"])
def test_doubled_slashes_are_forgiven(server: Any, path: str) -> None:
    """A base address that ends in a slash still leads to the right place."""
    with_wire = server.connect()
    with_wire.send(HEAD.replace(b"/v1/traces", path.encode()) + b"Content-Length: 1\r\n\r\nx")
    assert with_wire.response()[0] == 200
    with_wire.close()


def test_json_is_answered_in_json(server: Any) -> None:
    """A JSON request gets an empty JSON object, whatever the case and parameters of its type."""
    for parameters in ("", "; charset=UTF-8", ';charset="utf-8"'):
        content_type = f"Application/JSON{parameters}"
        response = server.http.post("/v1/traces", content=b"{}", headers={"content-type": content_type})
        assert (response.status_code, response.json()) == (200, {})
        assert response.headers["content-type"] == "application/json"
    assert {encoding for _, _, encoding in server.receiver.received} == {"json"}


def test_an_empty_request_is_a_success(server: Any) -> None:
    """A body of zero bytes is the protobuf encoding of an empty request, plain or gzipped."""
    for headers in (PROTOBUF, GZIP):
        assert server.http.post("/v1/traces", content=b"", headers=headers).status_code == 200
    assert server.http.post("/v1/traces", content=gzip.compress(b""), headers=GZIP).status_code == 200
    assert server.receiver.received == [("traces", b"", "protobuf")] * 3


@pytest.mark.parametrize(
    ("signal", "message", "field"),
    [
        ("traces", ExportTraceServiceResponse, "rejected_spans"),
        ("logs", ExportLogsServiceResponse, "rejected_log_records"),
        ("metrics", ExportMetricsServiceResponse, "rejected_data_points"),
    ],
)
def test_partial_success_in_protobuf(server: Any, signal: str, message: Any, field: str) -> None:
    """Rejected items are counted and named in the signal's own message."""
    server.receiver.answers = [Outcome(5, 2, "span 00ab: no trace id")]
    response = server.http.post(f"/v1/{signal}", content=b"x", headers=PROTOBUF)
    partial = message.FromString(response.content).partial_success
    assert response.status_code == 200
    assert (getattr(partial, field), partial.error_message) == (2, "span 00ab: no trace id")


@pytest.mark.parametrize(
    ("signal", "field"),
    [("traces", "rejectedSpans"), ("logs", "rejectedLogRecords"), ("metrics", "rejectedDataPoints")],
)
def test_partial_success_in_json(server: Any, signal: str, field: str) -> None:
    """The same in OTLP's JSON: camel case, and the count as a string of digits."""
    server.receiver.answers = [Outcome(5, 2, "span 00ab: no trace id")]
    response = server.http.post(f"/v1/{signal}", content=b"{}", headers=JSON)
    assert response.json() == {"partialSuccess": {field: "2", "errorMessage": "span 00ab: no trace id"}}


def test_a_warning_without_rejects_is_passed_on(server: Any) -> None:
    """A message with nothing rejected reaches the sender as OTLP's warning."""
    server.receiver.answers = [Outcome(5, 0, "clock is ahead")]
    response = server.http.post("/v1/traces", content=b"x", headers=PROTOBUF)
    answer = ExportTraceServiceResponse.FromString(response.content)
    assert answer.partial_success.error_message == "clock is ahead"


@pytest.mark.parametrize("headers", [{}, {"content-type": "text/plain"}, {"content-type": "application/x-a"}])
def test_other_content_types_are_refused(server: Any, headers: dict[str, str]) -> None:
    """A missing or foreign content type is a 415 that says what to send."""
    response = server.http.post("/v1/traces", content=b"{}", headers=headers)
    body = problem(response)
    assert response.status_code == 415
    assert "application/x-protobuf or application/json" in body["detail"]
    assert "application/json" in response.headers["accept-post"]
    assert server.receiver.received == []


def test_json_in_another_charset_is_refused(server: Any) -> None:
    """JSON that says it is not UTF-8 is refused rather than misread."""
    headers = {"content-type": "application/json; charset=utf-16"}
    assert server.http.post("/v1/traces", content=b"{}", headers=headers).status_code == 415


def test_an_unknown_coding_is_refused(server: Any) -> None:
    """zstd is a 415 that names the codings that are read, in its text and in its header."""
    response = server.http.post("/v1/traces", content=b"x", headers=PROTOBUF | {"content-encoding": "zstd"})
    assert response.status_code == 415
    assert "gzip, deflate, identity" in problem(response)["detail"]
    assert response.headers["accept-encoding"] == "gzip, deflate, identity"


@pytest.mark.parametrize(
    ("coding", "encoded"),
    [
        ("gzip", gzip.compress(b"one ", mtime=0) + gzip.compress(b"two", mtime=0)),
        ("x-gzip", gzip.compress(b"one two", mtime=0)),
        ("GZIP", gzip.compress(b"one two", mtime=0) + bytes(8)),
        ("deflate", zlib.compress(b"one two")),
        ("identity", b"one two"),
        ("deflate", zlib.compress(b"one two")[2:-4]),
    ],
    ids=["members", "x-gzip", "padded", "zlib", "identity", "raw deflate"],
)
def test_codings(server: Any, coding: str, encoded: bytes) -> None:
    """gzip with one or several members, both kinds of deflate and identity reach the receiver inflated."""
    headers = PROTOBUF | {"content-encoding": coding}
    assert server.http.post("/v1/traces", content=encoded, headers=headers).status_code == 200
    assert server.receiver.received == [("traces", b"one two", "protobuf")]


@pytest.mark.parametrize(
    "encoded",
    [b"not gzip at all", gzip.compress(b"cut off here", mtime=0)[:-5], gzip.compress(b"x", mtime=0) + b"y"],
    ids=["not gzip", "cut off", "garbage after"],
)
def test_broken_gzip_is_a_bad_request(server: Any, encoded: bytes) -> None:
    """Bytes that are not gzip, end early, or go on after the end are a 400 that says where."""
    response = server.http.post("/v1/traces", content=encoded, headers=GZIP)
    assert response.status_code == 400
    assert "byte" in problem(response)["where"]
    assert server.receiver.received == []


def test_chunked_bodies_need_no_length(server: Any) -> None:
    """A chunked body, gzipped or not, arrives whole, in chunks small and large."""
    body = bytes(range(256)) * 2000

    def pieces(data: bytes) -> Iterator[bytes]:
        yield data[:1]
        for at in range(1, len(data), 60_000):
            yield data[at : at + 60_000]

    for content, headers in ((body, PROTOBUF), (gzip.compress(body, 0), GZIP)):
        assert server.http.post("/v1/traces", content=pieces(content), headers=headers).status_code == 200
    assert [data for _, data, _ in server.receiver.received] == [body, body]


def test_a_large_gzip_body_is_inflated_in_steps(make_server: Callable[..., Any]) -> None:
    """A body whose gzip is larger than one step of reading and of inflating arrives whole."""
    server = make_server(limit=64 << 20, in_flight=256 << 20)
    body = zlib.compress(b"seed") * 1_500_000
    encoded = gzip.compress(body[: 12 << 20], 0) + gzip.compress(body[12 << 20 :], 1)
    assert server.http.post("/v1/traces", content=encoded, headers=GZIP).status_code == 200
    assert server.receiver.received[0][1] == body
    assert server.budget.used == 0


def test_the_limit_is_after_decompression(server: Any) -> None:
    """Exactly the limit is taken; one byte more is a 413, plain, gzipped or chunked."""
    exact, over = b"a" * server.limit, b"a" * (server.limit + 1)
    assert server.http.post("/v1/traces", content=exact, headers=PROTOBUF).status_code == 200
    assert server.http.post("/v1/traces", content=gzip.compress(exact), headers=GZIP).status_code == 200
    for content, headers in ((over, PROTOBUF), (gzip.compress(over), GZIP), (iter([over]), PROTOBUF)):
        response = server.http.post("/v1/traces", content=content, headers=headers)
        assert response.status_code == 413
        assert str(server.limit) in problem(response)["detail"]
    assert server.budget.used == 0


def test_a_too_large_body_is_refused_by_its_length(server: Any) -> None:
    """Content-Length alone brings the 413, before the body, and the connection then ends."""
    wire = server.connect()
    wire.send(HEAD + b"Content-Length: 99999999\r\n\r\n")
    status, headers, _ = wire.response()
    assert (status, headers["connection"]) == (413, "close")
    wire.send(b"x" * 100_000)
    wire.close()


def test_a_sender_that_does_not_listen_while_it_sends_sees_the_413(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that writes its whole oversized body first still finds the answer afterwards."""
    monkeypatch.setattr(body, "LINGER_S", 60)  # however long this client is kept from sending on
    wire = server.connect()
    size = 30 * server.limit
    wire.send(HEAD + b"Content-Length: %d\r\n\r\n" % size)
    for _ in range(30):
        wire.send(b"x" * server.limit)
    assert wire.response()[0] == 413
    assert wire.is_closed()
    wire.close()


def test_a_bomb_is_refused_and_forgotten(make_server: Callable[..., Any]) -> None:
    """A gzip body of 300 MiB of zeros under the limit of 64 MiB is a 413, and holds no memory after."""
    server = make_server(limit=64 << 20, in_flight=256 << 20)
    packer = zlib.compressobj(1, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(300)) + packer.flush()
    response = server.http.post("/v1/traces", content=bomb, headers=GZIP)
    assert response.status_code == 413
    assert server.budget.used == 0
    assert server.http.post("/v1/traces", content=b"x", headers=PROTOBUF).status_code == 200


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (Overloaded("The queue is full.", retry_after_s=7), 503, "7"),
        (StoreFull("The disk is full: make room."), 503, "30"),
        (StoreError("The engine said no."), 503, "5"),
        (BadRequest("A varint has no end.", where="byte 118"), 400, None),
    ],
)
def test_errors_of_the_receiver(server: Any, error: Exception, status: int, retry: str | None) -> None:
    """Each error becomes its status; those that are worth resending say after how many seconds."""
    server.receiver.answers = [error]
    response = server.http.post("/v1/traces", content=b"x", headers=PROTOBUF)
    assert response.status_code == status
    assert response.headers.get("retry-after") == retry
    assert problem(response).get("where") == getattr(error, "where", None)
    assert problem(response)["detail"] == str(error)


def test_a_connection_goes_on_after_an_error(server: Any) -> None:
    """After a 400 and a 415 the same connection serves the next requests."""
    wire = server.connect()
    gzipped = HEAD + b"Content-Encoding: gzip\r\n"
    wire.send(gzipped + b"Content-Length: 8\r\n\r\nnot gzip")
    assert wire.response()[0] == 400
    wire.send(HEAD.replace(b"x-protobuf", b"x-other") + b"Content-Length: 5000\r\n\r\n" + b"x" * 5000)
    assert wire.response()[0] == 415
    wire.send(HEAD + b"Content-Length: 4\r\n\r\nbody")
    assert wire.response()[0] == 200
    wire.close()


def test_pipelined_requests_are_answered_in_order(server: Any) -> None:
    """Requests sent without waiting get their answers in the order they were sent."""
    wire = server.connect()
    good = HEAD + b"Content-Length: 4\r\n\r\nbody"
    bad = HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nbody"
    wire.send(good + bad + good + bad + good)
    assert [wire.response()[0] for _ in range(5)] == [200, 400, 200, 400, 200]
    wire.close()


def test_expect_100_continue(server: Any) -> None:
    """A client that asks first is told to go on, or refused before it sends anything."""
    wire = server.connect()
    wire.send(HEAD + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
    assert wire.response()[0] == 100
    wire.send(b"body")
    assert wire.response()[0] == 200
    wire.send(HEAD + b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n")
    assert wire.response()[0] == 413
    assert wire.is_closed()
    wire.close()


def test_over_the_byte_budget_senders_are_told_to_come_back(server: Any) -> None:
    """While the bytes in flight are spent, a request is a 503 with Retry-After before its body is read."""
    server.shut_gate()
    waiting = [server.connect() for _ in range(8)]
    for wire in waiting:
        wire.send(HEAD + b"Content-Length: %d\r\n\r\n" % server.limit + b"x" * server.limit)
    server.until(lambda: server.receiver.waiting == 8)
    late = server.connect()
    late.send(HEAD + b"Content-Length: %d\r\n\r\n" % server.limit)
    status, headers, _ = late.response()
    assert (status, headers["retry-after"]) == (503, "1")
    server.open_gate()
    assert [wire.response()[0] for wire in waiting] == [200] * 8
    assert server.http.post("/v1/traces", content=b"x", headers=PROTOBUF).status_code == 200
    for wire in (*waiting, late):
        wire.close()
    assert server.budget.used == 0


def test_a_client_that_leaves_mid_body_is_forgotten(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A connection cut in the middle of a body reaches no receiver, no log, and keeps no budget."""
    for headers in (b"Content-Length: 500000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n10\r\n"):
        wire = server.connect()
        wire.send(HEAD + headers + b"part")
        server.until(lambda: len(server.server.server_state.tasks) == 1)
        wire.close()
        server.until(lambda: not server.server.server_state.tasks)
    assert server.receiver.received == []
    assert server.budget.used == 0
    assert ours(caplog) == []


def test_a_sender_that_stalls_is_given_up(make_server: Callable[..., Any]) -> None:
    """A body that stops coming is answered 408 and its connection closed."""
    server = make_server(idle_s=0.05)
    wire = server.connect()
    wire.send(HEAD + b"Content-Length: 2000000\r\n\r\n")
    neighbour = server.connect()  # which sends all at once, so that nothing of it can be late
    neighbour.send(HEAD + b"Content-Length: 1\r\n\r\nx")
    assert neighbour.response()[0] == 200
    neighbour.close()
    wire.close()
    slow = server.connect()
    slow.send(HEAD + b"Content-Length: 1000\r\n\r\npart")
    assert slow.response()[0] == 408
    slow.close()


def test_in_a_hurry_stalled_senders_are_told_to_come_back(make_server: Callable[..., Any]) -> None:
    """When the server stops, a body that is still coming is a 503 with Retry-After."""
    server = make_server()
    wire = server.connect()
    wire.send(HEAD + b"Content-Length: 1000\r\n\r\npart")
    server.until(lambda: len(server.server.server_state.tasks) == 1)
    server.loop.call_soon_threadsafe(server.intake.patience.hurry, 0.01)
    status, headers, _ = wire.response()
    assert (status, headers["retry-after"]) == (503, "2")
    wire.close()


def test_only_post_works(server: Any) -> None:
    """Other methods on an OTLP path are a 405 that says which one works."""
    for method in ("GET", "PUT", "DELETE", "OPTIONS", "HEAD"):
        response = server.http.request(method, "/v1/traces")
        assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert "POST" in problem(server.http.get("/v1/logs"))["detail"]


def test_a_mistake_of_ours_is_answered_and_logged(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    """An unforeseen exception is a 500 whose id is in the log; the connection and the neighbours go on."""
    server.receiver.answers = [ZeroDivisionError("a secret value")]
    response = server.http.post("/v1/traces", content=b"x", headers=PROTOBUF)
    body = problem(response)
    assert response.status_code == 500
    assert "secret" not in json.dumps(body)
    assert [vars(record)["request_id"] for record in ours(caplog)] == [body["request_id"]]
    assert server.http.post("/v1/traces", content=b"x", headers=PROTOBUF).status_code == 200


def test_many_small_requests_on_many_connections(server: Any) -> None:
    """Requests on fifty connections at once are all answered."""
    wires = [server.connect() for _ in range(50)]
    for round_ in range(4):
        for number, wire in enumerate(wires):
            wire.send(HEAD + b"Content-Length: 6\r\n\r\n%02d--%02d" % (round_, number))
        assert [wire.response()[0] for wire in wires] == [200] * 50
    for wire in wires:
        wire.close()
    assert len({body for _, body, _ in server.receiver.received}) == 200


def test_mutated_requests_never_make_a_5xx(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever happens to the bytes of a request, the answer is no 5xx, and the server goes on."""
    rng = random.Random(7)
    body = gzip.compress(b"some body " * 20, mtime=0)
    heads = [
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n3;x=y\r\nend\r\n0\r\nTrailer: x\r\n\r\n",
        HEAD
        + b"Connection: upgrade\r\nUpgrade: h2c\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nAccept: */*\r\n\r\n",
    ]
    for number in range(400):
        request = bytearray(heads[number % len(heads)])
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(request))
            change = rng.randrange(3)
            request[at : at + (change != 0)] = bytes([rng.randrange(256)]) if change != 2 else b""
        wire = server.connect()
        wire.send(bytes(request))
        wire.socket.shutdown(socket.SHUT_WR)
        status = 100
        while status == 100:
            status = wire.response()[0]
        assert status < 500, bytes(request)
        wire.close()
    assert ours(caplog) == []
    assert server.http.get("/ready").status_code == 200
