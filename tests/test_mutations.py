"""Broken bodies against a real server: refused or taken in part, never a 5xx, and good ones lose nothing."""

from __future__ import annotations

import gzip
import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.corpus import load_cases
from tests.otlp_bodies import START_NS, any_value, chat, pairs, request
from tests.server_process import JSON, PROTOBUF, ServerProcess

THREADS = 8
GOOD_EVERY = 10
GZIP = {"content-encoding": "gzip"}
GOOD = {"service.name": "good", "service.instance.id": "good-1"}
LARGEST_SEED = 64 * 1024
"""Of the real bodies; larger ones would make the test slow, not sharper."""


@dataclass(frozen=True)
class Seed:
    """A body that a client could send."""

    path: str
    headers: dict[str, str]
    body: bytes


def traces() -> ExportTraceServiceRequest:
    """Spans with every kind of value, events, links and a parent."""
    rich = chat(
        1,
        2,
        1,
        note="ä€😀",
        flag=True,
        share=0.5,
        raw=b"\xff\x00",
        parts=[1, "a", [2.5]],
        tree={"a": {"b": 1}},
    )
    rich.events.add(name="gen_ai.choice", time_unix_nano=START_NS, attributes=pairs({"index": 0}))
    rich.links.add(trace_id=b"l" * 16, span_id=b"l" * 8, attributes=pairs({"why": "retry"}))
    rich.status.code, rich.status.message, rich.trace_state = 2, "rate limited", "a=b"
    return request(chat(1, 1), rich, chat(2, 3, gen_ai__response__id="chatcmpl-1"), scope="mutant")


def logs() -> ExportLogsServiceRequest:
    """A log record of a span."""
    body = ExportLogsServiceRequest()
    group = body.resource_logs.add()
    group.resource.attributes.extend(pairs({"service.name": "mutant"}))
    record = group.scope_logs.add().log_records.add(
        time_unix_nano=START_NS, trace_id=b"t" * 16, span_id=b"s" * 8, event_name="gen_ai.user.message"
    )
    record.body.CopyFrom(any_value({"content": "hello", "role": "user"}))
    return body


def metrics() -> ExportMetricsServiceRequest:
    """A histogram and a sum."""
    body = ExportMetricsServiceRequest()
    into = body.resource_metrics.add().scope_metrics.add()
    point = into.metrics.add(name="gen_ai.client.token.usage", unit="{token}").histogram.data_points.add(
        time_unix_nano=START_NS, count=3, sum=7.5, bucket_counts=[1, 2], explicit_bounds=[4.0]
    )
    point.attributes.extend(pairs({"gen_ai.token.type": "input"}))
    into.metrics.add(name="calls").sum.data_points.add(time_unix_nano=START_NS, as_int=3)
    return body


def seeds() -> list[Seed]:
    """Bodies made here, in both encodings and packed, and the smaller ones of real clients where they are."""
    made: list[Seed] = []
    for path, body in (("/v1/traces", traces()), ("/v1/logs", logs()), ("/v1/metrics", metrics())):
        proto, text = (
            body.SerializeToString(),
            MessageToJson(body, use_integers_for_enums=True, indent=None).encode(),
        )
        made += [Seed(path, PROTOBUF, proto), Seed(path, JSON, text)]
        made += [
            Seed(path, PROTOBUF | GZIP, gzip.compress(proto)),
            Seed(path, JSON | GZIP, gzip.compress(text)),
        ]
    for case in load_cases():
        for body in case.bodies:
            if len(content := body.read()) <= LARGEST_SEED:
                made.append(Seed(body.path, {"content-type": body.content_type}, content))
    return made


def mutate(chosen: random.Random, body: bytes, other: bytes) -> bytes:
    """One to a few bytes flipped, set or removed, an end cut off, or a piece of another body put in."""
    broken = bytearray(body)
    for _ in range(chosen.choice((1, 1, 2, 8))):
        at = chosen.randrange(len(broken) + 1)
        match chosen.randrange(6):
            case 0 | 1 if at < len(broken):
                broken[at] ^= 1 << chosen.randrange(8)
            case 2 if at < len(broken):
                broken[at] = chosen.choice((0, 0x7F, 0x80, 0xFF))
            case 3:
                del broken[at:]
            case 4:
                del broken[at : at + chosen.randrange(1, 20)]
            case _:
                start = chosen.randrange(len(other))
                broken[at:at] = other[start : start + chosen.randrange(1, 200)]
    return bytes(broken)


def delimited(field_number: int, content: bytes) -> bytes:
    """A field of protobuf's wire type 2."""
    size, length = len(content), bytearray()
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([field_number << 3 | 2, *length, size]) + content


def neighbours(chosen: random.Random, first: int) -> bytes:
    """Two good spans, and between them one whose bytes are broken while its frame is not."""
    one, broken, other = (chat(n, n).SerializeToString() for n in (first, first + 10**12, first + 1))
    middle = bytearray(broken)
    middle[chosen.randrange(len(middle))] ^= 1 << chosen.randrange(8)
    spans = b"".join(delimited(2, each) for each in (one, bytes(middle), other))
    # Of one scope, as the other good ones are: equal calls of two scopes would be taken for doubles.
    group = request(resource=GOOD).resource_spans[0]
    scope = delimited(1, group.scope_spans[0].scope.SerializeToString())
    return delimited(1, delimited(1, group.resource.SerializeToString()) + delimited(2, scope + spans))


@dataclass
class Seen:
    """What the threads know in the end."""

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    good: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


def bombard(url: str, number: int, count: int, seen: Seen) -> None:
    """A keep-alive connection: `count` mutants, and among them good spans, alone or beside broken ones."""
    chosen, bodies, next_good = random.Random(number), seeds(), (number + 1) << 40
    with httpx.Client(base_url=url, timeout=60) as client:
        for step in range(count):
            seed, other = chosen.choice(bodies), chosen.choice(bodies)
            mutant = mutate(chosen, seed.body, other.body)
            status = client.post(seed.path, content=mutant, headers=seed.headers).status_code
            with seen.lock:
                seen.statuses[status] += 1
                if status not in (200, 400, 413, 415):
                    seen.faults.append(f"{status} for {seed.path} {seed.headers} {mutant[:2000].hex()}")
            if step % GOOD_EVERY == 0:
                body, fresh = good(chosen, next_good, whole=step % (2 * GOOD_EVERY) == 0)
                answer = client.post("/v1/traces", content=body, headers=PROTOBUF)
                next_good += 10
                with seen.lock:
                    seen.good |= fresh
                    if answer.status_code != 200:
                        seen.faults.append(
                            f"a good body got {answer.status_code}: {answer.text} {body.hex()}"
                        )


def good(chosen: random.Random, first: int, *, whole: bool) -> tuple[bytes, set[int]]:
    """A body, and the spans of it that nothing is wrong with."""
    if whole:
        return request(chat(first, first), resource=GOOD).SerializeToString(), {first}
    return neighbours(chosen, first), {first, first + 1}


def survive(server: ServerProcess, count: int) -> None:
    """Send `count` mutants and compare what is there afterwards."""
    seen = Seen()
    each = [
        threading.Thread(target=bombard, args=(server.url, number, count // THREADS, seen))
        for number in range(THREADS)
    ]
    for thread in each:
        thread.start()
    for thread in each:
        thread.join()
    assert not seen.faults, (len(seen.faults), seen.faults[:3])
    assert seen.statuses.total() == count // THREADS * THREADS
    assert seen.statuses[200] and seen.statuses[400], seen.statuses
    server.settle(120)
    rows = server.query("SELECT span_id FROM calls WHERE counted AND service = 'good' ORDER BY span_id")
    found = Counter(int(row["span_id"], 16) for row in rows)
    assert seen.good <= set(found)
    assert not [number for number in seen.good if found[number] != 1]
    for table in ("spans", "calls", "messages", "logs", "metrics", "rejects"):
        server.query(f"SELECT * FROM {table} LIMIT 5000")
    assert server.alive and server.http.get("/health").json()["status"] == "ok"
    assert "Traceback" not in server.log()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server over an empty directory."""
    made = ServerProcess(tmp_path / "data").start()
    yield made
    assert made.stop() == 0, made.log()


def test_100_broken_bodies_cost_nobody_else_anything(server: ServerProcess) -> None:
    """After 100 mutants no 5xx was seen, the server runs, and each good span is counted exactly once."""
    survive(server, 100)


@pytest.mark.long
@pytest.mark.timeout(5400)
def test_100000_broken_bodies_cost_nobody_else_anything(server: ServerProcess) -> None:
    """The same after 100,000."""
    survive(server, 100_000)
