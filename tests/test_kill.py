"""`kill -9` of the server while it is written to: what it acknowledged is there, once, and settled."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.otlp_bodies import chat, request
from tests.server_process import PROTOBUF, ServerProcess

CONNECTIONS = 4
SPANS = (20, 100, 100, 150)
"""Spans a body, for each connection; with its texts the last one's bodies go to a decoding process."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server over an empty directory."""
    made = ServerProcess(tmp_path / "data").start()
    yield made
    if made.alive:
        made.stop()


@dataclass
class Sent:
    """What the senders of one round know."""

    acknowledged: set[int] = field(default_factory=set)
    in_doubt: list[bytes] = field(default_factory=list)
    count: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    enough: threading.Event = field(default_factory=threading.Event)


def body_of(first: int, count: int, text: str) -> bytes:
    """`count` calls, each a trace of its own, numbered from `first`."""
    spans = [chat(number, number, note=f"{number} {text}") for number in range(first, first + count)]
    return request(*spans).SerializeToString()


def send_until_it_dies(url: str, connection: int, first: int, enough: int, sent: Sent) -> None:
    """One keep-alive connection, one body after the other, until nobody answers."""
    size, text = SPANS[connection], "x" * (1500 if connection == CONNECTIONS - 1 else 0)
    with httpx.Client(base_url=url, timeout=60) as client:
        while True:
            body = body_of(first, size, text)
            with sent.lock:
                sent.count += size
            try:
                answer = client.post("/v1/traces", content=body, headers=PROTOBUF)
            except httpx.TransportError:
                with sent.lock:
                    sent.in_doubt.append(body)
                return
            assert answer.status_code == 200, answer.text
            with sent.lock:
                sent.acknowledged.update(range(first, first + size))
                if len(sent.acknowledged) >= enough:
                    sent.enough.set()
            first += size


def kill_under_load(server: ServerProcess, first: int, enough: int) -> Sent:
    """Write on several connections and kill the server once `enough` spans are acknowledged."""
    sent = Sent()
    senders = [
        threading.Thread(
            target=send_until_it_dies, args=(server.url, number, first + number * 10**6, enough, sent)
        )
        for number in range(CONNECTIONS)
    ]
    for each in senders:
        each.start()
    assert sent.enough.wait(120), server.log()
    server.kill()
    for each in senders:
        each.join(60)
    return sent


def stored(server: ServerProcess, table: str) -> list[int]:
    """The numbers of all spans in a table, in order."""
    rows = server.query(f"SELECT span_id FROM {table} ORDER BY span_id")
    return [int(row["span_id"], 16) for row in rows]


def rounds(server: ServerProcess, count: int) -> None:
    """Load, kill, restart, compare, send again what was in doubt, compare; on one directory throughout."""
    chosen, expected = random.Random(count), set[int]()
    in_all = 0
    for number in range(count):
        sent = kill_under_load(server, 1 + number * 10**8, chosen.randint(300, 3000))
        server.start()
        expected |= sent.acknowledged
        for table in ("spans", "calls"):
            found = stored(server, table)
            assert len(found) == len(set(found)), f"doubled in {table}"
            assert expected <= set(found), f"lost from {table}"
        for body in sent.in_doubt:
            assert server.http.post("/v1/traces", content=body, headers=PROTOBUF).status_code == 200
        expected = set(stored(server, "spans"))
        assert stored(server, "calls") == sorted(expected)
        in_all += sent.count
        assert len(expected) == in_all
    total = server.figures("SELECT count() AS n, sum(input_tokens) AS tokens FROM calls WHERE counted")
    assert (int(total["n"]), int(total["tokens"])) == (len(expected), 100 * len(expected))


def test_every_acknowledged_span_survives_kill_9_once(server: ServerProcess) -> None:
    """Over 2 kills under load, each acknowledged span is in `spans` and `calls` exactly once."""
    rounds(server, 2)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_every_acknowledged_span_survives_20_kills_once(server: ServerProcess) -> None:
    """The same over 20 kills on one data directory."""
    rounds(server, 20)


def double(number: int) -> tuple[bytes, bytes]:
    """One request as two libraries of one process report it, the second inside the first one's span."""
    answer = {"gen_ai__response__id": f"chatcmpl-{number}"}
    outer = request(chat(number, number, **answer), scope="openinference.instrumentation.openai")
    inner = request(chat(number, number + 10**6, number, **answer))
    return outer.SerializeToString(), inner.SerializeToString()


def double_in_two_traces(number: int) -> tuple[bytes, bytes]:
    """The same, from libraries that do not share a trace."""
    answer = {"gen_ai__response__id": f"chatcmpl-{number}"}
    one = request(chat(number, number, **answer), scope="opentelemetry.instrumentation.openai_v2")
    other = request(chat(number + 10**9, number + 10**6, **answer))
    return one.SerializeToString(), other.SerializeToString()


@pytest.mark.long
def test_doubles_acknowledged_right_before_a_kill_are_settled_after_it(server: ServerProcess) -> None:
    """A request reported twice, in one trace or in two, just before kill -9 is counted once soon after it."""
    numbers = [*range(1, 11), *range(101, 111)]
    for number in numbers:
        for body in double(number) if number < 100 else double_in_two_traces(number):
            assert server.http.post("/v1/traces", content=body, headers=PROTOBUF).status_code == 200
    server.kill()
    server.start().settle()
    (row,) = server.query(
        "SELECT count() AS calls, countIf(counted) AS ones, countIf(notEmpty(duplicate_of)) AS doubles,"
        " sumIf(input_tokens, counted) AS tokens FROM calls"
    )
    assert {name: int(value) for name, value in row.items()} == {
        "calls": 2 * len(numbers),
        "ones": len(numbers),
        "doubles": len(numbers),
        "tokens": 100 * len(numbers),
    }
