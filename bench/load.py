"""Load generator: OTLP bodies, every span with ids, times and texts of its own, by patching a template.

`python bench/load.py --url http://127.0.0.1:4318 --spans 100000 --kind full --connections 4 --batch 1000`
prints one JSON object. Making a body costs a few microseconds a span, so that the server is what
is measured.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec
import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

PROMPT_CHARS, ANSWER_CHARS = 1300, 700
VOCABULARY = 4000


def _attribute(key: str, value: str | int) -> KeyValue:
    given = AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value)
    return KeyValue(key=key, value=given)


def _messages(role: str, text: str, finish_reason: str | None = None) -> str:
    """One message in the shape of the GenAI conventions, without spaces, as clients write it."""
    message: dict[str, object] = {"role": role, "parts": [{"type": "text", "content": text}]}
    if finish_reason is not None:
        message["finish_reason"] = finish_reason
    return msgspec.json.encode([message]).decode()


def _prose(generator: np.random.Generator, size: int) -> np.ndarray:
    """Words drawn from a vocabulary as uneven as a language's, as ASCII bytes."""
    letters = np.frombuffer(b"etaoinshrdlucmfwypvbgkjqxz", np.uint8)
    weights = 1 / np.arange(1, 27)
    words = [
        bytes(generator.choice(letters, generator.integers(2, 11), p=weights / weights.sum()))
        for _ in range(VOCABULARY)
    ]
    rank = 1 / np.arange(1, VOCABULARY + 1) ** 0.8
    drawn = generator.choice(VOCABULARY, size // 5, p=rank / rank.sum())
    return np.frombuffer(b" ".join(words[index] for index in drawn), np.uint8)[:size]


class Bodies:
    """Makes bodies of `batch` spans each; thread-safe only one a thread."""

    def __init__(self, kind: str, batch: int, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.batch = batch
        self._text = _prose(self._random, 4_000_000)
        template = _template(kind, batch)
        self._bytes = np.frombuffer(template, np.uint8).copy()
        self._trace = _offsets(template, b"\xf1" * 16, batch)
        self._span = _offsets(template, b"\xf2" * 8, batch)
        self._start = _offsets(template, b"\xf3" * 8, batch)
        self._end = _offsets(template, b"\xf4" * 8, batch)
        self._ids = _offsets(template, b"RESPONSEID", batch)
        self._prompt = _offsets(template, b"P" * PROMPT_CHARS, batch) if kind == "full" else None
        self._answer = _offsets(template, b"A" * ANSWER_CHARS, batch) if kind == "full" else None

    def next(self) -> bytes:
        """A body in which every span is new."""
        count, made = self.batch, self._bytes
        made[self._trace[:, None] + np.arange(16)] = self._random.integers(1, 256, (count, 16), np.uint8)
        made[self._span[:, None] + np.arange(8)] = self._random.integers(1, 256, (count, 8), np.uint8)
        start = time.time_ns() - self._random.integers(10**6, 10**9, count)
        made[self._start[:, None] + np.arange(8)] = start.astype("<u8").view(np.uint8).reshape(count, 8)
        end = start + self._random.integers(10**5, 10**9, count)
        made[self._end[:, None] + np.arange(8)] = end.astype("<u8").view(np.uint8).reshape(count, 8)
        made[self._ids[:, None] + np.arange(10)] = self._random.integers(97, 123, (count, 10), np.uint8)
        for offsets, size in ((self._prompt, PROMPT_CHARS), (self._answer, ANSWER_CHARS)):
            if offsets is not None:
                for at, source in zip(
                    offsets, self._random.integers(0, len(self._text) - size, count), strict=True
                ):
                    made[at : at + size] = self._text[source : source + size]
        return made.tobytes()


def _template(kind: str, batch: int) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(
        [
            _attribute("service.name", "bench"),
            _attribute("service.instance.id", "bench-1"),
            _attribute("telemetry.sdk.language", "python"),
        ]
    )
    scope = group.scope_spans.add()
    scope.scope.name, scope.scope.version = "opentelemetry.instrumentation.genai.openai", "1.3b0"
    for number in range(batch):
        span = scope.spans.add(
            trace_id=b"\xf1" * 16, span_id=b"\xf2" * 8, name="chat gpt-4o-mini", kind=3,
            start_time_unix_nano=int.from_bytes(b"\xf3" * 8, "little"),
            end_time_unix_nano=int.from_bytes(b"\xf4" * 8, "little"),
        )  # fmt: skip
        span.attributes.extend(
            [
                _attribute("gen_ai.operation.name", "chat"),
                _attribute("gen_ai.provider.name", "openai"),
                _attribute("gen_ai.request.model", "gpt-4o-mini"),
                _attribute("gen_ai.response.model", "gpt-4o-mini-2024-07-18"),
                _attribute("gen_ai.response.id", "chatcmpl-RESPONSEID"),
                _attribute("gen_ai.usage.input_tokens", 300 + number % 97),
                _attribute("gen_ai.usage.output_tokens", 150 + number % 89),
                _attribute("server.address", "api.openai.com"),
                _attribute("server.port", 443),
                _attribute("tenant.id", f"tenant-{number % 7}"),
                _attribute("feature_context", f"feature-{number % 5}"),
                _attribute("gen_ai.request.max_tokens", 1024),
            ]
        )
        if kind == "full":
            span.attributes.extend(
                [
                    _attribute("gen_ai.input.messages", _messages("user", "P" * PROMPT_CHARS)),
                    _attribute("gen_ai.output.messages", _messages("assistant", "A" * ANSWER_CHARS, "stop")),
                ]
            )
    return request.SerializeToString()


def _offsets(template: bytes, mark: bytes, count: int) -> np.ndarray:
    found: list[int] = []
    at = template.find(mark)
    while at >= 0:
        found.append(at)
        at = template.find(mark, at + len(mark))
    if len(found) != count:
        raise SystemExit(f"the template has {len(found)} places for {mark[:8]!r}, not {count}")
    return np.array(found)


@dataclass
class Result:
    """What the connections saw."""

    acknowledged: int = 0
    answers_s: list[float] = field(default_factory=list)
    retries: int = 0
    first_error: str | None = None


def run(
    url: str, kind: str, spans: int, connections: int, batch: int, seed: int, rate: float | None = None
) -> dict[str, Any]:
    """Send at least `spans` spans, no more than `rate` a second; returns the figures."""
    where = urlsplit(url)
    result, lock, left = Result(), threading.Lock(), [spans]
    makers = [Bodies(kind, batch, seed + number) for number in range(connections)]
    size = len(makers[0].next())
    started = time.perf_counter()

    def work(maker: Bodies) -> None:
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        while True:
            with lock:
                if left[0] <= 0:
                    return
                due = started + (spans - left[0]) / rate if rate else 0
                left[0] -= batch
            time.sleep(max(0, due - time.perf_counter()))
            body, begun = maker.next(), time.perf_counter()
            while True:
                try:
                    connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
                    answer = connection.getresponse()
                    said = answer.read()
                except (OSError, http.client.HTTPException) as error:
                    with lock:
                        result.first_error = result.first_error or repr(error)
                    return
                if answer.status == 200:
                    break
                with lock:
                    result.retries += 1
                    result.first_error = result.first_error or f"{answer.status} {said[:200]!r}"
                if answer.status not in (429, 502, 503, 504):
                    return
                time.sleep(float(answer.headers.get("Retry-After", "1")))
            with lock:
                # From the first attempt: a server that sends people away does not answer sooner for it.
                result.answers_s.append(time.perf_counter() - begun)
                result.acknowledged += batch

    threads = [threading.Thread(target=work, args=(maker,)) for maker in makers]
    begun, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begun
    answers = np.sort(np.array(result.answers_s or [0.0]))
    return {
        "kind": kind,
        "acknowledged": result.acknowledged,
        "seconds": round(took, 3),
        "spans_per_s": round(result.acknowledged / took),
        "body_bytes": size,
        "answer_p50_ms": round(float(np.quantile(answers, 0.5)) * 1000, 1),
        "answer_p99_ms": round(float(np.quantile(answers, 0.99)) * 1000, 1),
        "answer_max_ms": round(float(answers[-1]) * 1000, 1),
        "generator_us_per_span": round((time.process_time() - cpu) / max(1, result.acknowledged) * 1e6, 2),
        "retries": result.retries,
        "first_error": result.first_error,
    }


def main() -> None:
    """Run once from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:4318")
    parser.add_argument("--kind", choices=("full", "light"), default="full")
    parser.add_argument("--spans", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=6)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--rate", type=float, help="spans a second at most")
    parser.add_argument("--seed", type=int, default=time.time_ns())
    given = parser.parse_args()
    figures = run(given.url, given.kind, given.spans, given.connections, given.batch, given.seed, given.rate)
    print(json.dumps(figures))
    if figures["acknowledged"] < given.spans:
        sys.exit(f"only {figures['acknowledged']} of {given.spans} spans: {figures['first_error']}")


if __name__ == "__main__":
    main()
