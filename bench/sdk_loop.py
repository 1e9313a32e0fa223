"""What recording does to an event loop: calls at a steady rate, with us and without, the server well or not.

    python bench/sdk_loop.py none|ours up|away|slow --rate 100 --seconds 5

Calls are the asynchronous wrapper around a stub that waits 20 ms and gives a real `ModelResponse`; prints
JSON. A step is one uninterrupted run of the wrapper on the loop, of which each call has two, with what the
stub does in it. The loop's lag is by how much a timer of 5 ms is late.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sdk_calls import prose, stubs
from spool import server


@contextlib.contextmanager
def slow() -> Generator[str]:
    """A server that takes a second for each request."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            threading.Event().wait(1)
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listening.server_address[1]}"
    listening.shutdown()


class Stepped:
    """Awaits something and notes how long each of its steps had the loop: wall and processor, ns."""

    def __init__(self, inner: Awaitable[Any], taken: list[tuple[int, int]]) -> None:
        self.inner = inner
        self.taken = taken

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self.inner.__await__()
        while True:
            wall, busy = time.perf_counter_ns(), time.thread_time_ns()
            try:
                waits_for = next(steps)
            except StopIteration as end:
                return end.value
            finally:
                self.taken.append((time.perf_counter_ns() - wall, time.thread_time_ns() - busy))
            yield waits_for


async def run(entry: Callable[..., Awaitable[Any]], rate: int, seconds: float) -> dict[str, float]:
    """Make the calls and look at the loop meanwhile."""
    prompts = [[{"role": "user", "content": text}] for text in prose(1000)]
    steps: list[tuple[int, int]] = []
    lags: list[int] = []
    over = asyncio.Event()

    async def probe() -> None:
        while not over.is_set():
            began = time.perf_counter_ns()
            await asyncio.sleep(0.005)
            lags.append(time.perf_counter_ns() - began - 5_000_000)

    async def one(number: int) -> None:
        await Stepped(entry(model="openai/gpt-4o", messages=prompts[number % 1000]), steps)

    probing = asyncio.create_task(probe())
    pending: set[asyncio.Task[None]] = set()
    before, began, number = time.process_time(), time.perf_counter(), 0
    while (now := time.perf_counter() - began) < seconds:
        while number < now * rate:
            task = asyncio.create_task(one(number))
            pending.add(task)
            task.add_done_callback(pending.discard)
            number += 1
        await asyncio.sleep(min(0.01, 1 / rate))
    await asyncio.gather(*pending)
    busy = (time.process_time() - before) / (time.perf_counter() - began)
    over.set()
    await probing
    wall, processor = zip(*steps, strict=True)
    return {
        "step_p50_us": statistics.median(wall) / 1e3,
        "step_p999_ms": statistics.quantiles(wall, n=1000)[998] / 1e6,
        "step_cpu_p999_ms": statistics.quantiles(processor, n=1000)[998] / 1e6,
        "lag_p99_ms": statistics.quantiles(lags, n=100)[98] / 1e6,
        "cpu_percent": busy * 100,
        "calls_per_s": number / seconds,
    }


def main() -> None:
    """Measure one of the cases and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("who", choices=("none", "ours"))
    parser.add_argument("server", choices=("up", "away", "slow"))
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=5)
    given = parser.parse_args()
    away = contextlib.nullcontext("http://127.0.0.1:9")
    with {"up": server, "slow": slow, "away": lambda: away}[given.server]() as url:
        whole, _, _ = stubs()

        async def completion(**asked: Any) -> Any:
            await asyncio.sleep(0.02)
            return whole(**asked)

        folder = tempfile.mkdtemp(prefix="watchglass-bench-")
        entry, stop = completion, lambda: None
        if given.who == "ours":
            import watchglass
            from watchglass.capture.litellm.entry import tracked_async

            runtime = watchglass.init(
                service_name="bench", endpoint=url, spool_dir=folder, instrument=["litellm"]
            )
            entry = tracked_async(completion, "chat")
            stop = lambda: runtime.shutdown(0.1)  # noqa: E731 - said where it is known
        asyncio.run(run(entry, given.rate, 1.5))
        found = asyncio.run(run(entry, given.rate, given.seconds))
        json.dump(found, sys.stdout)
        sys.stdout.flush()
        stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
