"""What keeping a record costs the thread that makes it, while delivery is at work.

A single run: `python bench/spool.py`. The anchor beside it is a `write` of the same bytes to an open file.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec

from watchglass.capture.delivery import Delivery
from watchglass.capture.encoder import requests
from watchglass.capture.records import SpanRecord, encode
from watchglass.capture.spool import Spool

SIZES = (500, 5_000)
PER_SECOND = 1_000
SECONDS = 10


def payload(size: int) -> bytes:
    """An encoded span of about `size` bytes."""
    attributes: dict[str, Any] = {f"gen_ai.attribute.{number}": number for number in range(8)}
    span = SpanRecord(b"t" * 16, b"s" * 8, b"", "chat gpt-4o", 3, 1, 2, 0, "", attributes)
    missing = size - len(encode(span)) - 28
    attributes["gen_ai.input.messages"] = os.urandom(max(0, missing // 2)).hex()
    return encode(span)


def quantiles(call: Callable[[bytes], object], record: bytes, per_second: int, seconds: float) -> str:
    """Microseconds a call takes, at a steady rate."""
    taken: list[int] = []
    clock = time.perf_counter_ns
    due = clock()
    for _ in range(int(per_second * seconds)):
        due += 10**9 // per_second
        if (early := due - clock()) > 0:
            time.sleep(early / 1e9)
        began = clock()
        call(record)
        taken.append(clock() - began)
    cuts = statistics.quantiles(taken, n=1000)
    p50, p99, p999 = (cuts[index] / 1000 for index in (499, 989, 998))
    return f"p50 {p50:6.1f}  p99 {p99:6.1f}  p99.9 {p999:7.1f}  most {max(taken) / 1000:8.1f} µs"


@contextmanager
def server() -> Iterator[str]:
    """Takes everything, in a process of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    child = os.fork()
    if child == 0:
        listening.serve_forever()
    listening.server_close()
    try:
        yield f"http://127.0.0.1:{listening.server_address[1]}"
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def burst(spool: Spool, record: bytes, records: int) -> float:
    """Microseconds a record, as fast as one thread can."""
    began = time.perf_counter_ns()
    for _ in range(records):
        spool.append(record)
    return (time.perf_counter_ns() - began) / records / 1000


def main() -> None:
    """Measure and print."""
    with server() as url, tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            record = payload(size)
            with open(Path(folder) / "anchor", "ab", buffering=0) as anchor:
                for rate in (PER_SECOND, 100):
                    written = quantiles(anchor.write, record, rate, 3)
                    print(f"{len(record):5} B  write()  {rate:4}/s    {written}")
            spool = Spool(
                Path(folder) / f"spool{size}", about=msgspec.msgpack.encode({"service.name": "bench"})
            )
            delivery = Delivery(spool, requests, url)
            delivery.start()
            time.sleep(1)
            appended = quantiles(spool.append, record, PER_SECOND, SECONDS)
            print(f"{len(record):5} B  append   {PER_SECOND}/s    {appended}")
            delivery.flush(30)
            before, began = delivery.stats.cpu_ns, time.perf_counter()
            appended = quantiles(spool.append, record, 100, SECONDS)
            delivery.flush(30)
            elapsed = time.perf_counter() - began
            share = (delivery.stats.cpu_ns - before) / 1e9 / elapsed
            print(f"{len(record):5} B  append    100/s    {appended}")
            print(
                f"{len(record):5} B  delivery at 100/s  {share:.2%} of a processor, encoding, gzip and POST"
            )
            print(f"{len(record):5} B  burst              {burst(spool, record, 20_000):.2f} µs a record")
            print(f"       threads {threading.active_count()}, {spool.stats()}")
            delivery.close(60)
            spool.close()


if __name__ == "__main__":
    main()
