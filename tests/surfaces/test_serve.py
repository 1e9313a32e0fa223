"""The server as a process: its addresses, its first line, and how it ends."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PROTOBUF = {"content-type": "application/x-protobuf"}
READY = re.compile(r"watchglass is ready: (http://\S+) .* (\S+) \(OTLP/gRPC\)")


class Served:
    """`serve` as a program of its own."""

    def __init__(self, port: int = 0, grpc_port: int = 0, host: str = "127.0.0.1", takes: str = "0") -> None:
        script = Path(__file__).with_name("fake_house.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(port), str(grpc_port), host, takes],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> Served:
        found = READY.match(self.line())
        assert found, self.process.communicate()[1]
        self.url, self.grpc_address = found.groups()
        return self

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def post(self) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/traces", content=b"x", headers=PROTOBUF, timeout=60)

    def end(self) -> tuple[int, str, str]:
        """Exit code, the rest of stdout, and stderr."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@pytest.fixture
def start() -> Iterator[Callable[..., Served]]:
    started: list[Served] = []

    def begin(**options: Any) -> Served:
        started.append(Served(**options))
        return started[-1]

    yield begin
    for each in started:
        each.process.kill()
        each.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_with_exit_code_0(start: Callable[..., Served], number: signal.Signals) -> None:
    """SIGTERM and SIGINT end an idle server in order, with exit code 0, though a connection is open."""
    served = start().ready()
    with httpx.Client(base_url=served.url, timeout=60) as idle:
        assert idle.get("/ready").json() == {"ready": True}
        served.process.send_signal(number)
        code, out, err = served.end()
    assert (code, out) == (0, "closed after 0\n")
    assert "Traceback" not in err


def test_requests_under_way_are_finished_and_acknowledged(start: Callable[..., Served]) -> None:
    """After SIGTERM, what was received over HTTP and gRPC is stored and answered before the end."""
    served = start(takes="0.7").ready()
    with ThreadPoolExecutor(2) as threads, grpc.insecure_channel(served.grpc_address) as channel:
        posted = threads.submit(served.post)
        called = channel.unary_unary(TRACES).future(b"x", timeout=60)
        assert [served.line(), served.line()] == ["received\n"] * 2
        served.process.send_signal(signal.SIGTERM)
        assert posted.result().status_code == 200
        assert called.result() == b""
    assert served.end()[:2] == (0, "closed after 2\n")


def test_a_request_that_never_ends_is_told_to_come_back(start: Callable[..., Served]) -> None:
    """A request that hangs does not keep the server: it is a 503 with Retry-After, and the end."""
    served = start(takes="forever").ready()
    with ThreadPoolExecutor(1) as threads:
        posted = threads.submit(served.post)
        assert served.line() == "received\n"
        served.process.send_signal(signal.SIGTERM)
        response = posted.result()
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert served.end()[:2] == (0, "closed after 0\n")


def test_a_second_signal_ends_it_at_once(start: Callable[..., Served]) -> None:
    """Who sends the signal again does not wait for the drain."""
    served = start(takes="forever").ready()
    with ThreadPoolExecutor(1) as threads:
        posted = threads.submit(served.post)
        served.line()
        # Both while it is halted, or the drain could be over before the second one comes.
        for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
            served.process.send_signal(number)
        with pytest.raises(httpx.HTTPError):
            posted.result()
    assert served.end()[0] in (128 + signal.SIGINT, 128 + signal.SIGTERM)


def test_ports_in_use_are_one_sentence(start: Callable[..., Served]) -> None:
    """A taken port, HTTP or gRPC, is an error of one sentence that names it and the way out."""
    first = start().ready()
    port, grpc_port = (int(address.rpartition(":")[2]) for address in (first.url, first.grpc_address))
    for option, flag, number in (("port", "--port", port), ("grpc_port", "--grpc-port", grpc_port)):
        code, _, err = start(**{option: number}).end()
        sentence = next(line for line in err.splitlines() if line.startswith("watchglass:"))
        assert code == 2
        assert str(number) in sentence and flag in sentence
        assert "Traceback" not in err


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_addresses_that_others_can_reach_are_refused(start: Callable[..., Served], host: str) -> None:
    """Without keys only loopback is served; any other address is an error of one sentence."""
    code, out, err = start(host=host).end()
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "can be reached from other machines" in err


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "::1"])
def test_every_loopback_address_can_be_served(start: Callable[..., Served], host: str) -> None:
    """localhost, other loopback addresses and IPv6's are fine, and answer under their own name."""
    if host == "::1" and not _has_ipv6():
        pytest.skip("this machine has no IPv6 loopback address")
    served = start(host=host).ready()
    assert httpx.get(f"{served.url}/health", timeout=60).status_code == 200
    with grpc.insecure_channel(served.grpc_address) as channel:
        assert channel.unary_unary(TRACES)(b"x", timeout=60) == b""


def test_a_store_that_cannot_be_opened_is_one_sentence(start: Callable[..., Served]) -> None:
    """A failure to open the store is its own sentence, and nothing is served."""
    code, out, err = start(takes="busy").end()
    assert (code, out) == (2, "")
    assert err == "watchglass: StoreBusy: The data directory is held by process 1: stop it.\n"


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
