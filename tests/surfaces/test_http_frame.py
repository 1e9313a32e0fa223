"""What surrounds the endpoints: who may ask, health, and errors of every route."""

from __future__ import annotations

from typing import Any

import pytest

from tests.our_log import ours
from watchglass.surfaces.http.guard import host_name

PROTOBUF = {"content-type": "application/x-protobuf"}


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:4318", "127.0.0.1:1", "[::1]:4318", "[::1]", "localhost.", "watch.example:80"],
)
def test_known_hosts_are_answered(server: Any, host: str) -> None:
    """Loopback names and configured ones are answered, with any port and in any case."""
    assert server.http.get("/health", headers={"host": host}).status_code == 200
    assert server.http.post("/v1/traces", content=b"x", headers=PROTOBUF | {"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "localhost.evil.example", "127.0.0.1.evil.example:4318", "evil@localhost", ""),
        *("localhost/x", "local host", "localhost:port", "[::1", "10.0.0.1", "0.0.0.0:4318"),
        "localhost:99999",
    ],
)
def test_other_hosts_are_refused_on_every_route(server: Any, host: str) -> None:
    """A Host that is not this server's (DNS rebinding) gets nothing, for reads and writes alike."""
    for method, path in (("GET", "/health"), ("GET", "/"), ("POST", "/v1/traces"), ("GET", "/nowhere")):
        response = server.http.request(method, path, headers=PROTOBUF | {"host": host})
        assert response.status_code == 421, (method, path)
        assert "allowed_hosts" in response.json()["detail"]
    assert server.receiver.received == []


def test_a_request_has_exactly_one_host(server: Any) -> None:
    """No Host, or two of them, is a 400; HTTP/1.0 clients, which have none, are served."""
    for head, status in (
        (b"GET /health HTTP/1.1\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400),
        (b"GET /health HTTP/1.0\r\n\r\n", 200),
    ):
        wire = server.connect()
        wire.send(head)
        assert wire.response()[0] == status
        wire.close()


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("http://localhost:4318", "localhost:4318", 200),
        ("http://LOCALHOST:4318", "localhost:4318", 200),
        ("http://localhost:3000", "localhost:4318", 403),
        ("https://localhost:4318", "localhost:4318", 403),
        ("http://127.0.0.1:4318", "localhost:4318", 403),
        ("https://evil.example", "localhost:4318", 403),
        ("null", "localhost:4318", 403),
        ("", "localhost:4318", 403),
    ],
)
def test_writes_of_web_pages_need_the_same_origin(server: Any, origin: str, host: str, status: int) -> None:
    """A write with an Origin is taken only from a page that this very server sent."""
    headers = PROTOBUF | {"origin": origin, "host": host}
    assert server.http.post("/v1/traces", content=b"x", headers=headers).status_code == status
    assert server.http.get("/health", headers=headers).status_code == 200


def test_no_cors_header_is_ever_sent(server: Any) -> None:
    """No page of another origin may read an answer, preflights included."""
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    for method, path in (("OPTIONS", "/v1/traces"), ("GET", "/health"), ("POST", "/v1/traces"), ("GET", "/")):
        response = server.http.request(method, path, headers=headers)
        assert not [name for name in response.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("a.b:1", "a.b"),
        ("[::1]:1", "::1"),
        ("A", "a"),
        ("a/b", None),
        ("u@a", None),
        (":1", None),
        ("a:b", None),
    ],
)
def test_host_names(value: str, name: str | None) -> None:
    """The name in a Host value is found whatever is around it; odd values have none."""
    assert host_name(value) == name


def test_health_says_how_each_part_is(server: Any) -> None:
    """Health is 200 with every dependency's state, and 503 as soon as nothing can be written."""
    response = server.http.get("/health")
    body = response.json()
    assert (response.status_code, body["status"]) == (200, "ok")
    assert body["dependencies"]["ingest"] == {"can_write": True, "last_error": None}
    assert body["uptime_s"] >= 0
    server.receiver.can_write = False
    response = server.http.get("/health")
    assert (response.status_code, response.json()["status"]) == (503, "failing")
    assert server.http.head("/health").status_code == 503


def test_ready_is_no_while_stopping_or_failing(server: Any) -> None:
    """A server that stops, or cannot write, is alive but not ready."""
    assert server.http.get("/ready").json() == {"ready": True}
    server.life.draining = True
    assert server.http.get("/ready").status_code == 503
    assert server.http.get("/health").json()["status"] == "stopping"
    server.life.draining, server.receiver.can_write = False, False
    assert server.http.get("/ready").status_code == 503


def test_the_front_page_says_where_to_look(server: Any) -> None:
    """GET / names the paths, and HEAD is its headers."""
    assert server.http.get("/").json()["send"]["traces"] == "/v1/traces"
    head = server.http.head("/")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 100


def test_unknown_paths_are_a_problem_that_points_on(server: Any) -> None:
    """404 says where OTLP goes; POST / says that the path is missing."""
    response = server.http.post("/v1/trace", content=b"x")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert "/v1/traces" in response.json()["detail"]
    response = server.http.post("/", content=b"x")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
    assert "/v1/traces" in response.json()["detail"]


def test_routes_of_the_api_have_the_same_problems(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    """An error of ours raised in a route becomes its problem, and a mistake a 500 whose id is in the log."""
    response = server.http.get("/limit")
    assert (response.status_code, response.json()["detail"][:20]) == (422, "The question read mo")
    response = server.http.get("/mistake")
    assert (response.status_code, response.headers["content-type"]) == (500, "application/problem+json")
    assert "secret" not in response.text
    server.until(lambda: bool(ours(caplog)))
    assert [vars(record)["request_id"] for record in ours(caplog)] == [response.json()["request_id"]]


def test_an_offer_to_upgrade_is_ignored(server: Any) -> None:
    """A client that offers HTTP/2 by Upgrade (as Java's does) is served over HTTP/1.1, body and all."""
    wire = server.connect()
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n"
    head = b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
    wire.send(head + offer + b"Content-Length: 4\r\n\r\nbody")
    assert wire.response()[0] == 200
    assert server.receiver.received == [("traces", b"body", "protobuf")]
    wire.send(head + offer + b"Transfer-Encoding: chunked\r\n\r\n4\r\nmore\r\n0\r\n\r\n")
    assert wire.response()[0] == 200
    request = head + offer + b"Content-Length: 4\r\n\r\nthis"
    for at in range(0, len(request), 20):
        wire.send(request[at : at + 20])
    assert wire.response()[0] == 200
    assert [body for _, body, _ in server.receiver.received] == [b"body", b"more", b"this"]
    wire.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    assert wire.response()[0] == 200
    wire.close()


def test_a_tunnel_is_refused(server: Any) -> None:
    """CONNECT is a 400 and the connection's end."""
    wire = server.connect()
    wire.send(b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert wire.response()[0] == 400
    assert wire.is_closed()
    wire.close()


def test_bytes_that_are_not_http_are_refused(server: Any) -> None:
    """Something else than HTTP on the port gets a 400 and the connection's end."""
    wire = server.connect()
    wire.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    assert wire.response()[0] == 400
    assert wire.is_closed()
    wire.close()
