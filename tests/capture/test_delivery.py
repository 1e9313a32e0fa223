"""Delivery: whatever the server does, what is intact arrives, and what cannot is counted."""

from __future__ import annotations

import json
import os
import random
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from opentelemetry import context

from tests.capture.otlp_server import Misdeed, OtlpServer, answering, hang_up, talk_nonsense
from tests.waiting import until
from watchglass.capture import boundary
from watchglass.capture.backoff import Backoff
from watchglass.capture.delivery import Delivery, Pace, checked_endpoint
from watchglass.capture.encoder import Request
from watchglass.capture.posting import Answer
from watchglass.capture.spool import Spool
from watchglass.errors import ConfigError

QUICK = Pace(interval_s=0.01, timeout_s=60, backoff=lambda: Backoff(first_s=0.01, most_s=0.02))
"""Waits for no answer less than a minute: a request that is given up while a busy machine answers it is sent
twice."""


def encode(about: bytes, payloads: Sequence[bytes]) -> list[Request]:
    """Records as lines of JSON: enough to see what arrives."""
    if any(each.startswith(b"unencodable") for each in payloads):
        raise ValueError("no record")
    body = json.dumps({"about": about.decode(), "records": [each.decode() for each in payloads]})
    return [Request("/v1/traces", body.encode(), len(payloads))]


def arrived(server: OtlpServer) -> list[str]:
    """Every record that the server took, in order."""
    return [record for each in server.taken for record in json.loads(each.body)["records"]]


@pytest.fixture
def server() -> Iterator[OtlpServer]:
    boundary.forget()
    made = OtlpServer()
    yield made
    made.close()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool", about=b"me", segment_bytes=8192)
    yield made
    made.close()


@pytest.fixture
def deliver(spool: Spool) -> Iterator[Callable[..., Delivery]]:
    """Starts the delivery of the spool; what it starts is closed."""
    made: list[Delivery] = []

    def start(url: str, key: str | None = None, pace: Pace = QUICK) -> Delivery:
        made.append(Delivery(spool, encode, url, key, pace=pace))
        made[-1].start()
        return made[-1]

    yield start
    for each in made:
        each.close(0.1)


def test_delivers(server: OtlpServer, spool: Spool, deliver: Callable[..., Delivery]) -> None:
    """What is appended arrives by itself, in order and once, with the key, gzip'd, and leaves the spool."""
    delivery = deliver(server.url + "/prefix/", "secret")
    names = [f"record {number}" for number in range(1000)]
    for each in names:
        spool.append(each.encode())
    assert server.wait_for(lambda: len(arrived(server)) == 1000)
    assert arrived(server) == names
    assert delivery.flush(60)
    assert spool.stats().waiting == 0
    assert spool.stats().delivered == 1000
    first = server.received[0]
    assert first.path == "/prefix/v1/traces"
    assert first.headers["authorization"] == "Bearer secret"
    assert first.headers["content-encoding"] == "gzip"
    assert first.headers["content-type"] == "application/x-protobuf"


@pytest.mark.parametrize(
    "misdeed",
    [
        answering(429, retry_after="0"),
        answering(503, retry_after="Thu, 01 Jan 1970 00:00:00 GMT"),
        answering(500, b"oops", content_type="text/plain"),
        answering(502, b"<html>bad gateway</html>", content_type="text/html"),
        answering(504),
        answering(401, b'{"detail": "no key"}', content_type="application/problem+json"),
        answering(403),
        answering(404),
        answering(307, location="http://127.0.0.1:9/"),
        answering(200, b"<html>log in</html>", content_type="text/html"),
        answering(200, content_type="text/html"),
        answering(400, b"<html>this is a proxy</html>", content_type="text/html"),
        answering(200, b"\xff\xff\xff", content_type="application/x-protobuf"),
        answering(200, b'{"partialSuccess": 7}', content_type="application/json"),
        answering(200, b"x" * 100_000, content_type="application/x-protobuf"),
        hang_up,
        talk_nonsense,
    ],
)
def test_bad_server(
    server: OtlpServer, spool: Spool, deliver: Callable[..., Delivery], misdeed: Misdeed
) -> None:
    """A server that does not take records loses none: the very same bytes are sent again."""
    server.misdeeds.extend([misdeed] * 3)
    for number in range(10):
        spool.append(b"%d" % number)
    delivery = deliver(server.url)
    assert server.wait_for(lambda: len(server.taken) == 1)
    assert delivery.flush(60)
    assert arrived(server) == [str(number) for number in range(10)]
    assert len({each.body for each in server.received}) == 1
    assert len(server.received) == 4
    assert not spool.stats().dropped


def test_redirect(server: OtlpServer, spool: Spool, deliver: Callable[..., Delivery]) -> None:
    """A redirect is not followed: the key goes to nobody else."""
    other = OtlpServer()
    server.misdeeds.append(answering(307, location=other.url + "/v1/traces"))
    spool.append(b"one")
    deliver(server.url, "secret")
    assert server.wait_for(lambda: arrived(server) == ["one"])
    assert not other.received
    other.close()


def test_server_away(spool: Spool, deliver: Callable[..., Delivery], tmp_path: Path) -> None:
    """With no server, flushing gives up at the first failure, and the next process delivers."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        for number in range(100):
            spool.append(b"%d" % number)
        delivery = deliver(url)
        assert not delivery.close(60)
    assert "no answer" in (delivery.stats.last_error or "")
    spool.close()
    server = OtlpServer()
    heir = Spool(tmp_path / "spool", about=b"heir")
    second = Delivery(heir, encode, server.url, pace=QUICK)
    assert heir.adopt()
    second.start()
    assert second.close(60)
    assert arrived(server) == [str(number) for number in range(100)]
    assert json.loads(server.taken[0].body)["about"] == "me"
    heir.close()
    server.close()
    assert not [each for each in (tmp_path / "spool").iterdir() if each.is_dir()]


def test_slow_server(spool: Spool, deliver: Callable[..., Delivery]) -> None:
    """A server that does not answer in time leaves the records where they are."""
    spool.append(b"one")
    silent = socket.create_server(("127.0.0.1", 0))
    pace = Pace(interval_s=0.01, timeout_s=0.1, backoff=QUICK.backoff)
    delivery = deliver(f"http://127.0.0.1:{silent.getsockname()[1]}", pace=pace)
    assert not delivery.flush(60)
    assert delivery.stats.failures >= 1
    assert spool.stats().waiting == 1
    silent.close()


@pytest.mark.parametrize("status", [400, 413, 422])
def test_guilty_records(
    server: OtlpServer, spool: Spool, deliver: Callable[..., Delivery], status: int
) -> None:
    """Of a batch that the server refuses the guilty records are dropped; the others arrive in order."""
    server.guilty = lambda request: status if b"guilty" in request.body else None
    guilty = set(random.Random(1).sample(range(200), 7))
    for number in range(200):
        spool.append(f"{number}{' guilty' if number in guilty else ''}".encode())
    delivery = deliver(server.url)
    assert delivery.flush(60)
    assert arrived(server) == [str(number) for number in range(200) if number not in guilty]
    assert spool.stats().dropped == {"refused": 7}
    assert spool.stats().delivered == 193


def test_too_large_for_a_proxy(server: OtlpServer, spool: Spool, deliver: Callable[..., Delivery]) -> None:
    """What a proxy finds too large, saying so in a page for people, is dropped; nothing waits behind it."""
    page = answering(413, b"<html>Request Entity Too Large</html>", content_type="text/html")
    server.misdeeds.extend([page] * 2)
    for name in (b"large", b"one"):
        spool.append(name)
    assert deliver(server.url).flush(60)
    assert arrived(server) == ["one"]
    assert spool.stats().dropped == {"refused": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"partialSuccess": null}',
        b'{"partialSuccess": {"rejectedSpans": null, "errorMessage": null}}',
    ],
)
def test_nothing_rejected(
    server: OtlpServer, spool: Spool, deliver: Callable[..., Delivery], body: bytes
) -> None:
    """An answer in JSON that names nothing as rejected, or null, takes all: nothing is sent again."""
    server.misdeeds.append(answering(200, body, content_type="Application/JSON"))
    spool.append(b"one")
    assert deliver(server.url).flush(60)
    assert len(server.received) == 1
    assert spool.stats().delivered == 1


def test_unencodable(server: OtlpServer, spool: Spool, deliver: Callable[..., Delivery]) -> None:
    """A record that cannot be encoded is dropped and counted, and takes nobody along."""
    for name in (b"one", b"unencodable", b"two", b"three"):
        spool.append(name)
    assert deliver(server.url).flush(60)
    assert sorted(arrived(server)) == ["one", "three", "two"]
    assert spool.stats().dropped == {"unencodable": 1}


def test_partial_success(server: OtlpServer, spool: Spool, deliver: Callable[..., Delivery]) -> None:
    """Records that the server rejects from a batch it takes are counted and not sent again."""
    body = b'{"partialSuccess": {"rejectedSpans": "2", "errorMessage": "two are bad"}}'
    server.misdeeds.append(answering(200, body, content_type="application/json"))
    for _ in range(5):
        spool.append(b"one")
    assert deliver(server.url).flush(60)
    assert len(server.received) == 1
    assert spool.stats().dropped == {"rejected": 2}
    assert spool.stats().delivered == 3


def test_fork(server: OtlpServer, spool: Spool, deliver: Callable[..., Delivery]) -> None:
    """A forked child delivers its own records, its parent goes on with its own, each once."""
    delivery = deliver(server.url)
    spool.append(b"parent 1")
    child = os.fork()
    if child == 0:
        spool.append(b"child")
        os._exit(0 if delivery.flush(60) else 1)
    spool.append(b"parent 2")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert delivery.flush(60)
    assert sorted(arrived(server)) == ["child", "parent 1", "parent 2"]


def test_unseen(server: OtlpServer, spool: Spool) -> None:
    """Our own requests are made where OpenTelemetry's instrumentations are told to look away."""
    seen: list[object] = []

    def looking(about: bytes, payloads: Sequence[bytes]) -> list[Request]:
        seen.append(context.get_value(context._SUPPRESS_INSTRUMENTATION_KEY))
        return encode(about, payloads)

    spool.append(b"one")
    delivery = Delivery(spool, looking, server.url, pace=QUICK)
    delivery.start()
    assert delivery.close(60)
    assert seen == [True]
    assert context.get_value(context._SUPPRESS_INSTRUMENTATION_KEY) is None


def test_state(server: OtlpServer, spool: Spool, deliver: Callable[..., Delivery]) -> None:
    """Delivery says how it stands: refused, at work again after a flush, off."""
    server.misdeeds.append(answering(401))
    spool.append(b"one")
    delivery = deliver(server.url, pace=Pace(interval_s=60, backoff=lambda: Backoff(first_s=60)))
    until(lambda: delivery.state() == "refused")
    until(lambda: delivery.flush(60))
    assert delivery.state() in ("idle", "delivering")
    delivery.close(60)
    until(lambda: delivery.state() == "off")  # `close` itself waits a second at most


def test_credentials_in_answers(server: OtlpServer, spool: Spool, deliver: Callable[..., Delivery]) -> None:
    """What a server says of our key, or of another, is neither kept nor logged."""
    body = b"unknown key mykey-123456789, not Bearer wg_0123456789ab_PLANTEDKEY " + b"x" * 1000
    server.misdeeds.append(answering(401, body, content_type="text/plain"))
    spool.append(b"one")
    delivery = deliver(
        server.url, "mykey-123456789", Pace(interval_s=0.01, backoff=lambda: Backoff(first_s=60))
    )
    until(lambda: delivery.stats.last_error)
    assert delivery.stats.last_error is not None
    assert "answers 401 unknown key [redacted:" in delivery.stats.last_error
    assert "mykey" not in delivery.stats.last_error and "PLANTED" not in delivery.stats.last_error
    assert len(delivery.stats.last_error) <= 300


def test_rests_for_ever(server: OtlpServer, spool: Spool, deliver: Callable[..., Delivery]) -> None:
    """However long records are to be collected, the thread lives, and a flush sends them at once."""
    delivery = deliver(server.url, pace=Pace(interval_s=float("inf")))
    for name in ("one", "two"):
        spool.append(name.encode())
        assert delivery.flush(60)
    assert arrived(server) == ["one", "two"]
    assert delivery.state() != "off"


def test_own_fault(tmp_path: Path) -> None:
    """Where delivering itself fails, the figures say what failed, without credentials."""
    spool = Spool(tmp_path, about=b"")
    spool.append(b"one")

    def broken(path: str, body: bytes) -> Answer:
        raise RuntimeError("broken by Bearer abcdefghijklmnop")

    delivery = Delivery(spool, encode, "http://localhost:1", post=broken)
    assert not delivery.drain(60)
    assert delivery.stats.last_error == "delivery failed (RuntimeError: broken by [redacted:bearer])"
    spool.close()


@pytest.mark.parametrize(
    "endpoint",
    [
        *("", "localhost:4318", "ftp://host", "http://", "http://[::1", "http://h:0", "http://exa mple"),
        *("http://-h", "http://h/a b", "http://[::zz]", "http://h\n"),
    ],
)
def test_no_address(spool: Spool, endpoint: str) -> None:
    """What is no address of a server is refused at set-up, with what to write instead."""
    with pytest.raises(ConfigError, match="4318"):
        Delivery(spool, encode, endpoint)


@pytest.mark.parametrize(
    "endpoint",
    ["http://u:SECRET@host:99999", "http://u:SECRET@host", "http://host?key=SECRET", "http://host#SECRET"],
)
def test_no_credentials_in_addresses(spool: Spool, endpoint: str) -> None:
    """An address that may hold a credential is refused, and not shown."""
    with pytest.raises(ConfigError, match="4318") as refused:
        Delivery(spool, encode, endpoint)
    assert "SECRET" not in str(refused.value) and refused.value.__cause__ is None


@pytest.mark.parametrize("endpoint", ["https://a-b.example:8443/x", "http://[::1]:4318", "http://10.0.0.1"])
def test_addresses(spool: Spool, endpoint: str) -> None:
    """Names, addresses and paths are taken as they are."""
    assert checked_endpoint(endpoint + "/") == endpoint
